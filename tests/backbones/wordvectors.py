"""Small files of word vectors, in every format that is published."""

import gzip

import numpy as np

WORDS = (
    *("the", ",", "of", "and", ".", "cat", "dog", "n't", "do", "rain", "'s", "well", "known", "film", "good", "bad"),
    *("dull", "bright", "story", "plot", "actor", "boring", "lovely", "awful", "great", "music", "scene", "end"),
)


def table(words=WORDS, width=12, seed=0):
    return np.random.default_rng(seed).normal(size=(len(words), width)).astype(np.float32)


def text(words=WORDS, vectors=None, header=None):
    vectors = table(words) if vectors is None else vectors
    first = f"{header[0]} {header[1]}\n" if header else ""
    return first + "".join(f"{w} {' '.join(f'{x:.6f}' for x in row)}\n" for w, row in zip(words, vectors, strict=True))


def binary(words=WORDS, vectors=None, header=None, end=b"\n"):
    vectors = table(words) if vectors is None else vectors
    count, width = header or vectors.shape
    rows = (w.encode() + b" " + row.astype("<f4").tobytes() + end for w, row in zip(words, vectors, strict=True))
    return f"{count} {width}\n".encode() + b"".join(rows)


def write(folder, kind="binary", **given):
    """A file of a kind; its path."""
    words = given.get("words", WORDS)
    vectors = given.setdefault("vectors", table(words))
    made = {
        "binary": lambda: binary(**given),
        "binary without line ends": lambda: binary(end=b"", **given),
        "glove": lambda: text(**given).encode(),
        "vec": lambda: text(header=vectors.shape, **given).replace("\n", " \n", 1).encode(),
    }[kind.removesuffix(".gz")]()
    path = folder / ("vectors." + kind.replace(" ", "-"))
    path.write_bytes(gzip.compress(made) if kind.endswith(".gz") else made)
    return path
