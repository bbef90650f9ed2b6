"""A bundle: what was packed comes back as it was, on a machine without a network; what was changed is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.backbones import bundle, catalogue
from headstart.backbones.chain import Backbone
from headstart.base.errors import BadOption, OutputExists, UnknownName, WeightsError
from headstart.base.manifest import sealed
from tests.backbones import published

SHIPPED = next(iter(catalogue.all_names(["embedded"])))


@pytest.fixture
def source(tmp_path: Path) -> str:
    published.timm_network(tmp_path / "net", "resnet10t", config=True)
    return f"local:{tmp_path / 'net'}"


def named(name: str) -> Callable[[str], Backbone]:
    """A loader that gives a network of a folder the name it would have on the hub."""
    from dataclasses import replace

    def load(place: str) -> Backbone:
        backbone = catalogue.load(place)
        return backbone.known_as(replace(backbone.info, name=name)) if place.startswith("local:") else backbone

    return load


def test_what_was_packed_comes_back_as_it_was(source: str, tmp_path: Path) -> None:
    packed = bundle.pack([source, SHIPPED], tmp_path / "b", named("timm/resnet10t.mine"))
    assert packed.names() == sorted(["timm/resnet10t.mine", SHIPPED])
    original = catalogue.load(source)
    for name in ("timm/resnet10t.mine", "timm/resnet10t"):
        found = catalogue.load(name, bundle=tmp_path / "b")
        assert found.digest() == original.digest()
        assert found.info.name == "timm/resnet10t.mine"
        assert found.info.stages == original.info.stages
        assert found.info.local
    described = catalogue.describe("timm/resnet10t.mine", bundle=tmp_path / "b")
    assert (described.width, described.local) == (original.info.width, True)
    assert [info.name for info in catalogue.search("resnet10t", bundle=tmp_path / "b")] == ["timm/resnet10t.mine"]


def test_a_bundle_grows_and_takes_no_folder_that_holds_something_else(source: str, tmp_path: Path) -> None:
    bundle.pack([SHIPPED], tmp_path / "b", catalogue.load)
    packed = bundle.pack([source], tmp_path / "b", named("timm/resnet10t.mine"))
    assert len(packed.names()) == 2
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputExists):
        bundle.pack([SHIPPED], tmp_path / "taken", catalogue.load)
    with pytest.raises(BadOption):
        bundle.pack([], tmp_path / "c", catalogue.load)
    with pytest.raises(UnknownName):
        bundle.pack([SHIPPED, "timm/resnet81"], tmp_path / "d", catalogue.load)
    assert catalogue.load(SHIPPED, bundle=tmp_path / "d").info.name == SHIPPED, "what was packed before stays"


@pytest.mark.parametrize("file", ["weights.safetensors", "backbone.json", "index.json"])
def test_a_changed_byte_is_refused(source: str, tmp_path: Path, file: str) -> None:
    bundle.pack([source], tmp_path / "b", named("timm/resnet10t.mine"))
    (path,) = (tmp_path / "b").rglob(file)
    data = bytearray(path.read_bytes())
    place = len(data) - 7 if file != "index.json" else data.index(b"sha256") + 12
    data[place] = ord("0") if data[place] != ord("0") else ord("1")
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"changed after|not as it was"):
        catalogue.load("timm/resnet10t.mine", bundle=tmp_path / "b")


def test_an_index_that_was_sealed_anew_still_leads_nowhere_else(source: str, tmp_path: Path) -> None:
    bundle.pack([source], tmp_path / "b", named("timm/resnet10t.mine"))
    data = json.loads((tmp_path / "b" / "index.json").read_text())
    for folder in ("../net", "/etc", "a/b", ""):
        data["backbones"][0]["folder"] = folder
        (tmp_path / "b" / "index.json").write_text(json.dumps(sealed(data)))
        with pytest.raises(WeightsError, match="not as it was"):
            catalogue.load("timm/resnet10t.mine", bundle=tmp_path / "b")


def test_a_link_out_of_the_bundle_and_a_missing_file_are_refused(source: str, tmp_path: Path) -> None:
    bundle.pack([source], tmp_path / "b", named("timm/resnet10t.mine"))
    (path,) = (tmp_path / "b").rglob("weights.safetensors")
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(WeightsError, match="lacks"):
        catalogue.load("timm/resnet10t.mine", bundle=tmp_path / "b")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WeightsError, match="lacks"):
        catalogue.load("timm/resnet10t.mine", bundle=tmp_path / "b")


def test_what_is_not_in_it_is_not_looked_for_elsewhere(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle.pack([source], tmp_path / "b", named("timm/resnet10t.mine"))
    monkeypatch.setenv(bundle.VARIABLE, str(tmp_path / "b"))
    with pytest.raises(UnknownName, match="did you mean timm/resnet10t") as caught:
        catalogue.load("timm/resnet10d")
    assert "headstart backbones pack timm/resnet10d" in caught.value.next_move
    assert catalogue.load("timm/resnet10t.mine").info.name == "timm/resnet10t.mine"
    assert catalogue.load(SHIPPED).info.name == SHIPPED
    assert catalogue.load(source).info.name == source
    with pytest.raises(WeightsError, match="no bundle"):
        catalogue.load(SHIPPED.replace("embedded/", "timm/"), bundle=tmp_path / "nowhere")


BLOCKED = """
import socket, sys
def refuse(*_, **__):
    raise OSError("there is no network here")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from headstart.cli.shell import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.slow
