"""Every kind of picture against pixels worked out by hand."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageFile

from headstart.base.errors import BadOption, Undecodable
from headstart.base.vocabulary import Preprocessing
from headstart.data import images, pixels
from tests.data.pictures import noise

RGB = noise(1, 4, 6)
GREY = RGB[:, :, 0]
ALPHA = np.linspace(0, 255, 24).astype(np.uint8).reshape(4, 6)
SIXTEEN = np.linspace(0, 65535, 24).astype(np.uint16).reshape(4, 6)
SCALED = np.rint(SIXTEEN / 257).astype(np.uint8)


def on_white(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha[..., None] / 255
    return np.rint(colours * share + 255 * (1 - share))


def grey_rgb(values: np.ndarray) -> np.ndarray:
    return np.repeat(values[..., None], 3, axis=2)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def palette_image(transparency: Any = None) -> tuple[Image.Image, np.ndarray, np.ndarray]:
    """Four colours, their indices' colours (4, 6, 3) and the alpha that the transparency means."""
    table = np.array([[10, 20, 30], [250, 0, 0], [0, 200, 0], [9, 9, 240]], dtype=np.uint8)
    indices = (np.arange(24) % 4).astype(np.uint8).reshape(4, 6)
    image = Image.fromarray(indices).convert("P")
    image = Image.new("P", (6, 4))
    image.putdata(indices.ravel().tolist())
    image.putpalette(table.ravel().tolist())
    alphas = np.full(4, 255, dtype=np.uint8)
    if transparency is not None:
        image.info["transparency"] = transparency
        if isinstance(transparency, int):
            alphas[transparency] = 0
        else:
            alphas[: len(transparency)] = list(transparency)
    return image, table[indices], alphas[indices]


def palette_case(transparency: Any, form: str) -> tuple[bytes, np.ndarray]:
    image, colours, alpha = palette_image(transparency)
    options = {} if transparency is None else {"transparency": transparency}
    return saved(image, form, **options), on_white(colours, alpha)


def cmyk_case() -> tuple[bytes, np.ndarray]:
    inks = np.array([[[0, 0, 0, 0], [255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0], [0, 0, 0, 255]]], dtype=np.uint8)
    colours = np.array([[[255, 255, 255], [0, 255, 255], [255, 0, 255], [255, 255, 0], [0, 0, 0]]])
    return saved(Image.fromarray(inks, "CMYK"), "TIFF"), colours


def animated() -> bytes:
    frames = [Image.new("RGB", (6, 4), colour) for colour in ((200, 0, 0), (0, 200, 0))]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)


def with_trns_grey() -> tuple[bytes, np.ndarray]:
    values = np.array([[0, 7, 200, 255]], dtype=np.uint8)
    image = Image.fromarray(values)
    return saved(image, "PNG", transparency=7), grey_rgb(np.array([[0, 255, 200, 255]]))


def raw_big_endian() -> bytes:
    image = Image.frombytes("I;16B", (6, 4), SIXTEEN.astype(">u2").tobytes())
    return saved(image, "TIFF")


