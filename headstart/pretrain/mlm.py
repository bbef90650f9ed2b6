"""Masked-language training on texts without labels: a text backbone goes on, or a small one is trained from nothing.

Devlin et al., BERT (2019, arXiv 1810.04805). That going on with it on texts of one's own domain pays before fine-tuning
is due to Howard and Ruder (2018, arXiv 1801.06146) and Gururangan et al. (ACL 2020, arXiv 2004.10964); the small sizes
are those of Turc et al. (2019, arXiv 1908.08962). The head over the tokens' hidden states shares the network's table of
words and is thrown away afterwards. A published network comes without the head it was trained with: the head is
trained alone first, so that its first gradients do not distort what it sits on.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headstart.backbones import catalogue, segments
from headstart.backbones.chain import Backbone
from headstart.backbones.segments import Chained
from headstart.base import hashes
from headstart.base.errors import BadOption, DataError, Undecodable, UnknownName, WeightsError
from headstart.base.progress import Reporter, Silent
from headstart.base.seeds import derive, generator
from headstart.base.vocabulary import BackboneInfo, Skipped, Tokenization
from headstart.base.work import Batch, Fit, Group, HeldOut, Outcome, Phase
from headstart.data import corpus, pieces, texts, tokenizing
from headstart.data.corpus import Corpus
from headstart.data.printable import count, where
from headstart.pretrain import limits, material
from headstart.pretrain.made import DIVERGED, Pretrained, provenance
from headstart.pretrain.masked import Masked, Windows
from headstart.pretrain.source import MOST, Part

LENGTH = 128
"""Tokens of a window unless the network takes fewer: what is learnt of longer ones costs more than it gives here."""
WINDOWS = 4_096
"""Windows of one text at most; a longer document is read at that many places."""
LEAST = 64
"""Windows without which there is nothing to learn."""
HELD, MOST_HELD = 0.1, 2_000
"""Share, and largest number, of the windows that are held out for judging."""
HEAD_RATE = 1e-3
"""Of the head while it is trained alone."""


@dataclass(frozen=True, slots=True)
class Size:
    """A network to train from nothing.

    Attributes:
        layers, width, heads: of the encoder.
        words: tokens of its vocabulary, at most.
    """

    layers: int
    width: int
    heads: int
    words: int


PRESETS: Mapping[str, Size] = {
    "smoke": Size(layers=2, width=32, heads=2, words=400),
    "tiny": Size(layers=2, width=128, heads=2, words=8_000),
    "mini": Size(layers=4, width=256, heads=4, words=8_000),
    "small": Size(layers=4, width=512, heads=8, words=16_000),
}
"""Sizes of a network that is trained from nothing."""


@dataclass(frozen=True, slots=True)
class _Options:
    backbone: str | None
    preset: str | None
    tokenizer: str
    vocabulary: int | None
    length: int | None
    share: float
    epochs: int
    batch_size: int
    rate: float | None
    weight_decay: float
    patience: int
    text: str | None


class Learner(nn.Module):
    """An encoder with the head that names hidden words, tied to its table of words and thrown away afterwards.

    Args:
        network: tokens to hidden states.
    """

    def __init__(self, network: Chained) -> None:
        super().__init__()
        self.network = network
        words, width = network.table().weight.shape
        self.head = nn.ModuleDict({"dense": nn.Linear(network.width, width), "norm": nn.LayerNorm(width)})
        self.bias = nn.Parameter(torch.zeros(words))

    def logits(self, tokens: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """What is said of the m chosen places (b, w, t) of tokens (b, w, t, 2): (m, V)."""
        hidden = self.network.tokens(tokens)[chosen][:, :-1]
        read = self.head["norm"](functional.gelu(self.head["dense"](hidden)))
        return functional.linear(read, self.network.table().weight, self.bias)

    def forward(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """A batch of ``Masked`` to the loss of each hidden token in nats, and whether it was named: (m, 2)."""
        logits, wanted = self.logits(inputs["tokens"], inputs["chosen"]).float(), inputs["wanted"]
        loss = functional.cross_entropy(logits, wanted, reduction="none")
        return torch.stack([loss, (logits.argmax(dim=1) == wanted).float()], dim=1)


def plan(
    source: Any,
    *,
    backbone: str | None = None,
    preset: str | None = None,
    tokenizer: str = "wordpiece",
    vocabulary: int | None = None,
    length: int | None = None,
    share: float = 0.15,
    epochs: int | None = None,
    batch_size: int = 32,
    rate: float | None = None,
    weight_decay: float = 0.01,
    patience: int = 3,
    text: str | None = None,
    seed: int = 0,
    report: Reporter | None = None,
) -> Generator[Fit, Outcome, Pretrained]:
    """One fit over masked windows; the epoch with the lowest loss on held-out texts is kept.

    Args:
        source: texts: a folder of .txt files, a .txt file, a table with a text column, a list of strings.
        backbone: the encoder to go on with, such as hf/bert-base-uncased; None trains one from nothing.
        preset: size of the one from nothing: smoke, tiny, mini (the default) or small.
        tokenizer: of the one from nothing: wordpiece (lower case) or bpe.
        vocabulary: its tokens, at most; None takes the preset's.
        length: tokens of a window; None takes 128, or what the backbone can.
        share: of the tokens that are hidden.
        epochs: passes over the texts; None takes 3 with a backbone, 20 without.
        batch_size: windows a step.
        rate: peak learning rate of AdamW; None takes 5e-5 with a backbone, 1e-3 without.
        weight_decay: decoupled weight decay.
        patience: epochs without a lower held-out loss before stopping; 0 never stops early.
        text: name of a table's text column.
        seed: of the held-out part, the initial weights, the order and the masks.
        report: told how the source was understood.

    Raises:
        HeadstartError: for a source, a backbone or an option that cannot be used.
    """
    options = _Options(
        backbone=backbone,
        preset=preset or (None if backbone else "mini"),
        tokenizer=tokenizer,
        vocabulary=vocabulary,
        length=length,
        share=share,
        epochs=epochs or (3 if backbone else 20),
        batch_size=batch_size,
        rate=rate or (5e-5 if backbone else 1e-3),
        weight_decay=weight_decay,
        patience=patience,
        text=text,
    )
    # Checked here and not in the generator, which would find out only after the output folder was begun.
    _check(options)
    going_on = None if backbone is None else _encoder(backbone)
    report = report or Silent()
    found = corpus.opened(source, text=text)
    report.say(found.understood)
    read = _read(found, report)
    return _fits(read, going_on, options, seed, report)


def _check(options: _Options) -> None:
    limits.check(asdict(options))
    if options.backbone is not None and (options.preset or options.vocabulary):
        name = "preset" if options.preset else "vocabulary"
        raise BadOption(
            f"Option {name} is for a network from nothing, and a backbone was named",
            where=name,
            expected=f"backbone or {name}, not both",
        )
    if options.preset is not None and options.preset not in PRESETS:
        raise UnknownName("preset", options.preset, PRESETS)
    if options.tokenizer not in pieces.KINDS:
        raise UnknownName("tokenizer", options.tokenizer, pieces.KINDS)


def _encoder(name: str) -> Backbone:
    """The backbone to go on with.

    Raises:
        WeightsError: when it is no encoder of texts that words can be hidden from.
    """
    found = catalogue.load(name)
    network = _chained(found)
    if not reads_both_ways(network):
        raise WeightsError(
            f"{name} is a decoder: it reads from left to right and never sees what follows a hidden word",
            expected="an encoder, such as hf/distilbert-base-uncased",
            next_move="use the decoder as it is: headstart fit TEXTS --backbone " + name,
        )
    return found


def _chained(backbone: Backbone) -> Chained:
    network = backbone.module
    if not isinstance(network, Chained):
        raise WeightsError(
            f"{backbone.info.name} cannot learn from hidden words: it is no network of transformers that reads texts",
            expected="a text encoder, such as hf/distilbert-base-uncased",
        )
    return network


def reads_both_ways(network: Chained) -> bool:
    """Does what a network makes of a token depend on the tokens behind it?"""
    tokens = segments.noise(int(network.table().weight.shape[0]), avoid=0)[:1, :1]
    other = tokens.clone()
    other[0, 0, -1, 0] = tokens[0, 0, 0, 0] if tokens[0, 0, -1, 0] != tokens[0, 0, 0, 0] else tokens[0, 0, 1, 0]
    with torch.no_grad():
        before, after = network.tokens(tokens)[0, 0, 0], network.tokens(other)[0, 0, 0]
    return not torch.equal(before, after)


@dataclass(frozen=True, slots=True)
class _Read:
    """Texts that could be decoded, each different one once."""

    texts: list[tokenizing.Text]
    digests: list[str]
    skipped: list[Skipped]
    copies: int
    origin: str

    @property
    def digest(self) -> str:
        return hashes.of_texts(self.digests)


def _read(found: Corpus, report: Reporter) -> _Read:
    known, skipped, copies = dict[str, tokenizing.Text](), list[Skipped](), 0
    report.begin("read", len(found.items))
    for position, item in enumerate(found.items):
        try:
            digest = texts.digest(item)
            copies += digest in known
            known.setdefault(digest, texts.decode(item))
        except Undecodable as error:
            skipped.append(Skipped(where(item, position), error.what))
        report.advance()
    report.end()
    material.judge_skipped(skipped, len(found.items), found.origin, "text", report)
    return _Read(list(known.values()), list(known), skipped, copies, found.origin)


def _fits(
    read: _Read, going_on: Backbone | None, options: _Options, seed: int, report: Reporter
) -> Generator[Fit, Outcome, Pretrained]:
    train, held = _split(len(read.texts), seed)
    backbone = going_on or _from_nothing([read.texts[i] for i in train], options, seed, report)
    reading = _reading(backbone, options)
    masking = pieces.masking(reading, backbone.info.name)
    windows, owners = _windows(read.texts, reading, report)
    learning, judged = np.flatnonzero(np.isin(owners, train)), np.flatnonzero(np.isin(owners, held))
    if not len(judged) or len(learning) < len(judged):
        # Few long documents: of each some windows are held out, which share no token with the others.
        order = generator(seed, "held out windows").permutation(len(windows))
        cut = min(MOST_HELD, max(2, int(HELD * len(order))))
        judged, learning = np.sort(order[:cut]), np.sort(order[cut:])
    judged = judged[:MOST_HELD]
    if len(learning) < LEAST:
        raise DataError(
            f"{count(len(learning), 'window')} of {reading.length} tokens are too few to learn a language from",
            where=read.origin,
            expected=f"{LEAST} at the very least; thousands are what it takes",
            next_move="fit with a backbone as it was published",
        )
    report.say(
        f"{count(len(windows), 'window')} of up to {reading.length} tokens; {len(judged):,} of them are held out"
    )
    model = _learner(backbone, seed)
    masked = partial(Masked, windows, masking=masking, batch=options.batch_size, share=options.share)
    judging = masked(judged, seed=derive(seed, "judged"), fixed=True)
    outcome = yield Fit(
        name="mlm",
        model=model,
        stream=masked(learning, seed=derive(seed, "stream")),
        phases=_phases(model, options, alone=going_on is not None),
        held_out=HeldOut(judging, score, watch="log_loss"),
        seed=seed,
        detail={"data": read.digest, "tokenizer": reading.digest, **asdict(options)},
    )
    made = _named(backbone, read, going_on is None)
    noise = segments.noise(masking.size, avoid=0)
    card = provenance(made, outcome, method="mlm", seed=seed, options=asdict(options), inputs=noise)
    about = _about(read, outcome, options, reading)
    about["data"] |= {"windows": len(learning), "held_out_windows": len(judged)}
    hidden = np.concatenate([batch.targets.numpy() for batch in judging.batches(0)])
    _compare(about, by_frequency(windows, learning, hidden, masking.size))
    order = generator(seed, "statistics").permutation(learning)
    own = Windows([windows.windows[i] for i in order[:MOST]])
    return Pretrained(
        made,
        {**card, **about},
        dtype=torch.float16 if going_on is None else torch.float32,
        source=lambda: Part(own, len(own)),
    )


def _split(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Texts to learn from and texts to judge by."""
    order = generator(seed, "held out").permutation(number)
    held = min(MOST_HELD, int(HELD * number))
    return np.sort(order[held:]), np.sort(order[:held])


