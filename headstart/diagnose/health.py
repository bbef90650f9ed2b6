"""Is this machine fit for the work: versions, processor, memory, disk, cache, hub, extras, shipped weights.

Each check answers by itself and in bounded time; one that fails is a result, never an ending. Heavy libraries are
imported inside the checks that are about them, so that a broken one is reported and not met.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from headstart.base import machine
from headstart.base.errors import HeadstartError
from headstart.data.printable import count

State = Literal["good", "warning", "broken"]

LEAST_PYTHON = (3, 11)
LOW_DISK, LEAST_DISK = 5e9, 2e8
"""Bytes free at the cache below which it is tight, and below which nothing can be kept."""
LOW_MEMORY = 2e9
HUB = "https://huggingface.co"
_NAME = re.compile(r"^[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")
_NO_EXTRAS = ("all", "dev")


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found.

    Attributes:
        name: what was looked at.
        said: what it is like.
        state: "good", "warning" (works, with less) or "broken" (something will fail).
        next_move: what mends it.
    """

    name: str
    said: str
    state: State = "good"
    next_move: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def checks() -> Iterator[Check]:
    """Every check, in the order in which one would ask; a check that itself fails is reported as broken."""
    for check in (_python, _libraries, _torchaudio, _processor, _gpu, _memory, _cache, _disk, _hub, _extras, _shipped):
        try:
            yield check()
        except Exception as error:
            name = check.__name__.strip("_")
            yield Check(name, f"could not be checked: {type(error).__name__}: {error}".split("\n", 1)[0], "broken")


def _python() -> Check:
    said = f"Python {platform.python_version()} on {platform.platform(terse=True)}, headstart {_version('headstart')}"
    if sys.version_info < LEAST_PYTHON:
        return Check("python", said, "broken", "install Python 3.11 or newer")
    return Check("python", said)


def _libraries() -> Check:
    found, wrong = [], []
    for requirement, extra in _requirements():
        if extra:
            continue
        name = _NAME.match(requirement)[0]  # type: ignore[index]
        version = _version(name)
        found.append(f"{name} {version or 'missing'}")
        if not version or not _satisfied(requirement, version):
            wrong.append(requirement)
    for heavy in ("torch", "torchvision", "timm"):
        try:
            importlib.import_module(heavy)
        except Exception as error:  # a broken build raises anything, OSError and RuntimeError among them
            wrong.append("--force-reinstall " + heavy)
            found.append(f"{heavy} does not import ({type(error).__name__}: {error})".split("\n", 1)[0])
    said = ", ".join(found)
    if wrong:
        move = "; ".join(f"pip install {each if each[0] == '-' else repr(each)}" for each in wrong)
        return Check("libraries", said, "broken", move)
    return Check("libraries", said)


def _torchaudio() -> Check:
    audio, torch = _version("torchaudio"), _version("torch")
    if not audio:
        return Check("conflicts", "none known")
    if audio.split(".")[:2] == torch.split(".")[:2]:
        return Check("conflicts", f"none known (torchaudio {audio} goes with torch {torch})")
    said = f"torchaudio {audio} beside torch {torch}: it fails on import, and transformers and peft fail with it"
    return Check("conflicts", said, "broken", "pip uninstall torchaudio (headstart does not use it)")


def _processor() -> Check:
    import torch

    name, _ = machine.processor()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    native = machine.native_bf16("cpu")
    used = f"{count(cores, 'core')}, {count(torch.get_num_threads(), 'thread')} used"
    said = f"{name}, {used}, bf16 {'native' if native else 'not native'}"
    return Check("processor", said)


def _gpu() -> Check:
    import torch

    if not torch.cuda.is_available():
        return Check("gpu", "none; everything runs on the processor")
    free, total = torch.cuda.mem_get_info()
    return Check("gpu", f"{torch.cuda.get_device_name()}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free")


def _memory() -> Check:
    free, total = memory()
    said = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"
    if free < LOW_MEMORY:
        return Check("memory", said, "warning", "close other programs, or take a smaller backbone")
    return Check("memory", said)


def memory() -> tuple[float, float]:
    """Bytes that are free, and all there are; a container's own limit counts, where it has one."""
    free = total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            free = 1024.0 * int(line.split()[1])
    limit = _text("/sys/fs/cgroup/memory.max").strip()
    if limit.isdigit() and int(limit) < total:
        used = _text("/sys/fs/cgroup/memory.current").strip()
        total = float(limit)
        free = min(free, total - float(used or 0))
    return free, total


def _cache() -> Check:
    folder = machine.cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as stream:
            stream.write(b"headstart")
            stream.flush()
    except OSError as error:
        said = f"{folder} cannot be written to: {error.strerror or error}"
        return Check("cache", said, "broken", "set HEADSTART_CACHE to a folder of your own")
    return Check("cache", f"{folder} can be written to")


def _disk() -> Check:
    folder = machine.cache_folder()
    there = next(each for each in (folder, *folder.parents) if each.is_dir())
    free = shutil.disk_usage(there).free
    said = f"{free / 1e9:.1f} GB free at {there}"
    state: State = "broken" if free < LEAST_DISK else "warning" if free < LOW_DISK else "good"
    return Check("disk", said, state, "" if state == "good" else "headstart cache prune, or HEADSTART_CACHE elsewhere")


def _hub() -> Check:
    from headstart.base import reach

    endpoint = os.environ.get("HF_ENDPOINT") or HUB
    if os.environ.get("HF_HUB_OFFLINE", "").strip().upper() in ("1", "TRUE", "YES", "ON"):
        return Check("hub", f"not asked: HF_HUB_OFFLINE is set; what is on this machine works ({endpoint})")
    why = reach.unreachable(endpoint)
    if why:
        move = "none is needed to work offline (headstart backbones lists what is here); HF_ENDPOINT names a mirror"
        return Check("hub", f"{endpoint}: {why}", "warning", move)
    return Check("hub", f"{endpoint} answers")


def _extras() -> Check:
    wanted: dict[str, list[str]] = {}
    for requirement, extra in _requirements():
        if extra and extra not in _NO_EXTRAS:
            wanted.setdefault(extra, []).append(_NAME.match(requirement)[0])  # type: ignore[index]
    missing = [extra for extra, names in wanted.items() if not all(_version(name) for name in names)]
    here = [extra for extra in wanted if extra not in missing]
    said = f"{', '.join(here) or 'none'} installed" + (f"; {', '.join(missing)} not" if missing else "")
    return Check("extras", said, "good", f"pip install 'headstart[{','.join(missing)}]'" if missing else "")


def _shipped() -> Check:
    from headstart.backbones import catalogue

    names = [info.name for info in catalogue.search("embedded/")]
    try:
        for name in names:
            catalogue.load(name)
    except HeadstartError as error:
        return Check("embedded backbones", error.what, "broken", "pip install --force-reinstall headstart")
    if not names:
        return Check("embedded backbones", "none in the package", "broken", "pip install --force-reinstall headstart")
    return Check("embedded backbones", f"{', '.join(names)}: as they were shipped")


def _requirements() -> Iterator[tuple[str, str]]:
    """What the package needs, as (requirement, extra); "" for what it always needs."""
    for line in metadata.requires("headstart") or ():
        requirement, _, marker = line.partition(";")
        extra = _EXTRA.search(marker)
        if "headstart" not in requirement:
            yield requirement.strip(), extra[1] if extra else ""


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _satisfied(requirement: str, version: str) -> bool:
    """True if the version is one that the requirement allows; all are where nothing can read requirements."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return True
    return Requirement(requirement).specifier.contains(version, prereleases=True)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
