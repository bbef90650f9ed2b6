"""Text networks from the hub for real: a server in a process of its own, clients in fresh processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headstart.backbones import catalogue, hf, hub, st
from tests.backbones import published, textual
from tests.backbones.test_hub import attempts

pytest.importorskip("transformers")
CARD = "---\nlicense: mit\ndatasets:\n- wikipedia\n---\n# A network\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[published.Server]:
    root = tmp_path_factory.mktemp("hub")
    textual.save(root / "acme" / "tiny-bert", card=CARD)
    textual.without_tokenizer_json(textual.save(root / "acme" / "old-roberta", "roberta"))
    folder = textual.sentence_encoder(root / "acme" / "tiny-sentences", "mpnet", card=CARD)
    textual.sentence_encoder(root / "acme" / "gated-sentences", pooling="max_tokens")
    for other in ("tf_model.h5", "onnx/model.onnx", "pytorch_model.bin", "vocab.txt", "evil.py"):
        (folder / other).parent.mkdir(exist_ok=True)
        (folder / other).write_bytes(b"large, and never asked for")
    with published.hub(root) as running:
        yield running


@pytest.fixture(autouse=True)
def well_behaved(server: published.Server) -> Iterator[None]:
    yield
    server.behave()
    server.requests()


def files(asked: list[dict[str, Any]], repository: str) -> list[str]:
    """Names of the files whose bytes were sent."""
    sent = [entry["path"] for entry in asked if entry["method"] == "GET" and f"/{repository}/" in entry["path"]]
    return sorted({path.split(f"/{repository}/")[1].removeprefix("resolve/main/") for path in sent})


@pytest.mark.slow
def test_only_what_is_needed_is_downloaded_and_then_comes_from_the_cache(
    server: published.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("hf/acme/tiny-bert", "hf/acme/old-roberta", "st/acme/tiny-sentences")
    first = attempts(server, tmp_path, *names)
    assert [one.get("name") for one in first] == list(names)
    for name, one in zip(names, first, strict=True):
        assert one["digest"] == catalogue.load(f"local:{server.root / name.split('/', 1)[1]}").digest()
    assert first[0]["licence"] == first[2]["licence"] == "MIT"
    asked = server.requests()
    assert files(asked, "acme/tiny-bert") == [
        *("README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    ]
    assert files(asked, "acme/tiny-sentences") == [
        *("1_Pooling/config.json", "README.md", "config.json", "model.safetensors", "modules.json"),
        *("sentence_bert_config.json", "tokenizer.json", "tokenizer_config.json"),
    ]
    second = attempts(server, tmp_path, *names, HF_HUB_OFFLINE="1")
    assert [one["digest"] for one in second] == [one["digest"] for one in first]
    assert server.requests() == []
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    assert hf.names() == ("acme/old-roberta", "acme/tiny-bert")
    assert "acme/tiny-sentences" in st.names()
    (listed,) = [info for info in catalogue.search("tiny-sentences") if info.name.startswith("st/")]
    assert (listed.local, listed.modality, listed.preprocessing.length, listed.source) == (
        True,
        "texts",
        24,
        "wikipedia",
    )


DESCRIBE = """
info = catalogue.describe("st/acme/tiny-sentences")
print(json.dumps([info.local, info.modality, info.preprocessing.length, len(info.preprocessing.content)]))
"""


@pytest.mark.slow
def test_describing_downloads_neither_weights_nor_tokenizer(server: published.Server, tmp_path: Path) -> None:
    done = published.client(f"import json\nfrom headstart.backbones import catalogue\n{DESCRIBE}", tmp_path, server.url)
    assert json.loads(done.stdout) == [False, "texts", 24, 0], done.stderr
    sent = files(server.requests(), "acme/tiny-sentences")
    assert "model.safetensors" not in sent
    assert "tokenizer.json" not in sent


@pytest.mark.slow
def test_broken_gated_unknown_refused_and_offline(server: published.Server, tmp_path: Path) -> None:
    server.behave(cut={"model.safetensors": 10_000}, gated=["acme/old-roberta"])
    broken, gated, unknown, strange = attempts(
        server, tmp_path, "st/acme/tiny-sentences", "hf/acme/old-roberta", "st/acme/tiny-sentence",
        "st/acme/gated-sentences",
    )  # fmt: skip
    assert broken["name"] == "st/acme/tiny-sentences", "resumed as often as it took"
    ranges = [entry["range"] for entry in server.requests() if entry["path"].startswith("/storage/")]
    assert ranges[:3] == [None, "bytes=10000-", "bytes=20000-"]
    assert gated["error"] == "WeightsError"
    assert "may only be downloaded by those" in gated["what"]
    assert unknown["error"] == "UnknownName"
    assert "did you mean st/acme/tiny-sentences" in unknown["expected"]
    assert "is max_tokens" in strange["what"]
    (offline,) = attempts(server, tmp_path / "other", "st/acme/tiny-sentences", HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE is set" in offline["what"]
    assert "headstart backbones pack st/acme/tiny-sentences" in offline["next"]
    server.behave(corrupt=["tokenizer.json"])
    (changed,) = attempts(server, tmp_path / "third", "hf/acme/tiny-bert")
    assert "not what was published" in changed["what"]