FILES: dict[str, Callable[[], tuple[bytes, np.ndarray]]] = {
    "rgb.png": lambda: (saved(Image.fromarray(RGB), "PNG"), RGB),
    "rgb.bmp": lambda: (saved(Image.fromarray(RGB), "BMP"), RGB),
    "rgb.webp": lambda: (saved(Image.fromarray(RGB), "WEBP", lossless=True), RGB),
    "rgb.tiff": lambda: (saved(Image.fromarray(RGB), "TIFF", compression="tiff_lzw"), RGB),
    "rgb.ppm": lambda: (saved(Image.fromarray(RGB), "PPM"), RGB),
    "grey.png": lambda: (saved(Image.fromarray(GREY), "PNG"), grey_rgb(GREY)),
    "grey and alpha.png": lambda: (
        saved(Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)]), "PNG"),
        on_white(grey_rgb(GREY), ALPHA),
    ),
    "rgba.png": lambda: (
        saved(Image.fromarray(np.dstack([RGB, ALPHA])), "PNG"),
        on_white(RGB, ALPHA),
    ),
    "one bit.png": lambda: (
        saved(Image.fromarray(GREY > 127), "PNG"),
        grey_rgb(np.where(GREY > 127, 255, 0)),
    ),
    "sixteen bits.png": lambda: (saved(Image.fromarray(SIXTEEN), "PNG"), grey_rgb(SCALED)),
    "sixteen bits big-endian.tiff": lambda: (raw_big_endian(), grey_rgb(SCALED)),
    "sixteen bits.pgm": lambda: (b"P5 6 4 65535\n" + SIXTEEN.astype(">u2").tobytes(), grey_rgb(SCALED)),
    "thirty-two bits.tiff": lambda: (saved(Image.fromarray(SIXTEEN.astype(np.int32)), "TIFF"), grey_rgb(SCALED)),
    "floats.tiff": lambda: (saved(Image.fromarray((GREY / 255).astype(np.float32)), "TIFF"), grey_rgb(GREY)),
    "palette.png": lambda: palette_case(None, "PNG"),
    "palette.gif": lambda: palette_case(None, "GIF"),
    "palette, one clear colour.png": lambda: palette_case(2, "PNG"),
    "palette, one clear colour.gif": lambda: palette_case(1, "GIF"),
    "palette, alpha table.png": lambda: palette_case(bytes([0, 128, 255]), "PNG"),
    "grey, one clear value.png": with_trns_grey,
    "cmyk.tiff": cmyk_case,
    "animated.gif": lambda: (animated(), np.tile(np.array([200, 0, 0]), (4, 6, 1))),
}


@pytest.mark.parametrize("name", FILES)
def test_files_decode_to_the_right_pixels(name: str, tmp_path: Path) -> None:
    data, expected = FILES[name]()
    path = tmp_path / name
    path.write_bytes(data)
    image = images.decode(str(path))
    assert image.mode == "RGB"
    assert np.abs(np.asarray(image).astype(int) - expected).max() <= 1
    images.facts(path)


def in_memory() -> dict[str, tuple[Any, np.ndarray]]:
    premultiplied = Image.fromarray(np.dstack([RGB, ALPHA])).convert("RGBa")
    palette, colours, alpha = palette_image(bytes([255, 0, 77]))
    unit = (GREY / 255).astype(np.float64)
    return {
        "HxW": (GREY, grey_rgb(GREY)),
        "HxWx1": (GREY[..., None], grey_rgb(GREY)),
        "HxWx3": (RGB, RGB),
        "HxWx4": (np.dstack([RGB, ALPHA]), on_white(RGB, ALPHA)),
        "uint16": (SIXTEEN, grey_rgb(SCALED)),
        "big-endian uint16": (SIXTEEN.astype(">u2"), grey_rgb(SCALED)),
        "uint16 colour": (RGB.astype(np.uint16) * 257, RGB),
        "float64": (unit, grey_rgb(GREY)),
        "float32 colour": ((RGB / 255).astype(np.float32), RGB),
        "float16": (np.array([[0, 0.5, 1]], np.float16), grey_rgb(np.array([[0, 128, 255]]))),
        "bool": (GREY > 127, grey_rgb(np.where(GREY > 127, 255, 0))),
        "int64": (RGB.astype(np.int64), RGB),
        "a view": (RGB[::-1, ::-1], RGB[::-1, ::-1]),
        "PIL RGB": (Image.fromarray(RGB), RGB),
        "PIL HSV": (Image.new("HSV", (6, 4), (0, 255, 255)), np.tile(np.array([255, 0, 0]), (4, 6, 1))),
        "PIL YCbCr": (Image.new("YCbCr", (6, 4), (255, 128, 128)), np.full((4, 6, 3), 255)),
        "PIL RGBa": (premultiplied, on_white(RGB, ALPHA)),
        "PIL palette": (palette, on_white(colours, alpha)),
        "PIL I;16": (Image.fromarray(SIXTEEN), grey_rgb(SCALED)),
    }


