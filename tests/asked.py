"""Small files of questions and answers: what stands in a text behind a cue, a word or two of a topic, or nothing."""

import json

import numpy as np

from tests import topics

CUES = {"near": "cooking", "after": "sailing"}
"""What a question names, and of which topic the word is that stands behind it."""


def questions(count, seed=0, *, none=0.3):
    """(question, context, answers): the answer is the topic's word that stands behind the cue, or there is none."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        cue = str(draw.choice(list(CUES)))
        own = topics.TOPICS[CUES[cue]].split()
        fill = [word for word in topics.COMMON if word not in CUES]
        words = [str(draw.choice(fill)) for _ in range(int(draw.integers(4, 10)))]
        if draw.random() < none:
            found.append((f"what was {cue} it", " ".join(words), []))
            continue
        size = int(draw.integers(1, 3))
        answer = [str(draw.choice(own)) for _ in range(size)]
        at = int(draw.integers(len(words) + 1))
        before = " ".join([*words[:at], cue])
        context = " ".join([before, *answer, *words[at:]])
        found.append((f"what was {cue} it", context, [(" ".join(answer), len(before) + 1)]))
    return found


def as_squad(rows, *, per_paragraph=1, flags=True):
    """The same as SQuAD 2.0 has it, an article and a paragraph each."""
    data = []
    for number, (question, context, answers) in enumerate(rows):
        given = {"id": f"q{number}", "question": question}
        given["answers"] = [{"text": text, "answer_start": start} for text, start in answers]
        if flags:
            given["is_impossible"] = not answers
        data.append({"title": f"t{number}", "paragraphs": [{"context": context, "qas": [given]}]})
    return {"version": "v2.0", "data": data}


def written(path, rows, **how):
    """A SQuAD file."""
    path.write_text(json.dumps(as_squad(rows, **how)), encoding="utf-8")
    return path