def _from_nothing(some: list[tokenizing.Text], options: _Options, seed: int, report: Reporter) -> Backbone:
    """An untrained network of the preset's size, and a tokenizer of the texts."""
    size, length = PRESETS[str(options.preset)], options.length or LENGTH
    report.begin("learn a tokenizer")
    whole = (part for one in some for part in ((one,) if isinstance(one, str) else one))
    content = pieces.learn(whole, size=options.vocabulary or size.words, kind=options.tokenizer)
    report.end()
    reading = Tokenization(length=length, digest=hashes.of_bytes(content), content=content)
    words = pieces.masking(reading, "the new network").size
    report.say(f"A tokenizer of {words:,} tokens was learnt from the texts")
    config = {
        "model_type": "bert",
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": 4 * size.width,
        "max_position_embeddings": max(length, 512),
        "vocab_size": words,
        "pad_token_id": pieces.SPECIAL.index("[PAD]"),
    }
    recipe = {"text": config, "pooling": "mean", "notes": []}
    built = catalogue.build("hf/bert", recipe, seed=derive(seed, "network"))
    return built.known_as(replace(built.info, preprocessing=reading, modality="texts", config=recipe))


def _reading(backbone: Backbone, options: _Options) -> Tokenization:
    """How the corpus is read: whole windows that share no token."""
    reading = backbone.info.preprocessing
    if not isinstance(reading, Tokenization):
        raise WeightsError(f"{backbone.info.name} reads no texts", expected="a text encoder")
    length = options.length or min(LENGTH, reading.length)
    if length > reading.length:
        raise BadOption(
            f"Windows of {length} tokens are too long for {backbone.info.name}",
            where="length",
            expected=f"at most {reading.length}",
        )
    return replace(reading, length=length, overlap=0, windows=WINDOWS)


