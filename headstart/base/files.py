"""Files written whole or not at all: to a temporary name in the same folder, flushed, then renamed."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from headstart.base.errors import HeadstartError


@contextlib.contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A temporary path to write to; renamed to ``path`` when the block ends well, removed when it does not.

    Raises:
        HeadstartError: when the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    except Exception as error:
        # safetensors reports a full disk as an error of its own; it is not imported here only to name it.
        if type(error).__name__ == "SafetensorError":
            raise _unwritable(path, error) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | Path, data: Any) -> None:
    """Write plain data as indented JSON, whole or not at all."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    with whole(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def write_with(path: str | Path, write: Callable[[Path], Any]) -> None:
    """Let a library write a file by name, whole or not at all."""
    with whole(path) as temporary:
        write(temporary)


def append_line(path: str | Path, data: Any) -> None:
    """Append one JSON line and flush it to disk; a torn last line is what a killed process may leave."""
    try:
        with open(path, "ab+") as stream:
            _drop_torn_line(stream)
            stream.write(json.dumps(data, ensure_ascii=False).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise _unwritable(Path(path), error) from error


def _drop_torn_line(stream: BinaryIO) -> None:
    end = stream.seek(0, os.SEEK_END)
    if not end:
        return
    stream.seek(end - 1)
    if stream.read(1) == b"\n":
        return
    stream.seek(0)
    stream.truncate(stream.read().rfind(b"\n") + 1)
    stream.seek(0, os.SEEK_END)


def read_lines(path: str | Path) -> list[Any]:
    """Read JSON lines; a torn last line is dropped, for its write never finished."""
    path = Path(path)
    if not path.exists():
        return []
    rows = []
    for line in path.read_bytes().splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: Exception) -> HeadstartError:
    return HeadstartError(
        f"Cannot write {path}: {getattr(error, 'strerror', None) or error}",
        expected="a folder that can be written to, with room on its disk",
        next_move="free space, or choose another place with -o (or HEADSTART_CACHE for the feature store)",
    )
