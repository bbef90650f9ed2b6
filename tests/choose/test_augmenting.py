"""``--set augmentation.NAME``: read once, refused early, the same for every rung."""

import pytest
import small

from headstart.base.errors import BadOption, UnknownName
from headstart.choose import augmenting, ladder
from headstart.choose.rungs import Rung


def test_settings_are_read_by_their_types():
    given = {
        "augmentation.mixup": "0.2",
        "augmentation.randaugment": "9",
        "augmentation.flip": "no",
        "strategy.rate": "1",
    }
    assert augmenting.read(given, "full") == {"mixup": 0.2, "randaugment": 9, "flip": False}
    assert augmenting.read({}, "probe") == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mixup", "-1"),
        ("mixup", "inf"),
        ("cutmix", "-0.1"),
        ("randaugment", "31"),
        ("strength", "3"),
        ("flip", "maybe"),
    ],
)
def test_impossible_values_are_refused(name, value):
    with pytest.raises(BadOption, match=name):
        augmenting.read({f"augmentation.{name}": value}, "full")


def test_a_name_that_is_none_is_answered_with_the_one_that_was_meant():
    with pytest.raises(UnknownName, match=r"did you mean augmentation\.mixup"):
        augmenting.read({"augmentation.mixupp": "1"}, "full")
    with pytest.raises(UnknownName, match=r"augmentation\.mixup"):
        ladder.read_options("full", {"strategy.mixup": "0.2"}, has_depth=False)
    assert ladder.read_options("full", {"augmentation.mixup": "0.2", "strategy.epochs": "3"}, has_depth=False) == {
        "epochs": 3
    }


def test_a_probe_has_no_training_views():
    with pytest.raises(BadOption, match="solved on plain"):
        augmenting.read({"augmentation.mixup": "0.2"}, "probe")


def test_boxes_are_refused_for_the_rung_that_has_no_map():
    net = small.transformer()
    given = {"cutmix": 1.0}
    augmenting.check(
        net, [Rung("full", "full"), Rung("lora", "lora"), Rung("scratch", "scratch", kind="scratch")], given
    )
    augmenting.check(net, [Rung("partial", "partial")], {"mixup": 1.0})
    for rung in (Rung("partial", "partial"), Rung("gradual@2", "gradual", {"depth": 2})):
        with pytest.raises(BadOption, match=rf"depth {rung.options.get('depth', net.depth - 1)} of test/vit"):
            augmenting.check(net, [rung], given)
