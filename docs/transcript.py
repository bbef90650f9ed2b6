"""Put what `make demo` printed into the README.

    make demo 2>&1 | tee demo.log && python docs/transcript.py demo.log

Left out are the lines of progress and the confusion matrix; commands are shown as a user would type them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
PROGRESS = re.compile(r"^(WARNING|.* left(; the whole job .*)?$|.*: done in .*$|@?#)")


def transcript(log: str) -> str:
    """The lines worth showing."""
    kept = [line.rstrip() for line in log.splitlines() if not PROGRESS.match(line)]
    text = "\n".join(kept).strip()
    text = re.sub(r"\n+True class by row.*", "", text, flags=re.DOTALL)
    text = re.sub(r"^(?:\w+=\S+ )?\.venv/bin/", "$ ", text, flags=re.MULTILINE)
    return f"$ make demo\n{text}"


def main() -> int:
    """Rewrite the block between the demo marks."""
    text = README.read_text(encoding="utf-8")
    shown = transcript(Path(sys.argv[1]).read_text(encoding="utf-8"))
    begin, end = text.index("```text\n$ make demo"), text.index("<!-- demo:end -->")
    README.write_text(f"{text[:begin]}```text\n{shown}\n```\n\n{text[end:]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
