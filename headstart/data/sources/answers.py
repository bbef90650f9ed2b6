"""Questions on texts with their answers (SQuAD 1.1 and 2.0, JSON), or a folder with such files as train, dev and test.

A file has articles, an article paragraphs, a paragraph its text and the questions that are asked of it, each with its
answers and where they begin (Rajpurkar et al., SQuAD, 2016; https://rajpurkar.github.io/SQuAD-explorer/). Every word of
a text is an item, a question is what they are read in, and texts of one article never lie on two sides of a split.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headstart.base import natural
from headstart.base.errors import BadSource, Undecodable
from headstart.base.vocabulary import PARTS, Table
from headstart.data import asked as questions
from headstart.data import labelled, texts, tree
from headstart.data.asked import Asked
from headstart.data.printable import count, printable
from headstart.measure import answers as spans

SUFFIX = ".json"
EXPECTED = (
    '{"data": [{"paragraphs": [{"context": "...", "qas": [{"id": "...", "question": "...", "answers": [...]}]}]}]}'
)
ANSWER = '{"text": "...", "answer_start": 17}, the answer\'s words and its first character in the context'
ARTICLES = 10
"""Articles from which on it is they that stay together; below, it is the paragraphs."""
_LOOKED_AT = 65_536
_LIKE = re.compile(rb'"paragraphs"\s*:\s*\[')
Label = tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with what people answered.

    Attributes:
        asked: the question and its text.
        answers: their words, without those that say the same twice; empty where there is no answer; None where nobody
            says.
        bounds: the first and last word of each.
        article: number of the article in its file.
        paragraph: number of the paragraph in its file.
    """

    asked: Asked
    answers: tuple[str, ...] | None
    bounds: tuple[tuple[int, int], ...]
    article: int
    paragraph: int


@dataclass
class _Tally:
    """What had to be done to read a file."""

    moved: int = 0
    widened: int = 0
    long: int = 0
    first: dict[str, str] = field(default_factory=dict)

    def count(self, what: str, where: str) -> None:
        setattr(self, what, getattr(self, what) + 1)
        self.first.setdefault(what, where)

    def said(self) -> Iterator[str]:
        if self.moved:
            what = count(self.moved, "answer does", "answers do")
            yield f"{what} not stand where the file says; taken where they stand nearest to it ({self.first['moved']})"
        if self.widened:
            what = count(self.widened, "answer begins or ends", "answers begin or end")
            yield f"{what} inside a word; the whole word is learnt ({self.first['widened']})"
        if self.long:
            what = count(self.long, "answer has", "answers have")
            yield f"{what} more than {spans.LONGEST} words, which no answer of a model has ({self.first['long']})"


def claims(source: Any) -> bool:
    """True for a JSON file that begins as SQuAD's do, and for a folder that holds such files."""
    path = tree.as_path(source)
    if path is None:
        return False
    if tree.holds(path.is_dir):
        return bool(_within(path))
    return _is_one(path)


def open(source: Any, *, label: str | None = None, path: str | None = None) -> Table:
    """Read the questions.

    Args:
        source: path of a file or a folder; a folder's files are parts where their names say so.
        label, path: columns of tables, which there are none of.

    Raises:
        BadSource: there is no such file, or it is empty or damaged, naming the question.
    """
    tally, files = _Tally(), _files(source)
    read = [_read(file, tally) for file in files]
    everything = [one for found in read for one in found]
    parts = [labelled.part(file) if len(files) > 1 else None for file in files]
    each_part = [part for part, found in zip(parts, read, strict=True) for _ in found]
    notes = list(tally.said())
    counted = {part: each_part.count(part) for part in PARTS if part in each_part}
    if counted:
        notes.append("parts by file name: " + ", ".join(f"{n:,} questions {part}" for part, n in counted.items()))
    if not any(one.answers is not None for one in everything):
        where = printable(str(source))
        raise BadSource("No question has an answer", where=where, expected=f'"answers": [{ANSWER}], or [] for none')
    each = [questions.each(one.asked) for one in everything]
    origin, items = printable(str(source)), [item for row in each for item in row]
    by_article = sum(len({one.article for one in found}) for found in read) >= ARTICLES
    none = sum(one.answers == () for one in everything)
    paragraphs = sum(len({one.paragraph for one in found}) for found in read)
    return Table(
        items=tuple(items),
        labels=tuple(label for number, one in enumerate(everything) for label in _labels(one, number)),
        parts=tuple(part for part, row in zip(each_part, each, strict=True) for _ in row),
        origin=origin,
        understood=f"{origin}: {count(len(everything), 'question')} on {count(paragraphs, 'text')}"
        + (f", {none:,} without an answer" if none else "")
        + f"; {'articles' if by_article else 'texts'} stay on one side of a split",
        notes=tuple(notes),
        groups=tuple(
            f"{file.name} {f'article {one.article + 1}' if by_article else f'text {one.paragraph}'}"
            for file, found in zip(files, read, strict=True)
            for one in found
            for _ in one.asked.units
        ),
        task="answering",
        modality="places",
    )


