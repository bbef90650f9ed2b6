"""Paths from a page: inside, or refused."""

import os

import pytest

from headstart.base.errors import BadSource
from headstart.studio.place import OutOfBounds, Place


@pytest.fixture
def place(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    return Place.at(tmp_path / "in")


def test_paths_inside_are_resolved(place):
    assert place.inside(str(place.root / "deep")) == place.root / "deep"
    assert place.inside("deep") == place.root / "deep"
    assert place.inside("deep/../deep/./x") == place.root / "deep" / "x"


@pytest.mark.parametrize(
    "path", ["..", "../out", "/", "/etc/passwd", "deep/../../out", "~", "", "  ", "a\0b", "../in-2"]
)
def test_paths_that_lead_out_are_refused_in_words(place, path):
    with pytest.raises(OutOfBounds) as refused:
        place.inside(path)
    assert refused.value.expected


def test_a_link_is_judged_by_where_it_leads(place, tmp_path):
    (place.root / "inward").symlink_to(place.root / "deep")
    (place.root / "outward").symlink_to(tmp_path / "out")
    (place.root / "round").symlink_to(place.root / "round")
    assert place.inside("inward/x") == place.root / "deep" / "x"
    with pytest.raises(OutOfBounds):
        place.inside("outward/x")
    assert place.inside("round") == place.root / "round"


def test_a_neighbour_whose_name_begins_alike_is_outside(place, tmp_path):
    (tmp_path / "inside").mkdir()
    with pytest.raises(OutOfBounds):
        place.inside(str(tmp_path / "inside"))


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(BadSource, match="no folder"):
        Place.at(tmp_path / "nowhere")


def test_home_is_the_default_and_browsing_starts_where_the_command_was_typed(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "photos").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "photos")
    assert Place.at(None) == Place(home.resolve(), (home / "photos").resolve())
    monkeypatch.chdir(tmp_path)
    assert Place.at(None).start == home.resolve()


def test_names_of_any_bytes_are_paths(place):
    name = os.fsdecode(b"caf\xe9")
    (place.root / name).mkdir()
    assert place.inside(name) == place.root / name
