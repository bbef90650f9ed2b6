"""Small networks as their libraries publish them, and a hub that serves them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import save_file

from tests.backbones.networks import randomise

TIMM = "test_resnet.r160_in1k"
"""A network of timm's that is published under timm/, and has 0.5 million parameters."""


def vit(folder: Path, *, weights: str = "model.safetensors", size: int = 32, head: bool = True) -> Any:
    """A ViT of transformers with four layers, saved as its authors would; returns the library's own model."""
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor, ViTModel

    config = ViTConfig(
        hidden_size=24, num_hidden_layers=4, num_attention_heads=2, intermediate_size=48, image_size=size, patch_size=8
    )
    config.id2label = {i: f"class {i}" for i in range(5)}
    config.label2id = {name: i for i, name in config.id2label.items()}
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = randomise((ViTForImageClassification if head else ViTModel)(config)).eval()
    processor = ViTImageProcessor(size={"height": size, "width": size}, image_mean=[0.4, 0.5, 0.6])
    return saved(model, processor, folder, weights=weights)


def saved(model: Any, processor: Any, folder: Path, *, weights: str = "model.safetensors", licence: str = "mit") -> Any:
    """The model with its processor and card in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    (folder / "README.md").write_text(f"---\nlicense: {licence}\ndatasets:\n- imagenet-1k\n---\n# A network\n")
    if weights != "model.safetensors":
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / weights)
    return model


def timm_network(folder: Path, name: str = TIMM, *, config: bool = False, **options: Any) -> torch.nn.Module:
    """A network of timm's as its hub repository has it; with ``config`` as push_to_hf_hub writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(4)
        model = randomise(timm.create_model(name, **options)).eval()
    save_file(model.state_dict(), folder / "model.safetensors")
    if config:
        from timm.models._hub import save_config_for_hf

        save_config_for_hf(model, str(folder / "config.json"), model_args=options or None)
    return model


@dataclass
class Server:
    """A running hub."""

    root: Path
    url: str

    def behave(self, **how: Any) -> None:
        """From now on."""
        (self.root / "behaviour.json").write_text(json.dumps(how))

    def requests(self, forget: bool = True) -> list[dict[str, Any]]:
        """What was asked since the last time."""
        log = self.root / "log.jsonl"
        found = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        if forget:
            log.unlink(missing_ok=True)
        return found


@contextlib.contextmanager
def hub(root: Path) -> Iterator[Server]:
    """A hub over ``root``, in a process of its own."""
    root.mkdir(parents=True, exist_ok=True)
    server = Server(root, "")
    server.behave()
    script = Path(__file__).with_name("hubserver.py")
    process = subprocess.Popen([sys.executable, str(script), str(root)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        server.url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        yield server
    finally:
        process.kill()
        process.wait()


def client(code: str, home: Path, url: str, *, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess:
    """Python code in a fresh process with a cache of its own, whose hub is at ``url``.

    The libraries read where the hub is when they are imported, and so cannot be told within this process.
    """
    ours = ("HF_", "http", "HTTP", "https", "HTTPS", "all_proxy", "ALL_PROXY")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = {
        **inherited,
        "HF_ENDPOINT": url,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TORCH_HOME": str(home / "torch"),
        "HEADSTART_CACHE": str(home / "headstart"),
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout, env=environment, check=False
    )
