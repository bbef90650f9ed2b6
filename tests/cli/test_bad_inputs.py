"""What people really hand in: each case is a real process, ends in words that name the place and the next move."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli import bad_inputs as bad
from tests.processes import Command
from tests.ship.conftest import sealed_to, small_network


@dataclass(frozen=True)
class Case:
    """``make`` writes the input and returns the words; ``code`` is how it has to end, ``says`` what it has to say."""

    make: Callable[..., list[str]]
    code: int
    says: str
    denied: bool = False
    """Without the right to read what the file's permissions forbid, which root has otherwise."""
    told: bool = False
    """The message is complete without a next move: it lists files, or the command did its work."""


ROWS = bad.good_rows()
_NOT_THOSE = "weights are not those that the description was written for"

FOLDERS: dict[str, Case] = {
    "a folder that is not there": Case(lambda root: bad.fit(root / "photso", root), 1, "no file or folder .*photso"),
    "a name that is nearly right": Case(
        lambda root: bad.fit(str(bad.good(root))[:-1] + "z", root), 1, r"did you mean .*photos\?"
    ),
    "an empty folder": Case(lambda root: [bad.fit(root / "e", root), (root / "e").mkdir()][0], 1, "nothing in it"),
    "no class folders": Case(
        lambda root: bad.fit(bad.write_classes(root / "p", {".": 9}), root), 1, "9 images but no class subfolders"
    ),
    "one class": Case(lambda root: bad.fit(bad.write_classes(root / "p", {"cat": 9}), root), 1, "Only one class"),
    "one picture a class": Case(
        lambda root: bad.fit(bad.write_classes(root / "p", {"cat": 1, "dog": 1}), root), 1, "fewer than 3"
    ),
    "a text as source": Case(bad.source_file("notes.txt", "hello"), 1, "no data source: .*notes.txt"),
    "an archive as source": Case(
        bad.source_file("photos.zip", b"PK\x03\x04" + bytes(60)), 1, "This is an archive(.|\n)*unpack it first"
    ),
    "a picture as source": Case(lambda root: bad.fit(bad.good(root) / "cat" / "1.png", root), 1, "no data source"),
    "a device as source": Case(lambda root: bad.fit("/dev/null", root), 1, "no data source"),
    "a pipe as source": Case(bad.source_pipe, 1, "no regular file: .*pipe.csv"),
    "an empty name as source": Case(lambda root: bad.fit("", root), 1, "No data source"),
    "a circle of links as source": Case(bad.circle, 1, "link leads nowhere"),
    "a name of 300 letters": Case(lambda root: bad.fit(root / ("n" * 300), root), 1, "no file or folder"),
    "a NUL in the name": Case(lambda root: bad.fit(f"{root}/a\0b", root), 1, r"no file or folder"),
    "only texts": Case(
        bad.source_folder(lambda photos: [p.rename(p.with_suffix(".txt")) for p in photos.glob("*/*")]), 1, "24 .txt"
    ),
    "only videos": Case(
        bad.source_folder(lambda photos: [p.rename(p.with_suffix(".mp4")) for p in photos.glob("*/*")]), 1, "24 .mp4"
    ),
    "only drawings": Case(
        bad.source_folder(lambda photos: [p.rename(p.with_suffix(".svg")) for p in photos.glob("*/*")]), 1, "24 .svg"
    ),
    "truncated JPEGs": Case(
        bad.bad_files("x{}.jpg", bad.jpeg()[:-300]), 1, r"4 of 28 items cannot be used:\n.*x0.jpg: it does not decode"
    ),
    "empty files": Case(bad.bad_files("x{}.png", b""), 1, r"x0.png: the file is empty"),
    "web pages called .jpg": Case(
        bad.bad_files("x{}.jpg", b"<!DOCTYPE html><html>" * 9), 1, "x0.jpg: its content is not an image"
    ),
    "videos called .jpg": Case(bad.bad_files("x{}.jpg", bad.video()), 1, "x0.jpg: its content is not an image"),
    "drawings called .png": Case(
        bad.bad_files("x{}.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), 1, "x0.png: its content is not an image"
    ),
    "HEIC": Case(
        bad.bad_files("x{}.heic", b"\0\0\0\x18ftypheic" + bytes(90)), 1, "HEIC pictures are not read; convert"
    ),
    "decompression bombs": Case(bad.bad_files("x{}.png", bad.bomb()), 1, r"too many pixels|pixels are too many"),
    "pictures of no pixels": Case(bad.bad_files("x{}.png", bad.bomb(0, 0)), 1, "x0.png: its content is not an image"),
    "pipes": Case(bad.special("pipe"), 1, "not a regular file"),
    "sockets": Case(bad.special("socket"), 1, "not a regular file"),
    "devices": Case(bad.special("device"), 1, "not a regular file"),
    "dangling links": Case(bad.source_folder(bad.dangling), 1, "link0.png: there is no such file"),
    "links in a circle": Case(bad.source_folder(bad.circles_of_files), 1, "it cannot be opened: Too many levels"),
    "a broken file whose name has a line break": Case(bad.bad_files("x\n{}.png", b"x"), 1, r"x\\n0.png: its content"),
    "a broken file whose name turns the text round": Case(
        bad.bad_files("x\u202e{}.png", b"x"), 1, r"x\\u202e0.png: its"
    ),
    "a broken file of 255 bytes": Case(bad.bad_files("n" * 250 + "{}.png", b"x"), 1, r"n{250}0.png: its content"),
    "a broken file that is not UTF-8": Case(
        bad.bad_files(os.fsdecode(b"\xff\xfe{}.png"), b"x"), 1, r"\\udcff\\udcfe0.png"
    ),
    "files that may not be read": Case(
        bad.source_folder(bad.unreadable_files), 1, "0.png: permission to read it is denied", denied=True
    ),
    "a folder that may not be read": Case(
        bad.unreadable_folder, 1, r"cannot be opened: Permission denied \(.*dog\)", denied=True
    ),
    "an output that may not be written": Case(bad.unwritable_output, 2, "cannot be written to", denied=True),
    "test classes that train lacks": Case(
        bad.parts(train={"cat": 9, "dog": 9}, test={"cat": 3, "emu": 3}),
        1,
        "test part has 1 class that train lacks: emu",
    ),
    "val classes that train lacks": Case(
        bad.parts(train={"cat": 9, "dog": 9}, val={"cat": 3, "emu": 3}), 1, "val part has 1 class that train lacks: emu"
    ),
    "only a test part": Case(bad.parts(train={}, test={"cat": 9, "dog": 9}), 1, "train"),
}

TABLES: dict[str, Case] = {
    "a table that is not there": Case(lambda root: bad.fit(root / "t.csv", root), 1, "no file .*t.csv"),
    "an empty table": Case(bad.source_file("t.csv", b""), 1, "table is empty"),
    "a header and nothing else": Case(bad.table(""), 1, "no rows"),
    "a table without the column asked for": Case(
        lambda root: [*bad.table(ROWS)(root), "--label", "lable"], 2, "Unknown column: lable"
    ),
    "a table without the path column asked for": Case(
        lambda root: [*bad.table(ROWS)(root), "--path", "flie"], 2, "Unknown column: flie"
    ),
    "paths to nowhere": Case(
        bad.table("".join(f"gone/{i}.png,{i % 2}\n" for i in range(20))), 1, "20 of 20 items cannot be used"
    ),
    "no labels at all": Case(
        bad.table(ROWS.replace(",cat", ",NaN").replace(",dog", ",NaN")), 1, "it has no label|label"
    ),
    "labels that are all different": Case(
        bad.table(
            "".join(f"cat/{i}.png,l{i}\n" for i in range(12)) + "".join(f"dog/{i}.png,m{i}\n" for i in range(12))
        ),
        1,
        "nearly unique",
    ),
    "one label for all": Case(bad.table(ROWS.replace(",dog", ",cat")), 1, "Only one class"),
    "a line of 10 MB": Case(
        bad.table("cat/1.png," + "x" * 10_000_000 + "\n"), 1, "cannot be read as a table: a cell|field larger"
    ),
    "Excel called .csv": Case(
        bad.source_file("t.csv", b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)) * 20),
        1,
        "an Excel or other zipped file",
    ),
    "Excel": Case(bad.source_file("t.xlsx", b"PK\x03\x04" + bytes(99)), 1, "no data source: .*t.xlsx"),
    "JSON called .csv": Case(
        bad.source_file("t.csv", json.dumps([{"file": "a.png", "label": "cat"}] * 9, indent=1)), 1, "t.csv"
    ),
    "a picture called .csv": Case(bad.source_file("t.csv", bad.jpeg()), 1, "The table is no text"),
    "a page called .parquet": Case(bad.source_file("t.parquet", "<html>"), 1, "Parquet|parquet"),
    "ragged rows": Case(bad.table(ROWS + "cat/1.png,cat,9,9\n" * 6), 1, "cannot be used"),
    "a folder called .csv": Case(
        lambda root: [bad.fit(root / "t.csv", root), (root / "t.csv").mkdir()][0], 1, "nothing in it"
    ),
    "a table that may not be read": Case(bad.unreadable_table, 1, "cannot be read: Permission denied", denied=True),
}