@pytest.mark.parametrize("name", in_memory())
def test_values_in_memory_decode_to_the_right_pixels(name: str) -> None:
    item, expected = in_memory()[name]
    tolerance = 2 if name == "PIL RGBa" else 1
    found = np.asarray(images.decode(item)).astype(int)
    visible = np.ones(found.shape[:2], bool) if name != "PIL RGBa" else ALPHA > 64
    assert np.abs(found - expected)[visible].max() <= tolerance


def test_eight_bit_values_are_kept_exactly() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for item in (every, every.astype(np.uint16) * 257, every / 255, every.astype(np.int32)):
        assert np.array_equal(np.asarray(images.decode(item))[:, :, 0], every)


TURNED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", TURNED)
def test_exif_orientation_is_applied_once(orientation: int, form: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned"
    options = {"lossless": True} if form == "WEBP" else {}
    Image.fromarray(RGB).save(path, form, exif=exif, **options)
    assert np.array_equal(np.asarray(images.decode(path)), TURNED[orientation](RGB))
    with Image.open(path) as lazy:
        assert np.array_equal(np.asarray(images.decode(lazy)), TURNED[orientation](RGB))


def test_jpeg_orientation_in_reduced_decoding(tmp_path: Path) -> None:
    ramp = np.zeros((800, 1200, 3), np.uint8)
    ramp[:, :, 0] = np.linspace(0, 255, 1200)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.jpg"
    Image.fromarray(ramp).save(path, exif=exif, quality=95)
    small = images.load(path, Preprocessing(32))[0].astype(int)
    assert (np.diff(small.mean(axis=1)) > 0).all(), "after a quarter turn clockwise the ramp goes down the picture"


def test_a_broken_exif_block_does_not_lose_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path, exif=b"Exif\x00\x00garbage that is no TIFF header")
    assert np.array_equal(np.asarray(images.decode(path)), RGB)


