"""headstart: transfer learning that computes the frozen part once and decides everything else on evidence.

    import headstart as hs

    model = hs.fit("photos/")
    model.predict(["a.jpg"])

Every public name is here, and fetched when it is first asked for: ``import headstart`` loads no torch.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

# Read once, when torch loads its threads. Threads that wait actively hold the cores that the ones they wait for need:
# beside another busy program, a batch through a small network took 440 ms on two threads, and 24 ms with this.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from headstart.api.backbones import describe_backbone, list_backbones, pack_backbones, pretrain_backbone
    from headstart.api.diagnosing import findings
    from headstart.api.fitting import fit, plan_fit
    from headstart.api.inspecting import inspect
    from headstart.api.models import evaluate, export, load, report, serve, track_run
    from headstart.api.ranking import rank_backbones
    from headstart.base.errors import HeadstartError
    from headstart.estimators.classifier import TransferClassifier
    from headstart.estimators.features import TransferFeatures
    from headstart.estimators.regressor import TransferRegressor
    from headstart.ship.sealed import Model

    __version__: str

__all__ = [
    "HeadstartError",
    "Model",
    "TransferClassifier",
    "TransferFeatures",
    "TransferRegressor",
    "__version__",
    "describe_backbone",
    "evaluate",
    "export",
    "findings",
    "fit",
    "inspect",
    "list_backbones",
    "load",
    "pack_backbones",
    "plan_fit",
    "pretrain_backbone",
    "rank_backbones",
    "report",
    "serve",
    "track_run",
]

# No public name may be a room's: importing the room would put the module in the function's place.
_HOMES = {
    "HeadstartError": "headstart.base.errors",
    "Model": "headstart.ship.sealed",
    "TransferClassifier": "headstart.estimators.classifier",
    "TransferFeatures": "headstart.estimators.features",
    "TransferRegressor": "headstart.estimators.regressor",
    "describe_backbone": "headstart.api.backbones",
    "evaluate": "headstart.api.models",
    "export": "headstart.api.models",
    "findings": "headstart.api.diagnosing",
    "fit": "headstart.api.fitting",
    "inspect": "headstart.api.inspecting",
    "list_backbones": "headstart.api.backbones",
    "pack_backbones": "headstart.api.backbones",
    "load": "headstart.api.models",
    "plan_fit": "headstart.api.fitting",
    "pretrain_backbone": "headstart.api.backbones",
    "rank_backbones": "headstart.api.ranking",
    "report": "headstart.api.models",
    "serve": "headstart.api.models",
    "track_run": "headstart.api.models",
}


def __getattr__(name: str) -> Any:
    """Fetch a public name from its room, once."""
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("headstart")
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'headstart' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted(__all__)
