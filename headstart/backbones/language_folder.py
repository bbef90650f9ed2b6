"""A trained text network as a folder of transformers: the base model, its tokenizer, and the head in its own files.

The library's classifiers read another pooling than the mean over a text's tokens, so the head is not one of theirs: it
is a matrix in ``head.safetensors``, and ``head.json`` says which hidden states it reads. What is done with both is a
few lines of Python, which the model card has and which ``published`` runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from headstart.backbones import language, pooling, segments, tokenizer, vision
from headstart.backbones.publishing import CONFIG, ENDS, Finished, Published
from headstart.base import files
from headstart.base.errors import ExportError
from headstart.base.readings import beside
from headstart.base.vocabulary import Tokenization

HEAD, ABOUT = "head.safetensors", "head.json"
WEIGHED: Mapping[str, str] = {
    "mean": "there = mask",
    "first": "there = mask * (torch.arange(mask.shape[1]) == 0)",
    "last": "there = mask * (torch.arange(mask.shape[1]) == mask.sum(1, keepdim=True) - 1)",
}
"""Pooling -> which tokens of ``mask`` (w, t) are averaged, in Python."""


def publish(finished: Finished, to: Path) -> None:
    """Write a folder whose network ``AutoModel.from_pretrained`` loads.

    Raises:
        ExportError: when the library's network has no place for the trained weights.
        WeightsError: when the configuration cannot be built.
        MissingExtra: without transformers.
    """
    made, name, reading = dict(finished.config or {}), f"hf/{finished.architecture}", finished.preprocessing
    if not isinstance(reading, Tokenization) or reading.reader != "pieces":
        raise _no_place(name, "its texts are read by something else than a tokenizer of that library")
    pool = str(made.get("pooling"))
    with vision.quiet():
        # The trained tensors are named as the chain of stages names them; it shares them with the library's network.
        model = language.bare(made, name)
        chained = segments.chain(model, name, pooling.POOLINGS[pool])
        chained.load_state_dict(dict(finished.state))
        _all_of_it(model, chained, name)
        model.config.id2label = dict(enumerate(finished.labels))
        model.config.label2id = {label: number for number, label in enumerate(finished.labels)}
        model.config.problem_type = finished.problem
        model.save_pretrained(to)
    for file, content in beside(reading).items():
        (to / file).write_bytes(content)
    files.write_json(to / tokenizer.SETTINGS, _settings(model, reading))
    save_file({"weight": finished.weight.contiguous(), "bias": finished.bias.contiguous()}, to / HEAD)
    counts = _layers(chained)
    about = {
        "labels": list(finished.labels),
        "reads": [counts[tap - 1] for tap in finished.taps],
        "pooling": pool,
        "activation": ENDS[finished.problem].strip(".") or "none",
        "length": reading.length,
        "overlap": tokenizer.overlap(reading),
        "windows": reading.windows,
        "words": "the head reads these hidden states, averaged over the tokens of all windows of a text, one behind "
        "the other; temperature and scale are in its weights",
    }
    files.write_json(to / ABOUT, about)


def _all_of_it(model: Any, chained: segments.Chained, name: str) -> None:
    """Everything that the library's network computes with has to be what was trained.

    Raises:
        ExportError: when the chain has weights of its own, as where a network runs one layer several times.
    """
    trained = {id(tensor) for tensor in chained.parameters()}
    for path, tensor in model.named_parameters():
        if id(tensor) in trained:
            continue
        if "pooler" not in path.split("."):
            raise _no_place(name, f"{path} is used in several layers there, and was trained in each of them by itself")
        # Of the original classifier, which nothing here reads.
        torch.nn.init.zeros_(tensor)


def _layers(chained: segments.Chained) -> list[int]:
    """How many layers there are up to the end of each stage: the number of its hidden state."""
    count, found = 0, []
    for stage in chained.names:
        if stage.startswith("layers "):
            count = int(stage.rpartition(" ")[2])
        elif stage.startswith("layer "):
            count += 1
        found.append(count)
    return found


def _settings(model: Any, reading: Tokenization) -> dict[str, Any]:
    """A tokenizer_config.json: what the library cannot read off the tokenizer itself."""
    padding = model.config.pad_token_id
    names = ["input_ids", *(["token_type_ids"] if segments.takes_types(model) else []), "attention_mask"]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": reading.length,
        "model_input_names": names,
        # A mask says where there is no token, so that any will do where a network has none for it.
        "pad_token": tokenizer.token(reading, padding if isinstance(padding, int) and padding >= 0 else 0),
    }


def _no_place(name: str, reason: str) -> ExportError:
    return ExportError(
        f"transformers has no {name.removeprefix('hf/')} that would be this model: {reason}",
        next_move="headstart export --to onnx",
    )


def published(to: Path) -> Published:
    """The folder, loaded by transformers."""
    from transformers import AutoModel, AutoTokenizer

    with vision.quiet():
        network: Any = AutoModel.from_pretrained(to, local_files_only=True).eval()
        reader: Any = AutoTokenizer.from_pretrained(to, local_files_only=True)
    about, head = json.loads((to / ABOUT).read_text(encoding="utf-8")), load_file(to / HEAD)

    def outputs(read: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return torch.stack([_said(network, head, about, _given(text, network)) for text in read])

    def prepared(text: Any) -> torch.Tensor:
        pair = (text,) if isinstance(text, str) else text
        tokens = reader(*pair, **_wanted(about))
        tokens.pop("overflow_to_sample_mapping", None)
        ids, mask = tokens["input_ids"], tokens["attention_mask"]
        types = tokens.get("token_type_ids", torch.zeros_like(ids))
        read = torch.stack([(ids + 1) * mask, types * mask], dim=-1)
        return read[_chosen(len(read), about["windows"])][None]

    problem = json.loads((to / CONFIG).read_text(encoding="utf-8")).get("problem_type")
    use = _use(to.name, about["pooling"], ENDS[str(problem)])
    own = (
        "the tokenizer as transformers loads it changed predictions of {items} generated texts by at most {gap:.2g}; "
        "what loads is the base model (AutoModel), with the head in " + HEAD
    )
    return Published(
        "transformers", outputs, prepared, use, ("transformers", "torch", "safetensors"), own, read=_as_it_is
    )


def _as_it_is(inputs: np.ndarray, reading: Any) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(inputs))


def _wanted(about: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "truncation": True,
        "max_length": about["length"],
        "stride": about["overlap"],
        "return_overflowing_tokens": True,
        "padding": True,
        "return_tensors": "pt",
    }


def _chosen(count: int, most: int) -> Sequence[int]:
    return list(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _given(text: torch.Tensor, network: Any) -> dict[str, torch.Tensor]:
    """Tokens (w, t, 2) of a text as the library's inputs, without the windows that only longer texts have."""
    there = text[..., 0] > 0
    live, most = there.any(1), max(1, int(there.sum(1).max()))
    text, there = text[live][:, :most], there[live][:, :most]
    ids = torch.where(there, text[..., 0].long() - 1, 0)
    types = {"token_type_ids": text[..., 1].long()} if segments.takes_types(network) else {}
    return {"input_ids": ids, "attention_mask": there.long(), **types}


