"""What a client gets: the model's own answers, in every form, and a sentence for everything that is wrong."""

from __future__ import annotations

import base64
import csv
import io
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from headstart.backbones import catalogue
from headstart.base import discovery
from headstart.features.network import Network
from headstart.ship.sealed import load
from headstart.tasks import classification, multilabel, regression
from tests.ship.conftest import CLASSES, ODD, sealed_to
from tests.ship.server.conftest import Here, Process

FIELDS = {"type", "what", "where", "expected", "next"}


def fault(answer: httpx.Response, status: int) -> dict[str, str]:
    """The error of an answer, whose shape is always the same."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"} and set(body["error"]) == FIELDS
    assert "Traceback" not in answer.text and 'File "' not in answer.text
    return body["error"]


def test_a_picture_as_the_body_gets_the_models_own_answer(
    client: httpx.Client, model_folder: Path, pictures: Path
) -> None:
    model = load(model_folder)
    for path in sorted(pictures.rglob("*.png"))[::4]:
        (wanted,) = model.predict(path)
        answer = client.post("/predict?top=2", content=path.read_bytes(), headers={"content-type": "image/png"}).json()
        assert answer["label"] == wanted.label
        assert answer["confidence"] == pytest.approx(wanted.confidence, abs=2e-6)
        assert answer["probabilities"] == pytest.approx(wanted.probabilities, abs=2e-6)
        assert [each["label"] for each in answer["top"]] == [label for label, _ in wanted.top(2)]
        assert answer["model"]["digest"] == model.manifest.seal


def test_every_way_to_send_a_picture_gives_the_same_answer(client: httpx.Client, picture: bytes) -> None:
    plain = client.post("/predict", content=picture, headers={"content-type": "image/png"}).json()
    model = plain.pop("model")
    typeless = client.build_request("POST", "/predict", content=picture)
    assert "content-type" not in typeless.headers
    assert client.send(typeless).json() == {**plain, "model": model}
    form = client.post("/predict", files={"file": ("a.png", picture)}).json()
    assert form == {"results": [{"item": "a.png", **plain}], "model": model}
    body = {"items": [{"data": base64.b64encode(picture).decode()}]}
    assert client.post("/predict", json=body).json() == {"results": [{"item": "item 1", **plain}], "model": model}


def test_each_of_several_has_its_own_answer_or_its_own_error(client: httpx.Client, picture: bytes) -> None:
    files = [("file", ("good.png", picture)), ("file", ("bad.png", b"no picture")), ("x", ("more.png", picture))]
    answer = client.post("/predict", files=files)
    assert answer.status_code == 200
    good, bad, more = answer.json()["results"]
    assert good["item"] == "good.png" and good["label"] in CLASSES
    assert set(bad) == {"item", "error"} and set(bad["error"]) == FIELDS and bad["error"]["type"] == "Undecodable"
    assert more["label"] == good["label"]
    items = [{"data": "no base64!"}, {"data": base64.b64encode(picture).decode()}, {"data": ""}]
    first, second, third = client.post("/predict", json={"items": items}).json()["results"]
    assert "base64" in first["error"]["what"] and second["label"] == good["label"] and "empty" in third["error"]["what"]


def test_a_table_or_text_is_sent_to_those_who_ask(client: httpx.Client, picture: bytes) -> None:
    one = client.post("/predict", content=picture, headers={"accept": "text/plain"})
    assert one.headers["content-type"].startswith("text/plain") and one.text.rstrip().endswith("%")
    files = [("file", ("a,b.png", picture)), ("file", ("bad.png", b"no picture"))]
    table = client.post("/predict?top=2", files=files, headers={"accept": "text/html;q=0.9, text/csv;q=0.8"})
    good, bad = csv.DictReader(io.StringIO(table.text))
    assert good["item"] == "a,b.png" and good["label"] in CLASSES and good["label_2"] in CLASSES and not good["error"]
    assert bad["error"] and not bad["label"]
    lines = client.post("/predict", files=files, headers={"accept": "text/plain"}).text.splitlines()
    assert lines[0].startswith("a,b.png  ") and lines[1].startswith("bad.png  error: ")
    assert (
        "application/json"
        in fault(client.post("/predict", content=picture, headers={"accept": "audio/ogg"}), 406)["expected"]
    )


def test_probabilities_can_be_left_out(client: httpx.Client, picture: bytes) -> None:
    assert "probabilities" not in client.post("/predict?probabilities=false", content=picture).json()


@pytest.mark.parametrize(
    "item",
    [
        {"path": "/etc/hostname"},
        {"url": "http://127.0.0.1/x.png"},
        {"data": "aGk=", "path": "/etc/hostname"},
        "file:///etc/hostname",
        "/etc/hostname",
        ["/etc/hostname"],
        None,
        7,
    ],
)
def test_nothing_that_a_client_names_is_opened(client: httpx.Client, item: object) -> None:
    error = fault(client.post("/predict", json={"items": [item]}), 422)
    assert "not opened" in error["expected"]


def test_a_path_as_the_body_is_no_picture(client: httpx.Client, pictures: Path) -> None:
    path = str(next(pictures.rglob("*.png")))
    for text in (path, f"file://{path}"):
        assert fault(client.post("/predict", content=text.encode()), 422)["type"] == "Undecodable"


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (400, {"content": b'{"items": [', "headers": {"content-type": "application/json"}}),
        (400, {"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}),
        (422, {"json": {}}),
        (422, {"json": {"items": []}}),
        (422, {"json": {"items": [{"data": "aGk="}], "more": 1}}),
        (422, {"json": {"items": [{"data": "aGk="}] * 9}}),
        (422, {"files": [("file", (f"{i}.png", b"x")) for i in range(9)]}),
        (422, {"data": {"field": "value"}, "files": {"file": ("a.png", b"x")}}),
        (400, {"content": b"--x\r\nnonsense", "headers": {"content-type": "multipart/form-data; boundary=x"}}),
        (400, {"content": b"x", "headers": {"content-type": "multipart/form-data"}}),
        (415, {"content": b"x", "headers": {"content-type": "application/x-www-form-urlencoded"}}),
        (415, {"content": b"x", "headers": {"content-type": "text/html"}}),
        (415, {"content": b"x", "headers": {"content-encoding": "gzip"}}),
        (422, {"content": b""}),
        (422, {"content": b"no picture"}),
        (422, {"content": b"x", "params": {"top": "0"}}),
        (422, {"content": b"x", "params": {"top": "many"}}),
        (413, {"content": b"x" * 1_000_001}),
    ],
)
def test_what_is_wrong_is_said(client: httpx.Client, status: int, request_: dict[str, object]) -> None:
    error = fault(client.post("/predict", **request_), status)  # type: ignore[arg-type]
    assert error["what"] and error["type"]


def test_what_is_not_there_is_said_too(client: httpx.Client) -> None:
    assert "/predict" in fault(client.get("/predictions"), 404)["expected"]
    refused = client.get("/predict")
    assert fault(refused, 405)["expected"] == "POST" == refused.headers["allow"]
    fault(client.request("BREW", "/health"), 405)
    fault(client.get("/predict/"), 404)


def test_a_picture_with_too_many_pixels_is_refused_by_its_header(client: httpx.Client) -> None:
    # A few hundred bytes that would be 300 megapixels: a decompression bomb.
    from PIL import Image

    stream = io.BytesIO()
    Image.new("1", (20_000, 15_000)).save(stream, "PNG", optimize=True)
    assert len(stream.getvalue()) < 100_000
    began = time.perf_counter()
    error = fault(client.post("/predict", content=stream.getvalue()), 422)
    assert "pixels" in error["what"] and time.perf_counter() - began < 5
    stream = io.BytesIO()
    Image.new("L", (1001, 1000)).save(stream, "PNG")
    assert "at most 1,000,000" in fault(client.post("/predict", content=stream.getvalue()), 422)["expected"]


def test_it_says_what_it_is_and_nothing_of_where_it_lies(client: httpx.Client, _original: Path) -> None:
    about = client.get("/model").json()
    assert about["names"] == list(CLASSES) and about["verdict"] == "Transfer helped."
    assert about["scores"]["accuracy"]["value"] == 0.9 and about["limits"]["item_pixels"] == 1_000_000
    assert str(_original.parent) not in json.dumps(about)


def test_its_example_can_be_predicted(client: httpx.Client) -> None:
    example = client.get("/example")
    assert example.headers["content-type"] == "image/png"
    assert client.post("/predict", content=example.content).json()["label"] in CLASSES


def test_it_lives_and_is_ready(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json() == {"status": "ready"}


def test_a_request_has_an_id_that_its_log_line_shows(shared: Process, client: httpx.Client, picture: bytes) -> None:
    given = client.post("/predict", content=picture, headers={"x-request-id": "order-66"})
    assert given.headers["x-request-id"] == "order-66"
    odd = client.post("/predict", content=picture, headers={"x-request-id": "a b\x1b[31m"})
    assert odd.headers["x-request-id"] not in ("", "order-66") and " " not in odd.headers["x-request-id"]
    line = next(line for line in shared.command.output.splitlines() if "order-66" in line)
    assert "POST /predict 200" in line and " ms " in line


def test_an_answer_that_takes_too_long_is_given_up(here: Callable[..., Here], picture: bytes) -> None:
    with here(timeout=0.5).running() as server:
        server.go.clear()
        error = fault(httpx.post(f"{server.url}/predict", content=picture), 504)
        assert "0.5 s" in error["what"]
        server.go.set()
        assert httpx.post(f"{server.url}/predict", content=picture).status_code == 200
        assert httpx.get(f"{server.url}/ready").status_code == 200


def test_a_full_house_sends_clients_away_for_a_while(here: Callable[..., Here], picture: bytes) -> None:
    with here(queue=2, items=2).running() as server, ThreadPoolExecutor(8) as pool:
        server.go.clear()
        asked = [pool.submit(httpx.post, f"{server.url}/predict", content=picture, timeout=60) for _ in range(6)]
        until = time.monotonic() + 20
        while sum(each.done() for each in asked) < 4 and time.monotonic() < until:
            time.sleep(0.01)
        server.go.set()
        answers = [each.result() for each in asked]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert len(refused) == 4
        for answer in refused:
            assert fault(answer, 503)["type"] == "Busy"
            assert int(answer.headers["retry-after"]) >= 1
        assert httpx.post(f"{server.url}/predict", content=picture).status_code == 200
        three = [("file", (f"{i}.png", picture)) for i in range(2)]
        assert httpx.post(f"{server.url}/predict", files=three).status_code == 200


def test_work_of_a_client_who_left_is_dropped(here: Callable[..., Here], picture: bytes) -> None:
    with here(batch=1).running() as server:
        server.go.clear()
        for _ in range(5):
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{server.url}/predict", content=picture, timeout=httpx.Timeout(10, read=0.3))
        server.go.set()
        assert httpx.post(f"{server.url}/predict", content=picture).status_code == 200
        # The first was with the network already; of the others nothing was computed.
        assert server.batches in ([1, 1], [1])
        metrics = httpx.get(f"{server.url}/metrics").text
        assert "headstart_abandoned_requests_total 5.0" in metrics
        assert "headstart_queue_items 0.0" in metrics


def test_an_error_that_nobody_foresaw_is_told_to_the_log_alone(here: Callable[..., Here], picture: bytes) -> None:
    with here().running() as server:
        server.broken = RuntimeError("secret detail")
        answer = httpx.post(f"{server.url}/predict", content=picture, headers={"x-request-id": "unlucky"})
        assert fault(answer, 500)["type"] == "Unexpected" and "secret" not in answer.text
        assert any("unlucky" in line and "secret detail" in line for line in server.lines)
        server.broken = None
        assert httpx.post(f"{server.url}/predict", content=picture).status_code == 200


@pytest.mark.parametrize("kind", ["multilabel", "regression", "majority", "pixels"])
def test_every_task_is_served_and_so_is_a_model_without_a_network(
    kind: str, network: Network, pictures: Path, picture: bytes, tmp_path: Path
) -> None:
    items = sorted(pictures.rglob("*.png"))
    if kind in ("multilabel", "regression"):
        names = ["</script>", "one, two", "three"]
        task = multilabel.learn([names]) if kind == "multilabel" else regression.learn([1.0], name="height")
        backbone = catalogue.load("embedded/resnet10-8-16-24-32", weights=False, seed=1)
        model = sealed_to(
            tmp_path / "m", Network(backbone, torch.nn.Linear(32, task.outputs)), task=task, extra={}, evidence=[]
        )
    else:
        task = classification.learn(CLASSES)
        targets = task.encode([path.parent.name for path in items])
        predictor = discovery.load("baselines", kind).fit(items, targets, task, 0)
        bare = {"network": None, "predictor": predictor, "info": None, "preprocessing": None, "depth": 0}
        model = sealed_to(tmp_path / "m", network, **bare, extra={}, evidence=[])
    (wanted,) = load(model.path).predict(picture)
    with Here(model).running() as server:
        found = httpx.post(f"{server.url}/predict", content=picture).json()
        assert found.pop("model")["name"] == "m"
        assert next(iter(found)) == next(iter(wanted.answer))
        for key, value in wanted.answer.items():
            assert found[key] == (pytest.approx(value, abs=2e-6) if isinstance(value, float | dict) else value)
        files = [("file", ("a.png", picture)), ("file", ("b.png", b"no picture"))]
        good, bad = httpx.post(f"{server.url}/predict", files=files).json()["results"]
        assert good["item"] == "a.png" and "error" not in good and bad["error"]["type"] == "Undecodable"
        assert httpx.get(f"{server.url}/model").json()["names"] == list(task.names)
        described = httpx.get(f"{server.url}/openapi.json").json()
        shape = described["paths"]["/predict"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(found) <= set(shape["oneOf"][0]["properties"])


@pytest.mark.slow
def test_an_unfamiliar_item_is_marked_described_and_counted(start: Callable[..., Any], watched: Path) -> None:
    """A real process: the answers in every form, the model's description, and the counter."""
    served = start(model=watched)
    odd, even = (_png(array) for array in (ODD, np.full((40, 40, 3), 100, np.uint8)))
    with served.client() as client:
        files = [("file", ("odd.png", odd, "image/png")), ("file", ("even.png", even, "image/png"))]
        first, second = client.post("/predict", files=files).json()["results"]
        assert first["unfamiliar"] is True and first["strangeness"] > 1
        assert second["unfamiliar"] is False and second["strangeness"] < 1
        table = client.post("/predict", files=files, headers={"Accept": "text/csv"}).text.splitlines()
        assert table[0].split(",")[-3:] == ["unfamiliar", "strangeness", "error"] and ",true," in table[1]
        lines = client.post("/predict", files=files, headers={"Accept": "text/plain"}).text.splitlines()
        assert lines[0].endswith("; unfamiliar") and "unfamiliar" not in lines[1]
        assert client.get("/model").json()["familiar"]["held_out"] == 100
        assert "headstart_unfamiliar_items_total 3.0" in client.get("/metrics").text


def _png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()
