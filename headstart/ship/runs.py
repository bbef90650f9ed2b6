"""The runs of this machine: where they lie, what each came to, and how two of them compare.

Every fit notes its folder in the cache, so that it is found wherever it lies; a folder that is gone is forgotten.
Scores are comparable only if the data, the classes and the split are the same, which is what the data's digest says.
"""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.base import discovery, files, manifest
from headstart.base.errors import HeadstartError, RunError, UnknownName
from headstart.base.machine import cache_folder
from headstart.base.run import Run
from headstart.base.vocabulary import Interval

if TYPE_CHECKING:
    from headstart.measure.metric import Metric

_DEEP = 2
"""Levels of folders below a named one that are looked through."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One run, in the words that a list needs.

    Attributes:
        path: the model's folder.
        when: ISO 8601 time it was finished, or begun where it was not.
        state: "finished" or "unfinished".
        data: what the source was.
        digest: of the data, classes and split.
        items: usable ones.
        classes: their number, or that of labels or targets; 0 if unknown.
        about: what the items are, behind their number.
        task: plug-in of the tasks room.
        stated: the score that the verdict is stated in.
        backbone: full name; "" for a model without a network.
        candidate: what was sealed.
        outcome: the verdict in one word.
        tested: True if scores are of a test part, False if cross-validated.
        scores: metric -> score with interval, of the sealed model.
        seconds: that the fit took; 0 if unknown.
    """

    path: Path
    when: str
    state: str
    data: str = ""
    digest: str = ""
    items: int = 0
    classes: int = 0
    about: str = ""
    task: str = "classification"
    stated: str = ""
    backbone: str = ""
    candidate: str = ""
    outcome: str = ""
    tested: bool = False
    scores: Mapping[str, Interval] | None = None
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        scores = {name: score.as_dict() for name, score in (self.scores or {}).items()}
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in ("path", "scores")}
        return {"path": str(self.path), **plain, "scores": scores}


def remember(folder: Path, run: str) -> None:
    """Note where a run lies; a cache that cannot be written to costs its place in the list, and no more."""
    with contextlib.suppress(HeadstartError):
        files.write_json(_known() / f"{run}.json", {"path": str(Path(folder).absolute())})


def found(folders: Iterable[str | Path] = ()) -> list[Path]:
    """Model folders: those noted on this machine, or those that are or lie in the given folders.

    Raises:
        RunError: when a given folder holds none.
    """
    given = [Path(folder).expanduser() for folder in folders]
    if not given:
        return list(dict.fromkeys(path for path in _noted() if _begun(path)))
    result: list[Path] = []
    for folder in given:
        below = [path for level in range(1, _DEEP + 1) for path in sorted(folder.glob("/".join("*" * level)))]
        own = [path for path in (folder, *below) if path.is_dir() and _begun(path)]
        if not own:
            raise RunError(
                f"There is no run in {folder}", expected="a folder that headstart fit wrote, or one above it"
            )
        result += own
    return list(dict.fromkeys(path.absolute() for path in result))


def summary(folder: str | Path) -> Summary:
    """What a run came to; of one that has not finished, what is known.

    Raises:
        RunError, ModelFolderError: when its files are damaged.
    """
    folder = Path(folder)
    run = Run(folder / "run")
    if not manifest.is_model(folder):
        begun = (run.path / "config.json").stat().st_mtime
        config = run.config
        return Summary(
            path=folder,
            when=datetime.datetime.fromtimestamp(begun, datetime.UTC).isoformat(timespec="seconds"),
            state="unfinished",
            data=_source(run.data),
            digest=str(config.get("data", "")),
            items=sum(run.data.get("parts", {}).values()),
            classes=len(run.data.get("counts", {})),
            about=str(run.data.get("targets") or ""),
            task=str(run.data.get("task") or "classification"),
            backbone=str(config.get("backbone", "")),
        )
    sealed = manifest.read(folder)
    parts = sealed.data.get("parts")
    seconds = sealed.training.get("seconds")
    return Summary(
        path=folder,
        when=sealed.created,
        state="finished",
        data=_source(sealed.data),
        digest=str(sealed.data.get("digest", "")),
        items=sum(int(str(size)) for size in parts.values()) if isinstance(parts, Mapping) else 0,
        classes=len(sealed.names),
        about=str(sealed.data.get("targets") or f"in {len(sealed.names)} classes"),
        task=sealed.task,
        stated=str(sealed.verdict.get("metric") or ""),
        backbone=sealed.backbone.name if sealed.backbone else "",
        candidate=str(sealed.training.get("candidate", "")),
        outcome=str(sealed.verdict.get("outcome", "")),
        tested=bool(sealed.verdict.get("tested", False)),
        scores={name: Interval(score.value, score.low, score.high) for name, score in sealed.metrics.items()},
        seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
    )


