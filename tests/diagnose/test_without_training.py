"""Every finding that needs no training: on pictures that have the fault, and on real and made ones that have not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import headstart as hs
from headstart.base import discovery
from headstart.base.vocabulary import BackboneInfo, Finding, Preprocessing, Table
from headstart.data import looking
from headstart.diagnose import examining, giveaway, outliers, small_test
from headstart.diagnose.evidence import Inspection, inspection
from tests.data.pictures import noise
from tests.data.test_appearance import smooth_noise
from tests.diagnose.test_texts import OF_TEXTS

EMBEDDED = "embedded/resnet10-procedural"
SIZE = hs.describe_backbone(EMBEDDED).preprocessing.size

Labelled = dict[str, list[Any]]


def pictures(number: int, start: int = 0, height: int = 24, width: int = 24) -> list[Any]:
    return [noise(start + i, height, width) for i in range(number)]


def healthy() -> Labelled:
    return {name: pictures(30, 100 * i) for i, name in enumerate(("ash", "beech", "oak"))}


def saved(folder: Path, images: list[Any], name: str, **given: Any) -> list[str]:
    paths = []
    for i, image in enumerate(images):
        paths.append(str(folder / f"{name}-{i}.{given.get('format', 'png').lower()}"))
        (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(paths[-1], **given)
    return paths


def imbalanced(_: Path) -> Labelled:
    return healthy() | {"beech": pictures(120, 1000)}


def scarce(_: Path) -> Labelled:
    return healthy() | {"beech": pictures(5, 1000)}


def doubled(_: Path) -> Labelled:
    return healthy() | {"beech": pictures(20, 100) + pictures(10, 100)}


def conflicting(_: Path) -> Labelled:
    found = healthy()
    return found | {"oak": [*found["oak"][:-1], found["ash"][0]]}


def unreadable(folder: Path) -> Labelled:
    (folder / "bad.png").write_bytes(b"no picture")
    return healthy() | {"oak": [*pictures(30, 200), str(folder / "bad.png")]}


def alike(_: Path) -> Labelled:
    return healthy() | {"Oak ": pictures(30, 1000)}


def amounts(_: Path) -> Labelled:
    return {str(3 * i): pictures(21, 100 * i) for i in range(14)}


def lonely(_: Path) -> Labelled:
    return healthy() | {"beech": pictures(2, 1000)}


def blank(_: Path) -> Labelled:
    return healthy() | {"oak": [*pictures(28, 200), *(np.full((24, 24), grey, np.uint8) for grey in (9, 200))]}


def long(_: Path) -> Labelled:
    return {name: pictures(30, 100 * i, 20, 60) for i, name in enumerate(("ash", "oak"))}


def tiny(_: Path) -> Labelled:
    return {name: pictures(30, 100 * i, SIZE // 2 - 2, SIZE // 2 - 2) for i, name in enumerate(("ash", "oak"))}


def enlarged(_: Path) -> Labelled:
    small = [smooth_noise(SIZE // 8, seed) for seed in range(60)]
    large = [image.resize((2 * SIZE, 2 * SIZE), Image.Resampling.BICUBIC) for image in small]
    return {"ash": large[:30], "oak": large[30:]}


def grey(_: Path) -> Labelled:
    return {name: [each[:, :, 0] for each in images] for name, images in healthy().items()}


def one_giant(_: Path) -> Labelled:
    return healthy() | {"oak": [*pictures(29, 200), noise(7, 600, 600)]}


def sized(_: Path) -> Labelled:
    return healthy() | {"oak": pictures(30, 200, 30, 30), "ash": pictures(30, 0, 20, 20)}


def squeezed(folder: Path) -> Labelled:
    found = healthy()
    parts = {"ash": 30, "beech": 90, "oak": 60}
    return {n: saved(folder, found[n], n, format="JPEG", quality=parts[n]) for n in found}


def one_camera(folder: Path) -> Labelled:
    found, exif = healthy() | {"elm": pictures(30, 400)}, Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "Eye 3"
    return {n: saved(folder, found[n], n, format="JPEG", **({"exif": exif} if n == "elm" else {})) for n in found}


def moving(folder: Path) -> Labelled:
    first, second = (Image.fromarray(noise(seed)) for seed in (800, 801))
    for i in range(2):
        first.save(folder / f"{i}.gif", save_all=True, append_images=[second], duration=100 + i)
    return healthy() | {"oak": [*pictures(28, 200), str(folder / "0.gif"), str(folder / "1.gif")]}


def faint(_: Path) -> Labelled:
    """Twelve bits of a camera in files of sixteen."""
    return {n: [16 * each[:, :, 0].astype(np.uint16) for each in images] for n, images in healthy().items()}


def see_through(_: Path) -> Labelled:
    clear = [np.dstack([each, np.full((24, 24), 255 - 9 * (i < 5), np.uint8)]) for i, each in enumerate(pictures(30))]
    return healthy() | {"ash": clear}


def twins(_: Path) -> Labelled:
    """Six photographs of one class are there twice, a little darker."""
    found = {n: [smooth_noise(64, 100 * i + j) for j in range(30)] for i, n in enumerate(("ash", "oak"))}
    return found | {"oak": [*found["oak"], *(image.point(lambda v: int(0.97 * v)) for image in found["oak"][:6])]}


# (the finding, pictures that have the fault, its severity, words of its sentence)
FAULTS: list[tuple[str, Callable[[Path], Labelled], str, str]] = [
    ("imbalance", imbalanced, "warning", "beech (120 images), is 4.0 times the smallest, ash (30)"),
    ("few_examples", scarce, "warning", "1 class has fewer than 20 different images: beech (5)"),
    ("duplicates", doubled, "warning", "10 images of 90 are exact copies of others"),
    ("conflicting_labels", conflicting, "serious", "1 content is there under different labels: item 1 (ash / oak)"),
    ("unreadable", unreadable, "warning", "1 image of 91 cannot be used: its content is not an image"),
    ("names_alike", alike, "warning", "1 group of class names differs only in spelling: Oak / oak"),
    ("numeric_names", amounts, "warning", "All 14 class names are numbers, from 0 to 39"),
    ("unusable", lonely, "serious", "fit would stop: 1 class has fewer than 3 different items: beech (2)"),
    ("small_test", lambda _: healthy(), "info", "With 90 images, cross-validated, two models have to be about 9"),
    ("blank", blank, "info", "2 images of 90 show next to nothing but one colour"),
    ("several_frames", moving, "warning", "2 images of 90 hold several pictures (animations, or pages)"),
    ("elongated", long, "warning", "All 60 images are over twice as long as wide"),
    ("resolution", tiny, "warning", f"All 60 images are enlarged more than twice to fill the {SIZE} pixels"),
    ("blurred", enlarged, "warning", f"less detail than half of the {SIZE} pixels that"),
    ("colourless", grey, "info", f"All 90 images have no colour, and {EMBEDDED} reads colour"),
    ("narrow_range", faint, "warning", "All 90 images use less than 20% of the range from black to white"),
    ("transparent", see_through, "info", "5 images of 90 are transparent in places, which is read as white"),
    ("outliers", one_giant, "info", "1 image of 90 with a "),
    ("near_duplicates", twins, "info", "12 images of 66 are near duplicates, in 6 clusters: in effect there are 60"),
    ("giveaway", sized, "serious", "alone tells the class in 100% of the cases (by chance 33%)"),
    ("giveaway", squeezed, "serious", "The JPEG quality alone tells the class in 100%"),
    ("giveaway", one_camera, "warning", "The camera named in the file alone tells elm from the other classes"),
]  # fmt: skip


def found_in(labelled: Labelled) -> dict[str, Finding]:
    report = hs.inspect(labelled, backbone=EMBEDDED)
    return {finding.name: finding for finding in report.findings}


@pytest.mark.parametrize(("name", "make", "severity", "words"), FAULTS, ids=lambda x: getattr(x, "__name__", None))
def test_a_fault_is_found_and_put_in_words(
    tmp_path: Path, name: str, make: Callable[[Path], Labelled], severity: str, words: str
) -> None:
    finding = found_in(make(tmp_path))[name]
    assert finding.severity == severity
    assert words in finding.sentence
    assert finding.next_move
    above = finding.number >= finding.threshold
    assert above or name == "few_examples"


def test_every_finding_has_a_fault_here() -> None:
    untrained = {
        name
        for name, plugin in discovery.plugins("diagnose").items()
        if examining.reads(plugin.load(), inspection(looking.look(Table((), (), (), "", ""))))
    }
    elsewhere = {"leaking_copies", "untested", "conflicting_near_copies", "leaking_near_copies"}
    assert untrained == {name for name, *_ in FAULTS} | elsewhere | set(OF_TEXTS)


def test_pictures_without_a_fault_raise_no_alarm() -> None:
    assert set(found_in(healthy())) <= {"small_test", "resolution"}


def test_percentage_points_are_not_spoken_of_where_numbers_are_predicted() -> None:
    items = pictures(40)
    assert "small_test" in {each.name for each in hs.inspect(items, ["a", "b"] * 20).findings}
    assert "small_test" not in {each.name for each in hs.inspect(items, [i + 0.5 for i in range(40)]).findings}
    grades = hs.inspect(items, list(range(10)) * 4, task="regression")
    assert not {"small_test", "few_examples"} & {each.name for each in grades.findings}


def test_real_digits_raise_no_alarm() -> None:
    data = load_digits()
    labelled = {str(c): list((data.images[data.target == c] * 255 / 16).astype(np.uint8)) for c in range(10)}
    findings = hs.inspect(labelled).findings
    assert [each for each in findings if each.severity != "info"] == []
    assert {each.name for each in findings} <= {"small_test", "near_duplicates"}


def test_made_shapes_raise_no_alarm(write_shapes: Callable[..., Path], tmp_path: Path) -> None:
    report = hs.inspect(str(write_shapes(tmp_path / "shapes", per_class=30, size=48)), backbone=EMBEDDED)
    assert {each.name for each in report.findings} <= {"small_test", "near_duplicates"}
    assert report.classes == {"checks": 30, "disc": 30, "stripes": 30} and report.cross_validated


def split_folder(folder: Path, parts: dict[str, dict[str, list[Any]]]) -> Path:
    for part, classes in parts.items():
        for name, images in classes.items():
            (folder / part / name).mkdir(parents=True)
            saved(folder / part / name, images, name)
    return folder


def test_copies_across_a_given_split_are_serious(tmp_path: Path) -> None:
    train = {name: images[:24] for name, images in healthy().items()}
    test = {name: images[22:] for name, images in healthy().items()}
    report = hs.inspect(split_folder(tmp_path, {"train": train, "test": test}))
    first = report.findings[0]
    assert (first.name, first.severity, first.number) == ("leaking_copies", "serious", 6)
    assert all(len(pair) == 2 for pair in first.evidence["copies"])
    apart = {name: images[24:] for name, images in healthy().items()}
    clean = hs.inspect(split_folder(tmp_path / "clean", {"train": train, "test": apart}))
    assert "leaking_copies" not in {each.name for each in clean.findings}


def test_classes_that_a_test_part_lacks_are_named(tmp_path: Path) -> None:
    train = {name: images[:24] for name, images in healthy().items()}
    test = {"ash": pictures(6, 5000), "oak": pictures(6, 6000)}
    report = hs.inspect(split_folder(tmp_path, {"train": train, "test": test}))
    finding = next(each for each in report.findings if each.name == "untested")
    assert finding.sentence == "1 class is not in the given test part: beech"


def test_findings_come_most_serious_first(tmp_path: Path) -> None:
    labelled = conflicting(tmp_path) | {"elm": pictures(100, 3000)}
    order = [each.severity for each in hs.inspect(labelled).findings]
    assert order == sorted(order, key=examining.SEVERITIES.index) and len(set(order)) == 3


def test_data_that_fit_refuses_are_inspected_all_the_same() -> None:
    report = hs.inspect({"ash": pictures(40), "oak": [f"/nowhere/{i}.png" for i in range(40)]})
    names = [each.name for each in report.findings]
    assert {"unusable", "unreadable"} <= set(names) and report.parts == {}
    said = next(each.sentence for each in report.findings if each.name == "unusable")
    assert said.startswith("fit would stop: 40 of 80 items cannot be used: ") and "\n" not in said
    assert said.endswith("; and 35 more")
    assert report.findings[0].severity == "serious"


def test_a_plain_backbone_is_compared_by_its_own_size() -> None:
    table = Table(tuple(pictures(40, 0, 100, 100)), ("a", "b") * 20, (None,) * 40, "here", "so")
    info = BackboneInfo("x/y", "x/y", 0, (), 8, Preprocessing(size=224))
    looked = looking.look(table)
    assert "resolution" in {each.name for each in examining.examined(inspection(looked, backbone=info))}
    smaller = replace(info, preprocessing=Preprocessing(size=200))
    assert "resolution" not in {each.name for each in examining.examined(inspection(looked, backbone=smaller))}


def test_the_smallest_gap_is_what_a_simulation_shows() -> None:
    rng = np.random.default_rng(0)
    items, gap = 400, small_test.smallest_gap(400)
    better, worse = (0.1 + gap) / 2, (0.1 - gap) / 2
    draws = rng.choice([1, -1, 0], size=(4000, items), p=[better, worse, 0.9])
    means, spreads = draws.mean(axis=1), draws.std(axis=1) / np.sqrt(items)
    power = (np.abs(means / spreads) > 1.96).mean()
    assert power == pytest.approx(0.8, abs=0.04)


def test_the_one_question_rule_is_at_chance_on_noise_and_certain_on_a_copy() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 800)
    by_chance = giveaway.recalls(rng.normal(size=800), labels, 4).diagonal().mean()
    assert by_chance == pytest.approx(0.25, abs=0.06)
    assert giveaway.recalls(labels.astype(float), labels, 4).diagonal().min() == 1
    assert giveaway.recalls(np.array(["a", "b", "c", "d"])[labels], labels, 4).diagonal().min() == 1
    assert giveaway.recalls(np.full(800, np.nan), labels, 4).size == 0


def test_a_rare_class_counts_as_much_as_a_large_one() -> None:
    labels = np.repeat([0, 1], [950, 50])
    assert giveaway.recalls(np.random.default_rng(1).normal(size=1000), labels, 2).diagonal().mean() < 0.65


def test_outliers_are_rare_and_far() -> None:
    values = np.full(100, 50.0)
    assert len(outliers.far(values)) == 0
    values[3] = 5000
    assert outliers.far(values).tolist() == [3]
    spread = np.exp(np.random.default_rng(0).normal(0, 1, 500))
    assert len(outliers.far(spread)) == 0, "sizes that vary this much are no outliers"


def test_a_diagnosis_that_fails_costs_nothing_but_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from headstart.diagnose import duplicates

    def fails(evidence: Inspection) -> Finding | None:
        raise ZeroDivisionError("of course")

    monkeypatch.setattr(duplicates, "examine", fails)
    assert "few_examples" in found_in(scarce(Path()))
    assert "duplicates failed" in caplog.text and "of course" in caplog.text
