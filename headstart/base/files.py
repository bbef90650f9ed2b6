"""Files written whole or not at all: to a temporary name in the same folder, flushed, then renamed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from headstart.base.errors import DiskFull, HeadstartError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def whole(path: str | Path, size: int = 0) -> Iterator[Path]:
    """A temporary path to write to; renamed to ``path`` when the block ends well, removed when it does not.

    Args:
        path: where the file belongs.
        size: bytes that it will take, if that is known; for the error.

    Raises:
        DiskFull: when there is no room for it.
        HeadstartError: when the folder cannot be written to.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise _unwritable(path, error, size) from error
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except Exception as error:
        # safetensors reports a full disk as an error of its own; it is not imported here only to name it.
        if not isinstance(error, OSError) and type(error).__name__ != "SafetensorError":
            raise
        size = max(size, temporary.stat().st_size if temporary.exists() else 0)
        temporary.unlink(missing_ok=True)
        raise _unwritable(path, error, size) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | Path, data: Any) -> None:
    """Write plain data as indented JSON, whole or not at all."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    with whole(path, len(text)) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def write_with(path: str | Path, write: Callable[[Path], Any], size: int = 0) -> None:
    """Let a library write a file of about ``size`` bytes by name, whole or not at all."""
    with whole(path, size) as temporary:
        write(temporary)


def free(path: str | Path) -> int:
    """Bytes that may still be written where a path is or will be."""
    path = Path(path).absolute()
    return shutil.disk_usage(next(folder for folder in (path, *path.parents) if folder.exists())).free


def is_full(error: BaseException) -> bool:
    """True if a write failed because the disk is full, or a quota used up, in whatever words a library said it."""
    return getattr(error, "errno", None) in _FULL or any(f"os error {code}" in str(error) for code in _FULL)


def has_vanished(error: BaseException | None) -> bool:
    """True if a write failed because its folder was removed in the meantime."""
    return isinstance(error, FileNotFoundError) or f"os error {errno.ENOENT})" in str(error)


def full(folder: Path, needed: int, next_move: str = "") -> DiskFull:
    """The error that says which disk is full, how much is needed and how much there is."""
    room = f"{megabytes(needed)} of room, where {megabytes(free(folder))} are free" if needed else "some room"
    return DiskFull(
        "The disk is full",
        where=str(folder),
        expected=room,
        next_move=next_move or "free space there, then the same command again; a fit goes on with --resume",
    )


def megabytes(size: float) -> str:
    """Bytes as "3.2 MB", or "4.1 GB" from a thousand of them on."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def append_line(path: str | Path, data: Any, *, durable: bool = True) -> None:
    """Append one JSON line, to a new file in a new folder if need be; a killed process may leave a torn last line.

    Args:
        path: the file.
        data: plain data.
        durable: wait until it is on the disk; False for what may be lost with the machine.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab+") as stream:
            _drop_torn_line(stream)
            stream.write(json.dumps(data, ensure_ascii=False).encode() + b"\n")
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
    except OSError as error:
        raise _unwritable(Path(path), error, len(json.dumps(data))) from error


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


def _unwritable(path: Path, error: Exception, size: int) -> HeadstartError:
    if is_full(error):
        return full(path.parent, size)
    return HeadstartError(
        f"Cannot write {path}: {getattr(error, 'strerror', None) or error}",
        expected="a folder that can be written to, with room on its disk",
        next_move="free space, or choose another place with -o (or HEADSTART_CACHE for the feature store)",
    )
