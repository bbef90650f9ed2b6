"""Panics of libraries written in Rust: they come as no ``Exception``, and would pass by whatever handles errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def as_errors() -> Iterator[None]:
    """Turn a panic inside the block into a RuntimeError; Ctrl-C and the like stay what they are.

    Raises:
        RuntimeError: with what the library said.
    """
    try:
        yield
    except BaseException as error:
        # pyo3's class cannot be imported; it is known by its name.
        if type(error).__name__ != "PanicException":
            raise
        raise RuntimeError(str(error).strip() or "the library broke down") from error
