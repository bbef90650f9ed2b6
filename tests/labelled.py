"""Small files of words with tags: entities of topics in common words, some of them two words long."""

import numpy as np

from tests import topics

KINDS = {"cooking": "FOOD", "sailing": "SEA"}


def sentences(count, seed=0):
    """Sentences of (word, tag): one or two words of a topic in a row are an entity of its kind."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        row = []
        for _ in range(int(draw.integers(2, 5))):
            row += [(str(draw.choice(topics.COMMON)), "O") for _ in range(int(draw.integers(1, 3)))]
            topic = str(draw.choice(list(KINDS)))
            words = topics.TOPICS[topic].split()
            for place in range(int(draw.integers(1, 3))):
                row.append((str(draw.choice(words)), f"{'I' if place else 'B'}-{KINDS[topic]}"))
        found.append(row)
    return found


def written(path, rows):
    """A file in the format of CoNLL."""
    path.write_text("\n\n".join("\n".join(f"{word} {tag}" for word, tag in row) for row in rows) + "\n")
    return path