def damaged(tmp_path: Path) -> dict[str, Any]:
    """Items that cannot be read, by the word that must explain them."""
    big = Image.fromarray(noise(0, 80, 80))
    bad: dict[str, Any] = {}

    def put(name: str, data: bytes) -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    for form in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"):
        whole = saved(big, form)
        bad[f"truncated {form}"] = put(f"cut.{form}", whole[: len(whole) // 2])
    bad["empty (0 bytes)"] = put("empty.png", b"")
    bad["not an image of a known format"] = put("text.png", b"hello, this is text" * 9)
    bad["convert them to JPEG"] = put("phone.heic", b"\0\0\0\x18ftypheic" + bytes(64))
    bad["a known format"] = put("a.eps.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    bad["no such file"] = tmp_path / "gone.png"
    bad["web addresses"] = "https://example.org/cat.jpg"
    bad["is a folder"] = tmp_path
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    bad["cannot be opened"] = tmp_path / "loop.png"
    bad["cannot be opened: File name too long"] = tmp_path / ("x" * 5000)
    bad["embedded null"] = "a\0b.png"
    os.mkfifo(tmp_path / "pipe.png")
    bad["not a regular file"] = tmp_path / "pipe.png"
    bad["path is missing"] = None
    bad["type int is not an image"] = 7
    bad["no pixels"] = np.zeros((0, 4), np.uint8)
    bad["shape (2,)"] = np.zeros(2, np.uint8)
    bad["shape (3, 8, 8)"] = np.zeros((3, 8, 8), np.uint8)
    bad["go from 0 to 16"] = np.array([[0.0, 16.0]])
    bad["go from -1 to 0"] = np.array([[-1, 0]])
    bad["go from nan to nan"] = np.array([[np.nan, 0.5]])
    bad["array of <U1"] = np.array([["a"]])
    bad["go from -5 to"] = Image.fromarray(np.array([[-5, 70]], np.int32))
    bad["nothing in it"] = Image.new("RGB", (0, 5))
    closed = Image.open(put("closing.png", saved(big, "PNG")))
    closed.close()
    bad["does not decode"] = closed
    return bad


def test_whatever_is_wrong_is_undecodable_with_the_reason(tmp_path: Path) -> None:
    for reason, item in damaged(tmp_path).items():
        for read in (images.decode, images.facts, lambda x: images.load(x, Preprocessing(8)), images.render):
            with pytest.raises(Undecodable) as caught:
                read(item)
            if not reason.startswith("truncated"):
                assert reason in str(caught.value), (reason, str(caught.value))


def test_cut_off_files_are_bad_even_where_pillow_was_told_to_be_lenient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    whole = saved(Image.fromarray(noise(0, 80, 80)), "JPEG")
    path = tmp_path / "a.jpg"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Undecodable, match="truncated"):
        images.decode(path)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_a_decompression_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    data = bytearray(saved(Image.new("1", (64, 64)), "PNG"))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    path = tmp_path / "bomb.png"
    path.write_bytes(bytes(data))
    with pytest.raises(Undecodable, match="too many pixels"):
        images.decode(path)
    with pytest.raises(Undecodable, match="are too many"):
        images.decode(np.broadcast_to(np.uint8(0), (20_000, 20_000)))


def test_the_limit_holds_where_pillows_own_was_lifted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(pixels, "MOST_PIXELS", 100)
    path = tmp_path / "a.png"
    Image.fromarray(noise(0, 20, 20)).save(path)
    with pytest.raises(Undecodable, match="20 x 20 pixels are too many"):
        images.decode(path)


def test_unreadable_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(Undecodable, match="permission"):
        images.decode(path)
    with pytest.raises(Undecodable, match="permission"):
        images.digest(path)


@pytest.mark.parametrize(
    "name", ["two\nlines.png", "חתול.png", "\u202egnp.png", os.fsdecode(b"caf\xe9.png"), "a b'c\".png"]
)
def test_odd_names(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    Image.fromarray(RGB).save(path, "PNG")
    assert np.array_equal(np.asarray(images.decode(str(path))), RGB)
    path.write_bytes(b"x")
    with pytest.raises(Undecodable) as caught:
        images.decode(str(path))
    assert str(caught.value).isprintable()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]), st.data())
def test_hostile_bytes_give_a_picture_or_undecodable(form: str, data: st.DataObject) -> None:
    whole = bytearray(saved(Image.fromarray(noise(3, 12, 12)), form))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(bytes(whole)))
        except Exception:
            return
        try:
            assert images.decode(image).mode == "RGB"
        except Undecodable as error:
            assert error.what


def test_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    a, b, c = (tmp_path / name for name in "abc")
    a.write_bytes(b"1")
    b.write_bytes(b"1")
    c.write_bytes(b"2")
    assert images.digest(str(a)) == images.digest(b) != images.digest(c)
    with pytest.raises(Undecodable):
        images.digest(tmp_path / "gone")


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=5)))
def test_digest_of_an_array_tells_shape_type_and_values_apart(array: np.ndarray) -> None:
    assert images.digest(array) == images.digest(array.copy()) == images.digest(np.asfortranarray(array))
    others = [array.astype(np.uint16), array ^ 1, array[None], array.reshape(-1, 1, 1)]
    assert images.digest(array) not in {images.digest(other) for other in others}


def test_digest_of_a_pil_image() -> None:
    grey = Image.fromarray(GREY)
    assert images.digest(grey) == images.digest(grey.copy())
    turned = grey.copy()
    turned.getexif()[0x0112] = 6
    red, green = (Image.new("P", (2, 2)) for _ in range(2))
    red.putpalette([255, 0, 0])
    green.putpalette([0, 255, 0])
    different = [grey, grey.convert("RGB"), Image.fromarray(GREY.reshape(6, 4)), turned, red, green]
    assert len({images.digest(image) for image in different}) == len(different)
    with pytest.raises(Undecodable):
        images.digest(3)


