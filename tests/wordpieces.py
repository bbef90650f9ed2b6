"""A WordPiece vocabulary that is the same in every process.

The tokenizers library breaks ties of its training in another order each time, and with another vocabulary a small
random network learns something else.
"""

WHOLE = 6
"""Letters up to which a word is one piece; a longer one is two."""


def vocabulary(words, special):
    """Token -> its number: the special ones, letters, and the words in pieces."""
    words = sorted(set(words))
    letters = sorted({letter for word in words for letter in word})
    parts = [[word] if len(word) <= WHOLE else [word[:WHOLE], f"##{word[WHOLE:]}"] for word in words]
    pieces = [piece for each in parts for piece in each]
    named = [*special, *letters, *(f"##{letter}" for letter in letters), *pieces]
    return {token: number for number, token in enumerate(dict.fromkeys(named))}
