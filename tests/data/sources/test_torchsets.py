from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, Dataset, IterableDataset, Subset, TensorDataset
from torchvision import transforms
from torchvision.datasets import FakeData, ImageFolder
from torchvision.datasets.vision import VisionDataset

from headstart.base.errors import BadOption, BadSource
from headstart.data import images
from headstart.data.dataset import build
from headstart.data.deferred import Deferred
from headstart.data.opening import open_source
from tests.data.pictures import noise, write_classes


class Pairs(Dataset):
    """Pictures made on demand; counts how often it was asked."""

    def __init__(self, number: int = 30, kind: str = "pil", label: Any = lambda i: i % 3) -> None:
        self.number, self.kind, self.label, self.asked = number, kind, label, 0

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, i: int) -> tuple[Any, Any]:
        self.asked += 1
        array = noise(i)
        chw = torch.from_numpy(array).permute(2, 0, 1)
        picture = {
            "pil": lambda: Image.fromarray(array),
            "array": lambda: array,
            "bytes tensor": lambda: chw,
            "float tensor": lambda: chw.float() / 255,
            "grey tensor": lambda: chw[:1],
            "normalised": lambda: chw.float() / 255 * 4 - 2,
            "flipped at random": lambda: np.random.default_rng().permutation(array),
            "broken": lambda: 1 // 0,
        }[self.kind]()
        return picture, self.label(i)


class Held(VisionDataset):
    """As torchvision's own: pictures in memory, targets listed, transforms applied."""

    def __init__(self, number: int = 30, **more: Any) -> None:
        super().__init__(root=".", **more)
        self.targets, self.classes = [i % 3 for i in range(number)], ["oak", "ash", "elm"]

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, i: int) -> tuple[Any, Any]:
        picture, target = Image.fromarray(noise(i)), self.targets[i]
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target


@pytest.mark.parametrize("kind", ["pil", "array", "bytes tensor", "float tensor"])
def test_pictures_of_every_kind_are_the_same_pictures(kind: str) -> None:
    found = open_source(Pairs(kind=kind))
    assert found.labels[:4] == (0, 1, 2, 0)
    assert (np.asarray(images.decode(found.items[5])) == noise(5)).all()
    assert "PyTorch data set Pairs with 30 items, asked for one at a time" in found.understood
    data = build(found)
    assert data.cross_validated
    assert data.classes == ("0", "1", "2")


def test_grey_tensors() -> None:
    grey = np.asarray(images.decode(open_source(Pairs(kind="grey tensor")).items[0]))
    assert (grey[:, :, 0] == noise(0)[:, :, 0]).all()


def test_tensor_data_sets_and_tensor_labels() -> None:
    pictures = torch.stack([torch.from_numpy(noise(i)).permute(2, 0, 1) for i in range(6)])
    found = open_source(TensorDataset(pictures, torch.tensor([0, 1] * 3)))
    assert found.labels == (0, 1) * 3


def test_items_are_asked_for_when_they_are_needed() -> None:
    pairs = Pairs(1_000)
    pairs.targets = [i % 3 for i in range(1_000)]  # type: ignore[attr-defined]
    found = open_source(pairs)
    assert pairs.asked < 20
    assert all(isinstance(item, Deferred) for item in found.items)
    assert found.items[3].name == "the data set Pairs, item 4"


def test_listed_labels_that_are_not_the_items_are_not_believed() -> None:
    pairs = Pairs(30, label=lambda i: "xy"[i % 2])
    pairs.targets = [0] * 30  # type: ignore[attr-defined]
    assert open_source(pairs).labels[:3] == ("x", "y", "x")


def test_parts_subsets_and_concatenations() -> None:
    whole = Held(60)
    parts = {"train": Subset(whole, range(40)), "test": ConcatDataset([Subset(whole, [59, 58]), Held(3)])}
    found = open_source(parts)
    assert [found.parts.count(part) for part in ("train", "test")] == [40, 5]
    assert found.labels[40:] == ("elm", "ash", "oak", "ash", "elm")
    assert (np.asarray(images.decode(found.items[40])) == noise(59)).all()


def test_an_image_folder_is_read_from_its_files(tmp_path: Path) -> None:
    write_classes(tmp_path, {"cat": 3, "dog": 3})
    found = open_source(Subset(ImageFolder(str(tmp_path), transform=transforms.ToTensor()), [0, 5]))
    assert found.items == (str(tmp_path / "cat/0.png"), str(tmp_path / "dog/2.png"))
    assert found.labels == ("cat", "dog")
    assert "read from its files" in found.understood
    assert any("transforms of the data set are not used" in note for note in found.notes)


def test_torchvisions_transforms_are_set_aside() -> None:
    random = transforms.Compose([transforms.RandomCrop(4), transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])
    held = Held(transform=random)
    found = open_source(held)
    assert (np.asarray(images.decode(found.items[5])) == noise(5)).all()
    assert found.labels[:3] == ("oak", "ash", "elm")
    assert any("set aside" in note for note in found.notes)
    assert held.transform is random, "the user's own data set is as it was"


def test_target_transforms_are_kept() -> None:
    held = Held(transform=transforms.ToTensor(), target_transform=lambda y: ["x", "y", "z"][y])
    assert open_source(held).labels[:3] == ("x", "y", "z")
    assert len(open_source(FakeData(6, (3, 8, 8), 3, transform=transforms.ToTensor())).labels) == 6


def test_other_transforms_are_mentioned() -> None:
    pairs = Pairs()
    pairs.transform = transforms.Resize(4)  # type: ignore[attr-defined]
    assert any("own transforms are applied first" in note for note in open_source(pairs).notes)


def test_class_names_of_several_words() -> None:
    held = Held()
    held.classes = [("tench", "Tinca tinca"), ("goldfish",), ("shark",)]  # type: ignore[list-item]
    assert open_source(held).labels[:2] == ("tench", "goldfish")


class Endless(IterableDataset):
    def __iter__(self) -> Any:
        return iter(Pairs())


class Lengthless(Dataset):
    def __getitem__(self, i: int) -> Any:
        return Pairs()[i]


class Words(Dataset):
    def __len__(self) -> int:
        return 3

    def __getitem__(self, i: int) -> Any:
        return {"image": noise(i)}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Endless(), "Endless can only be run through"),
        (Lengthless(), "Lengthless can only be run through"),
        (Words(), r"no pairs but dict(.|\n)*\(image, label\)"),
        (Pairs(0), "is empty"),
        (Pairs(kind="normalised"), r"as after normalising(.|\n)*leave Normalize out"),
        (Pairs(kind="flipped at random"), "another picture each time"),
        (Pairs(kind="broken"), "does not give it: integer (division|modulo)"),
        (Subset(Pairs(3), [7]), "indices beyond"),
    ],
)
def test_nothing_usable(source: Any, words: str) -> None:
    with pytest.raises(BadSource, match=words):
        open_source(source)


def test_options_that_do_not_go_with_data_sets() -> None:
    with pytest.raises(BadOption, match="no parts: extra"):
        open_source({"train": Pairs(), "extra": Pairs()})
    with pytest.raises(BadOption, match="name columns"):
        open_source(Pairs(), label="x")
    with pytest.raises(BadOption, match="torchsets knows no groups"):
        open_source(Pairs(), group="x")
    assert open_source(Pairs(4), groups=[1, 1, 2, 2]).groups == (1, 1, 2, 2)
