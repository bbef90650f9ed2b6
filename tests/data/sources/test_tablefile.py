from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headstart.base.errors import BadSource, MissingExtra, UnknownName
from headstart.data import delimited
from headstart.data.dataset import build
from headstart.data.sources import tablefile
from tests.data.pictures import write


def put(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for i in range(8):
        write(tmp_path / f"p/{i}.png", i)
    return tmp_path


ROWS = [(f"p/{i}.png", "cat" if i % 2 else "dog") for i in range(8)]


def test_csv(photos: Path) -> None:
    file = put(photos / "t.csv", "file,label\n" + "".join(f"{a},{b}\n" for a, b in ROWS))
    table = tablefile.open(str(file))
    assert table.items == tuple(str(photos / a) for a, _ in ROWS)
    assert table.labels == tuple(b for _, b in ROWS)
    assert table.parts == (None,) * 8
    assert table.understood == f"{file}: 8 rows; column 'file' is the image, column 'label' the label"
    assert build(table).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.tsv", "file\tlabel\np/0.png\tdog\np/1.png\tcat\n"),
        ("t.tsv", "file,label\np/0.png,dog\np/1.png,cat\n"),
        ("t.csv", "file;label\np/0.png;dog\np/1.png;cat\n"),
        ("t.csv", "file|label\np/0.png|dog\np/1.png|cat\n"),
        ("t.csv", b"\xef\xbb\xbffile,label\r\np/0.png,dog\r\np/1.png,cat\r\n"),
        ("t.csv", "file,label\np/0.png,dog\np/1.png,cat\n".encode("utf-16")),
        ("t.csv", '"file","label"\n"p/0.png","dog"\n"p/1.png","cat"\n'),
        ("T.CSV", " file , label \n p/0.png , dog \n\n p/1.png , cat \n"),
        ("t.csv", "label,file\ndog,p/0.png\ncat,p/1.png"),
        ("t.csv", "p/0.png,dog\np/1.png,cat\n"),
        ("t.csv", "file,label\np/0.png,dog,\np/1.png,cat,,\n"),
        ("t.csv", "file,label\np\\0.png,dog\np\\1.png,cat\n"),
    ],
)
def test_dialects(photos: Path, name: str, text: str | bytes) -> None:
    table = tablefile.open(put(photos / name, text))
    assert table.items == (str(photos / "p/0.png"), str(photos / "p/1.png"))
    assert [label.strip() for label in table.labels] == ["dog", "cat"]


def test_a_table_without_header_is_said(photos: Path) -> None:
    table = tablefile.open(put(photos / "t.csv", "p/0.png,dog\np/1.png,cat\n"))
    assert "the first line is read as data, not as column names" in table.notes
    assert "column 'column 2' the label" in table.understood


def test_windows_encoding_is_said(photos: Path) -> None:
    table = tablefile.open(put(photos / "t.csv", "file,label\np/0.png,Käse\n".encode("cp1252")))
    assert table.labels == ("Käse",)
    assert any("Windows-1252" in note for note in table.notes)


def test_cells_without_a_label_are_missing_and_words_are_not(photos: Path) -> None:
    cells = ["", " ", "nan", "NaN", "<NA>", "null", "None", "NA"]
    text = "file,label\n" + "".join(f"p/{i}.png,{cell}\n" for i, cell in enumerate(cells))
    assert tablefile.open(put(photos / "t.csv", text)).labels == (None,) * 6 + ("None", "NA")


def test_numbers_as_labels(photos: Path) -> None:
    text = "file,label\n" + "".join(f"p/{i}.png,{i % 2}.0\n" for i in range(8))
    assert build(tablefile.open(put(photos / "t.csv", text))).classes == ("0", "1")


def test_bad_rows_are_listed_by_the_data_set(photos: Path) -> None:
    good = "".join(f"p/{i % 8}.png,{'cat' if i % 2 else 'dog'}\n" for i in range(40))
    text = f"file,label\n{good}p/gone.png,cat\np/1.png,\n,cat\np/2.png,dog,extra\n"
    table = tablefile.open(put(photos / "t.csv", text))
    assert any("1 row has more cells" in note and "line 45" in note for note in table.notes)
    skipped = build(table).skipped
    assert [(Path(one.where).name, one.why) for one in skipped] == [
        ("gone.png", "there is no such file"),
        ("1.png", "it has no label"),
        ("item 43", "there is no image: the path is missing"),
        ("item 44", "it has no label"),
    ]


