"""What a model and its answers look like in a notebook."""

from __future__ import annotations

import base64
import io
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.base.vocabulary import Evidence, Interval
from headstart.features.network import Network
from headstart.ship.display import MOST, Predictions
from headstart.ship.sealed import Model, load
from headstart.tasks import classification, multilabel, regression
from headstart.tasks.task import Task
from tests.base.test_display import HOSTILE, is_harmless
from tests.ship.conftest import sealed_to

SCORE = {"value": 0.9, "low": 0.8, "high": 0.95}


def sealed_for(task: Task, folder: Path, network: Network) -> Model:
    tests = {role: dict.fromkeys(task.shown, SCORE) for role in ("transfer", "scratch", "winner")}
    verdict = {"sentence": HOSTILE, "winner": "transfer", "models": {"transfer": HOSTILE}, "tests": tests}
    evidence = [Evidence("probe", "transfer", {task.shown[0]: Interval(**SCORE)}, 1.5, 12, status=HOSTILE)]
    extra = {"candidate": "probe", "strategy": "probe"}
    return sealed_to(folder, network, task=task, verdict=verdict, evidence=evidence, extra=extra)


@pytest.fixture(params=["classification", "multilabel", "regression"])
def model(request: pytest.FixtureRequest, tmp_path: Path, network: Network) -> Model:
    """A model of each task over three columns (one for a number), with a hostile name."""
    names = (HOSTILE, "disc", "stripes")
    tasks: dict[str, Any] = {
        "classification": lambda: classification.learn(names),
        "multilabel": lambda: multilabel.learn([names]),
        "regression": lambda: regression.learn([1.0], name=HOSTILE),
    }
    task = tasks[request.param]()
    if request.param == "regression":
        import torch

        network = Network(network.backbone, torch.nn.Linear(network.head.in_features, 1), network.taps)
    return sealed_for(task, tmp_path / "m", network)


def test_all_of_it_is_escaped_and_says_what_it_should(model: Model, pictures: Path) -> None:
    items = sorted(pictures.rglob("*.png"))
    for shown in (model, model.verdict):
        text = is_harmless(shown._repr_html_()).text
        assert HOSTILE in text and "On the test items" in text and "from scratch" in text
    table = is_harmless(model.evidence._repr_html_()).text
    assert "Candidate" in table and HOSTILE in table
    found = model.predict(items[:3])
    assert is_harmless(found._repr_html_()).text.startswith("3 predictions")
    page = found[0]._repr_html_()
    assert found[0].said() in is_harmless(page).text
    assert page.count("width:90px") == (3 if model.task.words.counted else 0)


def test_the_picture_is_the_item(model: Model, pictures: Path) -> None:
    item = sorted(pictures.rglob("*.png"))[0]
    (data,) = re.findall(r'src="data:image/png;base64,([^"]+)"', model.predict(item)[0]._repr_html_())
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), dtype=float)
    assert np.abs(shown - np.asarray(Image.open(item).convert("RGB"), dtype=float)).max() == 0


def test_an_item_that_is_gone_has_no_picture(model_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / f"{HOSTILE.replace('/', '')}.png"
    Image.fromarray(np.zeros((24, 24, 3), np.uint8)).save(path)
    found = load(model_folder).predict(path)[0]
    path.unlink()
    page = is_harmless(found._repr_html_())
    assert "img" not in page.tags and path.name in page.text


def test_a_long_list_shows_its_beginning(model_folder: Path) -> None:
    found = load(model_folder).predict([np.full((24, 24), 8 * i, np.uint8) for i in range(MOST + 3)])
    text = is_harmless(found._repr_html_())
    assert "and 3 more" in text.text and isinstance(found, list) and isinstance(found, Predictions)
    assert "ndarray 24 × 24" in text.text


def test_what_shows_itself_is_still_plain_and_can_be_pickled(model_folder: Path) -> None:
    loaded = load(model_folder)
    verdict, evidence = pickle.loads(pickle.dumps((loaded.verdict, loaded.evidence)))
    assert verdict == dict(loaded.verdict) and verdict._repr_html_() == loaded.verdict._repr_html_()
    assert evidence == list(loaded.evidence) and evidence._repr_html_() == loaded.evidence._repr_html_()