OPTIONS: dict[str, Case] = {
    "an unknown verb": Case(lambda root: ["fti"], 2, "did you mean fit"),
    "an unknown option": Case(bad.with_options("--bugdet", "3m"), 2, "did you mean --budget"),
    "no source": Case(lambda root: ["fit"], 2, "SOURCE"),
    "a negative budget": Case(bad.with_options("--budget", "-3m"), 2, "Budget cannot be '-3m'"),
    "a budget of nothing": Case(bad.with_options("--budget", "0"), 2, "Budget cannot be '0'"),
    "a budget of infinity": Case(bad.with_options("--budget", "1e999"), 2, "Budget cannot be"),
    "a budget of NaN": Case(bad.with_options("--budget", "nan"), 2, "Budget cannot be 'nan'"),
    "a checkpoint in words": Case(
        bad.with_options("--checkpoint-every", "often"), 2, "Checkpoint every cannot be 'often'"
    ),
    "a seed in words": Case(bad.with_options("--seed", "lucky"), 2, "seed"),
    "a negative depth": Case(bad.with_options("--strategy", "partial", "--depth", "-1"), 2, "Depth cannot be -1"),
    "a depth beyond the network": Case(bad.with_options("--strategy", "partial", "--depth", "99"), 2, "Depth 99|99"),
    "a depth that is a float": Case(bad.with_options("--strategy", "partial", "--depth", "2.5"), 2, "2.5"),
    "a depth for a probe": Case(bad.with_options("--depth", "2"), 2, "takes no depth"),
    "an unknown strategy": Case(bad.with_options("--strategy", "partail"), 2, "did you mean partial"),
    "an unknown metric": Case(bad.with_options("--metric", "acuracy"), 2, "did you mean accuracy"),
    "an unknown precision": Case(bad.with_options("--precision", "fp8"), 2, "fp8"),
    "an unknown setting": Case(bad.with_options("--set", "strategy.stagse=last"), 2, "did you mean strategy.stages"),
    "a setting without a value": Case(bad.with_options("--set", "strategy.stages"), 2, "NAME=VALUE"),
    "a penalty of NaN": Case(bad.with_options("--set", "strategy.penalty=nan"), 2, "penalty cannot be nan"),
    "a billion epochs and no time": Case(
        bad.with_options("--strategy", "full", "--set", "strategy.epochs=1000000000", "--budget", "1ms"), 1, "budget"
    ),
    "epochs below zero": Case(
        bad.with_options("--strategy", "full", "--set", "strategy.epochs=-1"), 2, "epochs cannot be -1"
    ),
    "an infinite rate": Case(
        bad.with_options("--strategy", "full", "--set", "strategy.rate=inf"), 2, "rate cannot be inf"
    ),
    "--overwrite with --resume": Case(bad.with_options("--overwrite", "--resume"), 2, "exclude each other"),
    "nothing to resume": Case(bad.with_options("--resume"), 1, "no run in .*out to resume"),
    "nothing to replay": Case(bad.with_options("--replay", "gone"), 1, "no run in .*gone to replay"),
    "resuming with other data": Case(bad.resumed_with_other_data, 1, "had other data"),
    "resuming a broken run": Case(bad.resumed_broken, 1, "config.json cannot be read"),
    "an output that is a file": Case(bad.taken("file"), 2, "out exists already"),
    "an output that is taken": Case(bad.taken("folder"), 2, "--overwrite to replace"),
    "an output that is not ours": Case(bad.taken("foreign"), 2, "is not a headstart folder"),
    "an output below a file": Case(bad.below_a_file, 2, "cannot be written to"),
}

