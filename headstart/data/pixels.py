"""One image of any kind becomes eight-bit RGB: file formats, colour modes, orientation, transparency, number ranges.

Pillow decodes; this file decides what its modes mean. Files are untrusted: only raster formats whose decoders run no
other program are opened, sizes are bounded before decoding, and whatever a decoder raises becomes Undecodable.
"""

from __future__ import annotations

import contextlib
import functools
import io
import math
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from headstart.base.errors import Undecodable
from headstart.data.deferred import fetched
from headstart.data.printable import printable

FORMATS = (
    *("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "AVIF", "JPEG2000"),
    *("ICO", "TGA", "PCX", "QOI", "SGI", "DDS", "MSP", "XBM"),
)
SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".jpx", ".ico", ".tga"),
        *(".pcx", ".qoi", ".sgi", ".dds", ".msp", ".xbm"),
    }
)
"""File names that promise an image, lower case. HEIC is among them so that such files are listed, not overlooked."""

MOST_PIXELS = 178_956_970
"""Pictures beyond this many pixels are refused, as Pillow does by default: 512 MiB as RGB."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ON_THE_SIDE = tuple(_TURNS[number] for number in (5, 6, 7, 8))
"""Turns that swap width and height."""
_ORIENTATION = 0x0112
_SHARED = threading.Lock()


def is_image_name(name: str) -> bool:
    """True if the name ends as an image file's does."""
    return Path(name).suffix.lower() in SUFFIXES