def _windows(found: list[tokenizing.Text], reading: Tokenization, report: Reporter) -> tuple[Windows, np.ndarray]:
    """All windows of the texts, and which text each is of."""
    kept, owners = list[np.ndarray](), list[int]()
    report.begin("tokenise", len(found))
    for position, one in enumerate(found):
        for window in tokenizing.tokens(one, reading):
            kept.append(window[: int((window[:, 0] > 0).sum())])
            owners.append(position)
        report.advance()
    report.end()
    return Windows(kept), np.array(owners)


def _learner(backbone: Backbone, seed: int) -> Learner:
    network = _chained(backbone)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "head"))
        return Learner(network)


def _phases(model: Learner, options: _Options, *, alone: bool) -> tuple[Phase, ...]:
    names = [name for name, parameter in model.named_parameters() if parameter.is_floating_point()]
    rate = float(options.rate or 0.0)
    together = Phase(
        objective=objective,
        groups=(Group(tuple(names), rate, options.weight_decay),),
        epochs=options.epochs,
        patience=options.patience or None,
        name="all",
    )
    if not alone:
        return (together,)
    head = tuple(name for name in names if not name.startswith("network."))
    return replace(together, groups=(Group(head, HEAD_RATE),), epochs=1, patience=None, name="head alone"), together


