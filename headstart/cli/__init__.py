"""The command line: one file per verb, found by itself; a verb parses, calls ``api`` and prints."""

from __future__ import annotations

from headstart.cli.shell import run

__all__ = ["run"]
