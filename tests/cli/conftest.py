"""The sealed models of the ship room's tests, for the verbs that read them."""

from __future__ import annotations

from tests.ship.conftest import _original, model_folder, network, pictures, watched

__all__ = ["_original", "model_folder", "network", "pictures", "watched"]
