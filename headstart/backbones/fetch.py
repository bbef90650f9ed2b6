"""Files from the internet: resumed where they broke off, checked before they count, never waited for without end.

What has arrived lies beside the file as ``.part`` and survives the process; the next try asks for the rest alone (RFC
9110, range requests). A file is there whole and with the digest its publisher gives, or not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

from headstart.base.errors import WeightsError
from headstart.base.progress import Reporter, Silent

SILENCE = 10.0
"""Seconds without a byte after which a server is given up for this try."""
TRIES = 3
"""Tries in a row that bring nothing new before the download ends."""
PIECE = 1 << 20

_reporter: ContextVar[Reporter] = ContextVar("reporter", default=Silent())  # noqa: B039 - Silent has no state


@contextlib.contextmanager
def telling(report: Reporter) -> Iterator[None]:
    """Downloads within the block are reported here; providers need not pass a reporter on."""
    token = _reporter.set(report)
    try:
        yield
    finally:
        _reporter.reset(token)


def download(url: str, to: Path, *, digest: str = "", size: int | None = None, token: str = "") -> Path:
    """Fetch a file, or the rest of it.

    Args:
        url: http or https.
        to: where it will lie; its folder is made.
        digest: the publisher's: SHA-256 in hexadecimal or its first digits, or the 40 of a git blob; "" where none
            was published.
        size: bytes, where known.
        token: sent as a bearer token, to the host of ``url`` alone.

    Returns:
        ``to``.

    Raises:
        WeightsError: when the server stops answering, refuses, or what arrived is not what was published.
    """
    part = to.with_name(to.name + ".part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "ab") as stream:
            # Two processes that want the same file: one fetches it, the other finds it there.
            fcntl.flock(stream, fcntl.LOCK_EX)
            if not to.exists():
                _fill(url, stream, to.name, size=size, token=token)
                _check(part, digest, size, url)
                part.replace(to)
        part.unlink(missing_ok=True)
    except OSError as error:
        raise WeightsError(
            f"{to.name} cannot be kept: {error.strerror or error}",
            where=str(to.parent),
            expected="a folder that can be written to, with room on its disk",
            next_move="free space, or set HF_HOME and TORCH_HOME to another place",
        ) from error
    return to


def _fill(url: str, stream: BinaryIO, title: str, *, size: int | None, token: str) -> None:
    report, bare = _reporter.get(), 0
    megabytes = None if size is None else -(-size // 1_000_000)
    report.begin(f"download {title}, MB", megabytes)
    report.advance(stream.tell() // 1_000_000)
    while size is None or stream.tell() < size:
        before = stream.tell()
        try:
            said = _try(url, stream, token, report)
            size = said if size is None else size
            if size is None or stream.tell() >= size:
                break
            reason = "the connection broke off"
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                stream.truncate(0)
                stream.seek(0)
            elif error.code < 500:
                raise _failed(title, f"the server answers {error.code} {error.reason}", stream, url) from error
            reason = f"the server answers {error.code} {error.reason}"
        except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
            inner = getattr(error, "reason", error)
            reason = "the server stopped answering" if isinstance(inner, TimeoutError) else str(inner) or repr(inner)
        bare = 0 if stream.tell() > before else bare + 1
        if bare >= TRIES:
            raise _failed(title, reason, stream, url)
        report.detail(f"{title}: {reason} after {stream.tell():,} bytes, asking for the rest")
    report.end()


def _failed(title: str, reason: str, stream: BinaryIO, url: str) -> WeightsError:
    stream.flush()
    kept = f"the same command again; the {stream.tell():,} bytes that arrived are kept" if stream.tell() else ""
    return WeightsError(f"{title} cannot be downloaded: {reason}", where=url, next_move=kept)


def _try(url: str, stream: BinaryIO, token: str, report: Reporter) -> int | None:
    """Append what the server sends; returns how long it says the whole file is."""
    request = urllib.request.Request(url, headers={"User-Agent": "headstart", "Accept-Encoding": "identity"})  # noqa: S310
    if token:
        # Unredirected: a storage host elsewhere signs its own addresses, and must not see the token.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    if stream.tell():
        request.add_header("Range", f"bytes={stream.tell()}-")
    with urllib.request.urlopen(request, timeout=SILENCE) as answer:  # noqa: S310 - the providers give http addresses
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            stream.seek(0)
            stream.truncate(0)
        start = stream.tell()
        odd = start % 1_000_000
        while piece := answer.read(PIECE):
            stream.write(piece)
            whole, odd = divmod(odd + len(piece), 1_000_000)
            report.advance(whole)
        stream.flush()
        # A connection that ends early looks like the end of the file unless its length is known.
        length = answer.headers.get("Content-Length", "")
        return start + int(length) if length.isdigit() else None


def _check(part: Path, digest: str, size: int | None, url: str) -> None:
    found = part.stat().st_size
    wrong = ""
    if size is not None and found != size:
        wrong = f"it has {found:,} bytes, not {size:,}"
    elif digest and not matches(part, digest):
        wrong = f"its digest is not the published {digest[:16]}"
    if wrong:
        part.unlink()
        raise WeightsError(
            f"What arrived is not what was published: {wrong}; it was thrown away",
            where=url,
            next_move="try again; if it stays so, a proxy or mirror on the way changes files",
        )


def matches(file: Path, digest: str) -> bool:
    """Has the file this SHA-256 (or its first digits), or this git blob identity of 40 digits?"""
    if len(digest) == 40:
        found = hashlib.sha1(b"blob %d\0" % file.stat().st_size, usedforsecurity=False)
    else:
        found = hashlib.sha256()
    with open(file, "rb") as stream:
        while piece := stream.read(PIECE):
            found.update(piece)
    return found.hexdigest().startswith(digest.lower())
