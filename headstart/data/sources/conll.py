"""A file of words with their tags (CoNLL, CoNLL-U, lines of JSON), or a folder with such files as train, dev and test.

Every word is an item, the sentences are what they are read in, and a sentence never lies on two sides of a split.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headstart.base import natural
from headstart.base.errors import BadSource
from headstart.base.vocabulary import PARTS, Table
from headstart.data import labelled, schemes, sentences, tree
from headstart.data.labelled import EXPECTED, Tagged
from headstart.data.printable import count, listing, printable
from headstart.data.schemes import Scheme
from headstart.data.sentences import Sentence


def claims(source: Any) -> bool:
    """True for a file that is named, or begins, as one of labelled words, and for a folder that holds such files."""
    path = tree.as_path(source)
    if path is None:
        return False
    if tree.holds(path.is_dir):
        return bool(labelled.within(path))
    named = path.suffix.lower() in labelled.SUFFIXES
    return named or (tree.holds(path.is_file) and labelled.is_one(path))


def open(source: Any, *, label: str | None = None, path: str | None = None, text: str | None = None) -> Table:
    """Read the sentences.

    Args:
        source: path of a file or a folder; a folder's files are parts where their names say so.
        label: the column of the tags, by number from 1 or by name; the last by default, of CoNLL-U ``upos``.
        path: a column of images, which there is none of.
        text: the column of the words; the first by default.

    Raises:
        BadSource: there is no such file, or it is empty or damaged, naming the line.
        UnknownName: no such column.
    """
    notes: list[str] = []
    files = _files(source)
    read = [labelled.read(file, label=label, text=text, notes=notes) for file in files]
    everything = [one for found, _ in read for one in found]
    parts = [labelled.part(file) if len(files) > 1 else None for file in files]
    each_part = [part for part, (found, _) in zip(parts, read, strict=True) for _ in found]
    scheme = schemes.recognised([one.tags for one in everything])
    if scheme.odd is not None:
        raise _odd(everything, scheme.odd)
    tags = [list(one.tags) if scheme.name == schemes.PLAIN else schemes.as_iob2(one.tags) for one in everything]
    notes += _said(scheme)
    counted = {part: each_part.count(part) for part in PARTS if part in each_part}
    if counted:
        notes.append("parts by file name: " + ", ".join(f"{n:,} sentences {part}" for part, n in counted.items()))
    items = [words for one in everything for words in sentences.each(one.sentence)]
    origin = printable(str(source))
    return Table(
        items=tuple(items),
        labels=tuple(
            None if tag is None else (tag, number, place)
            for number, row in enumerate(tags)
            for place, tag in enumerate(row)
        ),
        parts=tuple(part for part, one in zip(each_part, everything, strict=True) for _ in one.tags),
        origin=origin,
        understood=f"{origin}: {count(len(items), 'word')} in {count(len(everything), 'sentence')}; "
        f"{read[0][1]} is the tag; {_kinds(tags, scheme)}",
        notes=tuple(notes),
        groups=_groups(files, [found for found, _ in read]),
        task="tagging",
        modality="words",
    )


def sentences_of(source: Any) -> list[Sentence]:
    """The sentences of a file or folder whose tags nobody needs.

    Raises:
        BadSource: as ``open``.
    """
    return [one.sentence for file in _files(source) for one in labelled.read(file, label=None, text=None, notes=[])[0]]


def _files(source: Any) -> list[Path]:
    path = tree.as_path(source)
    if path is not None and tree.holds(path.is_dir):
        found = labelled.within(path)
    else:
        found = [path] if path is not None and tree.holds(path.is_file) else []
    if not found:
        expected = (path and tree.close(path)) or EXPECTED
        raise BadSource(f"There is no file {printable(str(source))}", expected=expected)
    return sorted(found, key=lambda file: natural.key(file.name))


def _groups(files: Sequence[Path], read: Sequence[Sequence[Tagged]]) -> tuple[str, ...]:
    """The document of each word where files have documents, else its sentence."""
    found = []
    for file, rows in zip(files, read, strict=True):
        for number, one in enumerate(rows, start=1):
            inside = f"sentence {number}" if one.document is None else f"document {one.document + 1}"
            found += [f"{file.name} {inside}"] * len(one.tags)
    return tuple(found)


def _said(scheme: Scheme) -> list[str]:
    if scheme.name in (schemes.IOB1, schemes.BIOES):
        return [f"the tags are written as {scheme.name}; they are read, and answered, as IOB2"]
    if scheme.mended:
        return [f"{count(scheme.mended, 'tag continues', 'tags continue')} nothing (I- at a beginning), read as B-"]
    return []


def _kinds(tags: Sequence[Sequence[str | None]], scheme: Scheme) -> str:
    known = {tag for row in tags for tag in row if tag is not None}
    if scheme.name == schemes.PLAIN:
        return count(len(known), "plain tag")
    kinds = natural.ordered(schemes.apart(tag)[1] for tag in known if tag != schemes.OUTSIDE)
    return f"{scheme.name} tags of {listing(list(kinds), 8)}"


def _odd(everything: Sequence[Tagged], at: tuple[int, int]) -> BadSource:
    one, place = everything[at[0]], at[1]
    return BadSource(
        f"The tag {printable(str(one.tags[place]))!r} is neither O nor begins as the others do",
        where=f"{one.sentence.name.rpartition(',')[0]}, line {one.lines[place]:,}",
        expected="O, or a prefix of B- I- (E- S-, L- U-) and a kind, as in B-PER",
        next_move="mend that line, or name another column with --label",
    )
