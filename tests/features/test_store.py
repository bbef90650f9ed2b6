"""The store: what is put in comes out, whoever else writes, whatever was killed."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from headstart.base.errors import HeadstartError, RunError
from headstart.features import store as module
from headstart.features.store import Store, Writer


def rows(start, count):
    return [f"item{i}" for i in range(start, start + count)], torch.arange(start, start + count).float()[:, None]


def test_what_is_put_in_comes_out_in_the_order_asked_for(store):
    shelf = store.shelf(what="test")
    for start in (0, 10, 20):
        digests, values = rows(start, 10)
        shelf.put(digests, {"value": values})
    wanted = ["item25", "item3", "item3", "item11"]
    assert shelf.gather(wanted, "value").flatten().tolist() == [25.0, 3.0, 3.0, 11.0]
    again = Store(store.root).shelf(what="test")
    assert again.gather(wanted, "value").flatten().tolist() == [25.0, 3.0, 3.0, 11.0]


def test_missing_names_each_item_once(store):
    shelf = store.shelf(what="test")
    digests, values = rows(0, 4)
    shelf.put(digests, {"value": values})
    assert shelf.missing(["item9", "item1", "item9", "item8"]) == ["item9", "item8"]
    with pytest.raises(RunError, match="1 items"):
        shelf.gather(["item1", "item77"], "value")


def test_keys_do_not_mix(store):
    digests, values = rows(0, 4)
    store.shelf(what="test", view="plain").put(digests, {"value": values})
    assert store.shelf(what="test", view="mirror").missing(digests) == digests


def test_bf16_comes_out_as_bf16(store):
    shelf = store.shelf(what="test")
    digests, values = rows(0, 4)
    shelf.put(digests, {"value": values.bfloat16()})
    assert shelf.gather(digests, "value").dtype is torch.bfloat16


def test_a_damaged_shard_counts_as_missing_and_is_made_again(store):
    shelf = store.shelf(what="test")
    digests, values = rows(0, 4)
    shelf.put(digests, {"value": values})
    shard = next(shelf.folder.glob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-5])
    again = store.shelf(what="test")
    assert again.missing(digests) == digests
    again.put(digests, {"value": values})
    assert store.shelf(what="test").gather(digests, "value").flatten().tolist() == [0.0, 1.0, 2.0, 3.0]


def test_a_shard_that_is_pruned_while_it_is_opened_counts_as_missing(store, monkeypatch):
    """PyTorch opens the file a second time to map it, and says so when another process has removed it by then."""
    shelf = store.shelf(what="pooled")
    shelf.put(["a"], {"x": torch.ones(1, 4)})

    def opened(path, kind):
        path.unlink()
        raise RuntimeError(f"unable to open file <{path}> in read-only mode: No such file or directory (2)")

    monkeypatch.setattr(module, "safe_open", opened)
    assert store.shelf(what="pooled").missing(["a"]) == ["a"]


def test_a_writer_flushes_full_shards_and_the_rest(store):
    shelf = store.shelf(what="test")
    writer = Writer(shelf, shard_bytes=40)
    for start in range(0, 30, 5):
        digests, values = rows(start, 5)
        writer.add(digests, {"value": values})
    writer.flush()
    assert len(list(shelf.folder.glob("*.safetensors"))) == 3
    assert shelf.missing([f"item{i}" for i in range(30)]) == []


WRITE = """
import sys, torch
from pathlib import Path
from headstart.features.store import Store
root, offset = Path(sys.argv[1]), int(sys.argv[2])
shelf = Store(root).shelf(what="test")
for start in range(offset, offset + 4000, 10):
    names = [f"item{i}" for i in range(start, start + 10)]
    shelf.put(names, {"value": torch.arange(start, start + 10).float()[:, None].repeat(1, 500)})
"""


@pytest.mark.slow
def test_two_processes_and_a_reader_never_see_half_a_shard(store):
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(store.root), str(offset)]) for offset in (0, 2000)]
    read = 0
    while any(writer.poll() is None for writer in writers):
        shelf = store.shelf(what="test")
        there = [f"item{i}" for i in range(0, 6000, 7) if f"item{i}" in shelf._place]
        if there:
            values = shelf.gather(there, "value")
            assert values[:, 0].tolist() == values[:, -1].tolist() == [float(name[4:]) for name in there]
            read += 1
        time.sleep(0.05)
    assert all(writer.returncode == 0 for writer in writers) and read > 0


@pytest.mark.slow
def test_a_killed_writer_leaves_only_whole_shards(store):
    writer = subprocess.Popen([sys.executable, "-c", WRITE, str(store.root), "0"])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(list(store.root.glob("*/*.safetensors"))) < 20:
        time.sleep(0.02)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    shelf = store.shelf(what="test")
    there = list(shelf._place)
    assert len(there) >= 200
    assert shelf.gather(there, "value")[:, -1].tolist() == [float(name[4:]) for name in there]


def test_a_folder_that_cannot_be_written_to_is_named(store, tmp_path):
    (tmp_path / "file").write_text("in the way")
    shelf = Store(tmp_path / "file" / "store").shelf(what="test")
    digests, values = rows(0, 2)
    with pytest.raises(HeadstartError, match="Cannot write"):
        shelf.put(digests, {"value": values})


def test_room_is_refused_past_the_limit(tmp_path):
    store = Store(tmp_path / "not" / "yet", limit=1000)
    assert store.room_for(999) and not store.room_for(1001)


def test_prune_removes_what_was_not_used(store):
    digests, values = rows(0, 4)
    store.shelf(what="old").put(digests, {"value": values})
    old = next(store.root.iterdir())
    os.utime(old, (1, 1))
    store.shelf(what="new").put(digests, {"value": values})
    assert store.prune(3600) > 0
    assert not old.exists() and store.shelf(what="new").missing(digests) == []


def test_an_empty_shelf_gives_nothing(store):
    assert store.shelf(what="empty").gather([], "value").numel() == 0
