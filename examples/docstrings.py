"""Real English texts to sort by topic: the docstrings of scientific packages, each labelled with its package.

    python examples/docstrings.py demo

writes ``demo/docstrings.csv`` with the columns ``text``, ``label`` and ``file``: 300 descriptions of each of eight
packages that headstart brings along, so nothing is downloaded. Packages are read as text and never imported. The names
of the packages are masked, lists of arguments and examples left out, and so is what several packages say. Docstrings
of one file may share phrases: ``--group file`` keeps them on one side of every split.
"""

from __future__ import annotations

import argparse
import ast
import csv
import hashlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGES = {
    "arrays": "numpy",
    "science": "scipy",
    "tables": "pandas",
    "learning": "sklearn",
    "tensors": "torch",
    "vision": "timm",
    "algebra": "sympy",
    "graphs": "networkx",
}
"""Label -> the package whose docstrings have it."""
NAMES = re.compile(
    r"\b(numpy|np|scipy|sp|pandas|pd|scikit-learn|sklearn|pytorch|torch|timm|sympy|networkx|nx)(?=\b|_)", re.IGNORECASE
)
EACH = 300
FROM_ONE_FILE = 6
WORDS = (12, 120)
_SECTION = re.compile(
    r"^\s*([A-Z][\w ]{2,24}\n\s*[-=]{3,}|(Args|Arguments|Parameters|Returns|Example|Examples|Notes?)\s*:)", re.M
)


def descriptions(file: Path) -> Iterator[str]:
    """What the docstrings of a file say before their lists of arguments, with the names of packages masked."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError, ValueError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            continue
        whole = ast.get_docstring(node) or ""
        section = _SECTION.search(whole)
        prose = whole[: section.start()] if section else whole
        prose = "\n".join(line for line in prose.splitlines() if not line.lstrip().startswith((">>>", "...", "..")))
        words = NAMES.sub("LIBRARY", prose).split()[: WORDS[1]]
        if len(words) >= WORDS[0]:
            yield " ".join(words)


def drawn(package: str, each: int = EACH, from_one_file: int = FROM_ONE_FILE) -> list[tuple[str, str]]:
    """(text, file) of a package: files in an order that only their names decide, so that the draw never changes."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed")
    root = Path(spec.origin).parent
    files = [file.relative_to(root).as_posix() for file in root.rglob("*.py") if "tests" not in file.parts]
    found: dict[str, str] = {}
    for name in sorted(files, key=lambda each: hashlib.sha256(each.encode()).hexdigest()):
        new = [text for text in dict.fromkeys(descriptions(root / name)) if text not in found]
        found |= dict.fromkeys(new[:from_one_file], f"{hashlib.sha256((package + name).encode()).hexdigest()[:8]}")
        if len(found) >= each:
            break
    return list(found.items())[:each]


def write(folder: Path, each: int = EACH, from_one_file: int = FROM_ONE_FILE) -> dict[str, int]:
    """Write the table; returns how many texts each label has."""
    rows = {label: drawn(package, each, from_one_file) for label, package in PACKAGES.items()}
    said = [text for own in rows.values() for text, _ in own]
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    with (folder / "docstrings.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("text", "label", "file"))
        for label, own in rows.items():
            once = [(text, file) for text, file in own if said.count(text) == 1]
            writer.writerows((text, label, file) for text, file in once)
            counts[label] = len(once)
    return counts


def main() -> None:
    """Parse and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=EACH, help="texts of each package, at most")
    parser.add_argument("--from-one-file", type=int, default=FROM_ONE_FILE, help="texts of one file, at most")
    given = parser.parse_args()
    counts = write(given.folder, given.each, given.from_one_file)
    print(", ".join(f"{label} {number}" for label, number in counts.items()))


if __name__ == "__main__":
    main()
