"""Small sets that are dropped: written where they belong, and nowhere else."""

import asyncio
import os

import pytest

from headstart.base.errors import BadOption
from headstart.studio import uploads


def take(folder, name, where, *chunks):
    async def sent():
        for chunk in chunks:
            yield chunk

    asyncio.run(uploads.take(folder, name, where, sent()))


def test_a_dropped_folder_is_a_source(tmp_path):
    name = uploads.begin(tmp_path)
    take(tmp_path, name, "photos/cat/1.jpg", b"ab", b"c")
    take(tmp_path, name, "photos/dog/2.jpg", b"d")
    source = uploads.done(tmp_path, name)
    assert source.name == "photos"
    assert (source / "cat" / "1.jpg").read_bytes() == b"abc" and (source / "dog" / "2.jpg").read_bytes() == b"d"


def test_several_dropped_folders_are_one_source(tmp_path):
    name = uploads.begin(tmp_path)
    take(tmp_path, name, "cat/1.jpg", b"a")
    take(tmp_path, name, "dog/1.jpg", b"a")
    assert sorted(path.name for path in uploads.done(tmp_path, name).iterdir()) == ["cat", "dog"]


@pytest.mark.parametrize(
    "where",
    ["../x.jpg", "a/../../x.jpg", "/etc/x", "a/./.ssh/x", ".hidden/x", "", "/", "..", "a\\..\\..\\x", "a\nb/x", "a\0b",
     "/".join("a" * 20), "x" * 300],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused(tmp_path, where):
    inside = tmp_path / "in"
    name = uploads.begin(inside)
    with pytest.raises(BadOption, match="cannot be called"):
        take(inside, name, where, b"x")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["../..", "", "0123456789ab", "x" * 12, "/etc"])
def test_a_set_that_was_not_begun_takes_nothing(tmp_path, name):
    with pytest.raises(BadOption, match="does not exist"):
        take(tmp_path, name, "a.jpg", b"x")
    with pytest.raises(BadOption, match="does not exist"):
        uploads.done(tmp_path, name)


def test_nothing_dropped_is_said(tmp_path):
    with pytest.raises(BadOption, match="Nothing was dropped"):
        uploads.done(tmp_path, uploads.begin(tmp_path))


def test_limits_hold_and_name_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "FILES", 2)
    monkeypatch.setattr(uploads, "BYTES", 10)
    name = uploads.begin(tmp_path)
    take(tmp_path, name, "a", b"12345")
    with pytest.raises(BadOption, match="path instead"):
        take(tmp_path, name, "b", b"123", b"456")
    assert not (tmp_path / name / "b").exists(), "half a file is no file"
    other = uploads.begin(tmp_path)
    for each in ("a", "b"):
        take(tmp_path, other, each, b"1")
    with pytest.raises(BadOption, match="too much"):
        take(tmp_path, other, "c", b"1")


def test_links_in_the_cache_are_not_followed_out(tmp_path):
    name = uploads.begin(tmp_path / "in")
    take(tmp_path / "in", name, "a/1.jpg", b"x")
    assert uploads.done(tmp_path / "in", name).is_relative_to(tmp_path / "in")


def test_old_sets_are_removed_and_new_ones_stay(tmp_path):
    old, new = uploads.begin(tmp_path), uploads.begin(tmp_path)
    os.utime(tmp_path / old, (0, 0))
    uploads.tidy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [new]
    uploads.tidy(tmp_path / "never")
