"""A model of texts over HTTP: strings, files, forms, pairs; what is no text is refused with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from headstart.ship.sealed import load
from headstart.ship.server.limits import Limits
from tests.ship import sealed_texts
from tests.ship.server.conftest import Here, Process
from tests.ship.server.test_schema import fuzzed

TEXT, PAIR = "salt and oven near the harbour", ("we bake bread", "the crew of a deck")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("texts")
    sealed_texts.sealed(where / "topics", where / "bert")
    return where / "topics"


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Here]:
    with Here(load(folder), item=500, items=8).running() as here:
        yield here


@pytest.fixture
def client(served: Here) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=60) as found:
        yield found


@pytest.fixture(scope="module")
def said(folder: Path) -> np.ndarray:
    return np.stack([each.scores for each in load(folder).predict([TEXT, PAIR])])


def probabilities(answer: dict) -> list[float]:
    return [answer["probabilities"][name] for name in sealed_texts.CLASSES]


@pytest.mark.parametrize(
    "given",
    [
        {"content": TEXT.encode(), "headers": {"content-type": "text/plain"}},
        {"content": TEXT.encode(), "headers": {"content-type": "text/plain; charset=utf-8"}},
        {"content": TEXT.encode("utf-16"), "headers": {"content-type": "text/plain"}},
        {"content": TEXT.encode()},
        {"json": TEXT},
    ],
    ids=["plain", "utf-8", "marked utf-16", "no type", "json"],
)
def test_one_text_has_one_answer(client, said, given):
    answer = client.post("/predict", **given)
    assert answer.status_code == 200, answer.text
    np.testing.assert_allclose(probabilities(answer.json()), said[0], atol=1e-5)


def test_several_and_pairs_in_json_have_an_answer_each(client, said):
    answer = client.post("/predict", json={"items": [TEXT, list(PAIR), "   ", "x" * 501]}).json()["results"]
    for found, wanted in zip(answer[:2], said, strict=True):
        np.testing.assert_allclose(probabilities(found), wanted, atol=1e-5)
    assert answer[2]["error"]["what"] == "it is empty"
    assert answer[3]["error"]["what"] == "501 characters are too many"
    assert answer[3]["error"]["expected"] == "at most 500"


def test_a_form_brings_files(client, said):
    files = [("file", ("a.txt", TEXT.encode())), ("file", ("b.txt", "\ufeff".encode() + TEXT.encode()))]
    answer = client.post("/predict", files=files).json()["results"]
    assert [each["item"] for each in answer] == ["a.txt", "b.txt"]
    for found in answer:
        np.testing.assert_allclose(probabilities(found), said[0], atol=1e-5)


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({"content": b"", "headers": {"content-type": "text/plain"}}, 422, "empty"),
        ({"json": ""}, 422, "it is empty"),
        ({"json": "\x00 \n"}, 422, "it is empty"),
        ({"content": b"caf\xe9", "headers": {"content-type": "text/plain"}}, 422, "byte 4 is 0xe9"),
        ({"content": b"caf\xe9", "headers": {"content-type": "text/plain; charset=latin-1"}}, 415, "latin-1"),
        ({"json": "x" * 501}, 422, "501 characters"),
        ({"json": {"items": []}}, 422, "items"),
        ({"json": {"items": [["one"]]}}, 422, "does not fit"),
        ({"json": {"items": [["one", "two", "three"]]}}, 422, "does not fit"),
        ({"json": {"items": [7]}}, 422, "does not fit"),
        ({"json": 7}, 422, "does not fit"),
        ({"files": [("text", (None, TEXT))]}, 422, "is no file"),
        ({"content": b'"\\ud800"', "headers": {"content-type": "application/json"}}, 400, "no JSON"),
        ({"content": TEXT.encode(), "headers": {"content-type": "image/png"}}, 415, "image/png"),
    ],
)
def test_what_is_no_text_is_refused_with_its_reason(client, given, status, words):
    answer = client.post("/predict", **given)
    assert answer.status_code == status, answer.text
    assert set(answer.json()["error"]) == {"type", "what", "where", "expected", "next"}
    assert words in json.dumps(answer.json(), ensure_ascii=False)


def test_a_path_is_a_text_and_is_not_opened(client, folder):
    answer = client.post("/predict", json=str(folder / "manifest.json"))
    assert answer.status_code == 200
    assert "format" not in answer.text


def test_texts_of_all_lengths_share_a_pass_and_keep_their_answers(served, folder):
    texts = ["salt", "the crew " * 40, "rail and engine", "a tide " * 12, "oven"]
    alone = [each.scores for each in load(folder).predict(texts)]
    with httpx.Client(base_url=served.url, timeout=60) as client:
        answer = client.post("/predict", json={"items": texts}).json()["results"]
    np.testing.assert_allclose([probabilities(each) for each in answer], alone, atol=1e-5)


def test_the_example_is_a_text_that_can_be_tried(client):
    example = client.get("/example")
    assert example.headers["content-type"] == "text/plain; charset=utf-8"
    assert client.post("/predict", content=example.content, headers={"content-type": "text/plain"}).status_code == 200


def test_the_description_speaks_of_texts(client):
    described = client.get("/openapi.json").json()["paths"]
    content = described["/predict"]["post"]["requestBody"]["content"]
    assert content["text/plain"]["schema"] == {"type": "string", "minLength": 1}
    one, several = content["application/json"]["schema"]["anyOf"]
    assert one["type"] == "string"
    assert several["properties"]["items"]["maxItems"] == 8
    assert "text/plain" in described["/example"]["get"]["responses"]["200"]["content"]
    assert client.get("/model").json()["limits"]["item_characters"] == 500


def test_a_server_says_how_to_try_a_text(folder, tmp_path):
    from headstart.cli import serve as command
    from headstart.ship.server.running import Place, Server

    server = Server(load(folder), Place("127.0.0.1", 0), Limits(item=500), token="", threads=1, report=None)
    lines = "\n".join(command.told(server, made=False))
    assert "'Content-Type: text/plain" in lines
    assert "PICTURE" not in lines and "image/" not in lines


@pytest.mark.slow
def test_every_promise_of_a_model_of_texts_is_kept(folder, tmp_path):
    process = Process(folder, tmp_path / "told.txt", "--max-body", "1", "--max-items", "8", "--max-size", "10000")
    try:
        assert "No issues found" in fuzzed(process.url, tmp_path)
        assert "failed:" not in process.command.output
    finally:
        assert process.end() == 0, process.command.output
