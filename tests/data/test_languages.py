"""Languages and scripts of texts, and whether a backbone was made for them."""

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from headstart.base import hashes
from headstart.base.vocabulary import Tokenization
from headstart.data import languages, legible, scripts

SENTENCES = {
    "English": "The report was written by a team that had been working on this problem for a very long time.",
    "German": "Der Bericht wurde von einem Team geschrieben, das lange Zeit an diesem Problem gearbeitet hat und nicht "
    "aufgegeben hat.",
    "French": "Le rapport a été écrit par une équipe qui travaille sur ce problème depuis longtemps et ne veut pas.",
    "Spanish": "El informe fue escrito por un equipo que ha trabajado en este problema durante años y no lo deja.",
    "Italian": "Il rapporto è stato scritto da una squadra che ha lavorato a questo problema per anni e non si ferma.",
    "Dutch": "Het rapport is geschreven door een team dat al heel lang aan dit probleem werkt en niet wil stoppen.",
    "Russian": "Этот отчет был написан командой, которая очень долго работала над этой проблемой и не сдавалась.",
    "Ukrainian": "Цей звіт був написаний командою, яка дуже довго працювала над цією проблемою і не здавалася, як вона "
    "це робила для всіх.",
    "Chinese": "这份报告是由一个长期致力于这个问题的团队撰写的。",
    "Japanese": "この報告書は長い間この問題に取り組んできたチームによって書かれました。",
    "Arabic": "كتب هذا التقرير فريق عمل على هذه المشكلة لفترة طويلة جدا",
    "Korean": "이 보고서는 오랫동안 이 문제를 연구해 온 팀이 작성했습니다",
    "": "iPhone 14 Pro Max 256GB black",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_the_language_of_a_sentence(name):
    text = SENTENCES[name]
    assert languages.of(scripts.pieces(text), scripts.shares(text)) == name


@pytest.mark.parametrize("text", ["", "42", "def f(x): return x + 1", "Müller, Schmidt & Co.", "👍👍👍"])
def test_what_is_no_sentence_has_no_language(text):
    assert languages.of(scripts.pieces(text), scripts.shares(text)) == ""


def test_every_language_has_enough_words_to_be_asked_for():
    for name in (*languages.SMALL, *languages.SAMPLES):
        assert len(languages.common(name)) >= legible.LEAST, name


def test_scripts_and_words():
    assert scripts.shares("ab гд") == {"latin": 0.5, "cyrillic": 0.5}
    assert scripts.shares("1, 2!") == {}
    assert next(iter(scripts.shares("שלום hi"))) == "hebrew"
    assert scripts.words("one two  three") == 3
    assert scripts.words("一二三四") == 2
    assert scripts.pieces("It's 一二 Größe") == ["it", "s", "一", "二", "grösse"]


def reading_of(*names):
    """A tokenizer that has the common words of some languages, the letters of English, and nothing else."""
    words = sorted({word for name in names for word in (*languages.SMALL.get(name, ()), *languages.common(name))})
    letters = [*"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    vocabulary = {piece: place for place, piece in enumerate(dict.fromkeys(["[UNK]", *letters, *words]))}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    content = made.to_str().encode()
    return Tokenization(32, hashes.of_bytes(content), overlap=4, windows=3, content=content)


def test_a_backbone_knows_the_languages_whose_words_it_has_whole():
    english, both = reading_of("English"), reading_of("English", "German", "Russian", "Chinese")
    assert [legible.knows(english, name) for name in ("English", "German", "Russian", "Chinese")] == [True] + [
        False
    ] * 3
    assert all(legible.knows(both, name) for name in ("English", "German", "Russian", "Chinese"))
    assert not legible.knows(both, "French")
    assert legible.knows(Tokenization(32, "x", reader="characters"), "German") is None
    assert legible.knows(english, "Klingon") is None


def test_a_tokenizer_of_bytes_that_has_read_english_knows_english_alone():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=3000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    made.train_from_iterator([f"a {word} " * 9 for word in languages.SMALL["English"]], trainer)
    content = made.to_str().encode()
    reading = Tokenization(32, hashes.of_bytes(content), content=content)
    assert legible.knows(reading, "English")
    assert not any(legible.knows(reading, name) for name in ("German", "Russian", "Chinese", "Thai", "Japanese"))


def test_what_a_backbone_makes_of_texts():
    reading = reading_of("English")
    texts = [SENTENCES["English"], SENTENCES["Russian"], "the and of " * 200, ("the of", "and"), "☃ ☃ the ☃"]
    spoken = ["English", "Russian", "English", "", ""]
    found = legible.facts(texts, spoken, reading)
    assert found["foreign"][:3].tolist() == [0, 1, 0]
    assert np.isnan(found["foreign"][3:]).all()
    assert found["windows"][[1, 3, 4]].tolist() == [1, 1, 1]
    assert found["windows"][2] > 10
    assert found["unknown"][[2, 3]].tolist() == [0, 0]
    assert found["unknown"][1] > 0.5
    assert found["unknown"][4] == pytest.approx(0.75)
