"""What a job's progress file says, as a page shows it: the task at hand, the time left, the last lines."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LINES = 200
"""Lines that are kept."""
MOST = 4 * 2**20
"""Bytes read at once; of a longer file the rest comes with the next look."""


class Progress:
    """Follows a file that ``base/events.py`` writes; each look reads only what is new.

    Args:
        path: the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._offset = path, 0
        self._looking = threading.Lock()
        self._lines: deque[dict[str, Any]] = deque(maxlen=LINES)
        self._task: dict[str, Any] | None = None
        self._ends: float | None = None

    def look(self) -> dict[str, Any]:
        """The state by now.

        Returns:
            ``task``: {name, done, total, began} or None; ``ends``: Unix time the whole job is expected to end, or None;
            ``lines``: [{at, text, minor}], the oldest first.
        """
        with self._looking:
            self._read()
            return {"task": self._task and dict(self._task), "ends": self._ends, "lines": list(self._lines)}

    def _read(self) -> None:
        try:
            with open(self._path, "rb") as stream:
                stream.seek(self._offset)
                data = stream.read(MOST)
        except OSError:
            data = b""
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        kind, at = event.get("event"), float(event.get("at") or 0)
        if kind in ("say", "detail"):
            self._lines.append({"at": at, "text": str(event.get("text", "")), "minor": kind == "detail"})
        elif kind == "begin":
            self._task = {"name": str(event.get("task", "")), "done": 0, "total": event.get("total"), "began": at}
        elif kind == "advance" and self._task is not None:
            self._task["done"] = event.get("done", 0)
        elif kind == "end":
            self._task = None
        elif kind == "expect":
            self._ends = at + float(event.get("seconds") or 0)
