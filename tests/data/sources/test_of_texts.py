"""Texts as people bring them, good and bad: every kind of source, and messages that name the row."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headstart.base.errors import BadOption, BadSource, DataError, TooFewExamples, UnknownName
from headstart.data import texts
from headstart.data.dataset import build
from headstart.data.looking import look
from headstart.data.opening import open_source
from tests.small_texts import written

TEXTS, CLASSES = written(24)
LABELS = ["pos" if each else "neg" for each in CLASSES]
ROWS = list(zip(TEXTS, LABELS, strict=True))


def put(path: Path, text: str | bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def csv_of(rows, header="text,label"):
    return header + "\n" + "".join(f'"{text}",{label}\n' for text, label in rows)


def read(table):
    return [texts.decode(item) for item in table.items]


def sources(folder: Path):
    frame = pd.DataFrame({"text": TEXTS, "label": LABELS})
    frame.to_parquet(folder / "t.parquet")
    for number, (text, label) in enumerate(ROWS):
        put(folder / "tree" / label / f"{number:02d}.txt", text)
    return {
        "csv": put(folder / "t.csv", csv_of(ROWS)),
        "tsv": put(folder / "t.tsv", "text\tlabel\n" + "".join(f"{a}\t{b}\n" for a, b in ROWS)),
        "semicolons": put(folder / "s.csv", "text;label\r\n" + "".join(f"{a};{b}\r\n" for a, b in ROWS)),
        "bom": put(folder / "b.csv", "\ufeff" + csv_of(ROWS)),
        "utf-16": put(folder / "u.csv", csv_of(ROWS).encode("utf-16")),
        "lines": put(folder / "t.jsonl", "\n".join(json.dumps({"text": a, "label": b}) for a, b in ROWS)),
        "array": put(folder / "t.json", json.dumps([{"review": a, "sentiment": b} for a, b in ROWS])),
        "parquet": str(folder / "t.parquet"),
        "frame": frame,
        "folder": str(folder / "tree"),
    }


def test_every_kind_of_source_gives_the_same_texts(tmp_path: Path) -> None:
    for name, source in sources(tmp_path).items():
        table = open_source(source)
        assert table.modality == "texts", name
        assert sorted(zip(read(table), table.labels, strict=True)) == sorted(ROWS), name
        assert "text" in table.understood, name
        data = build(table)
        assert data.modality == "texts"
        assert len(data) == len(ROWS)


def test_items_in_memory_are_texts_unless_they_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for source, labels in ((TEXTS, LABELS), (np.array(TEXTS), LABELS), (pd.Series(TEXTS), LABELS)):
        table = open_source(source, labels)
        assert table.modality == "texts"
        assert read(table) == TEXTS
        assert "read as texts" in table.understood
    mapping = open_source({"pos": ["so good", "fine"], "neg": ["bad"]})
    assert (mapping.modality, mapping.labels, mapping.task) == ("texts", ("pos", "pos", "neg"), "classification")
    for path in ("a.txt", "b.txt"):
        put(tmp_path / path, f"what {path} says")
    files = open_source(["a.txt", "b.txt"], [0, 1])
    assert read(files) == ["what a.txt says", "what b.txt says"]
    assert "2 paths of text files" in files.understood
    # A text is never opened as a file because one is called so.
    assert read(open_source(["a.txt", "and this", "or that"], [0, 1, 1])) == ["a.txt", "and this", "or that"]
    assert open_source(["x.png", "y.png"], [0, 1]).modality == "images"


def test_pairs(tmp_path: Path) -> None:
    rows = "".join(f"{a},{b[::-1]},{label}\n" for (a, label), b in zip(ROWS, TEXTS, strict=True))
    file = put(tmp_path / "p.csv", "premise,hypothesis,label\n" + rows)
    table = open_source(file)
    assert read(table)[0] == (TEXTS[0], TEXTS[0][::-1])
    assert "the pair of texts" in table.understood
    assert any("--text 'premise'" in note for note in table.notes)
    assert read(open_source(file, text="premise")) == TEXTS
    for asked in ("hypothesis,premise", ["hypothesis", "premise"]):
        assert read(open_source(file, text=asked))[0] == (TEXTS[0][::-1], TEXTS[0])
    memory = open_source(list(zip(TEXTS, TEXTS, strict=True)), LABELS)
    assert read(memory)[3] == (TEXTS[3], TEXTS[3])
    with pytest.raises(BadOption, match="names 3 columns"):
        open_source(file, text="premise,hypothesis,label")


def test_a_folder_with_parts_and_a_stray_picture(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for number, (text, label) in enumerate(ROWS):
            put(tmp_path / part / label / f"{number}.txt", f"{text} {part}")
    put(tmp_path / "train" / "pos" / "cover.png", b"")
    table = open_source(str(tmp_path))
    assert table.modality == "texts"
    assert table.parts.count("test") == len(ROWS)
    assert any("1 file that is no text" in note for note in table.notes)
    with pytest.raises(BadOption, match="names a column"):
        open_source(str(tmp_path), text="body")


def test_a_data_set_of_the_library() -> None:
    datasets = pytest.importorskip("datasets")
    table = open_source(datasets.Dataset.from_dict({"sentence": TEXTS, "label": LABELS}))
    assert (table.modality, read(table)) == ("texts", TEXTS)
    assert open_source(datasets.Dataset.from_dict({"a": TEXTS, "y": LABELS}), text="a").modality == "texts"
    with pytest.raises(UnknownName, match="sentence"):
        open_source(datasets.Dataset.from_dict({"sentence": TEXTS, "label": LABELS}), text="sentense")


def test_empty_texts_are_left_out_by_their_row(tmp_path: Path) -> None:
    for empty in (("", "   "), ("nan", "NULL")):
        bad = [*ROWS, (empty[0], "pos"), (empty[1], "neg")]
        data = build(open_source(put(tmp_path / "t.csv", csv_of(bad))))
        assert [(one.where, one.why) for one in data.skipped] == [("row 25", "it is empty"), ("row 26", "it is empty")]
    frame = pd.DataFrame({"text": [*TEXTS, None, float("nan")], "label": [*LABELS, "pos", "neg"]})
    assert [one.where for one in build(open_source(frame)).skipped] == ["row 25", "row 26"]
    pairs = pd.DataFrame({"text_a": [*TEXTS, "one"], "text_b": [*TEXTS, None], "label": [*LABELS, "pos"]})
    assert build(open_source(pairs)).skipped[0].why == "its second text is empty"


def test_mixed_encodings_name_the_line_and_the_byte(tmp_path: Path) -> None:
    head, good = b"text,label\n", csv_of(ROWS, "").encode().lstrip()
    mixed = open_source(
        put(tmp_path / "m.csv", head + "caf\u00e9 au lait,pos\n".encode() + b"na\xefve art,neg\n" + good)
    )
    assert read(mixed)[:2] == ["café au lait", "naïve art"]
    assert any("1 line is not UTF-8" in note and "line 3, byte 3 is 0xef" in note for note in mixed.notes)
    latin = open_source(put(tmp_path / "l.csv", head + b"na\xefve art,neg\n" + good))
    assert any("not UTF-8; read as Windows-1252 (first: line 2, byte 3 is 0xef)" in note for note in latin.notes)
    russian = "Этот фильм мне понравился".encode("cp1251")
    with pytest.raises(BadSource, match=r"line 2, byte 1 is 0xdd[\s\S]*iconv"):
        open_source(put(tmp_path / "r.csv", head + russian + b",pos\n" + good))
    with pytest.raises(BadSource, match=r"no UTF-8[\s\S]*line 2, byte 12 is 0xe9"):
        open_source(put(tmp_path / "j.jsonl", b'{"text": "a b"}\n{"text": "a\xe9"}\n'))


def test_quotes_line_breaks_and_one_that_is_never_closed(tmp_path: Path) -> None:
    rows = [('he said ""no"", twice', "neg"), ("two\nlines, one cell", "pos"), *ROWS]
    table = open_source(put(tmp_path / "q.csv", csv_of(rows)))
    assert read(table)[:2] == ['he said "no", twice', "two\nlines, one cell"]
    broken = csv_of(ROWS[:3]) + '"an open one,pos\n' + csv_of(ROWS[3:], "").lstrip().replace('"', "")
    with pytest.raises(BadSource, match=r"never closed swallows 22 lines[\s\S]*from line 5"):
        open_source(put(tmp_path / "o.csv", broken))


@pytest.mark.slow
def test_a_document_of_ten_megabytes(tmp_path: Path) -> None:
    long = "a very long story, told in a single line; " * 250_000
    started = time.process_time()
    table = open_source(put(tmp_path / "t.csv", csv_of([*ROWS, (long, "pos")])))
    seen = look(table)
    assert seen.facts["characters"].max() > 10**7
    assert time.process_time() - started < 20


def test_emoji_right_to_left_and_tags_stay_as_they_are(tmp_path: Path) -> None:
    odd = ["👍🏽 great 🎉", "שלום עולם טוב", "<p>Hello &amp; <b>welcome</b></p>", "a\u202eb c d"]
    table = open_source(put(tmp_path / "t.csv", csv_of([*((text, "pos") for text in odd), *ROWS])))
    assert read(table)[:4] == odd
    facts = look(table).facts
    assert facts["emoji"][:4].tolist() == [1, 0, 0, 0]
    assert facts["right_to_left"][:4].tolist() == [0, 1, 0, 0]
    assert facts["markup"][:4].tolist() == [0, 0, 1, 0]
    assert facts["script"][:2].tolist() == ["latin", "hebrew"]


def test_labels_that_are_one_or_floats(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"one class|only class|two classes"):
        build(open_source(put(tmp_path / "one.csv", csv_of([(text, "pos") for text in TEXTS]))))
    stars = put(tmp_path / "f.csv", csv_of([(text, i / 7 + 0.25) for i, text in enumerate(TEXTS)], "review,rating"))
    data = build(open_source(stars))
    assert data.task.kind == "regression"
    assert data.why
    whole = put(tmp_path / "w.csv", csv_of([(text, f"{i % 3}.0") for i, text in enumerate(TEXTS)], "review,stars"))
    assert build(open_source(whole)).classes == ("0", "1", "2")


def test_a_missing_column_and_one_that_says_the_same_everywhere(tmp_path: Path) -> None:
    file = put(tmp_path / "t.csv", csv_of(ROWS, "review,label"))
    with pytest.raises(UnknownName, match="did you mean review"):
        open_source(file, text="reviews")
    with pytest.raises(UnknownName, match="did you mean label"):
        open_source(file, label="labels")
    same = put(tmp_path / "s.csv", csv_of([("the same text again", label) for label in LABELS]))
    with pytest.raises(BadSource, match="'text' says the same in every row"):
        open_source(same)
    with pytest.raises(TooFewExamples):
        build(open_source(same, text="text"))


def test_a_table_without_a_header(tmp_path: Path) -> None:
    rows = [("a film that I would like to see again", "pos"), *ROWS]
    table = open_source(put(tmp_path / "h.csv", csv_of(rows).split("\n", 1)[1]))
    assert read(table) == [text for text, _ in rows]
    assert any("read as data" in note for note in table.notes)
    question = csv_of(ROWS, '"What did you think of the film as a whole?",label')
    assert len(open_source(put(tmp_path / "q.csv", question)).items) == len(ROWS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("[1, 2]", "no object where an object"),
        ('{"text": "a"}\n["b"]', r"an array where an object[\s\S]*line 2"),
        ('["a", "pos"]\n["b", "neg"]\n', r"Every line is an array[\s\S]*line 1"),
        ('{"text": "a"}\n{"text": }', r"cannot be read as JSON[\s\S]*line 2, letter 10"),
        ('{\n "text": "a"\n}', "one object over several lines"),
        ("[" * 100_000, "nested too deeply|cannot be read"),
    ],
)
def test_json_that_is_none(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadSource, match=words):
        open_source(put(tmp_path / "t.jsonl", text))


def test_objects_that_lack_a_name(tmp_path: Path) -> None:
    rows = [{"text": text, "label": label} for text, label in ROWS]
    del rows[3]["text"]
    table = open_source(put(tmp_path / "t.jsonl", "\n".join(map(json.dumps, rows))))
    assert any("'text' in 1" in note for note in table.notes)
    assert build(table).skipped[0].where == "row 4"


@pytest.mark.parametrize("odd", [12, {"a": 1}, ["a", "b", "c"], True, None], ids=str)
def test_a_cell_that_is_no_text_is_one_unreadable_item(tmp_path: Path, odd: object) -> None:
    rows = [{"text": text, "label": label} for text, label in ROWS] + [{"text": odd, "label": "pos"}]
    table = open_source(put(tmp_path / "t.jsonl", "\n".join(map(json.dumps, rows))))
    data = build(table)
    assert [one.where for one in data.skipped] == [f"row {len(rows)}"]
    assert len(data) == len(ROWS)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("\ud83d half", "\ufffd half"), ("\ud83d\ude00 whole", "\U0001f600 whole")],
    ids=["half", "two"],
)
def test_halves_of_characters_that_json_lets_through(tmp_path: Path, text: str, wanted: str) -> None:
    rows = [{"text": each, "label": label} for each, label in [*ROWS, (text, "pos")]]
    table = open_source(put(tmp_path / "t.jsonl", "\n".join(map(json.dumps, rows))))
    assert read(table)[-1] == wanted
    assert not build(table).skipped
    assert texts.digest(text) == texts.digest(wanted)


def test_a_row_with_too_many_cells_is_said_in_the_singular(tmp_path: Path) -> None:
    table = open_source(put(tmp_path / "t.csv", csv_of(ROWS) + "one, two, three, pos\n"))
    assert any("1 row has more cells than there are columns and is left unlabelled" in note for note in table.notes)
