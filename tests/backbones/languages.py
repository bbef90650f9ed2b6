"""Small random text networks of every family: what the cut, the strategies and pretraining are tried on."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoConfig, AutoModel

WORDS = 99
"""Vocabulary of the small networks."""
_SIZE = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "vocab_size": WORDS,
    "max_position_embeddings": 40,
}
_DEBERTA = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False}
_ENDS = {"bos_token_id": 1, "eos_token_id": 2}
ENCODERS: dict[str, dict[str, Any]] = {
    "albert": _SIZE | {"embedding_size": 16},
    "bert": _SIZE,
    "camembert": _SIZE | {"pad_token_id": 1},
    "deberta": _SIZE | _DEBERTA | {"type_vocab_size": 0, "max_relative_positions": 16},
    "deberta-v2": _SIZE
    | _DEBERTA
    | {"position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True, "conv_kernel_size": 3},
    "distilbert": {
        "dim": 32,
        "n_layers": 4,
        "n_heads": 4,
        "hidden_dim": 48,
        "vocab_size": WORDS,
        "max_position_embeddings": 40,
    },
    "electra": _SIZE | {"embedding_size": 16},
    "ernie": _SIZE,
    "modernbert": _SIZE
    | {
        "pad_token_id": 0,
        "cls_token_id": 1,
        "sep_token_id": 2,
        "global_attn_every_n_layers": 3,
        "local_attention": 8,
    }
    | _ENDS,
    "mpnet": _SIZE | {"pad_token_id": 1},
    "nomic_bert": _SIZE,
    "rembert": _SIZE | {"input_embedding_size": 16, "bos_token_id": 1, "eos_token_id": 2},
    "roberta": _SIZE | {"pad_token_id": 1},
    "roformer": _SIZE | {"embedding_size": 32},
    "xlm-roberta": _SIZE | {"pad_token_id": 1},
}
DECODERS: dict[str, dict[str, Any]] = {
    "bloom": {"hidden_size": 32, "n_layer": 4, "n_head": 4, "vocab_size": WORDS},
    "gemma": _SIZE | {"num_key_value_heads": 2, "head_dim": 8},
    "gpt2": {"n_embd": 32, "n_layer": 4, "n_head": 4, "vocab_size": WORDS, "n_positions": 40} | _ENDS,
    "gpt_neo": {
        "hidden_size": 32,
        "num_layers": 4,
        "num_heads": 4,
        "vocab_size": WORDS,
        "max_position_embeddings": 40,
        "attention_types": [[["global", "local"], 2]],
    }
    | _ENDS,
    "gpt_neox": _SIZE,
    "llama": _SIZE | {"num_key_value_heads": 2, "pad_token_id": 0},
    "mistral": _SIZE | {"num_key_value_heads": 2},
    "opt": {
        "hidden_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "ffn_dim": 48,
        "vocab_size": WORDS,
        "max_position_embeddings": 40,
        "word_embed_proj_dim": 32,
        "pad_token_id": 1,
    },
    "phi": _SIZE,
    "qwen2": _SIZE | {"num_key_value_heads": 2},
}
FAMILIES = ENCODERS | DECODERS


def model(family: str, seed: int = 0, **changes: Any) -> Any:
    """A base model with weights large enough that whatever a cut gets wrong is seen."""
    config = AutoConfig.for_model(family, **FAMILIES.get(family, {}) | changes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = AutoModel.from_config(config).eval()
        for name, parameter in made.named_parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.2)
            elif name.endswith("bias"):
                torch.nn.init.normal_(parameter, std=0.1)
    return made


def tokens(lengths: list[list[int]], *, avoid: int = 0, seed: int = 1, types: bool = False) -> torch.Tensor:
    """Texts (b, w, t, 2) of random tokens with so many tokens in each window, padded to the longest.

    Args:
        lengths: of each text the lengths of its windows.
        avoid: id that stands for padding.
        seed: of the tokens.
        types: the last third of a window belongs to a second text.
    """
    draw = torch.Generator().manual_seed(seed)
    windows, longest = max(map(len, lengths)), max(map(max, lengths))
    made = torch.zeros(len(lengths), windows, longest, 2, dtype=torch.int32)
    for row, text in enumerate(lengths):
        for number, count in enumerate(text):
            ids = torch.randint(0, WORDS - 1, (count,), generator=draw)
            made[row, number, :count, 0] = (ids + (ids >= avoid) + 1).int()
            if types:
                made[row, number, count - count // 3 : count, 1] = 1
    return made
