"""Images: pictures from files, PIL or arrays, as the square eight-bit RGB that backbones read.

An item is a path (str or Path), the bytes of a file, a PIL image, or a numpy array (H, W), (H, W, 1), (H, W, 3) or
(H, W, 4) of uint8, uint16 or floats in [0, 1]; or a deferred item that gives one of these.
"""

from __future__ import annotations

import hashlib
import io
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from headstart.base import hashes
from headstart.base.errors import BadOption, Undecodable
from headstart.base.seeds import generator
from headstart.base.vocabulary import BackboneInfo, Demand, Preprocessing, Wire
from headstart.data import appearance, augmentation, fingerprint, patterns, pixels
from headstart.data.deferred import fetched
from headstart.data.exportable import BATCH, ExportInputs
from headstart.data.heat import over as overlaid

if TYPE_CHECKING:
    import torch

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
FACTS = appearance.FACTS
NEAR = fingerprint.NEAR
VIEWS = {"flip": True, "strength": 1.0, "randaugment": 0, "mixup": 0.0, "cutmix": 0.0}
"""Settings of training views that mean something for pictures, as they are where nobody sets them."""
NOUN = "picture"
"""What an item is called."""
PIPELINE = "image"
"""What the hub calls models of pictures, before what they do."""
PLAIN = Preprocessing(32)
"""How pictures are kept for a model that has no network to say how it reads them."""
WIRE = Wire(("image/jpeg", "image/png", "image/*"), text=False, unit="pixels", most=50_000_000)
"""Pictures travel as the bytes of their files."""


def decode(item: Any) -> Image.Image:
    """The whole picture as RGB, upright by its EXIF orientation, on white where it was transparent, first frame only.

    Sixteen-bit grey is scaled to eight bits by its full range, never clipped.

    Raises:
        Undecodable: with the reason, for whatever is wrong with the item.
    """
    return pixels.to_rgb(item)


def digest(item: Any) -> str:
    """SHA-256 of the file's bytes, or of what an image in memory consists of.

    Raises:
        Undecodable: when there are no bytes to read.
    """
    item = fetched(item)
    if isinstance(item, bytes):
        return hashes.of_bytes(item)
    if isinstance(item, (str, Path)):
        with pixels.opened(Path(item)) as stream:
            try:
                return hashlib.file_digest(stream, "sha256").hexdigest()
            except OSError as error:
                raise Undecodable(f"it cannot be read: {error.strerror or error}", where=str(item)) from error
    if isinstance(item, np.ndarray):
        return hashes.of_bytes(f"{item.dtype.str}|{item.shape}|".encode() + np.ascontiguousarray(item).tobytes())
    if isinstance(item, Image.Image):
        return _pil_digest(item)
    pixels.to_rgb(item)
    raise Undecodable(f"type {type(item).__name__} is not an image")


def load(item: Any, preprocessing: Preprocessing) -> np.ndarray:
    """The picture as a backbone reads it: short side resized to size / crop, centre square of ``size`` pixels cut.

    Both steps are one resampling of the central box, which costs less and bounds the memory of very long pictures.
    A JPEG far larger than needed is decoded at a power-of-two fraction, at least twice the size asked for.

    Returns:
        uint8 (3, s, s).

    Raises:
        Undecodable: as ``decode``.
        BadOption: for an interpolation that does not exist.
    """
    if preprocessing.interpolation not in _FILTERS:
        raise BadOption(f"No interpolation {preprocessing.interpolation!r}", expected=" or ".join(_FILTERS))
    side = preprocessing.size
    picture = pixels.read(item, least=int(2 * side / preprocessing.crop) + 1)
    width, height = picture.extent
    kept = min(width, height) * preprocessing.crop
    left, top = (width - kept) / 2, (height - kept) / 2
    square = picture.image.resize(
        (side, side), _FILTERS[preprocessing.interpolation], box=(left, top, left + kept, top + kept)
    )
    # The central square turns into itself, so the turn can wait until it is small.
    return np.ascontiguousarray(np.asarray(picture.upright(square)).transpose(2, 0, 1))


