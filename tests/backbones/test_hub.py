"""The hub for real: a server in a process of its own that speaks its protocol, and clients in fresh processes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headstart.backbones import catalogue, hf, hub
from headstart.base.errors import UnknownName
from tests.backbones import published

pytest.importorskip("transformers")

PRELUDE = """
import json, time
from headstart.backbones import catalogue, fetch, hub
from headstart.base.errors import HeadstartError
def attempt(name):
    hub.is_away.cache_clear()
    begun = time.monotonic()
    try:
        backbone = catalogue.load(name)
        told = {"name": backbone.info.name, "licence": backbone.info.licence, "digest": backbone.digest()}
    except HeadstartError as error:
        told = error.as_dict()
    print(json.dumps({**told, "seconds": time.monotonic() - begun}), flush=True)
"""
TIMM = f"timm/{published.TIMM}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[published.Server]:
    root = tmp_path_factory.mktemp("hub")
    published.vit(root / "acme" / "tiny-vit")
    published.vit(root / "acme" / "old-vit", weights="pytorch_model.bin")
    published.timm_network(root / "timm" / published.TIMM)
    published.timm_network(root / "acme" / "my-resnet", "resnet10t", config=True)
    with published.hub(root) as running:
        yield running


@pytest.fixture(autouse=True)
def well_behaved(server: published.Server) -> Iterator[None]:
    yield
    server.behave()
    server.requests()


def attempts(
    server: published.Server, home: Path, *names: str, lines: str = "", timeout: float = 240, **environment: str
) -> list[dict[str, Any]]:
    """What loading each of the names came to, in one fresh process."""
    code = PRELUDE + lines + "".join(f"\nattempt({name!r})" for name in names)
    done = published.client(code, home, server.url, timeout=timeout, **environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_networks_are_downloaded_and_then_come_from_the_cache_without_a_network(
    server: published.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = (TIMM, "hf/acme/tiny-vit", "hf/acme/my-resnet", "hf/acme/old-vit")
    first = attempts(server, tmp_path, *names, HF_TOKEN="hf_secret")
    assert [one.get("name") for one in first] == list(names)
    assert first[1]["licence"] == "MIT"
    for one, folder in ((1, "tiny-vit"), (2, "my-resnet")):
        assert first[one]["digest"] == catalogue.load(f"local:{server.root / 'acme' / folder}").digest()
    asked = server.requests()
    assert all(entry["path"].startswith("/storage/") or entry["token"] == "Bearer hf_secret" for entry in asked)
    assert not [entry for entry in asked if entry["path"].startswith("/storage/") and entry["token"]]
    second = attempts(server, tmp_path, *names, HF_HUB_OFFLINE="1")
    assert [one["digest"] for one in second] == [one["digest"] for one in first]
    assert server.requests() == []
    _damage(tmp_path / "hub" / "models--acme--tiny-vit")
    (third,) = attempts(server, tmp_path, "hf/acme/tiny-vit", HF_HUB_OFFLINE="1")
    assert "are damaged" in third["what"]
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    assert hf.names() == ("acme/my-resnet", "acme/old-vit", "acme/tiny-vit")
    listed = {info.name: info for info in catalogue.search("hf/")}
    assert listed["hf/acme/tiny-vit"].local
    assert listed["hf/acme/my-resnet"].architecture == "timm/resnet10t"


def _damage(repository: Path) -> None:
    (blob,) = [path for path in (repository / "blobs").iterdir() if len(path.name) == 64]
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.write_bytes(data)


@pytest.mark.slow
def test_broken_changed_gated_and_unknown(server: published.Server, tmp_path: Path) -> None:
    server.behave(cut={"model.safetensors": 10_000}, gated=["acme/my-resnet"])
    broken, gated, unknown, nobody, revision = attempts(
        server, tmp_path, "hf/acme/tiny-vit", "hf/acme/my-resnet", "hf/acme/tiny-vitt", "hf/nobody/xyzzy",
        "hf/acme/old-vit@v9",
    )  # fmt: skip
    assert broken["name"] == "hf/acme/tiny-vit", "resumed as often as it took"
    ranges = [entry["range"] for entry in server.requests() if entry["path"].startswith("/storage/")]
    assert ranges[:3] == [None, "bytes=10000-", "bytes=20000-"]
    assert gated["error"] == "WeightsError"
    assert "may only be downloaded by those" in gated["what"]
    assert "HF_TOKEN" in gated["expected"]
    assert unknown["error"] == "UnknownName"
    assert "did you mean hf/acme/tiny-vit" in unknown["expected"]
    assert nobody["error"] == "UnknownName"
    assert "no revision 'v9'" in revision["what"]
    server.behave(corrupt=["model.safetensors"])
    (changed,) = attempts(server, tmp_path / "other", TIMM)
    assert "not what was published" in changed["what"]
    assert not list((tmp_path / "other").rglob("*.safetensors"))


@pytest.mark.slow
def test_a_killed_download_goes_on_where_it_was(server: published.Server, tmp_path: Path) -> None:
    size = (server.root / "timm" / published.TIMM / "model.safetensors").stat().st_size
    server.behave(cut={"model.safetensors": 400_000})
    killed = "\nimport os\nfetch._failed = lambda *_: os._exit(9)\nfetch.TRIES = 0"
    code = f"{PRELUDE}{killed}\nattempt({TIMM!r})"
    assert published.client(code, tmp_path, server.url).returncode == 9
    server.behave()
    server.requests()
    (done,) = attempts(server, tmp_path, TIMM)
    assert done["name"] == TIMM
    (asked,) = [e for e in server.requests() if e["method"] == "GET" and e["path"].startswith("/storage/")]
    assert size > 1_000_000
    assert asked["range"] == "bytes=400000-"


@pytest.mark.slow
def test_offline_and_firewalled_end_in_seconds_and_say_what_to_do(server: published.Server, tmp_path: Path) -> None:
    (offline,) = attempts(server, tmp_path, TIMM, HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE is set" in offline["what"]
    assert f"headstart backbones pack {TIMM}" in offline["next"]
    assert server.requests() == []
    server.behave(silent=True)
    silent, again = attempts(server, tmp_path, TIMM, "hf/acme/tiny-vit")
    for told in (silent, again):
        assert told["error"] == "WeightsError"
        assert "does not answer" in told["what"]
        assert told["seconds"] < 10
        assert "--from DIR" in told["next"]


def test_names_that_are_no_repositories_never_reach_a_path_or_an_address() -> None:
    for name in ("../../etc/passwd", "a/b/c", "a/../b", "/etc", "a b/c", "http://x/y", ""):
        with pytest.raises(UnknownName):
            hf.load(name)


def test_the_clients_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.reach, "PATIENCE", 0.1)
    monkeypatch.setattr(hub, "HfApi", lambda: time.sleep(30))
    begun = time.monotonic()
    assert hub.similar("acme/tiny-vit") == []
    assert time.monotonic() - begun < 5