def questions_of(source: Any) -> list[Asked]:
    """The questions of a file or folder whose answers nobody needs.

    Raises:
        BadSource: as ``open``.
    """
    return [asked for file in _files(source) for asked, *_ in _asked(file)]


def _labels(one: Answered, number: int) -> Iterator[Label]:
    """Of each place: the shares of answers that begin and end there, the question, the place, and what spans are worth.

    Spans that begin there are worth what ``measure.answers.worths`` says, down to the last that is worth anything.
    """
    if one.answers is None:
        yield from [None] * len(one.asked.units)
        return
    there = not one.answers
    nothing = [spans.EXACT] if there else []
    yield (float(there), float(there), float(number), 0.0, *nothing)
    worth = spans.worths(one.asked.context, one.asked.places, one.answers) if one.answers else None
    share = 1 / max(1, len(one.bounds))
    for place in range(len(one.asked.places)):
        begins = share * sum(first == place for first, _ in one.bounds)
        ends = share * sum(last == place for _, last in one.bounds)
        row = [] if worth is None else worth[place].tolist()
        while row and not row[-1]:
            row.pop()
        yield (begins, ends, float(number), place + 1.0, *row)


def _read(file: Path, tally: _Tally) -> list[Answered]:
    found = []
    for asked, given, article, paragraph in _asked(file):
        known = _answers(given, asked)
        if known is None:
            found.append(Answered(asked, None, (), article, paragraph))
            continue
        bounds = tuple(_bounds(text, start, asked, tally) for text, start in known)
        found.append(Answered(asked, tuple(dict.fromkeys(text for text, _ in known)), bounds, article, paragraph))
    return found


def _answers(given: Mapping[str, Any], asked: Asked) -> list[tuple[str, int]] | None:
    """The words and the stated beginning of each answer; None where nothing is said of answers."""
    impossible = given.get("is_impossible")
    if "answers" not in given and impossible is not True:
        return None
    answers = given.get("answers") or []
    if not isinstance(answers, list):
        raise BadSource("The answers are no list", where=asked.name, expected=f"[{ANSWER}], or [] for none")
    if impossible is True and answers:
        raise BadSource(
            "The question has answers, and is said to have none (is_impossible)",
            where=asked.name,
            expected="one of both",
        )
    if impossible is False and not answers:
        raise BadSource(
            "The question has no answer, and is said to have one", where=asked.name, expected='"is_impossible": true'
        )
    found = []
    for each in answers:
        text, start = (each.get("text"), each.get("answer_start")) if isinstance(each, dict) else (None, None)
        if not isinstance(text, str) or not text.strip() or isinstance(start, bool) or not isinstance(start, int):
            raise BadSource(f"An answer is {printable(repr(each))[:80]}", where=asked.name, expected=ANSWER)
        found.append((_clean(text, asked.name).strip(), start))
    return found


def _bounds(text: str, start: int, asked: Asked, tally: _Tally) -> tuple[int, int]:
    """The first and last word of an answer."""
    if not asked.context.startswith(text, start) or start < 0:
        places = [found.start() for found in re.finditer(re.escape(text), asked.context)]
        if not places:
            there = asked.context[max(0, start) : max(0, start) + len(text)]
            raise BadSource(
                f"The answer {printable(text)[:60]!r} is not in its text; at {start:,} is {printable(there)[:60]!r}",
                where=asked.name,
                expected="an answer in the words of the context",
                next_move="mend answer_start and text of this question, or remove it",
            )
        start = min(places, key=lambda place: abs(place - start))
        tally.count("moved", asked.name)
    words = questions.covering(asked.places, start, start + len(text))
    if words is None:
        raise BadSource(f"The answer {printable(text)[:60]!r} has no word in it", where=asked.name, expected=ANSWER)
    if (asked.places[words[0]][0], asked.places[words[1]][1]) != (start, start + len(text)):
        tally.count("widened", asked.name)
    if words[1] - words[0] >= spans.LONGEST:
        tally.count("long", asked.name)
    return words


