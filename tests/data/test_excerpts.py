"""Texts on a page: harmless whatever they hold, shortened, and marked where the network looked."""

import numpy as np
import pytest

from headstart.base import hashes
from headstart.base.errors import Undecodable
from headstart.base.vocabulary import Tokenization
from headstart.data import excerpts, texts, tokenizing
from headstart.data.printable import readable
from tests import wordpieces

OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def a_reading(length=16, overlap=4):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = "the cat sat on a mat and a dog ran over hills in summer rain while birds sang"
    known = wordpieces.vocabulary(words.split(), ["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    made = Tokenizer(models.WordPiece(known, unk_token="[UNK]"))
    made.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    made.normalizer, made.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    content = made.to_str().encode()
    return Tokenization(length, hashes.of_bytes(content), overlap=overlap, content=content)


def words_of(excerpt, text=0):
    return "".join(words for words, _ in excerpt.texts[text])


def test_nothing_of_a_text_can_turn_round_or_end_what_stands_beside_it():
    hostile = f"a{OVERRIDES}b \x07\x1b[31m</script>\udc80 c"
    shown = words_of(texts.render(hostile))
    assert not set(shown) & set(OVERRIDES + "\x07\x1b\udc80")
    assert "\\u202e" in shown
    assert "</script>" in shown, "escaping is the page's business, and what was there stays to be read"


def test_spaces_of_other_scripts_lines_and_joiners_are_read_as_they_are():
    assert readable("a\u00a0b\u3000c\td") == "a b c d"
    assert readable("one\ntwo\u2028three\x85four") == "one\ntwo\nthree\nfour"
    assert readable("soft\u00adhyphen \u200fשלום 👩\u200d👧 नम\u200cस्ते") == "softhyphen שלום 👩\u200d👧 नम\u200cस्ते"


def test_a_long_text_is_its_beginning_and_how_much_is_left():
    shown = texts.render("word " * 200_000, size=10)
    assert len(words_of(shown)) == 10 * texts.CHARACTERS
    assert shown.left == (1_000_000 - 10 * texts.CHARACTERS,)


def test_a_null_is_no_part_of_a_text():
    assert words_of(texts.render("a\x00b")) == "ab"


def test_a_pair_has_two_texts():
    shown = texts.render(("the first", "and the second"))
    assert [words_of(shown, which) for which in (0, 1)] == ["the first", "and the second"]


def test_what_cannot_be_read_is_not_shown():
    with pytest.raises(Undecodable, match="empty"):
        texts.render("  \n")


def test_the_strongest_word_is_marked_most_and_what_frames_a_text_not_at_all():
    reading, text = a_reading(), "The CAT sat on a mat"
    spans = tokenizing.spans(text, reading)[0]
    heat = np.zeros((1, len(spans)))
    heat[0, 0] = heat[0, -1] = 9.0  # what frames the text
    cat = next(i for i, (which, start, end) in enumerate(spans) if which == 0 and text[start:end].startswith("C"))
    mat = next(i for i, (which, start, end) in enumerate(spans) if which == 0 and text[start:end].startswith("mat"))
    heat[0, cat], heat[0, mat] = 2.0, 1.0
    shown = texts.overlay(text, heat, reading)
    assert words_of(shown) == text
    assert {words: mark for words, mark in shown.texts[0] if mark} == {"CAT": 1.0, "mat": 0.5}


def test_a_word_of_several_tokens_is_marked_as_one():
    reading, text = a_reading(), "birdsong"
    spans = tokenizing.spans(text, reading)[0]
    inside = [i for i, (which, _, _) in enumerate(spans) if which == 0]
    assert len(inside) > 1
    heat = np.zeros((1, len(spans)))
    heat[0, inside[1]] = 1.0
    assert texts.overlay(text, heat, reading).texts == ((("birdsong", 1.0),),)


@pytest.mark.parametrize("overlap", [16, 9, 6, 0])
def test_windows_of_a_pair_move_on_however_much_they_were_to_share(overlap):
    reading = a_reading(length=16, overlap=overlap)
    pair = ("the cat sat on a mat " * 5, "a dog ran over hills " * 5)
    assert len(tokenizing.spans(pair, reading)) == texts.load(pair, reading).shape[0] > 1


def test_marks_of_the_second_of_a_pair_are_in_the_second():
    reading, pair = a_reading(), ("the cat", "a dog")
    spans = tokenizing.spans(pair, reading)[0]
    heat = np.array([[float(which == 1) for which, _, _ in spans]])
    shown = texts.overlay(pair, heat, reading)
    assert not any(mark for _, mark in shown.texts[0])
    assert {words for words, mark in shown.texts[1] if mark} == {"a", "dog"}


def test_what_counted_far_behind_in_a_long_text_is_shown():
    reading = a_reading()
    text = "the mat " * 60 + "rain " + "the mat " * 10
    spans = tokenizing.spans(text, reading)
    heat = np.zeros((len(spans), max(map(len, spans))))
    for row, window in enumerate(spans):
        for column, (which, start, end) in enumerate(window):
            heat[row, column] = float(which == 0 and text[start:end] == "rain")
    assert heat.any()
    shown = texts.overlay(text, heat, reading, size=5)
    assert {words for words, mark in shown.texts[0] if mark} == {"rain"}
    assert words_of(shown).startswith("… ")
    assert len(words_of(shown)) == 5 * texts.CHARACTERS + 2


def test_a_text_that_nothing_spoke_for_has_no_marks():
    shown = excerpts.marked("plain words", [[(0, 0, 5)]], np.zeros((1, 1)), 100)
    assert shown.texts == ((("plain words", 0.0),),)


@pytest.mark.parametrize(
    ("content", "most", "words"),
    [
        (b"", 10, "empty"),
        ("   ", 10, "empty"),
        ("x" * 11, 10, "11 characters are too many"),
        (b"caf\xe9", 10, "byte 4 is 0xe9"),
        (("good", "\x00"), 10, "empty"),
        (("good", "x" * 11), 10, "11 characters"),
    ],
)
def test_what_a_stranger_sends_is_refused_with_its_reason(content, most, words):
    with pytest.raises(Undecodable, match=words):
        texts.received(content, most)


def test_a_path_that_a_stranger_sends_is_a_text():
    assert texts.received("/etc/passwd", 100) == "/etc/passwd"
    assert texts.received(b"\xff\xfeh\x00i\x00", 100) == "hi"
    assert texts.received(("a", b"b"), 100) == ("a", "b")
