"""An export appears whole and checked, or not at all, and takes nobody's place unasked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.base import discovery
from headstart.base.errors import BadOption, DiskFull, ExportError, ModelFolderError, OutputExists, UnknownName
from headstart.ship import exporting
from headstart.ship.exporting import MARK, Written, export
from headstart.ship.sealed import Model
from tests.ship.conftest import resealed


class Folder:
    """A format of this test: a folder with a file in it, whose predictions are the model's own plus ``off``."""

    TOLERANCE = 1e-4

    def __init__(self, off: float = 0.0, raw: float = 0.0, error: Exception | None = None) -> None:
        self.off, self.raw, self.error, self.wrote = off, raw, error, 0

    def write(self, model: Model, to: Path, *, half: bool = False) -> Written:
        to.mkdir()
        (to / "weights.bin").write_bytes(b"w" * 1000)
        self.wrote += 1
        if self.error is not None:
            raise self.error
        return Written(paths=(to,), use=("print(1)",), needs=("nothing",), notes=("said",))

    def reload(self, path: Path, model: Model) -> Any:
        plugin = self

        class Reloaded:
            def replay(self, arrays: np.ndarray) -> np.ndarray:
                assert (path / "weights.bin").is_file(), "it is compared as it lies on the disk"
                return model.scorer.replay(arrays) + plugin.off

            def score(self, items: Any) -> np.ndarray:
                return model.scorer.score(items, precision="float32", failed={}) + plugin.raw

        return Reloaded()


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    def put(plugin: Folder) -> Folder:
        monkeypatch.setattr(
            discovery, "load", lambda room, name, **given: plugin if room == "ship" else load(room, name)
        )
        return plugin

    load = discovery.load
    return put


def test_it_appears_whole_with_its_origin(model_folder: Path, tmp_path: Path, use: Any) -> None:
    use(Folder(off=5e-5))
    made = export(model_folder, tmp_path / "new" / "out", to="folder")
    assert made.path == tmp_path / "new" / "out" and made.notes == ("said",)
    assert made.difference == pytest.approx(5e-5)
    assert sorted(path.name for path in made.path.iterdir()) == sorted([MARK, "weights.bin"])
    mark = json.loads((made.path / MARK).read_text())
    assert mark["from"]["model"] == "shapes" and mark["golden"] == 8 and mark["items"] == 6
    assert len(mark["from"]["seal"]) == 64 and "tmp" not in json.dumps(mark)
    assert [path.name for path in made.path.parent.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        (Folder(off=2e-4), "golden example"),
        (Folder(raw=2e-4), "raw item"),
        (Folder(off=float("nan")), "inf"),
        (Folder(error=ExportError("no")), "no"),
    ],
)
def test_what_differs_leaves_nothing_behind(
    model_folder: Path, tmp_path: Path, use: Any, plugin: Folder, told: str
) -> None:
    use(plugin)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(ExportError, match=told):
        export(model_folder, tmp_path / "out", to="folder")
    assert plugin.wrote == 1 and set(tmp_path.rglob("*")) == before


def test_a_refused_export_leaves_the_earlier_one(model_folder: Path, tmp_path: Path, use: Any) -> None:
    use(Folder())
    export(model_folder, tmp_path / "out", to="folder")
    (tmp_path / "out" / "note.txt").write_text("kept")
    use(Folder(off=1.0))
    with pytest.raises(ExportError):
        export(model_folder, tmp_path / "out", to="folder", overwrite=True)
    assert (tmp_path / "out" / "note.txt").read_text() == "kept"


def test_an_earlier_export_is_replaced_only_if_asked(model_folder: Path, tmp_path: Path, use: Any) -> None:
    plugin = use(Folder())
    export(model_folder, tmp_path / "out", to="folder")
    (tmp_path / "out" / "old.txt").write_text("of the earlier one")
    with pytest.raises(OutputExists, match="--overwrite"):
        export(model_folder, tmp_path / "out", to="folder")
    assert plugin.wrote == 1, "refused before anything is done"
    export(model_folder, tmp_path / "out", to="folder", overwrite=True)
    assert not (tmp_path / "out" / "old.txt").exists()


@pytest.mark.parametrize("where", [".", "..", "run"])
def test_the_model_itself_is_never_overwritten(model_folder: Path, use: Any, where: str) -> None:
    use(Folder())
    (model_folder / "run").mkdir()
    (model_folder / "run" / "config.json").write_text("{}")
    with pytest.raises(OutputExists):
        export(model_folder, model_folder / where, to="folder", overwrite=True)
    assert (model_folder / "run" / "config.json").exists()


def test_somebody_elses_folder_is_never_overwritten(model_folder: Path, tmp_path: Path, use: Any) -> None:
    use(Folder())
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"mine")
    with pytest.raises(OutputExists, match="not an export of headstart"):
        export(model_folder, tmp_path / "photos", to="folder", overwrite=True)
    assert (tmp_path / "photos" / "a.jpg").read_bytes() == b"mine"


def test_a_file_format_wants_its_ending(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"ending in \.onnx"):
        export(model_folder, tmp_path / "flowers", to="onnx")
    (tmp_path / "dir.onnx").mkdir()
    with pytest.raises(OutputExists, match=r"not a \.onnx file"):
        export(model_folder, tmp_path / "dir.onnx", to="onnx", overwrite=True)


def test_an_edited_model_is_not_exported(model_folder: Path, tmp_path: Path, use: Any) -> None:
    plugin = use(Folder())
    resealed(model_folder, lambda manifest: manifest.update(temperature=5.0))
    with pytest.raises(ModelFolderError, match="no longer gives"):
        export(model_folder, tmp_path / "out", to="folder")
    assert plugin.wrote == 0


def test_a_full_disk_is_told_and_leaves_nothing(model_folder: Path, tmp_path: Path, use: Any) -> None:
    use(Folder(error=OSError(28, "No space left on device")))
    with pytest.raises(DiskFull):
        export(model_folder, tmp_path / "out", to="folder")
    assert [path.name for path in tmp_path.iterdir()] == ["shapes"]


def test_names_and_options_that_nobody_knows(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean onnx"):
        export(model_folder, tmp_path / "m", to="onxx")
    with pytest.raises(UnknownName, match="onnx option"):
        export(model_folder, tmp_path / "m.onnx", to="onnx", options={"int4": True})


def test_an_option_of_another_format_and_items_without_one_are_told(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="safetensors has no int8") as caught:
        export(model_folder, tmp_path / "m", to="safetensors", options={"int8": True})
    assert "--to onnx" in str(caught.value)
    with pytest.raises(BadOption, match="nothing to measure"):
        export(model_folder, tmp_path / "m.onnx", to="onnx", validate="test/")
    assert {path.name for path in tmp_path.iterdir()} == {"shapes"}


def test_every_export_says_what_it_accepts() -> None:
    for name, plugin in discovery.plugins("ship").items():
        module = plugin.load()
        assert 0 < module.TOLERANCE <= 1e-4, name
    assert exporting.MARK.endswith(".json")