def _asked(file: Path) -> Iterator[tuple[Asked, Mapping[str, Any], int, int]]:
    """Each question, what the file says of it, and the numbers of its article and paragraph."""
    origin, paragraph, any_question = printable(str(file)), 0, False
    for article, one in enumerate(_list(_loaded(file), "data", origin)):
        for each in _list(one, "paragraphs", f"{origin}, article {article + 1:,}"):
            paragraph += 1
            where = f"{origin}, paragraph {paragraph:,}"
            context = _text(each, "context", where)
            for number, given in enumerate(_list(each, "qas", where), start=1):
                known = given.get("id") if isinstance(given, dict) else None
                name = printable(str(known))[:80] if isinstance(known, str | int) else f"{number:,} of {where}"
                name = f"{origin}, question {name}"
                any_question = True
                yield _made(_text(given, "question", name), context, name), given, article, paragraph
    if not any_question:
        raise BadSource("There is no question in the file", where=origin, expected=EXPECTED)


def _made(question: str, context: str, name: str) -> Asked:
    asked = Asked(question, context, name)
    if not asked.places:
        raise BadSource("There is no word in the text that is asked of", where=name, expected=EXPECTED)
    return asked


def _text(given: Any, key: str, where: str) -> str:
    value = given.get(key) if isinstance(given, dict) else None
    if not isinstance(value, str):
        raise BadSource(f'There is no text "{key}"', where=where, expected=EXPECTED)
    return _clean(value, where)


def _clean(text: str, where: str) -> str:
    try:
        found = texts.decode(text)
    except Undecodable as error:
        raise BadSource(f"A text cannot be used: {error.what}", where=where, expected=EXPECTED) from error
    return str(found)


def _list(given: Any, key: str, where: str) -> Sequence[Any]:
    value = given.get(key) if isinstance(given, dict) else None
    if not isinstance(value, list):
        raise BadSource(f'There is no list "{key}"', where=where, expected=EXPECTED)
    return value


def _loaded(file: Path) -> Any:
    origin = printable(str(file))
    try:
        return json.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        why = error.strerror or str(error)
        raise BadSource(f"The file cannot be read: {why}", where=origin, next_move="allow reading it") from error
    except UnicodeDecodeError as error:
        where = f"{origin}, byte {error.start + 1:,}"
        raise BadSource(
            "The file is no UTF-8, as JSON has to be", where=where, expected="text saved as UTF-8"
        ) from error
    except json.JSONDecodeError as error:
        where = f"{origin}, line {error.lineno:,}"
        raise BadSource(f"This is no JSON: {error.msg}", where=where, expected=EXPECTED) from error
    except (ValueError, RecursionError) as error:  # a number of a million digits, a hundred thousand brackets
        raise BadSource("This is no JSON that can be read", where=origin, expected=EXPECTED) from error


def _files(source: Any) -> list[Path]:
    path = tree.as_path(source)
    if path is not None and tree.holds(path.is_dir):
        found = _within(path)
    else:
        found = [path] if path is not None and tree.holds(path.is_file) else []
    if not found:
        expected = (path and tree.close(path)) or EXPECTED
        raise BadSource(f"There is no file {printable(str(source))}", expected=expected)
    return sorted(found, key=lambda file: natural.key(file.name))


def _within(folder: Path) -> list[Path]:
    """The files of questions in a folder; folders below it are not looked at."""
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []
    return [path for path in paths if _is_one(path)]


def _is_one(path: Path) -> bool:
    if path.suffix.lower() != SUFFIX or not tree.holds(path.is_file):
        return False
    try:
        with path.open("rb") as stream:
            return _LIKE.search(stream.read(_LOOKED_AT)) is not None
    except OSError:
        return False
