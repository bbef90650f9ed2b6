"""Which language a text is in, by the script of its letters and by the small words that every sentence needs.

A table of the commonest function words of widely written languages; no model, and no guess where the words do not
say: a text of names or of code has no language here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

LEAST = 3
"""Small words that a language has to be recognised by."""
SHARE = 0.08
"""Share of a text's words that are small words of its language, at least; running text has over three times as many."""
TELLING = 3
"""Letters of a word from which on it belongs to few languages."""
AHEAD = 1.3
"""How many times as many as of the next language."""

SMALL: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "English": "the of and to in is it that was for on with as this are be at by not have from but they which you "
        "were his her she he we or an has had their there been if would what when who will more no out so can",
        "German": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden "
        "aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber",
        "French": "de la le et les des en un du une que est pour qui dans par plus pas au sur ne se ce il sont avec ou "
        "son elle cette aux mais comme nous vous leur ces être fait été tout même sans très je",
        "Spanish": "de la que el en y a los se del las un por con no una su para es al lo como más pero sus le ha me "
        "si sin sobre este ya entre cuando todo esta ser son dos también fue había era muy hasta desde está",
        "Italian": "di e il la che in un a per è una sono mi ho lo si ha con le non ti i al come da della dei nel più "
        "gli del questo ma anche alla delle se ci molto essere stato dal suo sua",
        "Portuguese": "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das "
        "tem à seu sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre era",
        "Dutch": "de van een het en in is dat op te zijn met voor niet aan er om ook als dan maar bij uit nog naar ze "
        "hij worden door over wat deze wordt heeft zo ik je kan hun meer werd hebben geen of",
        "Swedish": "och i att det som en på är av för med den till inte har de om ett han men var jag sig från vi så "
        "kan när man hade nu över bara mycket där eller ska mot hon också efter alla",
        "Polish": "i w na z się że do nie to jest o jak za po co ale tak od przez dla jego już tylko być może przed "
        "czy który są oraz ma była było tym tego jej ich bardzo jeszcze",
        "Turkish": "bir ve bu da de için ile çok daha ne gibi en var olarak kadar sonra ama olan ya o her değil mi ben "
        "onun biz şey olduğu diye göre kendi yok ki hiç",
        "Czech": "a v se na je že s z do o i k to jako za by ve pro si po ale jsou které od aby který jeho tak až bude "
        "byl při jen nebo už může byla podle není jsem",
        "Russian": "и в не на я что он с как а то это по но они мы она из у за от так же о вы все его для было бы к "
        "только был ее мне еще меня до ты или ни когда нет если",
        "Ukrainian": "і в на що не з та до як за у від про це його але для є які був або вона він його було так вже ще "
        "при й також після має щоб бути",
        "Indonesian": "yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena tersebut bisa "
        "ada mereka lebih kata tahun sudah atau saat oleh menjadi orang kami",
    }.items()
}
_BY_SCRIPT = {
    "greek": "Greek",
    "hebrew": "Hebrew",
    "arabic": "Arabic",
    "devanagari": "Hindi",
    "bengali": "Bengali",
    "tamil": "Tamil",
    "thai": "Thai",
    "georgian": "Georgian",
    "armenian": "Armenian",
    "hangul": "Korean",
    "kana": "Japanese",
    "han": "Chinese",
}
SAMPLES: Mapping[str, str] = {
    "Greek": "και το να του της με για είναι από που στο δεν θα την των",
    "Hebrew": "אבל היא אני כמו אחרי הזה כאשר יותר בין אין",
    "Arabic": "على إلى هذا كان التي هذه الذي بين ذلك حتى بعد عند",
    "Hindi": "नहीं लेकिन अपने किया करने गया साथ बाद तरह कुछ",
    "Bengali": "এবং এই করে না থেকে জন্য একটি তার হয় কিন্তু সে কি আমি যে হবে",
    "Tamil": "ஒரு இந்த மற்றும் என்று அந்த அவர் நான் இது என்ன உள்ளது வேண்டும் அது",
    "Thai": "ที่ และ ใน เป็น ของ มี ได้ ไม่ การ จะ ให้ มา ว่า กับ คน",
    "Georgian": "და არის რომ ეს მაგრამ ან იყო მისი როგორც არ ის რა",
    "Armenian": "համար նրա այս հետ որպես նաև մեծ շատ",
    "Korean": "그리고 하지만 있습니다 때문에 합니다 그러나 했습니다 입니다",
    "Japanese": "ました という ください について でしょう けれども それから だから ところ ために ありがとう",
    "Chinese": "吗 呢 您 谢 哪 怎 喜 吃 饭 睡 买 卖 钱 贵 帮 忙 懂 忘 够 难 慢 坐 听 说 读 写 讲 话 词 错 给 让",
}
"""Common words of the languages that their script tells: of Chinese, signs that nobody takes in for a few names."""


def of(words: Sequence[str], scripts: Mapping[str, float]) -> str:
    """The language of a text in English words, "" where it cannot be told.

    Args:
        words: of the text, in lower case.
        scripts: script -> share of the letters.
    """
    main = next(iter(scripts), "")
    # Japanese is written with kana among Chinese characters.
    if main == "han" and scripts.get("kana", 0.0) > 0.05:
        return "Japanese"
    if main in _BY_SCRIPT:
        return _BY_SCRIPT[main]
    counts = Counter(words)
    found = sorted(((sum(counts[word] for word in own), name) for name, own in SMALL.items()), reverse=True)
    (most, name), (next_most, _) = found[:2]
    if most < LEAST or most < SHARE * len(words) or most < AHEAD * next_most:
        return ""
    return name


def is_unspaced(name: str) -> bool:
    """True for a language that is written without spaces between words."""
    return name in ("Chinese", "Japanese", "Thai")


def common(name: str) -> list[str]:
    """Common words of a language that tell whether somebody knows it; single letters are known to all."""
    known = SMALL.get(name) or frozenset(SAMPLES.get(name, "").split())
    return sorted(word for word in known if len(word) >= TELLING or name == "Chinese")
