"""The table of compared networks: what it says, and that it survives the file it is kept in."""

from __future__ import annotations

import json

import pytest

from headstart.base import ranked
from headstart.base.errors import RunError
from headstart.base.ranked import Rank, Ranking


def table(*probabilities: float, tied: bool = False, by_prior: str = "b") -> Ranking:
    rows = [
        Rank(
            name,
            place=place,
            beats_next=p,
            loss=0.1 * place,
            score=0.9,
            stages=("stem", "end"),
            tied=tied and place > 1,
        )
        for place, (name, p) in enumerate(zip("abc", [*probabilities, None], strict=False), start=1)
    ]
    return Ranking(
        (*rows, Rank("local:x", status="no such file")), "classification", "log_loss", "accuracy", by_prior=by_prior
    )


def test_it_says_whether_the_first_is_first_beyond_noise() -> None:
    assert "a comes first, beyond noise" in table(0.99).sentence and "probability of 99 %" in table(0.99).sentence
    assert "b is a tie" in table(0.61, tied=True).sentence and "61 %" in table(0.61, tied=True).sentence
    assert "only network" in table().sentence


def test_nothing_is_certain() -> None:
    assert "over 99 %" in table(1.0).sentence
    assert [ranked.percent(p) for p in (0.0, 0.004, 0.5, 0.994, 0.996)] == [
        "under 1 %",
        "under 1 %",
        "50 %",
        "99 %",
        "over 99 %",
    ]


def test_it_says_what_reputation_would_have_chosen() -> None:
    assert table(0.9).about_prior.endswith("would have chosen b")
    assert table(0.9, by_prior="a").about_prior.endswith("the same")
    assert table(0.9, by_prior="local:x").about_prior.endswith("would have chosen local:x (no such file)")


def test_it_survives_json() -> None:
    before = table(0.9, 0.7)
    assert ranked.read(json.loads(json.dumps(before.as_dict()))) == before


def test_what_another_version_wrote_besides_is_left_out() -> None:
    data = json.loads(json.dumps(table(0.9).as_dict()))
    data["colour"], data["rows"][0]["colour"] = "red", "red"
    assert ranked.read(data) == table(0.9)


@pytest.mark.parametrize("data", [{}, {"rows": []}, {"rows": [1]}, {"rows": [{}]}, {"rows": [{"name": "a"}]}, []])
def test_what_is_no_ranking_is_refused_in_words(data: object) -> None:
    with pytest.raises(RunError, match="ranking"):
        ranked.read(data)  # type: ignore[arg-type]


def test_a_name_cannot_become_part_of_the_page() -> None:
    bad = "</script><img src=x onerror=alert(1)>"
    page = Ranking((Rank(bad, place=1, loss=1.0, score=0.5),), "classification", "log_loss", "accuracy")._repr_html_()
    assert bad not in page and "&lt;img" in page
