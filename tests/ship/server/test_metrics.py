"""What the server counts is what clients did."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.ship.conftest import CLASSES
from tests.ship.server.conftest import Here


def counted(url: str) -> dict[tuple[str, ...], float]:
    """Name and labels of every sample -> its value."""
    text = httpx.get(f"{url}/metrics").text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_batches_and_predictions_are_counted(here: Callable[..., Here], picture: bytes) -> None:
    with here().running() as server:
        before = counted(server.url)
        assert [before["headstart_predictions_total", name] for name in CLASSES] == [0, 0, 0]
        label = httpx.post(f"{server.url}/predict", content=picture).json()["label"]
        httpx.post(f"{server.url}/predict", files=[("file", ("a.png", picture)), ("file", ("b.png", b"no"))])
        httpx.post(f"{server.url}/predict", content=b"no picture")
        httpx.get(f"{server.url}/wp-login.php")
        httpx.get(f"{server.url}/{'x' * 50}")
        found = counted(server.url)
        assert found["headstart_predictions_total", label] == 2
        assert found["headstart_requests_total", "200", "/predict"] == 2
        assert found["headstart_requests_total", "422", "/predict"] == 1
        assert found["headstart_requests_total", "404", "other"] == 2, "no path of a stranger becomes a label"
        assert found["headstart_request_seconds_count", "/predict"] == 3
        assert found["headstart_batch_items_sum",] == 2
        assert found["headstart_queue_items",] == 0
        assert found["headstart_requests_in_flight",] == 1, "the one that asks"
