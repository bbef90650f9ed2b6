"""``headstart backbones``: what there is, what of it is here, and the stages that --depth counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headstart.cli.shell import run

Captured = pytest.CaptureFixture[str]


def test_a_search_lists_matching_names(capsys: Captured) -> None:
    assert run(["backbones", "--search", "mobilenet_v3", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) >= 2 and all("mobilenet_v3" in row["name"].lower() for row in rows)
    assert {"name", "parameters", "size", "licence", "source", "local"} <= set(rows[0])
    assert run(["backbones", "--search", "mobilenet_v3"]) == 0
    told = capsys.readouterr().out
    assert all(len(line) <= 80 for line in told.splitlines())
    assert f"{len(rows)} of {len(rows)}" in told


def test_nothing_found_is_said(capsys: Captured) -> None:
    assert run(["backbones", "--search", "zzzz"]) == 0
    assert "No network has 'zzzz' in its name" in capsys.readouterr().out


def test_without_words_those_on_this_machine_are_listed(capsys: Captured) -> None:
    assert run(["backbones"]) == 0
    told = capsys.readouterr().out
    assert "Not on this machine" in told and "--search" in told
    assert run(["backbones", "--json"]) == 0
    assert all(row["local"] for row in json.loads(capsys.readouterr().out))


def test_one_network_is_shown_with_its_numbered_stages(capsys: Captured) -> None:
    assert run(["backbones", "torchvision/mobilenet_v3_small", "--json"]) == 0
    stages = json.loads(capsys.readouterr().out)["stages"]
    assert 2 <= len(stages) <= 16
    assert run(["backbones", "torchvision/mobilenet_v3_small"]) == 0
    told = capsys.readouterr().out
    for number, stage in enumerate(stages, start=1):
        assert f"{number:>2}  {stage}" in told
    assert "Licence" in told and "Parameters" in told


def test_a_misspelt_network_is_answered_with_the_right_one(capsys: Captured) -> None:
    assert run(["backbones", "torchvision/mobilenet_v3_smal"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_pack_and_what_is_in_it(capsys: Captured, tmp_path: Path) -> None:
    shipped = json.loads(told(capsys, ["backbones", "--search", "embedded/", "--json"]))[0]["name"]
    place = str(tmp_path / "bundle")
    packed = json.loads(told(capsys, ["backbones", "pack", shipped, "-o", place, "--json"]))
    assert [row["name"] for row in packed["backbones"]] == [shipped]
    assert packed["bytes"] > 1_000_000
    assert "holds 1" in told(capsys, ["backbones", "pack", shipped, "-o", place])
    assert json.loads(told(capsys, ["backbones", "--from", place, "--json"]))[0]["name"] == shipped
    one = json.loads(told(capsys, ["backbones", shipped, "--from", place, "--json"]))
    assert one["multiply_adds"] == sum(one["stage_multiply_adds"]) > 0


def told(capsys: Captured, words: list[str]) -> str:
    assert run(words) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pack", "timm/resnet18"], "pack needs -o DIR"),
        (["timm/resnet18", "-o", "x"], "-o DIR belongs to pack"),
        (["pack", "-o", "x"], "Nothing to pack"),
        (["timm/resnet18", "timm/resnet34"], "One network is shown at a time"),
        (["timm/resnet18", "--local"], "--search and --local list many"),
        (["pack", "timm/resnet18", "-o", "x", "--from", "y"], "pack takes no --from"),
    ],
)
def test_words_that_do_not_go_together(capsys: Captured, words: list[str], said: str) -> None:
    assert run(["backbones", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_text_network_is_shown_in_the_words_of_texts(capsys: Captured, tmp_path: Path) -> None:
    textual = pytest.importorskip("tests.backbones.textual")
    folder = textual.sentence_encoder(
        tmp_path / "net", "albert", beyond=("Dense",), card="---\nlicense: mit\ndatasets: [wikipedia]\n---\n"
    )
    shown = told(capsys, ["backbones", f"local:{folder}"])
    assert "windows of up to 24 tokens" in shown
    assert "Dense layer behind it" in " ".join(shown.split())
    assert "One layer runs several times" in shown
    assert "MIT" in shown and "wikipedia" in shown
    assert "pixels" not in shown and "image" not in shown
    one = json.loads(told(capsys, ["backbones", f"local:{folder}", "--json"]))
    assert (one["modality"], one["size"], one["architecture"]) == ("texts", 24, "hf/albert")
    assert one["stages"] == ["embeddings", "layer 1", "layer 2", "layer 3"]


def test_lists_say_what_is_read_where_networks_differ_in_it(capsys: Captured) -> None:
    installed = pytest.importorskip("headstart.backbones.installed")
    if not installed.is_here():
        pytest.skip("the extra text is not installed")
    listed = told(capsys, ["backbones"])
    assert "Reads" in listed and "texts" in listed and "256 tokens" in listed.replace("\n", " ")
    assert "Reads" not in told(capsys, ["backbones", "--search", "mobilenet_v3"])
