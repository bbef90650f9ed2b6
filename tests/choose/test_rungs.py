"""What the ladder's rungs are for a backbone: decided by its parts, and by the libraries that are there."""

import small
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base.vocabulary import BackboneInfo
from headstart.choose.rungs import chosen
from headstart.tune import lora


def names(backbone, **given):
    return [rung.name for rung in chosen(backbone, **given).heavy]


def test_a_network_with_batch_norms_climbs_norm_partial_full_and_ends_with_scratch():
    found = chosen(small.backbone())
    assert [rung.name for rung in found.probes][:2] == ["probe", "probe all stages"] and len(found.probes) == 6
    assert names(small.backbone()) == ["norm@2", "partial@4", "partial@2", "full", "scratch"]
    assert not found.notes and found.heavy[-1].kind == "scratch"


def test_a_transformer_climbs_bitfit_and_lora():
    vit = small.transformer()
    half, last = vit.depth // 2, vit.depth - 1
    assert names(vit) == [f"bitfit@{half}", f"partial@{last}", f"lora@{half}", "full", "scratch"]


def test_without_peft_lora_is_left_out_with_a_sentence_and_partial_takes_its_place(monkeypatch):
    monkeypatch.setattr(lora.importlib.util, "find_spec", lambda name: None)
    found = chosen(small.transformer())
    assert len(found.notes) == 1 and "peft" in found.notes[0] and "headstart[lora]" in found.notes[0]
    assert not any("lora" in rung.name for rung in found.heavy)
    assert len({rung.name for rung in found.heavy}) == len(found.heavy), "no rung stands there twice"


def test_one_stage_leaves_nothing_partial():
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = Backbone(body, BackboneInfo("test/one", "test/one", 0, (), 0, small.PREPROCESSING))
    assert net.depth == 1 and not any("partial" in name for name in names(net)) and "full" in names(net)


def test_a_named_strategy_is_the_only_transferred_rung():
    assert names(small.backbone(), strategy="full", scratch=False) == ["full"]
    assert names(small.backbone(), strategy="partial", options={"depth": 3}) == ["partial@3", "scratch"]
    found = chosen(small.backbone(), "probe", {"stages": "2"})
    assert [rung.name for rung in found.probes] == ["probe stage 2"] and [r.name for r in found.heavy] == ["scratch"]
