"""Was a tokenizer made for a network? Its numbers index the network's tables, and a folder may come from anybody.

What a tokenizer can put out is asked of the tokenizers library: the numbers in its vocabulary, and those of what it
frames texts with, which a file may state apart from the vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from headstart.backbones import tokenizer
from headstart.base.errors import WeightsError
from headstart.base.vocabulary import Reading, Tokenization

if TYPE_CHECKING:
    from headstart.backbones.segments import Chained

LEAST = 2
"""Tokens that a window must have room for beside what frames a pair of texts."""


class Reach(NamedTuple):
    """What a tokenizer can put out.

    Attributes:
        token: largest number of a token.
        which: largest number of a text within a pair, from 0.
        frame: tokens around a text or a pair of texts, whichever has more.
    """

    token: int
    which: int
    frame: int


def reach(reading: Tokenization, name: str) -> Reach:
    """What the tokenizer of a reading can put out.

    Raises:
        WeightsError: when it cannot be read.
        MissingExtra: without the tokenizers library.
    """
    made = tokenizer.opened(reading.content, name)
    framed = tokenizer.frames(made)
    known = made.get_vocab(with_added_tokens=True).values()
    return Reach(
        token=max([*known, *(number for each in framed for number in each.ids)], default=0),
        which=max([number for each in framed for number in each.type_ids], default=0),
        frame=max(int(made.num_special_tokens_to_add(is_pair=pair)) for pair in (False, True)),
    )


def check(chained: Chained, reading: Reading, name: str, *, types: int) -> None:
    """Check that a network has a place for every token of a tokenizer, and for a whole window.

    Args:
        chained: the network.
        reading: how texts would become its tokens.
        name: for messages.
        types: texts of a pair that the network tells apart; 0 if it does not.

    Raises:
        WeightsError: when they were not made for each other.
        MissingExtra: without the tokenizers library.
    """
    if not isinstance(reading, Tokenization) or reading.reader != "pieces":
        raise WeightsError(
            "The network reads pieces of words, and its description says something else",
            where=name,
            expected=f"{tokenizer.FILE}, read as pieces",
        )
    known, found = int(chained.table().weight.shape[0]), reach(reading, name)
    if found.token >= known:
        raise WeightsError(
            f"The tokenizer does not match the network: it has tokens up to number {found.token:,}",
            where=name,
            expected=f"numbers below {known:,}, the rows of the network's table of tokens",
            next_move="use the tokenizer.json that was published with these weights",
        )
    if types and found.which >= types:
        raise WeightsError(
            f"The tokenizer does not match the network: it numbers the texts of a pair up to {found.which}",
            where=name,
            expected=f"numbers below {types}",
            next_move="use the tokenizer.json that was published with these weights",
        )
    if found.frame + LEAST > reading.length:
        raise WeightsError(
            f"A window of {reading.length} tokens has no room for a text: {found.frame} of them frame it",
            where=name,
            expected=f"at least {found.frame + LEAST} tokens",
            next_move="use the tokenizer.json and the limit that were published with these weights",
        )
    _positions(chained, reading.length, name)


def _positions(chained: Chained, length: int, name: str) -> None:
    tokens = torch.ones(1, 1, length, 2, dtype=torch.int32)
    tokens[..., 1] = 0
    try:
        with torch.no_grad():
            chained.parts[0](tokens)
    except (IndexError, RuntimeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise WeightsError(
            f"The network has no positions for {length:,} tokens: {reason}",
            where=name,
            next_move="write its true limit as model_max_length into tokenizer_config.json of a local copy",
        ) from error
