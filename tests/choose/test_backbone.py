"""Which backbone: a bundle's, the hub's if it answers, and what its licence says, once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import headstart
from headstart.backbones import bundle, catalogue, usual
from headstart.base import ranked
from headstart.base.machine import here
from headstart.base.progress import Silent
from headstart.base.run import Run
from headstart.choose import backbone, ranking
from headstart.data import dataset
from headstart.data.opening import open_source
from headstart.features.store import Store
from tests.backbones import published


def chosen(name: str, tmp_path: Path, **given: Any) -> backbone.Choice:
    # A named backbone is not compared, so of the data only their kind is looked at.
    data: Any = SimpleNamespace(modality="images")
    return backbone.choose(
        data, name, architecture=None, machine=here("float32"), store=Store(tmp_path / "s"), report=Silent(), **given
    )


def restricted(folder: Path, licence: str) -> str:
    published.timm_network(folder, "resnet10t", config=True)
    (folder / "README.md").write_text(f"---\nlicense: {licence}\n---\n")
    return f"local:{folder}"


def test_a_licence_that_restricts_is_one_note_and_a_free_one_none(tmp_path: Path) -> None:
    (note,) = chosen(restricted(tmp_path / "a", "cc-by-nc-4.0"), tmp_path).notes
    assert "CC-BY-NC-4.0" in note and "forbid commercial use" in note
    (note,) = chosen(restricted(tmp_path / "b", "other"), tmp_path).notes
    assert "unknown" in note
    assert chosen(restricted(tmp_path / "c", "mit"), tmp_path).notes == ()


def test_with_a_bundle_the_candidates_are_those_in_it_and_the_hub_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usual, "NAMES", {"images": ("timm/must-not-be-asked",)})
    name = restricted(tmp_path / "net", "mit")
    bundle.pack([name], tmp_path / "b", catalogue.load)
    found, notes = backbone._candidates(tmp_path / "b", Silent())
    assert [one.info.name for one in found] == [name, *backbone.embedded()]
    assert notes == []


@pytest.mark.slow
def test_behind_a_firewall_auto_waits_seconds_and_says_so_once(tmp_path: Path) -> None:
    code = (
        "import json, time\nimport headstart.backbones.timm, headstart.backbones.embedded\n"
        "from headstart.choose import backbone\nfrom headstart.base.progress import Silent\n"
        "begun = time.monotonic()\nfound, notes = backbone._candidates(None, Silent())\n"
        "print(json.dumps([[one.info.name for one in found], notes, time.monotonic() - begun]))"
    )
    with published.hub(tmp_path / "hub") as server:
        server.behave(silent=True)
        done = published.client(code, tmp_path / "home", server.url)
    assert done.returncode == 0, done.stderr
    names, notes, seconds = json.loads(done.stdout)
    assert names == list(backbone.embedded())
    assert seconds < 15
    (note,) = notes
    assert "does not answer; the embedded backbones are used instead" in note
    assert done.stderr == ""


@pytest.mark.slow
def test_fit_says_a_restricting_licence_and_the_model_keeps_it(
    tmp_path: Path, write_shapes: Callable[..., Path]
) -> None:
    name, model = restricted(tmp_path / "net", "cc-by-nc-4.0"), tmp_path / "model"
    words = ["fit", str(write_shapes(tmp_path / "photos")), "--backbone", name, "-o", str(model), "--no-baselines"]
    done = subprocess.run(
        [sys.executable, "-m", "headstart", *words, "--strategy", "probe", "--budget", "60s"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("forbid commercial use") == 1
    assert json.loads((model / "manifest.json").read_text())["backbone"]["licence"] == "CC-BY-NC-4.0"
    assert "forbid commercial use" in json.dumps(json.loads((model / "manifest.json").read_text())["training"])
    assert "forbid commercial use" in (model / "MODEL_CARD.md").read_text()


@pytest.mark.slow
def test_auto_writes_down_how_its_candidates_compared_and_a_replay_takes_it_from_there(
    tmp_path: Path, write_shapes: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle.pack([restricted(tmp_path / "net", "mit")], tmp_path / "b", catalogue.load)
    given: dict[str, Any] = {"backbones_from": tmp_path / "b", "strategy": "probe", "baselines": False, "budget": "90s"}
    photos = write_shapes(tmp_path / "photos")
    model = headstart.fit(photos, output=tmp_path / "model", **given)
    kept = ranked.read(Run(tmp_path / "model" / "run").ranking)
    assert kept.best == "embedded/resnet10-procedural" and len(kept.measured) == 2
    assert kept.by_prior.startswith("local:")
    notes = model.manifest.training["notes"]
    assert any("comes first" in str(note) for note in notes) and any("Reputation alone" in str(note) for note in notes)
    monkeypatch.setattr(ranking, "compare", lambda *given, **named: pytest.fail("compared again"))
    again = headstart.fit(photos, output=tmp_path / "again", replay=tmp_path / "model", **given)
    assert again.manifest.backbone is not None and again.manifest.backbone.name == kept.best
    assert Run(tmp_path / "again" / "run").ranking == Run(tmp_path / "model" / "run").ranking
    resumed = headstart.fit(photos, output=tmp_path / "model", resume=True, **given)
    assert resumed.manifest.metrics == model.manifest.metrics


@pytest.mark.slow
def test_two_that_are_a_tie_meet_again_on_more_and_others_do_not(
    tmp_path: Path, write_shapes: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    published.timm_network(tmp_path / "net", config=True)
    name = f"local:{tmp_path / 'net'}"
    (tmp_path / "copy").symlink_to(tmp_path / "net")
    data = dataset.build(open_source(str(write_shapes(tmp_path / "photos", per_class=20))))
    names = [name, f"local:{tmp_path / 'copy'}", "embedded/resnet10-procedural"]
    monkeypatch.setattr(backbone, "SIZES", (30, 50))
    monkeypatch.setattr(backbone, "_candidates", lambda *given: (list(map(catalogue.load, names)), []))
    machine, store = here("float32"), Store(tmp_path / "s")
    given: dict[str, Any] = {"architecture": None, "machine": machine, "store": store, "report": Silent()}
    apart = backbone.choose(data, "auto", **given).ranking
    assert apart is not None and [row.items for row in apart.rows] == [30, 30, 30]
    names.remove("embedded/resnet10-procedural")
    tied = backbone.choose(data, "auto", **given).ranking
    assert tied is not None and [row.items for row in tied.rows] == [50, 50] and tied.rows[1].tied
    hasty = backbone.choose(data, "auto", budget=1e-9, **given).ranking
    assert hasty is not None and len(hasty.measured) == 1