def metrics(task: str) -> Mapping[str, Metric]:
    """Every score of a task.

    Raises:
        UnknownName: no such task here.
    """
    found: Mapping[str, Metric] = discovery.load("tasks", task).METRICS
    return found


def metric(one: Summary, name: str | None) -> Metric:
    """The named score of a run's task; by default the one its verdict is stated in.

    Raises:
        UnknownName: no such score of this task.
    """
    known = metrics(one.task)
    if name is None:
        name = one.stated if one.stated in known else next(iter(known))
    if name not in known:
        raise UnknownName("metric", name, known)
    return known[name]


def gaps(folders: Sequence[str | Path], metric: Metric) -> list[Interval | None]:
    """How much better each run's sealed model is than the first's, item by item on the same test items.

    Args:
        folders: finished runs on the same data; the first is what the others are compared with.
        metric: a score of their task.

    Returns:
        One an other run: above 0 is better than the first. None where a run kept no predictions, or those of other
        items.
    """
    import numpy as np

    from headstart.measure import intervals

    kept = [_predictions(Path(folder)) for folder in folders]
    first = kept[0]
    result: list[Interval | None] = []
    for other in kept[1:]:
        paired = first is not None and other is not None and np.array_equal(first[1], other[1])
        result.append(intervals.gain(metric, other[0], first[0], first[1]) if paired else None)  # type: ignore[index]
    return result


def comparable(found: Sequence[Summary]) -> bool:
    """True if all have finished, on the same data and the same split."""
    return len({one.digest for one in found}) == 1 and all(one.state == "finished" for one in found)


def sentences(
    found: Sequence[Summary], gaps: Sequence[Interval | None], metric: Metric, *, name: Callable[[Summary], str]
) -> list[str]:
    """How each run compares with the first, in words; or why they cannot be compared.

    Args:
        found: the runs.
        gaps: of all but the first, as ``gaps`` gives them.
        metric: what they were compared by.
        name: what to call a run.
    """
    waiting = [name(one) for one in found if one.state != "finished"]
    if waiting:
        return [f"{', '.join(waiting)} has not finished: there is nothing to compare yet."]
    if not comparable(found):
        return ["These scores cannot be compared: the data, the classes or the split are not the same."]
    return [
        _gap(name(one), name(found[0]), gap, metric, tested=one.tested)
        for one, gap in zip(found[1:], gaps, strict=True)
    ]


def _gap(name: str, first: str, gap: Interval | None, metric: Metric, *, tested: bool) -> str:
    if gap is None:
        return f"{name} and {first} cannot be paired: their predictions were not kept."
    title = metric.title.lower() if metric.percent else metric.title
    scale, digits, unit = (100, 1, " points") if metric.percent else (1, 3, "")
    low, value, high = (f"{scale * each:+.{digits}f}" for each in (gap.low, gap.value, gap.high))
    clear = "better" if gap.low > 0 else "worse" if gap.high < 0 else "not clearly different"
    where = "the same test items" if tested else "the same cross-validated items"
    return f"{name} is {clear}: {value}{unit} of {title} from {first} (95 % interval {low} to {high}), on {where}."


def _predictions(folder: Path) -> tuple[Any, Any] | None:
    """Predictions of the sealed model on the test items, and their targets; None if they were not kept."""
    run = Run(folder / "run")
    arrays, winner = run.arrays("predictions"), str(run.verdict.get("winner"))
    if winner not in arrays or "targets" not in arrays:
        return None
    predictions = arrays[winner].astype("float64")
    if predictions.ndim != 2 or len(arrays["targets"]) != len(predictions):
        return None
    return predictions, arrays["targets"]


def _source(data: Mapping[str, Any]) -> str:
    """The source's name out of the sentence that says how it was read."""
    name, colon, _ = str(data.get("understood", "")).partition(": ")
    return str(data.get("origin") or (name if colon else "?"))


def _known() -> Path:
    return cache_folder() / "known"


def _noted() -> list[Path]:
    result = []
    for file in _known().glob("*.json"):
        try:
            result.append(Path(json.loads(file.read_text(encoding="utf-8"))["path"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return result


def _begun(folder: Path) -> bool:
    try:
        return manifest.is_model(folder) or Run(folder / "run").exists()
    except OSError:
        return False