BACKBONES: dict[str, Case] = {
    "an unknown provider": Case(bad.with_options("--backbone", "embeded/resnet10-procedural"), 2, "did you mean"),
    "an unknown backbone": Case(
        bad.with_options("--backbone", "embedded/resnet11"), 2, "Unknown backbone: embedded/resnet11"
    ),
    "a local backbone that is not there": Case(bad.with_options("--backbone", "local:gone"), 1, "gone"),
    "truncated backbone weights": Case(bad.backbone(bad.cut), 1, _NOT_THOSE),
    "backbone weights with one byte changed": Case(bad.backbone(bad.flip), 1, _NOT_THOSE),
    "backbone weights with a huge header": Case(bad.backbone(bad.huge_header), 1, _NOT_THOSE),
    "backbone weights that are a program": Case(bad.backbone(bad.pickled), 1, _NOT_THOSE),
}

MODELS: dict[str, Case] = {
    "a model that is not there": Case(
        bad.about("predict", "ROOT/gone", "ROOT/x.png", make=lambda root: bad.write(root / "x.png")), 1, "gone"
    ),
    "a folder that is no model": Case(
        bad.about("predict", "ROOT", "ROOT/x.png", make=lambda root: bad.write(root / "x.png")), 1, "manifest.json"
    ),
    "an edited manifest": Case(
        bad.model(bad.manifest(lambda m: m.update(names=m["names"][::-1]))), 1, "edited|changed|seal"
    ),
    "a manifest that is no JSON": Case(bad.model(lambda to: bad.cut(to / "manifest.json")), 1, "manifest.json"),
    "a manifest of the future": Case(
        bad.model(bad.manifest(lambda m: m.update(schema_version=99), reseal=True)), 1, "newer|99"
    ),
    "a manifest with a path out of the folder": Case(
        bad.model(bad.manifest(bad.traversal, reseal=False)), 1, "manifest"
    ),
    "a well-forged path out of the folder": Case(
        bad.model(bad.manifest(bad.traversal, reseal=True)), 1, "outside|path|name"
    ),
    "truncated weights": Case(bad.model(lambda to: bad.cut(to / "weights.safetensors")), 1, "weights.safetensors"),
    "no weights": Case(bad.model(lambda to: (to / "weights.safetensors").unlink()), 1, "weights.safetensors"),
    "weights with a huge header": Case(
        bad.model(lambda to: [bad.huge_header(to / "weights.safetensors"), bad.resealed(to)]), 1, "weights.safetensors"
    ),
    "other weights, well forged": Case(bad.model(bad.other_weights), 1, "golden"),
    "a picture that is not there": Case(bad.model(lambda to: None, "gone.png"), 1, "no file or folder gone.png"),
    "a folder without pictures": Case(bad.about("predict", "MODEL", "ROOT"), 1, "no images in this folder"),
    "a pattern that matches nothing": Case(
        bad.about("predict", "MODEL", "ROOT/*.png"), 1, r"No image matches .*\*.png"
    ),
    "an unreadable picture": Case(
        bad.about("predict", "MODEL", "ROOT/bad.jpg", make=bad.one_unreadable),
        1,
        "bad.jpg: its content is not an image",
        told=True,
    ),
    "an unreadable picture, in JSON": Case(
        bad.about("predict", "MODEL", "ROOT/bad.jpg", "--json", make=bad.one_unreadable),
        1,
        '"error": "its content is not an image',
        told=True,
    ),
    "a picture that may not be read": Case(
        bad.about("predict", "MODEL", "ROOT/locked.png", make=bad.one_locked),
        1,
        "locked.png: permission to read it is denied",
        denied=True,
        told=True,
    ),
    "no classes at all to show": Case(bad.about("predict", "MODEL", "ROOT", "--top", "0"), 2, "top"),
    "two formats at once": Case(bad.about("predict", "MODEL", "ROOT", "--json", "--csv"), 2, "exclude each other"),
    "evaluate with unknown classes": Case(
        bad.about("evaluate", "MODEL", "ROOT/test", make=bad.some_pictures), 1, "zebra"
    ),
    "evaluate without classes": Case(
        bad.about("evaluate", "MODEL", "ROOT", make=lambda root: bad.write(root / "x.png")), 1, "no class subfolders"
    ),
}

