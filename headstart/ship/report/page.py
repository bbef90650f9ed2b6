"""The page itself: panels to one HTML file that needs nothing else.

Whatever comes from the data is text: the template escapes it, the script sets it with ``textContent``, and a strict
Content-Security-Policy runs the page's own three scripts, by their digest, and no other, and connects to nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from headstart.base import discovery, files
from headstart.base.errors import BadOption, HeadstartError
from headstart.base.excerpt import Excerpt, Run
from headstart.base.manifest import REPORT
from headstart.data.printable import printable, readable
from headstart.ship.report import blocks
from headstart.ship.report.blocks import Panel
from headstart.ship.report.facts import Facts
from headstart.ship.report.gather import gather

ROOM = "ship.panels"
LIBRARIES = ("d3.min.js", "plot.umd.min.js")
PNG = b"\x89PNG\r\n\x1a\n"
LARGEST_PICTURE = 512 * 1024
"""Bytes beyond which a file is no small picture."""
MOST_PICTURES = 16 * 2**20
"""Bytes of all pictures together, and of all words."""
BRIEF = 280
"""Characters of a text that are shown before somebody asks for more."""
LEVELS = 10
"""Strengths of a mark that the style has a look for."""
_LOG = logging.getLogger(__name__)


def write(folder: str | Path, to: str | Path | None = None) -> Path:
    """Write the report of a model's folder.

    Args:
        folder: the model's, finished or not.
        to: the file; ``report.html`` in the folder by default.

    Returns:
        The file.

    Raises:
        BadOption: the file's name does not end in .html.
        ModelFolderError: there is neither a model nor a run, or the model's manifest is damaged.
        HeadstartError: the file cannot be written.
    """
    path = Path(folder).expanduser() / REPORT if to is None else Path(to).expanduser()
    path = path / REPORT if path.is_dir() else path
    if path.suffix.lower() not in (".html", ".htm"):
        raise BadOption("A report is a page of HTML", where=str(path), expected="a file name that ends in .html")
    text = render(gather(folder)).encode("utf-8", errors="backslashreplace")
    files.write_with(path, lambda temporary: temporary.write_bytes(text), len(text))
    return path


def render(facts: Facts) -> str:
    """The page of some facts."""
    pictures = _Pictures(facts.path / "run")
    drawn = _Drawn(pictures)
    panels = [drawn.panel(name, panel) for name, panel in panels_of(facts)]
    script, style = _own("page.js"), _own("page.css")
    libraries = [_asset(name) for name in LIBRARIES]
    return _template().render(
        policy=_policy([*libraries, script], style),
        name=printable(facts.name),
        subtitle=printable(_subtitle(facts)),
        panels=panels,
        data=drawn.data(),
        pictures=pictures,
        style=style,
        libraries=libraries,
        script=script,
        version=metadata.version("headstart"),
    )


def panels_of(facts: Facts) -> list[tuple[str, Panel]]:
    """The panels that have something to show, by their place; one that fails costs itself and nothing else."""
    found = []
    for name, plugin in discovery.plugins(ROOM).items():
        try:
            panel = plugin.load().show(facts)
        except Exception as error:
            _LOG.exception("the panel %s failed", name)
            why = error.what if isinstance(error, HeadstartError) else f"{type(error).__name__}: {error}"
            panel = Panel(name.replace("_", " ").capitalize(), 1000, (blocks.Prose(f"Could not be drawn: {why}"),))
        if panel is not None:
            found.append((name, panel))
    return sorted(found, key=lambda each: (each[1].place, each[0]))


def _subtitle(facts: Facts) -> str:
    parts = []
    if facts.manifest is not None:
        sealed = facts.manifest
        base = sealed.backbone.name if sealed.backbone else sealed.baseline.name if sealed.baseline else ""
        parts.append(f"{facts.sealed} on {base}" if sealed.backbone and facts.sealed else base)
    if facts.task is not None:
        one, many = facts.task.words.noun
        number = len(facts.task.names)
        parts.append(f"{facts.task.kind}, {number:,} {one if number == 1 else many}")
    if facts.manifest is not None:
        parts.append(facts.manifest.created[:10])
    return " · ".join(part for part in parts if part)


@dataclass
class _Pictures:
    """What stands for items, by its file below the run directory, read when it is first needed."""

    folder: Path
    _read: dict[str, str | dict[str, Any]] = field(default_factory=dict)
    _size: int = 0

    def get(self, name: str) -> str | dict[str, Any]:
        """A picture inside a data address, or words; "" if it is neither, or would make the page too large."""
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def _load(self, name: str) -> str | dict[str, Any]:
        path = self.folder / name
        try:
            # A run is not sealed: its lists may name any file of the machine.
            if not path.resolve().is_relative_to(self.folder.resolve()) or path.stat().st_size > LARGEST_PICTURE:
                return ""
            body = path.read_bytes()
        except (OSError, ValueError):
            return ""
        if self._size + len(body) > MOST_PICTURES:
            return ""
        self._size += len(body)
        if body.startswith(PNG):
            return "data:image/png;base64," + base64.b64encode(body).decode("ascii")
        try:
            return worded(Excerpt.from_dict(json.loads(body)))
        except (ValueError, RecursionError):
            return ""


def worded(excerpt: Excerpt) -> dict[str, Any]:
    """Words for the template and the script: of each text the whole, and how it begins where that is long."""
    texts = []
    for runs, left in zip(excerpt.texts, excerpt.left, strict=True):
        whole = [(readable(words), round(LEVELS * mark)) for words, mark in runs]
        texts.append({"whole": whole, "brief": _beginning(whole), "left": left})
    return {"texts": texts}


def _beginning(runs: Sequence[Run]) -> list[Run]:
    """The first characters of a long text; empty for one that is shown whole."""
    found: list[Run] = []
    room = BRIEF
    for words, mark in runs:
        if len(words) > room:
            return [*found, (words[:room].rstrip() + "…", mark)]
        found.append((words, mark))
        room -= len(words)
    return []


@dataclass
class _Drawn:
    """Blocks as plain data; what the script draws is put aside under a key."""

    pictures: _Pictures
    script: dict[str, Any] = field(default_factory=dict)

    def panel(self, name: str, panel: Panel) -> dict[str, Any]:
        """A panel for the template."""
        rest = {"key": name, "title": printable(panel.title), "lead": printable(panel.lead), "span": panel.span}
        return {**rest, "blocks": [self.block(one, f"{name}-{place}") for place, one in enumerate(panel.blocks)]}

    def block(self, block: Any, key: str) -> dict[str, Any]:
        """A block for the template; a chart also for the script."""
        found: dict[str, Any] = {**blocks.plain(block), "key": key}
        if isinstance(block, blocks.Fold):
            found["blocks"] = [self.block(one, f"{key}-{place}") for place, one in enumerate(block.blocks)]
        elif isinstance(block, blocks.Chart | blocks.Matrix | blocks.Map):
            self.script[key] = _bare({name: value for name, value in found.items() if name not in ("table", "key")})
            found["table"] = blocks.plain(blocks.table_of(block))
        return found

    def data(self) -> dict[str, Any]:
        """What the script is given: what it draws, and the pictures and words in it."""
        names = sorted({name for name in _pictured(self.script) if self.pictures.get(name)})
        return {"draw": self.script, "pictures": {name: self.pictures.get(name) for name in names}}


def _bare(data: Any) -> Any:
    """Plain blocks without their kinds, which the script does not ask for; hundreds of classes have thousands."""
    if isinstance(data, Mapping):
        return {key: _bare(value) for key, value in data.items() if key != "kind"}
    return [_bare(value) for value in data] if isinstance(data, list) else data


def _pictured(data: Any) -> Iterator[str]:
    """Every picture that plain blocks name."""
    if isinstance(data, Mapping):
        if data.get("picture"):
            yield data["picture"]
        yield from (name for name, _ in data.get("pictures") or ())
        for key, value in data.items():
            if key != "pictures":
                yield from _pictured(value)
    elif isinstance(data, list):
        for value in data:
            yield from _pictured(value)


def _policy(scripts: Sequence[str], style: str) -> str:
    """Run these scripts and this style, by their digest; load pictures that are inside the page; nothing else."""
    allowed = " ".join(f"'sha256-{_digest(each)}'" for each in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'sha256-{_digest(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


@cache
def _asset(name: str) -> str:
    return resources.files("headstart.ship").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _own(name: str) -> str:
    return resources.files("headstart.ship.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Any:
    import jinja2

    # Everything is escaped; only the page's own scripts and style pass as they are, and they hold nothing of the data.
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(_own("page.html"))