def shape(preprocessing: Preprocessing) -> tuple[int, ...]:
    """Of what ``load`` gives: (3, s, s)."""
    return (3, preprocessing.size, preprocessing.size)


def geometry(preprocessing: Preprocessing) -> dict[str, Any]:
    """What ``load`` depends on: mean and std are the network's business."""
    return {name: getattr(preprocessing, name) for name in ("size", "interpolation", "crop")}


def augment(
    batch: torch.Tensor, seed: int, *, flip: bool = True, strength: float = 1.0, randaugment: int = 0
) -> torch.Tensor:
    """A varied copy of a batch, labels unchanged: random resized crop, mirror image, mild light and colour.

    Args:
        batch: uint8 (n, 3, s, s).
        seed: the same seed always varies the same batch in the same way.
        flip: mirror half of the items left to right; off where left and right mean something.
        strength: 0 leaves all but the flip, 1 is the default, 2 the most.
        randaugment: magnitude of the RandAugment that follows, 0 to 30; 0 leaves it out.

    Returns:
        uint8 (n, 3, s, s).
    """
    varied = augmentation.augmented(batch, seed, flip=flip, strength=strength)
    return augmentation.randaugmented(varied, seed, randaugment) if randaugment else varied


def mirror(batch: torch.Tensor) -> torch.Tensor:
    """Pictures (n, 3, s, s) turned left to right."""
    return batch.flip(-1)


def generated(preprocessing: Preprocessing, *, seed: int, count: int) -> np.ndarray:
    """Inputs (count, 3, s, s) uint8 that are nobody's pictures, each of another kind."""
    return patterns.drawn(preprocessing.size, seed=seed, count=count)


def handed(inputs: np.ndarray) -> list[np.ndarray]:
    """Inputs (n, 3, s, s) as items: pictures (s, s, 3)."""
    return list(np.ascontiguousarray(inputs.transpose(0, 2, 3, 1)))


def facts(item: Any) -> dict[str, float | str]:
    """What a picture is like, by the names in ``FACTS``; a large JPEG is read whole but at reduced resolution.

    Raises:
        Undecodable: as ``decode``.
    """
    return appearance.measure(item)


def glance(item: Any) -> tuple[dict[str, float | str], np.ndarray]:
    """The facts of a picture and its fingerprint (d,), from one decoding.

    Two pictures whose fingerprints are at most ``NEAR`` apart are near duplicates.

    Raises:
        Undecodable: as ``decode``.
    """
    picture = pixels.read(item, least=appearance.LEAST)
    return appearance.of(picture), fingerprint.of(picture)


def expects(info: BackboneInfo | None) -> tuple[Demand, ...]:
    """What pictures have to be like for a backbone, or for any."""
    return appearance.expects(info)


