"""The form of an answer: what Accept asks for, and what each task says in it."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from headstart.base.errors import Undecodable
from headstart.ship.server import answers
from headstart.ship.server.answers import Form, Said
from headstart.ship.server.refusals import Refusal
from headstart.tasks import classification, multilabel, regression

CATS = classification.learn(["</script><img onerror=alert(1)>", "cat"])
ABOUT = {"name": "m", "digest": "d"}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/csv", "text/csv"),
        ("text/plain;q=0.4, text/csv;q=0.5", "text/csv"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("text/*", "text/csv"),
        ("TEXT/PLAIN", "text/plain"),
        ("application/json;q=0, text/plain", "text/plain"),
        ("application/json;q=nonsense, text/csv;q=0.1", "text/csv"),
    ],
)
def test_accept_is_understood(accept: str, kind: str) -> None:
    assert answers.preferred(accept) == kind


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "application/xml, text/html"])
def test_what_cannot_be_made_is_refused(accept: str) -> None:
    with pytest.raises(Refusal) as caught:
        answers.preferred(accept)
    assert caught.value.status == 406


def test_each_task_says_what_it_says() -> None:
    said = answers.result((np.array([0.25, 0.75]), 0.5), CATS, Form())
    assert isinstance(said, Said)
    assert said.answer["label"] == CATS.names[1] and said.names == (CATS.names[1],)
    assert said.answer["probabilities"] == dict(zip(CATS.names, (0.25, 0.75), strict=True))
    tags = answers.result((np.array([0.9, 0.6, 0.1]), 0.5), multilabel.learn([("a", "b", "c")]), Form())
    assert isinstance(tags, Said) and tags.names == ("a", "b") and set(tags.answer["probabilities"]) == {"a", "b", "c"}
    number = answers.result((np.array([3.25]), 0.5), regression.learn([1.0]), Form())
    assert (
        isinstance(number, Said)
        and number.answer == {"value": 3.25, "unfamiliar": False, "strangeness": 0.5}
        and number.names == ()
    )


def test_no_number_is_no_answer() -> None:
    for row in ([np.nan, 1.0], [np.inf, 0.0]):
        refusal = answers.result((np.array(row), 0.5), CATS, Form())
        assert isinstance(refusal, Refusal) and refusal.status == 500


def test_what_nobody_foresaw_is_not_told_to_the_client() -> None:
    refusal = answers.result(RuntimeError("/secret/path"), CATS, Form())
    assert isinstance(refusal, Refusal) and b"secret" not in refusal.body()


def test_odd_names_survive_every_form() -> None:
    name = 'a "b",\nc\x1b[31m.png'
    results = [
        answers.result((np.array([0.9, 0.1]), 0.5), CATS, Form()),
        answers.result(Undecodable("no"), CATS, Form()),
    ]
    found = json.loads(answers.several([name, "b"], results, CATS, Form(), ABOUT))
    assert found["results"][0]["item"] == name
    table = answers.several([name, "b"], results, CATS, Form(answers.TABLE, top=2), ABOUT).decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert rows[0]["item"] == name and rows[0]["label"] == CATS.names[0] and rows[1]["error"] == "no"
    lines = answers.several(["a", "b"], results, CATS, Form(answers.TEXT), ABOUT).decode().splitlines()
    assert lines[0].startswith("a  </script>") and lines[1] == "b  error: no"
