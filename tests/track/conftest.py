"""A short fit with curves, and the run directory that it leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import headstart as hs
from headstart.backbones import catalogue, folder

EPOCHS = 3


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory, write_shapes: Callable[..., Path]) -> Callable[..., hs.Model]:
    """A function that fits a small network in a few seconds."""
    source = tmp_path_factory.mktemp("source") / "small"
    folder.write_folder(catalogue.load("embedded/resnet10-8-12-16-24", weights=False), source, {"source": "random"})
    photos = write_shapes(tmp_path_factory.mktemp("photos"), per_class=72)

    def fit(output: Path, *, epochs: int = EPOCHS, **given: Any) -> hs.Model:
        return hs.fit(
            photos,
            output=output,
            backbone=f"local:{source}",
            strategy="partial",
            depth=2,
            baselines=False,
            settings={"strategy.rate": "0.01", "strategy.epochs": str(epochs)},
            **given,
        )

    return fit
