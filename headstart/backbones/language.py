"""Text networks of the transformers library (Wolf et al., Transformers: State-of-the-Art Natural Language Processing,
2020), from their configuration: encoders and decoders, without any head.

The features are the mean over a text's tokens, unless a sentence encoder was trained with another pooling. Only code of
the installed library runs: a repository's own code is never fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from headstart.backbones import segments
from headstart.backbones.pooling import POOLINGS
from headstart.backbones.vision import harmless, quiet
from headstart.base.errors import WeightsError

LONGEST = 512
"""Tokens of a window at most, whatever a network could take: longer texts are read in windows, whose cost does not grow
with the square of their length."""
POSITIONS: tuple[str, ...] = ("max_position_embeddings", "n_positions", "max_sequence_length", "n_ctx")
"""What configurations call the number of their positions."""
SHIFTED: tuple[str, ...] = (
    *("camembert", "data2vec-text", "esm", "ibert", "longformer", "luke", "mpnet", "roberta", "roberta-prelayernorm"),
    *("xlm-roberta", "xlm-roberta-xl", "xmod"),
)
"""Families whose first position is the one behind the padding's number: with 514 positions they read 512 tokens."""


def recipe(config: Mapping[str, Any], pooling: str = "mean") -> dict[str, Any]:
    """What ``build`` needs: the configuration without what must not be followed. Plain data.

    Args:
        config: config.json.
        pooling: one of ``POOLINGS``.
    """
    return {"text": harmless(config), "pooling": pooling}


def is_one(config: Mapping[str, Any]) -> bool:
    """Is this what ``recipe`` gave?"""
    return isinstance(config.get("text"), Mapping)


def length(config: Mapping[str, Any], *limits: Any) -> int:
    """Tokens that a window may have.

    Args:
        config: of the network, as transformers writes it.
        limits: others that were published with it, such as a tokenizer's; what is no sensible number says nothing.
    """
    found = [LONGEST, *(int(each) for each in limits if _is_count(each))]
    positions = next((config[name] for name in POSITIONS if _is_count(config.get(name))), None)
    if positions is not None:
        shift = 0
        if config.get("model_type") in SHIFTED:
            padding = config.get("pad_token_id")
            shift = (padding if isinstance(padding, int) else 1) + 1
        found.append(int(positions) - shift)
    return max(1, min(found))


def _is_count(value: Any) -> bool:
    # A tokenizer without a limit says 1e30.
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value < 1e9


def build(made: Mapping[str, Any], name: str, state: Mapping[str, torch.Tensor] | None = None) -> segments.Chained:
    """The network as a chain of stages; randomly initialised without ``state``.

    Args:
        made: what ``recipe`` gave.
        name: for messages.
        state: named tensors of a checkpoint, with or without a head; transformers renames what was renamed.

    Raises:
        MissingExtra: without transformers.
        WeightsError: for a family that cannot be built or taken apart, or tensors that do not fit.
    """
    pool = POOLINGS.get(str(made.get("pooling")))
    if pool is None:
        raise WeightsError(f"{name} has no pooling that is known", expected=", ".join(POOLINGS))
    with quiet():
        return segments.chain(bare(made, name, state), name, pool)


def bare(made: Mapping[str, Any], name: str, state: Mapping[str, torch.Tensor] | None = None) -> Any:
    """The library's own network in eval mode, not taken apart; arguments and errors are those of ``build``."""
    family, settings = _kind(made, name)
    try:
        model = (
            family._from_config(settings, dtype=torch.float32) if state is None else _restored(family, settings, state)
        )
    except WeightsError:
        raise
    except Exception as error:  # transformers checks configurations in a hundred places
        raise _unbuildable(name, _first_line(error)) from error
    return model.eval()


def _kind(made: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    """The library's class without a head for a configuration, and the configuration."""
    from transformers import MODEL_MAPPING, AutoConfig

    options = dict(harmless(made["text"]))
    family = str(options.pop("model_type", ""))
    try:
        settings = AutoConfig.for_model(family, **options)
    except Exception as error:  # as above
        raise _unbuildable(name, _first_line(error).split(" Should contain")[0]) from error
    if getattr(settings, "is_encoder_decoder", False):
        raise _unbuildable(name, f"{family!r} is made of an encoder and a decoder")
    if type(settings) not in MODEL_MAPPING:
        raise _unbuildable(name, f"transformers has no model of the kind {family!r}")
    found: Any = MODEL_MAPPING[type(settings)]
    return (found[0] if isinstance(found, list | tuple) else found), settings


def _restored(kind: Any, settings: Any, state: Mapping[str, torch.Tensor]) -> nn.Module:
    model, told = kind.from_pretrained(
        None,
        config=settings,
        state_dict=dict(state),
        dtype=torch.float32,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    wrong = [str(key) for key in told["missing_keys"]] + [str(entry[0]) for entry in told["mismatched_keys"]]
    # A language model is saved without the pooler, which its features do not come from.
    wrong = [key for key in wrong if "pooler" not in key.split(".")]
    odd = [key for key, tensor in model.state_dict().items() if not bool(torch.isfinite(tensor.float()).all())]
    if wrong or odd:
        shown = "; ".join(sorted(wrong)[:3] or sorted(odd)[:3])
        reason = "are missing or have another shape" if wrong else "have values that are not finite"
        raise WeightsError(
            f"The weights do not fit the network: {shown} {reason}", expected="those that its config.json describes"
        )
    found: nn.Module = model
    return found


def _unbuildable(name: str, reason: str) -> WeightsError:
    return WeightsError(
        f"{name} cannot be built: {reason}",
        expected="a text encoder or decoder that is part of the installed transformers",
        next_move="headstart backbones --search TEXT lists others",
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
