"""A model that exists is loaded, scored, exported, served, shown and told to a tracker."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.base import discovery
from headstart.base.errors import BadOption, MissingExtra
from headstart.base.machine import here
from headstart.base.progress import Reporter
from headstart.ship import exporting, sealed
from headstart.ship.exporting import Exported
from headstart.ship.report import page
from headstart.ship.sealed import Model
from headstart.track import following

if TYPE_CHECKING:
    from headstart.ship.server.running import Server
from headstart.base.quantities import seconds


def load(path: str | Path) -> Model:
    """Load a sealed model; its golden examples are replayed first.

    Raises:
        ModelFolderError: when the folder is incomplete, edited, unsafe, or does not give its golden answers.
    """
    return sealed.load(path)


def evaluate(
    model: Model | str | Path,
    source: Any,
    labels: Sequence[Any] | None = None,
    *,
    label: str | None = None,
    path: str | None = None,
    text: str | Sequence[str] | None = None,
    precision: str = "float32",
    report: Reporter | None = None,
) -> dict[str, Any]:
    """Score a model on labelled items: every metric with its 95 % interval, and the confusion counts.

    Args:
        model: a model or its folder.
        source, labels, label, path, text: labelled items, as ``fit`` takes them.
        precision: "float32", "bf16" or "auto".
        report: told of progress.
    """
    ready = model if isinstance(model, Model) else load(model)
    return ready.evaluate(source, labels, label=label, path=path, text=text, precision=precision, report=report)


def export(
    model: Model | str | Path,
    output: str | Path,
    *,
    to: str = "onnx",
    int8: bool = False,
    validate: Any = None,
    label: str | None = None,
    path: str | None = None,
    text: str | Sequence[str] | None = None,
    overwrite: bool = False,
    report: Reporter | None = None,
) -> Exported:
    """Write a model in a format that others read; what was written is run and compared with the model first.

    Args:
        model: a model or its folder, which is loaded anew.
        output: the file ("flowers.onnx") or, for the other formats, the folder.
        to: "onnx", "safetensors" or "hf".
        int8: eight-bit integers instead of floats (onnx); what that costs is measured.
        validate: labelled items to measure it on, as ``fit`` takes them; the run's validation items by default.
        label, path, text: columns of ``validate``, if that is a table.
        overwrite: replace an earlier export.
        report: told of progress.

    Returns:
        Where it lies, how it was checked, the largest difference, and how to use it.

    Raises:
        ExportError: when the model cannot be exported so, or what was written gives something else.
        HeadstartError: its other subclasses say what was wrong and what to do.
    """
    folder = model.path if isinstance(model, Model) else model
    return exporting.export(
        folder,
        output,
        to=to,
        options={"int8": True} if int8 else {},
        validate=validate,
        label=label,
        path=path,
        text=text,
        overwrite=overwrite,
        report=report,
    )


def serve(
    model: Model | str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str = "",
    max_batch: int = 16,
    max_wait: str | float = "5ms",
    max_queue: int = 256,
    max_items: int = 64,
    max_body: float = 20,
    max_size: int | None = None,
    timeout: str | float = "30s",
    precision: str = "float32",
    threads: int = 0,
    started: Callable[[Server], None] | None = None,
    report: Reporter | None = None,
) -> int:
    """Answer over HTTP until SIGTERM or Ctrl-C, then finish what is in flight.

    Args:
        model: a model or its folder.
        host: an address of this machine; where others reach it, clients need a token.
        port: 0 takes any free one.
        token: that clients must send; by default none on this machine alone, and elsewhere one is made.
        max_batch: items in one forward pass.
        max_wait: how long an item waits for others to share it with.
        max_queue: items inside at once; more are answered with 503.
        max_items: items in one request.
        max_body: megabytes of one request.
        max_size: of one item before it is decoded (pixels of a picture); by default what its modality says.
        timeout: from a request's first byte to its answer.
        precision: "float32", "bf16" or "auto".
        threads: of the network; 0 measures how many are fastest.
        started: called with the server, its ``url`` and ``token``, once it answers.
        report: told what happens; every request is a detail.

    Returns:
        How many requests were cut off, which only a second signal does.

    Raises:
        BadOption: an address that cannot be had, or an impossible limit.
        ModelFolderError: when the model cannot be used.
        MissingExtra: when the libraries of the extra ``serve`` are not installed.
    """
    for library in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
        if importlib.util.find_spec(library) is None:
            raise MissingExtra(library.replace("_", "-"), "serve")
    from headstart.ship.server import running
    from headstart.ship.server.limits import MEGABYTE, Limits

    given = {"batch": max_batch, "queue": max_queue, "items": max_items, "body": int(max_body * MEGABYTE)}
    wait = 0.0 if max_wait in (0, "0") else seconds(max_wait, "max_wait")
    limits = Limits(**given, wait=wait, timeout=seconds(timeout, "timeout"))
    here(precision)
    # The address first: a port that is taken should be said before a large model is loaded.
    with contextlib.closing(running.Place(host, port)) as place:
        ready = model if isinstance(model, Model) else load(model)
        wire = discovery.load("data", ready.manifest.modality).WIRE
        if not wire.media and not wire.text:
            raise BadOption(
                f"A model of {ready.manifest.modality} is not served: a server answers each item by itself, and these "
                "are answered together",
                next_move="headstart predict MODEL FILE --json answers a whole file, and hs.load(MODEL) a program",
            )
        most = wire.most if max_size is None else max_size
        server = running.Server(
            ready,
            place,
            replace(limits, item=most),
            token=token,
            precision=precision,
            threads=threads,
            report=report,
        )
        return server.run(lambda: started(server) if started else None)


def report(model: Model | str | Path, output: str | Path | None = None) -> Path:
    """Write the report of a model: one page of HTML that shows its run, without a network.

    Args:
        model: a model or its folder, also that of a run that was interrupted.
        output: the file; ``report.html`` in the folder by default.

    Returns:
        The file.

    Raises:
        HeadstartError: there is no model and no run, or the page cannot be written.
    """
    return page.write(model.path if isinstance(model, Model) else model, output)


def track_run(model: Model | str | Path, to: str, *, weights: bool = False) -> str:
    """Tell the run of a model to a tracker; what it was told before is not told again.

    Args:
        model: a model or its folder, also that of a run that has not finished.
        to: "tensorboard:FOLDER" or "mlflow:ADDRESS", as ``fit`` takes them.
        weights: also send the weights; the card and the report go with every run.

    Returns:
        Where it can be seen.

    Raises:
        RunError: there is no run, or the tracker does not take it.
    """
    folder = model.path if isinstance(model, Model) else Path(model).expanduser()
    return following.tell(folder.absolute(), to, weights=weights)