def test_load_is_exact_where_nothing_must_be_resampled() -> None:
    square = noise(4, 16, 16)
    assert np.array_equal(images.load(square, Preprocessing(16)), square.transpose(2, 0, 1))
    wide = noise(5, 16, 40)
    assert np.array_equal(images.load(wide, Preprocessing(16)), wide[:, 12:28].transpose(2, 0, 1))
    cropped = images.load(noise(6, 20, 20), Preprocessing(10, crop=0.5))
    assert np.array_equal(cropped, noise(6, 20, 20)[5:15, 5:15].transpose(2, 0, 1))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("shape", [(4, 4), (300, 200), (1, 50), (50, 1)])
def test_load_gives_a_square_of_eight_bit_rgb(interpolation: str, shape: tuple[int, int]) -> None:
    item = noise(0, *shape)
    found = images.load(item, Preprocessing(32, interpolation=interpolation, crop=0.9))
    assert (found.shape, found.dtype, found.flags["C_CONTIGUOUS"]) == ((3, 32, 32), np.uint8, True)
    assert np.array_equal(found, images.load(item, Preprocessing(32, interpolation=interpolation, crop=0.9)))


def test_load_agrees_with_torchvision() -> None:
    from torchvision.transforms import v2

    smooth = Image.fromarray(noise(7, 6, 9)).resize((300, 200), Image.Resampling.BICUBIC)
    usual = v2.Compose([v2.Resize(64, interpolation=v2.InterpolationMode.BICUBIC), v2.CenterCrop(56), v2.PILToTensor()])
    ours = images.load(smooth, Preprocessing(56, crop=56 / 64))
    assert np.abs(ours.astype(int) - usual(smooth).numpy().astype(int)).mean() < 1


def test_reduced_decoding_of_a_large_jpeg_is_close_to_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.fromarray(noise(8, 60, 80)).resize((2000, 1500), Image.Resampling.BICUBIC).save(path, quality=95)
    reduced = images.load(path, Preprocessing(64)).astype(int)
    whole = images.load(images.decode(path), Preprocessing(64)).astype(int)
    # Half a pixel of misplacement, as from ignoring that 1500 is no multiple of 8, would make this 5.
    assert np.abs(reduced - whole).mean() < 1
    assert pixels.read(path, least=128).extent == (250, 187.5)
    assert images.decode(path).size == (2000, 1500)


def test_unknown_interpolation() -> None:
    with pytest.raises(BadOption, match="bicubic"):
        images.load(RGB, Preprocessing(8, interpolation="lanczos"))


def test_augment_is_reached_through_the_modality() -> None:
    batch = torch.from_numpy(noise(0, 8, 8).transpose(2, 0, 1).copy())[None]
    assert images.augment(batch, 1).shape == (1, 3, 8, 8)


@pytest.mark.parametrize("shape", [(10, 300), (300, 10), (5, 5), (1, 2000)])
def test_render_is_a_small_png(shape: tuple[int, int]) -> None:
    image = Image.open(io.BytesIO(images.render(noise(0, *shape), size=48)))
    assert image.format == "PNG"
    assert max(image.size) <= 48


def test_decoding_leaves_the_callers_image_alone() -> None:
    original = Image.fromarray(RGB)
    images.decode(original).putpixel((0, 0), (1, 2, 3))
    images.render(original, size=2)
    images.facts(original)
    assert np.array_equal(np.asarray(original), RGB)


def test_what_a_stranger_sent_is_judged_by_its_header(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("L", (300, 200)).save(stream, "PNG")
    content = stream.getvalue()
    assert images.received(content, 60_000) is content
    with pytest.raises(Undecodable, match="300 x 200 pixels are too many"):
        images.received(content, 59_999)
    # The header is enough: what follows is not looked at yet.
    assert images.received(content[:60], 60_000) == content[:60]
    path = tmp_path / "a.png"
    path.write_bytes(content)
    for text in (str(path), f"file://{path}", ""):
        with pytest.raises(Undecodable, match="no picture"):
            images.received(text, 60_000)
    for broken in (b"", b"no picture", str(path).encode()):
        with pytest.raises(Undecodable):
            images.received(broken, 60_000)
