"""Corrections become a table that is read as what was meant, whatever the task; the source stays as it was."""

import csv
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from headstart.base.errors import BadOption, BadSource, DataError
from headstart.studio import relabelling
from headstart.studio.relabelling import Change
from headstart.tasks import classification, multilabel, regression


@pytest.fixture
def corrected(tmp_path, monkeypatch):
    """Write a table for a task without a whole model around it."""

    def write(source, task, changes, columns=None):
        monkeypatch.setattr(relabelling, "task_of", lambda *_: task)
        monkeypatch.setattr(relabelling.manifest, "read", lambda _: SimpleNamespace(modality="images"))
        given = [Change(str(path), said, label) for path, said, label in changes]
        table, kind, _ = relabelling.write(tmp_path / "tables", source, columns or {}, given, model=tmp_path / "m")
        assert kind == task.kind
        with open(table, encoding="utf-8", newline="") as stream:
            return {Path(row["path"]).name: (row["label"], row.get("split")) for row in csv.DictReader(stream)}

    return write


def photos(tmp_path, *names):
    for name in names:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"never opened")
    return tmp_path / "photos"


def table(tmp_path, rows, name="labels.csv"):
    photos(tmp_path, *(row[0] for row in rows))
    with open(tmp_path / "photos" / name, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("file", "label"), *rows])
    return tmp_path / "photos" / name


def test_a_class_is_changed_an_item_left_out_and_the_rest_is_kept(tmp_path, corrected):
    folder = photos(tmp_path, "cat/1.jpg", "cat/2.jpg", "dog/3.jpg", "dog, big/4.jpg")
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    task = classification.learn(["cat", "dog", "dog, big"])
    changes = [(folder / "cat" / "2.jpg", "cat", "dog, big"), (folder / "dog" / "3.jpg", "dog", None)]
    found = corrected(folder, task, changes)
    assert found == {"1.jpg": ("cat", None), "2.jpg": ("dog, big", None), "4.jpg": ("dog, big", None)}
    assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before


def test_parts_of_the_source_stay(tmp_path, corrected):
    folder = photos(tmp_path, *(f"{part}/{name}/{part}.jpg" for part in ("train", "test") for name in ("a", "b")))
    task = classification.learn(["a", "b"])
    assert {split for _, split in corrected(folder, task, []).values()} == {"train", "test"}


def test_one_of_several_labels_is_taken_away_or_added(tmp_path, corrected):
    source = table(tmp_path, [("1.jpg", "cat;dog"), ("2.jpg", "cat"), ("3.jpg", "dog"), ("4.jpg", "dog;cat")])
    task = multilabel.learn([("cat", "dog")])
    folder = source.parent
    changes = [(folder / "1.jpg", "dog", "no dog"), (folder / "2.jpg", "no dog", "dog")]
    found = corrected(source, task, changes)
    assert [found[f"{n}.jpg"][0] for n in (1, 2, 3, 4)] == ["cat", "cat|dog", "dog", "cat|dog"]


def test_a_label_with_the_usual_mark_in_its_name_gets_another_between(tmp_path, corrected):
    source = table(tmp_path, [("1.jpg", "a|b;c"), ("2.jpg", "c"), ("3.jpg", "a|b;c"), ("4.jpg", "d;c")])
    task = multilabel.learn([("a|b", "c", "d")])
    assert corrected(source, task, [])["1.jpg"][0] == "a|b;c"


def test_a_number_is_replaced_and_no_digit_of_the_others_is_lost(tmp_path, corrected):
    source = table(tmp_path, [("1.jpg", "0,1234567891"), ("2.jpg", "2,5"), ("3.jpg", "7")])
    task = regression.learn([0.1234567891, 2.5, 7.0])
    found = corrected(source, task, [(source.parent / "2.jpg", "2.5", "3.75")])
    assert [float(found[f"{n}.jpg"][0]) for n in (1, 2, 3)] == [0.1234567891, 3.75, 7.0]


@pytest.mark.parametrize(
    ("task", "label"),
    [(classification.learn(["1", "2"]), "3"), (regression.learn([1.0, 2.0]), "warm"), (regression.learn([1.0]), "nan")],
)
def test_a_label_that_cannot_be_is_refused(tmp_path, corrected, task, label):
    source = table(tmp_path, [("1.jpg", "1"), ("2.jpg", "2")])
    with pytest.raises(DataError):
        corrected(source, task, [(source.parent / "1.jpg", "1", label)])
    assert not (tmp_path / "tables").exists()


def test_another_source_than_the_models_is_noticed(tmp_path, corrected):
    folder = photos(tmp_path, "cat/1.jpg", "dog/2.jpg")
    with pytest.raises(BadSource, match="not in"):
        corrected(folder, classification.learn(["cat", "dog"]), [("/elsewhere/9.jpg", "cat", "dog")])


def test_a_label_that_a_table_cannot_hold_is_noticed_and_no_table_stays(tmp_path, corrected):
    folder = photos(tmp_path, "nan/1.jpg", "dog/2.jpg")
    with pytest.raises(BadSource, match="cannot be written in a table"):
        corrected(folder, classification.learn(["nan", "dog"]), [])
    assert list((tmp_path / "tables").iterdir()) == []


def run(tmp_path, exhibits, data):
    for name, content in (("exhibits", exhibits), ("data", data), ("config", {})):
        path = tmp_path / "m" / "run" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return tmp_path / "m"


SUSPECT = {"part": "training", "row": 3, "said": "cat", "likely": "dog", "said_probability": 0.1}


def test_the_list_says_what_a_label_may_become_and_where_the_data_are(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(relabelling, "task_of", lambda *_: classification.learn(["cat", "dog"]))
    monkeypatch.setattr(relabelling.manifest, "read", lambda _: SimpleNamespace(modality="images"))
    folder = photos(tmp_path, "cat/1.jpg")
    own = {**SUSPECT, "where": "cat/1.jpg", "path": str(folder / "cat" / "1.jpg")}
    memory = {**SUSPECT, "where": "item 3", "path": None}
    exhibits = {"suspects": [own, memory], "pictures": {"training": {"3": "shown/x.png"}}}
    path = run(tmp_path, exhibits, {"origin": "photos/"})
    found = relabelling.suspects(path)
    assert [each["where"] for each in found["suspects"]] == ["cat/1.jpg"]
    assert found["suspects"][0]["corrections"] == ("cat", "dog")
    assert found["suspects"][0]["picture"] == "shown/x.png"
    assert found["source"] == str(folder), "a relative name, found by where the item lies"


def test_only_kept_pictures_are_given_out(tmp_path):
    path = run(tmp_path, {}, {})
    (path / "run" / "shown").mkdir()
    (path / "run" / "shown" / "x.png").write_bytes(b"png")
    (path / "run" / "y.png").write_bytes(b"not for showing")
    (path / "run" / "shown" / "link.png").symlink_to(path / "run" / "y.png")
    assert hashlib.sha256(relabelling.shown(path, "shown/x.png")).hexdigest()
    for name in ("y.png", "shown/../y.png", "shown/link.png", "/etc/passwd", "shown", "shown/none.png", "config.json"):
        with pytest.raises(BadOption):
            relabelling.shown(path, name)
