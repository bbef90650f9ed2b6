"""The sources of the decision benchmark: what harms does harm, and another recipe is another folder."""

import numpy as np
import pytest
import torch

from benchmarks.deciding import sources, targets


@pytest.mark.parametrize("name", sources.SOURCES)
def test_a_source_lies_where_its_own_recipe_says(name, tmp_path, monkeypatch):
    places = {each: sources.path(each, tmp_path) for each in sources.SOURCES}
    assert len(set(places.values())) == len(sources.SOURCES)
    monkeypatch.setattr(targets, "VERSION", targets.VERSION + 1)
    assert sources.path(name, tmp_path) != places[name]


def test_shut_units_say_nothing_and_pass_no_gradient():
    alive = sources.untrained(0)
    dead = sources.shut(alive)
    pictures = torch.from_numpy(targets.labelled("letters", 4, 0)[0].transpose(0, 3, 1, 2).copy())
    alive.train(), dead.train()
    with torch.no_grad():
        silent = (dead(pictures).abs().max(dim=0).values < 1e-6).float().mean()
        assert (alive(pictures).abs().max(dim=0).values < 1e-6).float().mean() < 0.1
    assert silent == pytest.approx(sources.SHUT, abs=0.05)
    dead(pictures).sum().backward()
    moved = [p.grad.flatten(1).abs().sum(1) > 1e-8 for n, p in dead.named_parameters() if n.endswith("conv2.weight")]
    assert all(each.float().mean() < 0.35 for each in moved) and moved
    assert torch.equal(next(alive.parameters()), next(sources.untrained(0).parameters()))


def test_permuted_labels_belong_to_a_picture_and_not_to_what_it_shows(monkeypatch):
    monkeypatch.setitem(sources.PERMUTED, "pictures", 60)
    pictures, labels = sources.permuted()
    copies = int(sources.PERMUTED["copies"])
    first = pictures.reshape(-1, copies, *pictures.shape[1:]).astype(float)
    assert np.abs(first[:, 0] - first[:, 1]).mean() < 20 < np.abs(first[:-1, 0] - first[1:, 0]).mean()
    assert (labels.reshape(-1, copies) == labels[::copies, None]).all()
    assert np.bincount(labels).std() == 0


def test_a_source_that_is_there_is_not_made_again(tmp_path, monkeypatch):
    to = sources.make(sources.RANDOM, tmp_path)
    assert sources.ready(sources.RANDOM, tmp_path) and not sources.ready("patterns", tmp_path)
    monkeypatch.setattr(sources, "untrained", None)
    assert sources.make(sources.RANDOM, tmp_path) == to
