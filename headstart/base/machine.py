"""The machine a job runs on: device, native precision, threads. Chosen once, written into the plan.

bf16 is used only where the processor multiplies it natively (AVX512-BF16, AMX, Arm BF16, a GPU of the Ampere
generation or newer); elsewhere it is emulated and slower than float32.
"""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from headstart.base.errors import BadOption

PRECISIONS = ("auto", "float32", "bf16")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and how tensors are multiplied.

    Attributes:
        device: "cpu" or "cuda".
        precision: "float32" or "bf16" (autocast; weights, norms and losses stay in float32).
        threads: processor threads that may be used.
        kind: the processor's name, so that a result says where it was made.
    """

    device: str
    precision: str
    threads: int
    kind: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the plan."""
        return asdict(self)

    @contextlib.contextmanager
    def autocast(self) -> Iterator[None]:
        """Matrix products in this machine's precision."""
        import torch

        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            yield


def use_threads(count: int) -> None:
    """Let torch and the linear-algebra libraries use ``count`` threads from here on."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(count)
    threadpool_limits(count)


@contextlib.contextmanager
def kept_threads() -> Iterator[None]:
    """Put the number of threads back afterwards: it belongs to the whole process, not to one job."""
    import torch
    from threadpoolctl import threadpool_info

    before = torch.get_num_threads()
    pools = max((pool["num_threads"] for pool in threadpool_info()), default=before)
    try:
        yield
    finally:
        use_threads(before)
        from threadpoolctl import threadpool_limits

        threadpool_limits(pools)


@lru_cache(maxsize=1)
def processor() -> tuple[str, frozenset[str]]:
    """The processor's name, and the flags of what it can do."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine(), frozenset()
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    values = {key.strip(): value.strip() for key, value in fields.items()}
    flags = frozenset((values.get("flags") or values.get("Features") or "").split())
    return values.get("model name") or platform.machine(), flags


def native_bf16(device: str) -> bool:
    """True if bf16 products run in hardware on the device."""
    if device == "cuda":
        import torch

        return torch.cuda.get_device_capability()[0] >= 8
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & processor()[1])


def here(precision: str = "auto", device: str = "auto") -> Machine:
    """This machine, with ``precision`` resolved.

    Raises:
        BadOption: for a precision or device that does not exist here.
    """
    import torch

    if precision not in PRECISIONS:
        raise BadOption(f"Precision cannot be {precision!r}", expected="one of " + ", ".join(PRECISIONS))
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    elif device == "cuda" and not torch.cuda.is_available():
        raise BadOption("Device cannot be 'cuda'", expected="a CUDA device, and none answers on this machine")
    if precision == "auto":
        precision = "bf16" if native_bf16(device) else "float32"
    name = torch.cuda.get_device_name() if device == "cuda" else processor()[0]
    return Machine(device, precision, torch.get_num_threads(), name)


def cache_folder() -> Path:
    """Where headstart keeps what can be computed again: ``$HEADSTART_CACHE`` or ``~/.cache/headstart``."""
    named = os.environ.get("HEADSTART_CACHE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "headstart"