def test_fit_and_predict_from_a_bundle_with_an_empty_cache_and_no_network(
    tmp_path: Path, write_shapes: Callable[..., Path]
) -> None:
    pytest.importorskip("transformers")
    published.vit(tmp_path / "vit")
    bundle.pack([f"local:{tmp_path / 'vit'}"], tmp_path / "b", named("hf/acme/tiny-vit"))
    photos = write_shapes(tmp_path / "photos")

    def headstart(*words: str) -> subprocess.CompletedProcess:
        code = "import os\nos.environ.pop('HF_HUB_OFFLINE', None)\n" + BLOCKED
        home = {"HF_HOME": str(tmp_path / "empty"), "HEADSTART_CACHE": str(tmp_path / "cache")}
        import os

        return subprocess.run(
            [sys.executable, "-c", code, *words],
            capture_output=True, text=True, check=False, timeout=300, env={**os.environ, **home},
        )  # fmt: skip

    listed = headstart("backbones", "--from", str(tmp_path / "b"))
    assert "hf/acme/tiny-vit" in listed.stdout, listed.stderr
    model = str(tmp_path / "model")
    fitted = headstart(
        *("fit", str(photos), "--backbone", "hf/acme/tiny-vit", "--from", str(tmp_path / "b"), "-o", model),
        *("--strategy", "probe", "--no-baselines", "--budget", "60s"),
    )
    assert fitted.returncode == 0, fitted.stderr
    # The bundle may be gone: a sealed model says itself what it is built from.
    (tmp_path / "b" / "index.json").unlink()
    told = headstart("predict", model, str(photos / "disc"), "--json")
    assert told.returncode == 0, told.stderr
    assert not (tmp_path / "empty").exists() or not list((tmp_path / "empty").rglob("*.safetensors"))
    missing = headstart("fit", str(photos), "--backbone", "hf/acme/other", "--from", str(tmp_path / "b"))
    assert missing.returncode == 1
    assert "There is no bundle" in missing.stderr


def test_a_packed_text_network_brings_its_tokenizer(tmp_path: Path) -> None:
    textual = pytest.importorskip("tests.backbones.textual")
    place = f"local:{textual.sentence_encoder(tmp_path / 'net')}"
    packed = bundle.pack([place], tmp_path / "b", named("st/acme/tiny"))
    (entry,) = packed.index.backbones
    assert "tokenizer.json" in entry.files
    original, found = catalogue.load(place), catalogue.load("st/acme/tiny", bundle=tmp_path / "b")
    assert found.digest() == original.digest()
    assert found.info.preprocessing.content == original.info.preprocessing.content
    file = tmp_path / "b" / entry.folder / "tokenizer.json"
    file.write_bytes(file.read_bytes()[:-1] + b" ")
    with pytest.raises(WeightsError, match=r"tokenizer\.json of st/acme/tiny was changed"):
        catalogue.load("st/acme/tiny", bundle=tmp_path / "b")