@dataclass(frozen=True, slots=True)
class File:
    """How a picture was stored.

    Attributes:
        format: as Pillow names it; "" for a picture in memory.
        mode: its channels, as Pillow names them.
        bytes: size of the file; NaN in memory.
        tables: the luminance table of a JPEG; empty otherwise.
        camera: maker and model, if the file names them.
        animated: it holds more than one picture, of which only the first is read.
        transparent: some of it lets through what lies behind, which is read as white.
    """

    format: str = ""
    mode: str = ""
    bytes: float = math.nan
    tables: tuple[int, ...] = ()
    camera: str = ""
    animated: bool = False
    transparent: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture before its orientation is applied.

    Attributes:
        image: RGB, on white; may be decoded at a fraction of its size.
        extent: width and height that the whole picture has in ``image``'s pixels. A reduced picture whose sides are no
            multiple of the fraction ends within its last row and column.
        size: full width and height, pixels.
        turn: how to bring ``image`` upright; None if it is.
        file: how it was stored.
    """

    image: Image.Image
    extent: tuple[float, float]
    size: tuple[int, int]
    turn: Image.Transpose | None = None
    file: File = File()

    def upright(self, image: Image.Image) -> Image.Image:
        """A picture made from ``image``, turned."""
        return image if self.turn is None else image.transpose(self.turn)


def to_rgb(item: Any) -> Image.Image:
    """Any supported item as a whole RGB picture, upright, on white.

    Raises:
        Undecodable: as ``read``.
    """
    picture = read(item)
    return picture.upright(picture.image)


def read(item: Any, *, least: int | None = None) -> Picture:
    """Any supported item, decoded.

    Args:
        item: a path, the bytes of a file, a PIL image, an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), or a
            deferred item that gives one of these.
        least: the caller needs no more than this short side (pixels); a JPEG may then be decoded at 1/2, 1/4 or
            1/8 of its size, never below it.

    Raises:
        Undecodable: with the reason; nothing else comes out of a bad item.
    """
    item = fetched(item)
    if isinstance(item, (str, Path)):
        return _from_file(Path(item), least)
    if isinstance(item, bytes):
        return _from_bytes(item, least)
    if isinstance(item, Image.Image):
        return _from_pil(item)
    if isinstance(item, np.ndarray):
        image = _from_array(item)
        clear = item.ndim == 3 and item.shape[2] == 4 and bool((_eight_bit(item[:, :, 3]) < 255).any())
        file = File(mode=f"{item.dtype} {item.shape[2:]}", transparent=clear)
        return Picture(image, image.size, image.size, file=file)
    if item is None:
        raise Undecodable("there is no image: the path is missing")
    raise Undecodable(
        f"type {type(item).__name__} is not an image", expected="a path, a PIL image or an array (H, W[, 1, 3 or 4])"
    )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[io.BufferedReader]:
    """A regular file opened for reading; a pipe or device would block for ever and is refused.

    Raises:
        Undecodable: missing, a folder, not readable, empty, or not a regular file.
    """
    name = printable(str(path))
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise Undecodable("it is a folder, not a file", where=name)
        if not stat.S_ISREG(status.st_mode):
            raise Undecodable("it is not a regular file", where=name)
        if status.st_size == 0:
            raise Undecodable("the file is empty (0 bytes)", where=name)
        stream = path.open("rb")
    except Undecodable:
        raise
    except FileNotFoundError as error:
        remote = "://" in str(path) or str(path).startswith(("http:", "https:"))
        why = "web addresses are not downloaded" if remote else "there is no such file"
        raise Undecodable(why, where=name) from error
    except PermissionError as error:
        raise Undecodable("permission to read it is denied", where=name) from error
    except (OSError, ValueError) as error:
        raise Undecodable(f"it cannot be opened: {getattr(error, 'strerror', None) or error}", where=name) from error
    with stream:
        yield stream


def _from_file(path: Path, least: int | None) -> Picture:
    with _opened_image(path) as image:
        return _read(image, least, path.stat().st_size)


def _from_bytes(data: bytes, least: int | None) -> Picture:
    if not data:
        raise Undecodable("the file is empty (0 bytes)")
    with _decoding("", ""), Image.open(io.BytesIO(data), formats=_formats()) as image:
        return _read(image, least, len(data))


def extent(data: bytes) -> tuple[int, int]:
    """Width and height that the header of a file promises, pixels; nothing is decoded.

    Raises:
        Undecodable: when it is no picture of a known format, or has more than ``MOST_PIXELS``.
    """
    if not data:
        raise Undecodable("the file is empty (0 bytes)")
    with _decoding("", ""), Image.open(io.BytesIO(data), formats=_formats()) as image:
        _check_size(image)
        return image.size


def _read(image: Image.Image, least: int | None, length: int) -> Picture:
    _check_size(image)
    size, file = image.size, _file(image, length)
    extent = _shrink(image, least) if least is not None and image.format in ("JPEG", "MPO") else None
    image.load()
    file = replace(file, transparent=_transparent(image))
    return Picture(_flat(image), extent or image.size, size if extent else image.size, _turn(image), file)


def _file(image: Image.Image, length: int) -> File:
    tables = getattr(image, "quantization", None) or {}
    return File(
        format=image.format or "",
        mode=image.mode,
        bytes=float(length),
        tables=tuple(tables.get(0, ())),
        camera=_camera(image),
        animated=_animated(image),
    )


def _animated(image: Image.Image) -> bool:
    # What cameras append to a JPEG (MPO) is a preview or a second eye, and nothing that anybody would miss.
    if image.format == "MPO":
        return False
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # a broken second frame does not make the first one unreadable
        return False


def _transparent(image: Image.Image) -> bool:
    """Whether any of it is; an alpha channel that is full everywhere is none."""
    if not image.has_transparency_data:
        return False
    whole = image if image.mode in ("RGBA", "LA") else image.convert("RGBA")
    return bool(np.asarray(whole.getchannel("A")).min() < 255)


def _camera(image: Image.Image) -> str:
    if "exif" not in image.info:
        return ""
    try:
        found = image.getexif()
        return printable(" ".join(str(found[tag]).strip("\0 ") for tag in (0x010F, 0x0110) if tag in found))[:80]
    except Exception:  # a broken EXIF block does not make the pixels unreadable
        return ""


@contextlib.contextmanager
def _opened_image(path: Path) -> Iterator[Image.Image]:
    name, suffix = printable(str(path)), path.suffix.lower()
    with opened(path) as stream, _decoding(name, suffix), Image.open(stream, formats=_formats()) as image:
        yield image


def loaded(image: Image.Image) -> Image.Image:
    """The same PIL image with its pixels in memory.

    Raises:
        Undecodable: when it was opened lazily and its file turns out to be bad, or was closed.
    """
    with _decoding("", ""):
        _check_size(image)
        # Lazily opened images load into themselves, and the same object may stand in a list twice.
        with _SHARED:
            image.load()
    return image


def _from_pil(image: Image.Image) -> Picture:
    loaded(image)
    with _decoding("", ""):
        file = File(image.format or "", image.mode, transparent=_transparent(image))
        return Picture(_flat(image), image.size, image.size, _turn(image), file)


def _from_array(array: np.ndarray) -> Image.Image:
    shape = array.shape
    if array.ndim not in (2, 3) or (array.ndim == 3 and shape[2] not in (1, 3, 4)):
        hint = "array.transpose(1, 2, 0) puts the channels last" if array.ndim == 3 and shape[0] in (1, 3, 4) else ""
        raise Undecodable(f"an array of shape {shape} is no image", expected="(H, W[, 1, 3 or 4])", next_move=hint)
    if not array.size:
        raise Undecodable(f"an array of shape {shape} has no pixels")
    if shape[0] * shape[1] > MOST_PIXELS:
        raise Undecodable(f"{shape[1]} x {shape[0]} pixels are too many", expected=f"at most {MOST_PIXELS:,}")
    values = _eight_bit(array)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    return _flat(Image.fromarray(np.ascontiguousarray(values)))


def _eight_bit(array: np.ndarray) -> np.ndarray:
    kind = array.dtype.kind
    if array.dtype == np.uint8:
        return array
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind == "u" and array.dtype.itemsize == 2:
        return _from_sixteen(array)
    if kind not in "iuf":
        raise Undecodable(f"an array of {array.dtype} is no image", expected="uint8, uint16, bool or floats in 0..1")
    low, high = float(array.min()), float(array.max())
    top = 1.0 if kind == "f" else 255.0
    if not (low >= 0 and high <= top):
        scale = "divide by the largest possible value" if kind == "f" else "use uint8 or uint16"
        raise Undecodable(
            f"the array's values go from {low:g} to {high:g}",
            expected=f"0 to {top:g} for {array.dtype}",
            next_move=scale,
        )
    return np.rint(array.astype(np.float32) * 255).astype(np.uint8) if kind == "f" else array.astype(np.uint8)


def _from_sixteen(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _turn(image: Image.Image) -> Image.Transpose | None:
    # To be read after loading: a TIFF is turned by Pillow itself, which then clears the tag.
    return _TURNS.get(orientation(image))


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) without a readable one."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a broken EXIF block does not make the pixels unreadable
        return 1


def _flat(image: Image.Image) -> Image.Image:
    mode = image.mode
    if mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise Undecodable(f"its values go from {values.min()} to {values.max()}", expected="0 to 65535")
        return Image.fromarray(_from_sixteen(values)).convert("RGB")
    if mode == "F":
        return Image.fromarray(_eight_bit(np.asarray(image))).convert("RGB")
    if mode in ("La", "RGBa"):
        image = image.convert("LA" if mode == "La" else "RGBA")
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        white = Image.new("RGBA", colours.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, colours).convert("RGB")
    return image.convert("RGB")


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise Undecodable(f"{width} x {height} pixels are too many", expected=f"at most {MOST_PIXELS:,}")
    if not width * height:
        raise Undecodable(f"{width} x {height} pixels: there is nothing in it")


def _shrink(image: Image.Image, least: int) -> tuple[float, float] | None:
    """Ask the JPEG decoder for a fraction of the size: the picture's extent in it, None if it stays whole."""
    width, height = image.size
    scale = least / min(width, height)
    drafted = image.draft(None, (int(width * scale) + 1, int(height * scale) + 1)) if scale < 1 else None
    return None if drafted is None else drafted[1][2:]