CASES = FOLDERS | TABLES | OPTIONS | BACKBONES | MODELS


def make_model(to: Path) -> Path:
    sealed_to(to, small_network())
    return to


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("sealed") / "shapes")


def called(case: Case, root: Path, sealed: Path) -> tuple[int, str]:
    """Exit code and everything that was printed."""
    wants_model = case.make.__code__.co_argcount == 2
    words = case.make(root, sealed) if wants_model else case.make(root)
    command = Command(words, root / "told", denied=case.denied)
    return command.wait(60), command.output


@pytest.mark.parametrize("name", CASES)
def test_a_bad_input_ends_in_words(name: str, sealed: Path, tmp_path: Path) -> None:
    case = CASES[name]
    code, told = called(case, tmp_path, sealed)
    assert "Traceback" not in told and "unexpectedly" not in told, told
    assert code == case.code, told
    assert re.search(case.says, told), told
    assert case.told or re.search('Next:|Expected:|"expected": "[^"]', told), told
    assert not list(tmp_path.glob("out/manifest.json"))


def test_whatever_is_a_picture_is_read_and_what_was_understood_is_said(
    write_shapes: Callable[..., Path], tmp_path: Path
) -> None:
    photos = write_shapes(tmp_path / "photos")
    bad.odd_pictures(photos)
    command = Command(bad.fit(photos, tmp_path), tmp_path / "told")
    assert command.wait(120) == 0, command.output
    told = " ".join(command.output.split())
    assert "51 images in 3 classes (checks, disc, stripes)" in told
    for said in bad.SAID:
        assert re.search(said, told), (said, command.output)


@pytest.mark.parametrize("name", bad.LAYOUTS)
def test_a_layout_that_can_be_read_is_said_back(name: str, write_shapes: Callable[..., Path], tmp_path: Path) -> None:
    change, said = bad.LAYOUTS[name]
    source = change(write_shapes(tmp_path / "photos"))
    command = Command(bad.fit(source, tmp_path), tmp_path / "told")
    assert command.wait(120) == 0, command.output
    assert re.search(said, " ".join(command.output.split())), command.output
