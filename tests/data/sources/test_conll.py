"""Files of words with their tags: what is understood, what is said of it, and what is refused, with its line."""

import json

import pytest

from headstart.base.errors import BadOption, BadSource, HeadstartError, UnknownName
from headstart.data import dataset
from headstart.data.opening import open_source
from headstart.data.sources import conll

CONLL = """-DOCSTART- -X- -X- O

EU NNP B-NP I-ORG
rejects VBZ B-VP O
German JJ B-NP I-MISC

Peter NNP B-NP I-PER
Blackburn NNP I-NP I-PER

-DOCSTART- -X- -X- O

# NN B-NP O
one CD B-NP O
"""
UNIVERSAL = """# sent_id = 1
# text = Don't go
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\t_\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_
3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\t_
3.1\tgone\tgo\tVERB\tVB\t_\t0\troot\t_\t_
"""


def written(tmp_path, text, name="ner.conll", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return str(path)


def tags(table):
    return [None if label is None else label[0] for label in table.labels]


def test_words_are_items_and_sentences_what_they_are_read_in(tmp_path):
    table = open_source(written(tmp_path, CONLL))
    assert (table.modality, table.task) == ("words", "tagging")
    assert tags(table) == ["B-ORG", "O", "B-MISC", "B-PER", "I-PER", "O", "O"]
    assert [label[1:] for label in table.labels] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert [len(set(table.groups)), table.groups[0] == table.groups[4]] == [2, True]
    assert "7 words in 3 sentences" in table.understood and "column 4 of 4" in table.understood
    assert "IOB1" in table.understood and any("as IOB2" in note for note in table.notes)
    assert table.items[3].name.endswith("line 7, word 1 (Peter)")


def test_a_word_may_be_a_sharp_sign_and_a_comment_is_none(tmp_path):
    assert [item.sentence.words for item in open_source(written(tmp_path, CONLL)).items][-1] == ("#", "one")


@pytest.mark.parametrize(("label", "expected"), [("2", "NNP"), ("-1", "B-ORG"), ("3", "B-NP")])
def test_another_column_of_tags_is_named_by_its_number(tmp_path, label, expected):
    assert tags(open_source(written(tmp_path, CONLL), label=label))[0] == expected


def test_universal_dependencies_have_names_and_comments(tmp_path):
    path = written(tmp_path, UNIVERSAL, "en.conllu")
    table = open_source(path)
    assert tags(table) == ["AUX", "PART", "VERB"] and "upos" in table.understood
    assert table.items[1].sentence.words == ("Do", "n't", "go")
    assert tags(open_source(path, label="deprel")) == ["aux", "advmod", "root"]
    with pytest.raises(UnknownName, match="upos"):
        open_source(path, label="upso")


def test_a_folders_files_are_parts_by_their_names(tmp_path):
    for name in ("eng.train", "eng.testa", "eng.testb"):
        written(tmp_path, CONLL, name)
    (tmp_path / "README").write_text("A corpus of names.\n\nIt is small.\n")
    table = open_source(tmp_path)
    assert [table.parts.count(part) for part in ("train", "val", "test")] == [7, 7, 7]
    assert len(set(table.groups)) == 6


def test_lines_of_json_with_lists_are_read_too(tmp_path):
    rows = [{"tokens": ["Ann", "ran"], "ner_tags": ["B-PER", "O"]}, {"tokens": ["Hi"], "ner_tags": ["O"]}]
    path = written(tmp_path, "\n".join(map(json.dumps, rows)), "x.jsonl")
    assert tags(open_source(path)) == ["B-PER", "O", "O"]
    path = written(tmp_path, json.dumps({"tokens": ["Ann", "ran"], "ner_tags": ["O"]}), "y.jsonl")
    with pytest.raises(BadSource, match="do not go together: there are 2 and 1"):
        open_source(path)


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("", "empty", ""),
        ("\n\n", "empty", ""),
        ("Ann\nran\n", "single column", "line 1"),
        ("Ann B-PER\nran\n\nBob B-PER\n", "1 column, where the file has 2", "line 2"),
        ("Ann B-PER\nNew York B-LOC\n\nBob B-PER\n", "3 columns", "line 2"),
        ("Ann B-PER\nLee I-PER\nBob PERB\n", "'PERB' is neither O", "line 3"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, what, line):
    with pytest.raises(BadSource, match=what) as caught:
        open_source(written(tmp_path, text))
    assert line in caught.value.where


def test_a_file_of_one_encoding_is_read_and_one_of_two_is_not(tmp_path):
    old = written(tmp_path, "Zoë B-PER\nran O\n", encoding="cp1252")
    table = open_source(old)
    assert table.items[0].sentence.words[0] == "Zoë" and "Windows-1252" in table.notes[0]
    mixed = "Zoë B-PER\nran O\n".encode() + "\nZoë B-PER\n".encode("cp1252")
    (tmp_path / "mixed.conll").write_bytes(mixed)
    with pytest.raises(BadSource, match="1 line is not") as caught:
        open_source(str(tmp_path / "mixed.conll"))
    assert "line 4" in caught.value.where
    assert open_source(written(tmp_path, "Zoë B-PER\nran O\n", "u.conll", "utf-16")).items[0].sentence.words[0] == "Zoë"


@pytest.mark.parametrize("name", ["train.txt", "plain.tsv"])
def test_only_what_looks_like_it_is_claimed(tmp_path, name):
    assert not conll.claims(written(tmp_path, "John lives here\nMary lives there\n" * 5, name))
    assert conll.claims(written(tmp_path, "John B-PER\nlives O\n\nMary B-PER\n" * 5, name))
    assert not conll.claims(str(tmp_path / "missing.txt")) and not conll.claims(["a"]) and not conll.claims("")


def test_one_tag_only_is_refused(tmp_path):
    table = open_source(written(tmp_path, "a O\nb O\n\nc O\n"))
    with pytest.raises(HeadstartError, match="same tag"):
        dataset.build(table)


def test_a_sentence_stays_on_one_side_and_copies_too(tmp_path):
    lines = [f"Ann{n} B-PER\nsaw O\nRome{n % 7} B-LOC\n" for n in range(120)]
    data = dataset.build(open_source(written(tmp_path, "\n".join([*lines, *lines[:10]]))))
    parts = {}
    for item, part in zip(data.items, data.parts, strict=True):
        parts.setdefault(item.sentence.words, set()).add(str(part))
    assert all(len(found) == 1 for found in parts.values())
    assert {"train", "val", "test"} <= set(data.parts.tolist())
    assert data.wholes.max() + 1 == 130 == len(set(data.targets[:, 1]))


def test_what_such_a_file_has_not_is_said(tmp_path):
    with pytest.raises(BadOption, match="group"):
        open_source(written(tmp_path, CONLL), group="folder")
    with pytest.raises(BadSource, match="There is no file"):
        open_source(str(tmp_path / "none.conll"))