def objective(model: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    """Mean cross-entropy of the hidden tokens of a batch."""
    return {"masked": model(batch.inputs)[:, 0].mean()}


def score(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Scores of what a ``Learner`` puts out, (m, 2): loss in nats a hidden token, perplexity, and how many it names."""
    loss = float(outputs[:, 0].mean())
    return {"log_loss": loss, "perplexity": float(np.exp(min(loss, 50.0))), "accuracy": float(outputs[:, 1].mean())}


def by_frequency(windows: Windows, rows: np.ndarray, hidden: np.ndarray, size: int) -> float:
    """Perplexity of ``hidden`` ids for someone who knows only how often each of ``size`` tokens occurs in rows."""
    counts = np.ones(size)
    for row in rows:
        np.add.at(counts, windows.windows[row][:, 0] - 1, 1)
    return float(np.exp(-np.log(counts[hidden] / counts.sum()).mean()))


def _compare(about: dict[str, Any], guessing: float) -> None:
    """Say what naming words by their frequency alone would reach, and whether that was beaten."""
    reached = about["validation"].get("perplexity")
    about["validation"]["guessing_by_frequency"] = round(guessing, 4)
    if reached is not None and reached >= guessing:
        about["findings"].append(
            f"Hardly anything was learnt: the perplexity of hidden words, {reached:.1f}, is not below the "
            f"{guessing:.1f} of naming them by how often they occur. More texts or more epochs (--set epochs=...) help"
        )


def _named(backbone: Backbone, read: _Read, fresh: bool) -> Backbone:
    info, name = backbone.info, material.origin_name(read.origin)
    what = f"{count(len(read.texts), 'text')} without labels, from {name}"
    told = BackboneInfo(
        name=f"mlm/{name}",
        architecture=info.architecture,
        parameters=info.parameters,
        stages=info.stages,
        width=info.width,
        preprocessing=info.preprocessing,
        licence=material.LICENCE if fresh else info.licence,
        source=what if fresh else f"{info.source}, then {what}",
        local=True,
        modality=info.modality,
        config=info.config,
    )
    return backbone.eval().known_as(told)


def _about(read: _Read, outcome: Outcome, options: _Options, reading: Tokenization) -> dict[str, Any]:
    """What the card says of the texts, of how well they were learnt, and what to make of that."""
    found = {name: round(float(value), 4) for name, value in outcome.scores.items()}
    first = next((row for row in outcome.curve if "held_out_perplexity" in row), None)
    findings = [DIVERGED] if outcome.diverged else []
    if options.backbone is not None and first is not None and outcome.epoch <= 1:
        findings.append(
            f"Going on with {options.backbone} on these texts did not help it name hidden words of others of them: "
            "the backbone is as it was"
        )
    return {
        "reads": f"texts in windows of up to {reading.length} tokens while it was trained",
        "data": {
            "sha256": read.digest,
            "texts": len(read.texts),
            "skipped": len(read.skipped),
            "copies": read.copies,
        },
        "validation": found,
        "findings": findings,
    }
