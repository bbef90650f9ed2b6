"""TensorBoard: event files in a folder, runs by default; tensorboard --logdir runs shows them.

A run is a folder in it, and each series of numbers (a fit, a candidate of the evidence table) a folder in that, so
that the curves of all fits lie in one chart.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headstart.base.errors import BadOption, MissingExtra
from headstart.track import markdown
from headstart.track.tracker import State

DEFAULT = "runs"
MOST_OPEN = 4
"""Event files that are open at once; each has a thread of its own."""


def check(where: str) -> None:
    """Refuse a place that is no folder.

    Raises:
        MissingExtra: without TensorBoard.
        BadOption: an address, or a file.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingExtra("tensorboard", "track")
    if "://" in where or (where and Path(where).expanduser().is_file()):
        raise BadOption(f"TensorBoard cannot write to {where}", expected="a folder, such as tensorboard:runs")


def begin(where: str) -> Board:
    """The folder of all runs; "" for ``runs``."""
    from torch.utils.tensorboard import SummaryWriter

    return Board(Path(where or DEFAULT).expanduser().absolute(), SummaryWriter)


class Board:
    """Event files below one folder.

    Args:
        folder: of all runs.
        writer: makes what writes event files into a folder.
    """

    def __init__(self, folder: Path, writer: Callable[[str], Any]) -> None:
        self.folder, self._make = folder, writer
        self.place = ""
        self._writers: dict[str, Any] = {}
        self._described: dict[str, Any] = {}
        self._results: dict[str, float] = {}

    def start(self, name: str, run: str, handle: Mapping[str, Any]) -> Mapping[str, Any]:
        """A folder of the run's own."""
        self.place = f"tensorboard --logdir {self.folder}"
        self.folder = Path(str(handle.get("folder") or self.folder / f"{_file_name(name)}-{run[:8]}"))
        return {"folder": str(self.folder)}

    def describe(self, values: Mapping[str, Any]) -> None:
        """Parameters as a table, and at the end beside the results."""
        self._described |= values
        rows = [[name, str(value)] for name, value in self._described.items()]
        self.note("parameters", markdown.table(["parameter", "value"], rows))

    def tag(self, values: Mapping[str, str]) -> None:
        """The same as parameters: TensorBoard knows no tags."""
        self.describe(values)

    def measure(self, series: str, values: Mapping[str, float], step: int = 0) -> None:
        """Points of curves."""
        writer = self._writer(series)
        for name, value in values.items():
            writer.add_scalar(name, value, step)
        if series == "test":
            self._results |= values

    def note(self, name: str, text: str) -> None:
        """A text of the run's own folder."""
        self._writer("").add_text(name, text)

    def keep(self, path: Path) -> None:
        """The text of a Markdown file; others stay where they are, for TensorBoard holds no files."""
        if path.suffix == ".md":
            self.note(path.stem.lower().replace("_", " "), path.read_text(encoding="utf-8"))

    def flush(self) -> None:
        """Write what waits, and close all but a few files."""
        for series in list(self._writers)[:-MOST_OPEN]:
            self._writers.pop(series).close()
        for writer in self._writers.values():
            writer.flush()

    def close(self, state: State) -> None:
        """Put parameters and results side by side, and close all files."""
        if state == "finished" and self._results:
            results = {f"test/{name}": value for name, value in self._results.items()}
            self._writer("").add_hparams(self._described, results, run_name=".")
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _writer(self, series: str) -> Any:
        found = self._writers.pop(series, None)
        if found is None:
            below = [_file_name(part) for part in series.split("/") if part]
            found = self._make(str(self.folder.joinpath(*below)))
        self._writers[series] = found
        return found


def _file_name(text: str) -> str:
    """A name that is a file's on every system, and no way out of the folder."""
    return re.sub(r"[^\w@.=+, -]", "_", text).strip(". ") or "_"
