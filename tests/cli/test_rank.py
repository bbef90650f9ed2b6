"""``headstart rank`` as a person meets it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import headstart
from headstart.cli.shell import run
from tests.backbones import published

Captured = pytest.CaptureFixture[str]
OURS = "embedded/resnet10-procedural"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, write_shapes: Callable[..., Path]) -> Path:
    return write_shapes(tmp_path_factory.mktemp("rank") / "photos", per_class=25)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("net") / "tiny"
    published.timm_network(folder, config=True)
    return f"local:{folder}"


@pytest.mark.slow
def test_the_table_fits_80_columns_and_says_what_to_do(photos: Path, net: str, capsys: Captured) -> None:
    assert run(["rank", str(photos), "--backbones", f"{OURS},{net},local:/nowhere"]) == 0
    caught = capsys.readouterr()
    told = " ".join(caught.out.split())
    assert all(len(line) <= 80 for line in caught.out.splitlines() if "headstart fit" not in line)
    assert "Log loss Accuracy Best stage ms Beats next" in told
    assert "k-NN Shr. H LogME N-LEEP LEEP NCE" in told
    assert f"{OURS} comes first, beyond noise" in told
    assert "Reputation alone (published accuracy, then size)" in told
    assert "Where LEEP and NCE are missing: no source head." in told
    assert "local:/nowhere is not among them: There is no such file or folder" in told
    assert caught.out.rstrip().endswith(f"headstart fit {photos} --backbone {OURS}")
    assert "Prior" not in told


def test_json_has_everything_and_nothing_beside_it(photos: Path, net: str, capsys: Captured) -> None:
    assert run(["rank", str(photos), "--backbones", net, "--scores", "all", "--json"]) == 0
    caught = capsys.readouterr()
    data = json.loads(caught.out)
    assert caught.err == ""
    (row,) = data["rows"]
    assert data["best"] == data["by_prior"] == row["name"] == net
    assert data["loss"] == "log_loss" and row["loss"] > 0 and 0 <= row["score"] <= 1
    assert {"gbc", "h_score", "leep", "nce", "sfda", "transrate", "parc", "linear_probe"} <= set(row["scores"])
    assert len(row["stage_losses"]) == len(row["stages"])


def test_numbers_and_labels_are_ranked_too(photos: Path, net: str, tmp_path: Path, capsys: Captured) -> None:
    pictures = sorted(photos.rglob("*.png"))
    table = tmp_path / "table.csv"
    with table.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["path", "amount", "round", "bright"])
        for i, picture in enumerate(pictures):
            rows.writerow([picture, f"{i / 7:.3f}", int(picture.parent.name == "disc"), i % 2])
    assert run(["rank", str(table), "--label", "amount", "--backbones", net]) == 0
    told = capsys.readouterr().out
    assert "R²" in told and "Where shrinkage" not in told and "missing: not defined for numbers" in told
    assert run(["rank", str(table), "--label", "round,bright", "--backbones", net]) == 0
    told = capsys.readouterr().out
    assert "Shr. H" in told and "only network that was measured" in " ".join(told.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--backbones", "timm/resnet5000"], "Unknown backbone: timm/resnet5000"),
        (["--scores", "logmee"], "logme"),
        (["--family", "resnet", "--all-local"], "exclude each other"),
        (["--budget", "soon"], "Budget cannot be 'soon'"),
        (["--family", "zebra"], "zebra"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_read(words: list[str], said: str, capsys: Captured) -> None:
    assert run(["rank", "no/such/folder", *words]) == 2
    assert said.lower() in " ".join(capsys.readouterr().err.lower().split())


def test_with_nothing_that_loads_the_job_failed(photos: Path, capsys: Captured) -> None:
    assert run(["rank", str(photos), "--backbones", "local:/nowhere"]) == 1
    assert "None of the pretrained networks can be had" in capsys.readouterr().err


def test_the_same_in_python(photos: Path, net: str) -> None:
    found = headstart.rank_backbones(photos, backbones=[net], scores=["knn"])
    assert found.best == net and "only network that was measured" in found._repr_html_()
    listed = headstart.rank_backbones(photos, backbones=f"{net}, ", scores=["knn"])
    assert listed.rows[0].loss == found.rows[0].loss