def test_absolute_paths_and_addresses(photos: Path) -> None:
    text = f"file,label\n{photos}/p/0.png,a\nhttps://example.org/1.jpg,b\n"
    assert tablefile.open(put(photos / "t.csv", text)).items == (f"{photos}/p/0.png", "https://example.org/1.jpg")


def test_paths_are_relative_to_the_table_not_to_where_one_stands(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (photos / "elsewhere").mkdir()
    put(photos / "t.csv", "file,label\np/0.png,a\np/1.png,b\n")
    monkeypatch.chdir(photos / "elsewhere")
    assert Path(tablefile.open("../t.csv").items[0]).is_file()


def test_images_in_the_one_folder_beside_the_table(photos: Path) -> None:
    table = tablefile.open(put(photos / "t.csv", "file,label\n0.png,a\n1.png,b\n"))
    assert table.items[0] == str(photos / "p/0.png")
    assert any("relative to" in note for note in table.notes)


def test_a_split_column(photos: Path) -> None:
    text = "file,label,split\np/0.png,a,train\np/1.png,b,VAL\np/2.png,a,test\np/3.png,b,\n"
    table = tablefile.open(put(photos / "t.csv", text))
    assert table.parts == ("train", "val", "test", None)
    assert "column 'split' the part" in table.understood


def test_named_columns(photos: Path) -> None:
    text = "file,label,breed\np/0.png,cat,siam\np/1.png,dog,pug\n"
    file = put(photos / "t.csv", text)
    assert tablefile.open(file, label="breed").labels == ("siam", "pug")
    with pytest.raises(UnknownName, match="did you mean breed"):
        tablefile.open(file, label="bread")


def test_repeated_and_missing_column_names(photos: Path) -> None:
    text = "file,x,x,,label\np/0.png,1,2,3,a\np/1.png,1,2,3,b\n"
    assert tablefile.open(put(photos / "t.csv", text)).labels == ("a", "b")


@pytest.mark.parametrize("kind", ["text", "integers", "floats with gaps", "categories"])
def test_parquet(photos: Path, kind: str) -> None:
    pytest.importorskip("pyarrow")
    labels: Any = {
        "text": ["a", "b", None],
        "integers": np.array([0, 1, 10]),
        "floats with gaps": [0.0, 1.0, np.nan],
        "categories": pd.Categorical(["a", "b", None]),
    }[kind]
    pd.DataFrame({"image": [f"p/{i}.png" for i in range(3)], "label": labels}).to_parquet(photos / "t.parquet")
    table = tablefile.open(photos / "t.parquet")
    assert table.items[2] == str(photos / "p/2.png")
    from headstart.data.labels import names

    expected = {"integers": ["0", "1", "10"], "floats with gaps": ["0", "1", None]}
    assert names(table.labels) == expected.get(kind, ["a", "b", None])


def test_parquet_without_pyarrow(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"pyarrow(.|\n)*pip install 'headstart\[parquet\]'"):
        tablefile.open(put(photos / "t.parquet", b"PAR1"))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("t.csv", "", "is empty"),
        ("t.csv", "\n \n", "is empty"),
        ("t.csv", "file,label\n", "no rows"),
        ("t.csv", "file,label\np/0.png,a\n" + "x" * (delimited.LARGEST + 1) + ",b\n", "field larger"),
        ("t.csv", 'file,label\np/0.png,"a\np/1.png,b\np/2.png,a\n', "swallows 3 lines .*from line 2"),
        ("t.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "The table is no text"),
        ("t.csv", "just one column\nx\ny\n", "No column holds image paths"),
        ("t.csv", "file\np/0.png\n", "no label column"),
        ("t.parquet", b"this is not parquet", "cannot be read as Parquet"),
        ("t.parquet", b"", "cannot be read as Parquet"),
    ],
)
def test_nothing_usable(photos: Path, name: str, text: str | bytes, words: str) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    with pytest.raises(BadSource, match=words):
        tablefile.open(put(photos / name, text))


def test_the_table_itself_cannot_be_read(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSource, match="no file"):
        tablefile.open(photos / "gone.csv")
    file = put(photos / "t.csv", "file,label\n")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(BadSource, match="Permission denied"):
        tablefile.open(file)


def test_claims(tmp_path: Path) -> None:
    assert all(tablefile.claims(name) for name in ("a.csv", "b.TSV", Path("c.parquet"), "gone/d.pq"))
    assert not any(tablefile.claims(name) for name in ("a.txt", "photos", ["a.csv"], 3))
    (tmp_path / "odd.csv").mkdir()
    assert not tablefile.claims(tmp_path / "odd.csv")