@functools.lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@contextlib.contextmanager
def _decoding(where: str, suffix: str) -> Iterator[None]:
    try:
        with _STRICT:
            yield
    except Undecodable as error:
        if error.where or not where:
            raise
        raise Undecodable(error.what, where=where, expected=error.expected, next_move=error.next_move) from error
    except Image.DecompressionBombError as error:
        raise Undecodable("it has too many pixels", where=where, expected=f"at most {MOST_PIXELS:,}") from error
    except UnidentifiedImageError as error:
        raise Undecodable(_unknown(suffix), where=where) from error
    except MemoryError as error:
        raise Undecodable("there is not enough memory to decode it", where=where) from error
    except Exception as error:  # decoders raise anything on hostile bytes: SyntaxError, struct.error, IndexError, ...
        raise Undecodable(
            f"it does not decode: {printable(str(error)) or type(error).__name__}", where=where
        ) from error


def _unknown(suffix: str) -> str:
    if suffix in (".heic", ".heif"):
        return "HEIC pictures are not read; convert them to JPEG"
    if suffix == ".avif" and "AVIF" not in Image.OPEN:
        return "this Pillow is built without AVIF; convert it to PNG or JPEG"
    return "its content is not an image of a known format"


class _Strict:
    """While anyone decodes, cut-off files are errors, whatever this process told Pillow before."""

    def __init__(self) -> None:
        self._lock, self._inside, self._before = threading.Lock(), 0, False

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                ImageFile.LOAD_TRUNCATED_IMAGES = self._before


_STRICT = _Strict()
