"""Folders as the page lists them: bounded, in order, honest about what cannot be read."""

import json
import os
import resource
import time
from pathlib import Path

import pytest

from headstart.base.errors import BadSource
from headstart.studio import browsing


def test_folders_and_tables_have_names_and_other_files_a_number(tmp_path):
    for name in ("rose 10", "rose 9", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("labels.csv", "more.TSV", "a.jpg", "b.jpg", "readme.md", ".secret.csv"):
        (tmp_path / name).touch()
    found = browsing.listing(tmp_path).as_dict(tmp_path)
    assert [each["name"] for each in found["folders"]] == ["rose 9", "rose 10"]
    assert [each["name"] for each in found["tables"]] == ["labels.csv", "more.TSV"]
    assert found["files"] == 3 and not found["cut"] and found["more"] == 0


def test_the_way_down_begins_at_the_root(tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    way = browsing.listing(deep).as_dict(tmp_path)["way"]
    assert [step["name"] for step in way] == [tmp_path.name, "a", "b"]
    assert way[0]["path"] == str(tmp_path)


def test_a_file_and_a_missing_folder_are_refused_in_words(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(BadSource, match="no folder"):
        browsing.listing(tmp_path / "file")
    with pytest.raises(BadSource, match=r"did you mean .*photos"):
        browsing.listing(tmp_path / "photo")


def test_a_folder_without_permission_says_so(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    # The permissions of files do not bind root, who runs tests in a container.
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(BadSource, match="cannot be opened: Permission denied") as refused:
        browsing.listing(tmp_path)
    assert refused.value.next_move


def test_odd_names_are_shown_as_text_and_travel_as_they_are(tmp_path):
    names = ["</script><img onerror=alert(1)>".replace("/", ""), "new\nline", os.fsdecode(b"caf\xe9")]
    for name in names:
        (tmp_path / name).mkdir()
    found = browsing.listing(tmp_path).as_dict(tmp_path)["folders"]
    assert {each["path"] for each in found} == {str(tmp_path / name) for name in names}
    assert all(each["name"].isprintable() for each in found)
    back = json.loads(json.dumps(found, ensure_ascii=True))
    assert all(Path(each["path"]).is_dir() for each in back)


def test_broken_links_and_loops_do_not_end_the_listing(tmp_path):
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "self").symlink_to(tmp_path)
    found = browsing.listing(tmp_path)
    assert found.folders == ["self"] and found.files == 2


@pytest.mark.slow
def test_a_folder_of_a_hundred_thousand_files_is_listed_at_once_in_little_memory(tmp_path):
    first = tmp_path / "0.jpg"
    first.write_bytes(b"x")
    for number in range(1, 100_000):
        # An inode takes at most 65,000 links on ext4.
        if number % 50_000 == 0:
            first = tmp_path / f"{number}.jpg"
            first.write_bytes(b"x")
        else:
            os.link(first, tmp_path / f"{number}.jpg")
    (tmp_path / "labels.csv").touch()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    found = browsing.listing(tmp_path)
    assert time.perf_counter() - started < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    assert found.cut and found.files <= browsing.MOST
    assert len(json.dumps(found.as_dict(tmp_path))) < 10_000


def test_a_folder_of_many_folders_shows_the_first_and_counts_the_rest(tmp_path):
    for number in range(browsing.SHOWN + 7):
        (tmp_path / str(number)).mkdir()
    found = browsing.listing(tmp_path)
    assert found.folders == [str(number) for number in range(browsing.SHOWN)] and found.more == 7