def render(item: Any, size: int = 96) -> bytes:
    """A small PNG for a page: the whole picture, its long side at most ``size`` pixels.

    Raises:
        Undecodable: as ``decode``.
    """
    picture = pixels.read(item, least=2 * size)
    image = picture.upright(picture.image)
    image.thumbnail((size, size), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def received(content: bytes | str, most: int) -> bytes:
    """An item that a stranger sent, fit to be decoded: bytes, whose header promises at most ``most`` pixels.

    Raises:
        Undecodable: for text, which might be a path, and for what is no picture or one with too many pixels.
    """
    if isinstance(content, str):
        raise Undecodable("a text is no picture", expected="the bytes of a picture; paths and addresses are not opened")
    width, height = pixels.extent(content)
    if width * height > most:
        raise Undecodable(f"{width} x {height} pixels are too many", expected=f"at most {most:,}")
    return content


def cells(item: Any) -> dict[str, str]:
    """A picture as cells of a table: column -> text; none for one that is no file of its own."""
    return {"path": str(Path(item).absolute())} if isinstance(item, str | Path) else {}


def example(inputs: np.ndarray, preprocessing: Preprocessing | None) -> tuple[bytes, str]:
    """Inputs (3, s, s) uint8 as somebody might send them: a file's bytes, and their content type."""
    return render(inputs.transpose(1, 2, 0)), "image/png"


def export_inputs(preprocessing: Preprocessing) -> ExportInputs:
    """What an exported graph takes: whole pictures of any size, which it crops and resizes as ``load`` does.

    Decoding is left to the caller, and with it the orientation that a file's EXIF data state, and transparency.

    Raises:
        BadOption: for an interpolation that does not exist.
    """
    from headstart.data.resampling import Square

    return ExportInputs(
        preprocessing=preprocessing,
        axes={"images": (BATCH, "height", "width", 3)},
        prepare=Square(preprocessing).eval(),
        arrays=lambda item: {"images": np.asarray(decode(item))[None]},
        replayed=lambda read: {"images": np.ascontiguousarray(read.transpose(0, 2, 3, 1))},
        examples=partial(_examples, preprocessing.size),
        words="images: whole RGB pictures (n, H, W, 3) uint8, of one size within a batch, any size otherwise, upright; "
        "cropping, resizing and normalising are part of the graph",
        snippet=(
            "from PIL import Image, ImageOps",
            'picture = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")',
            'inputs = {"images": np.asarray(picture)[None]}',
        ),
        prepared=_PREPARED,
        differs="A JPEG far larger than the network needs is decoded at a fraction of its size by the sealed model; a "
        "graph is given it whole",
        needs=("pillow",),
    )


_PREPARED = (
    "from PIL import Image, ImageOps",
    'how = about["preprocessing"]',
    'picture = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")',
    'kept = min(picture.size) * how["crop"]',
    "left, top = ((side - kept) / 2 for side in picture.size)",
    'resample = Image.Resampling[how["interpolation"].upper()]',
    'square = picture.resize((how["size"], how["size"]), resample, box=(left, top, left + kept, top + kept))',
    "pixels = np.asarray(square, dtype=np.float32) / 255",
    'pixels = ((pixels - np.float32(how["mean"])) / np.float32(how["std"])).transpose(2, 0, 1)[None]',
)
"""What ``load`` and the network's first step do, for a file, in a few lines."""


def _examples(size: int, seed: int) -> list[np.ndarray]:
    """Pictures (H, W, 3) uint8 of noise over a gradient: small, exact, large, tall, wide, a single pixel."""
    draw = generator(seed, "export", size)
    shapes = ((1, 1), (size, size), (size + 1, size - 1 or 1), (3 * size, 2 * size), (size // 2 + 1, 5 * size))
    found = []
    for height, width in (*shapes, (4 * size, size // 3 + 1)):
        slope = np.linspace(0, 1, height)[:, None, None] + np.linspace(0, 1, width)[None, :, None]
        found.append((255 * (slope / 2 + draw.uniform(-0.4, 0.4, (height, width, 3))).clip(0, 1)).astype(np.uint8))
    return found


def overlay(item: Any, heat: np.ndarray, preprocessing: Preprocessing, size: int = 192) -> bytes:
    """A PNG of the whole picture in grey, with heat (h, w) from 0 to 1 over what a backbone sees of it.

    Raises:
        Undecodable: as ``decode``.
    """
    return overlaid(pixels.read(item, least=2 * size), heat, preprocessing, size)


def _pil_digest(image: Image.Image) -> str:
    body = pixels.loaded(image).tobytes()
    facts: list[Any] = [image.mode, image.size, pixels.orientation(image), image.info.get("transparency")]
    if image.mode in ("P", "PA"):
        facts.append(image.getpalette("RGBA"))
    return hashes.of_bytes(repr(facts).encode() + body)
