"""The tokenizer beside published weights: tokenizer.json as it is, or older files made into one by transformers.

Both are data. A tokenizer that is a program of its repository is refused.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.base import hashes, panics
from headstart.base.errors import MissingExtra, WeightsError
from headstart.base.readings import FILES, LARGEST
from headstart.base.vocabulary import Tokenization

if TYPE_CHECKING:
    from headstart.backbones.snapshot import Snapshot

FILE = FILES["pieces"]
SETTINGS = "tokenizer_config.json"
OLDER: tuple[str, ...] = (
    *("vocab.txt", "vocab.json", "merges.txt", "spiece.model", "spm.model", "sentencepiece.bpe.model"),
    *("tokenizer.model", "bpe.codes", "special_tokens_map.json", "added_tokens.json"),
)
"""What tokenizers were saved as before tokenizer.json, and may still be instead of it."""
_PROGRAMS = ("auto_map", "chat_template", "name_or_path")


def is_there(snapshot: Snapshot) -> bool:
    """Does the snapshot have a tokenizer? Small files alone are fetched to find out."""
    if any(snapshot.has(file) for file in (FILE, *OLDER)):
        return True
    return any(snapshot.get(file) is not None for file in (SETTINGS, *OLDER[:6]))


def settings(snapshot: Snapshot) -> dict[str, Any]:
    """What tokenizer_config.json says; nothing if there is none, or it says nothing that can be read."""
    path = snapshot.get(SETTINGS)
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path is not None else {}
    except (OSError, ValueError, RecursionError):
        # Only a limit is taken from it, and the network's own counts as well.
        return {}
    return found if isinstance(found, dict) else {}


def here(snapshot: Snapshot) -> bytes:
    """The content of tokenizer.json where it is on this machine already; else nothing."""
    return content(snapshot, {}) if snapshot.has(FILE) else b""


def content(snapshot: Snapshot, config: dict[str, Any]) -> bytes:
    """A tokenizer as the tokenizers library reads it.

    Args:
        snapshot: where it is published; may be downloaded.
        config: of the network, whose family says what older files mean.

    Raises:
        WeightsError: when there is none, or only one that would have to be run.
        MissingExtra: when older files need transformers, and it is not installed.
    """
    path = snapshot.get(FILE)
    try:
        if path is not None and path.stat().st_size > LARGEST:
            raise WeightsError(f"{FILE} has more than {LARGEST >> 20} MB", where=snapshot.name)
        found = path.read_bytes() if path is not None else _converted(snapshot, config)
    except OSError as error:
        raise WeightsError(f"{FILE} cannot be read: {error.strerror or error}", where=snapshot.name) from error
    return _lowered(found, snapshot.name) if snapshot.lower else found


def reading(content: bytes, length: int) -> Tokenization:
    """How texts are read with a tokenizer; without content the one that will be downloaded with the weights."""
    return Tokenization(length=length, digest=hashes.of_bytes(content) if content else "", content=content)


def token(reading: Tokenization, number: int) -> str:
    """How a token is written in the vocabulary.

    Raises:
        WeightsError, MissingExtra: as ``opened``.
    """
    return str(opened(reading.content, FILE).id_to_token(number) or "")


def overlap(reading: Tokenization) -> int:
    """Tokens that neighbouring windows share, fewer than half of what a window has room for.

    Raises:
        WeightsError, MissingExtra: as ``opened``.
    """
    framing = opened(reading.content, FILE).num_special_tokens_to_add(is_pair=True)
    return int(max(0, min(reading.overlap, (reading.length - framing) // 2 - 1)))


def opened(found: bytes, name: str) -> Any:
    """The tokenizer of the library that a file's content is.

    Raises:
        WeightsError: when the content cannot be read.
        MissingExtra: without the tokenizers library.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("tokenizers", "hf") from error
    try:
        with panics.as_errors():
            return Tokenizer.from_str(found.decode("utf-8"))
    except Exception as error:  # the library raises whatever its parser says
        raise WeightsError(
            f"{FILE} cannot be read: {error}",
            where=name,
            expected="a file as the tokenizers library writes it",
            next_move="download it again, or upgrade: pip install -U 'headstart[hf]'",
        ) from error


def frames(made: Any) -> list[Any]:
    """What a tokenizer makes of one text and of a pair, whatever they say: encodings of one token a text, framed."""
    from tokenizers import Tokenizer, models

    # Asked apart from the vocabulary and from what texts become on the way to it, which could hide them.
    one = Tokenizer(models.WordLevel({"a": 0}, "a")).encode("a")
    made.no_padding()
    made.no_truncation()
    return [made.post_process(one), made.post_process(one, one)]


def _lowered(found: bytes, name: str) -> bytes:
    """The same tokenizer of texts in lower case."""
    made = opened(found, name)
    from tokenizers import normalizers

    lower = normalizers.Lowercase()
    made.normalizer = lower if made.normalizer is None else normalizers.Sequence([lower, made.normalizer])
    text: str = made.to_str()
    return text.encode("utf-8")


def _converted(snapshot: Snapshot, config: dict[str, Any]) -> bytes:
    """Older files, read by the library's own class for the family and written as tokenizer.json."""
    from headstart.backbones.vision import quiet

    older = {file: path for file in OLDER if (path := snapshot.get(file)) is not None}
    if not older:
        raise WeightsError(
            f"{snapshot.name} has no tokenizer",
            where=snapshot.name,
            expected=f"{FILE}, or one of {', '.join(OLDER[:7])}",
            next_move="choose a repository that has one, or copy it there",
        )
    with tempfile.TemporaryDirectory() as place, quiet():
        import transformers

        for file, path in older.items():
            shutil.copyfile(path, Path(place, file))
        said = {key: value for key, value in settings(snapshot).items() if key not in _PROGRAMS}
        if not hasattr(transformers, str(said.get("tokenizer_class"))):
            # A class of the repository's own: what the network's family reads with is tried instead.
            said.pop("tokenizer_class", None)
        Path(place, SETTINGS).write_text(json.dumps(said), encoding="utf-8")
        Path(place, "config.json").write_text(json.dumps({"model_type": config.get("model_type")}), encoding="utf-8")
        try:
            made = transformers.AutoTokenizer.from_pretrained(place, local_files_only=True, trust_remote_code=False)
            text: str = made.backend_tokenizer.to_str()
            if set(made.get_vocab()) <= set(made.all_special_tokens):
                raise ValueError("no words are found in them")
        except Exception as error:  # every family has a reader of its own, with errors of its own
            raise WeightsError(
                f"The tokenizer of {snapshot.name} cannot be made into {FILE}: {str(error).strip().splitlines()[0]}",
                where=", ".join(older),
                expected=f"{FILE} beside the weights, or older files that transformers converts",
                next_move=f"save it once with transformers (AutoTokenizer ... save_pretrained), which writes {FILE}",
            ) from error
    return text.encode("utf-8")
