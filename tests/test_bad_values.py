"""Bad inputs from Python: values in memory that are no pictures, no labels, or not as many of one as of the other."""

import io

import numpy as np
import pytest
from PIL import Image

import headstart as hs
from headstart.base.errors import HeadstartError
from tests.data.pictures import noise

GIVEN = {"backbone": "embedded/resnet10-procedural", "strategy": "probe", "baselines": False}


def pictures(number=20):
    return [noise(seed) for seed in range(number)]


LABELS = ["cat", "dog"] * 10


def closed():
    stream = io.BytesIO()
    Image.fromarray(noise(1)).save(stream, "PNG")
    image = Image.open(stream)
    stream.close()
    return image


def generator():
    yield from pictures()


VALUES = {
    "no items": ([], [], "no items|There are no"),
    "no labels": (pictures(), None, "20 items without labels"),
    "fewer labels": (pictures(), LABELS[:-1], "20 items but 19 labels"),
    "one text as labels": (pictures(), "cat", "labels is a str"),
    "a generator of items": (generator(), LABELS, "A generator holds no items"),
    "labels that are NaN": (pictures(), [float("nan")] * 20, "20 of 20 items cannot be used"),
    "labels that are lists": (pictures(), [[["cat"]]] * 20, "label"),
    "one-hot labels": (pictures(), np.eye(2)[np.arange(20) % 2], "argmax|A label"),
    "a number as source": (3, None, "A int is no data source"),
    "bytes as source": (b"photos", None, "no file or folder|no data source"),
    "numbers as items": (list(range(20)), LABELS, "int is not an image"),
    "arrays of objects": ([np.array([[None]])] * 20, LABELS, "array of object is no image"),
    "complex arrays": ([np.zeros((8, 8), complex)] * 20, LABELS, "complex128 is no image"),
    "arrays of NaN": ([np.full((8, 8), np.nan, np.float32)] * 20, LABELS, "go from nan to nan"),
    "floats up to 255": ([noise(i).astype(np.float32) for i in range(20)], LABELS, "divide by|0 to 1"),
    "empty arrays": ([np.zeros((0, 8), np.uint8)] * 20, LABELS, "has no pixels"),
    "arrays of five dimensions": (np.zeros((20, 1, 8, 8, 3), np.uint8), LABELS, "holds no pictures"),
    "channels first": (np.zeros((20, 3, 8, 8), np.uint8), LABELS, "has its channels first"),
    "two channels": ([np.zeros((8, 8, 2), np.uint8)] * 20, LABELS, "is no image"),
    "PIL images that are closed": ([closed() for _ in range(20)], LABELS, "closed|does not decode"),
    "a mapping of nothing": ({"cat": [], "dog": []}, None, "There are no items"),
    "a mapping and labels": ({"cat": pictures()}, LABELS, "whose keys are the labels"),
    "a mapping to numbers": ({"cat": 3, "dog": 4}, None, "A int holds no items"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_bad_value_is_an_error_of_ours(name, tmp_path):
    source, labels, says = VALUES[name]
    with pytest.raises(HeadstartError, match=says) as caught:
        hs.fit(source, labels, output=tmp_path / "m", **GIVEN)
    assert caught.value.expected or caught.value.next_move
    assert not (tmp_path / "m").exists()