def _said(network: Any, head: Mapping[str, torch.Tensor], about: Mapping[str, Any], tokens: Any) -> torch.Tensor:
    """What the lines of ``_use`` give for one text."""
    found = network(**tokens, output_hidden_states=True)
    states = [*found.hidden_states[:-1], found.last_hidden_state]
    mask = tokens["attention_mask"]
    places = torch.arange(mask.shape[1])
    there = {"mean": mask, "first": mask * (places == 0), "last": mask * (places == mask.sum(1, keepdim=True) - 1)}
    weights = there[about["pooling"]].unsqueeze(-1)
    read = [(states[number] * weights).sum((0, 1)) / weights.sum() for number in about["reads"]]
    return torch.cat(read) @ head["weight"].T + head["bias"]


def _use(name: str, pool: str, end: str) -> tuple[str, ...]:
    return (
        "import json, torch",
        "from safetensors.torch import load_file",
        "from transformers import AutoModel, AutoTokenizer",
        f"folder = {name!r}",
        "tokenizer, network = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()",
        f'about, head = json.load(open(f"{{folder}}/{ABOUT}")), load_file(f"{{folder}}/{HEAD}")',
        'text = ["The text"]  # of a pair: ["the first", "the second"]',
        'tokens = tokenizer(*text, truncation=True, max_length=about["length"], stride=about["overlap"],',
        '    return_overflowing_tokens=True, padding=True, return_tensors="pt")  # a long text has several windows',
        'tokens = {name: tokens[name][:about["windows"]] for name in tokenizer.model_input_names}',
        "with torch.no_grad():",
        "    found = network(**tokens, output_hidden_states=True)",
        'states, mask = [*found.hidden_states[:-1], found.last_hidden_state], tokens["attention_mask"]',
        f"{WEIGHED[pool]}",
        "weights = there.unsqueeze(-1)",
        'read = [(states[number] * weights).sum((0, 1)) / weights.sum() for number in about["reads"]]',
        'outputs = torch.cat(read) @ head["weight"].T + head["bias"]',
        f"predictions = outputs{end.replace('(1)', '(0)')}",
        'print(dict(zip(about["labels"], predictions.tolist())))',
    )
