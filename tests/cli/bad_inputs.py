"""The makers of bad inputs: each writes something wrong into a folder and returns the words of a command about it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.data.pictures import noise, write, write_classes
from tests.ship.conftest import resealed

BACKBONE = "embedded/resnet10-procedural"
Words = list[str]
Make = Callable[[Path], Words]


def fit(source: object, root: Path, *more: str) -> Words:
    """Fit a probe to a source."""
    common = ["--backbone", BACKBONE, "--strategy", "probe", "--no-baselines"]
    return ["fit", str(source), "-o", str(root / "out"), *common, *more]


def good(root: Path, each: int = 12) -> Path:
    """Two classes with nothing wrong."""
    return write_classes(root / "photos", {"cat": each, "dog": each})


def with_options(*more: str) -> Make:
    """A good source and an option that cannot be."""
    return lambda root: fit(good(root, 3), root, *more)


def source_file(name: str, data: bytes | str) -> Make:
    """A file as the source."""

    def make(root: Path) -> Words:
        good(root)
        path = root / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return fit(path, root)

    return make


def source_folder(change: Callable[[Path], object]) -> Make:
    """A good folder with something done to it."""

    def make(root: Path) -> Words:
        photos = good(root)
        change(photos)
        return fit(photos, root)

    return make


def bad_files(name: str, data: bytes, number: int = 4) -> Make:
    """So many files of these bytes among 24 good ones that the source is refused, which lists them."""

    def change(photos: Path) -> None:
        for i in range(number):
            (photos / "cat" / name.format(i)).write_bytes(data)

    return source_folder(change)


def table(rows: str, header: str = "file,label", encoding: str = "utf-8") -> Make:
    """A CSV beside the pictures of a good folder."""

    def make(root: Path) -> Words:
        good(root)
        (root / "photos" / "t.csv").write_bytes((f"{header}\n" + rows).encode(encoding))
        return fit(root / "photos" / "t.csv", root)

    return make


def good_rows() -> str:
    return "".join(f"{name}/{i}.png,{name}\n" for name in ("cat", "dog") for i in range(12))


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of a few hundred bytes that claims to be enormous."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10_000)))
        + chunk(b"IEND", b"")
    )


def video() -> bytes:
    """The beginning of an MP4 file."""
    return struct.pack(">I", 24) + b"ftypisom" + bytes(12) + b"moov" + bytes(400)


def jpeg(side: int = 32) -> bytes:
    import io

    stream = io.BytesIO()
    Image.fromarray(noise(1, side, side)).save(stream, "JPEG")
    return stream.getvalue()


def special(kind: str) -> Make:
    """Pipes, sockets and devices that call themselves pictures: opening one would wait for ever."""

    def change(photos: Path) -> None:
        for i in range(4):
            path = photos / "cat" / f"x{i}.png"
            if kind == "pipe":
                os.mkfifo(path)
            elif kind == "device":
                path.symlink_to("/dev/zero")
            else:
                here = Path.cwd()
                os.chdir(path.parent)
                with socket.socket(socket.AF_UNIX) as server:
                    server.bind(path.name)
                os.chdir(here)

    return source_folder(change)


def source_pipe(root: Path) -> Words:
    os.mkfifo(root / "pipe.csv")
    return fit(root / "pipe.csv", root)


def dangling(photos: Path) -> None:
    for i in range(4):
        (photos / "cat" / f"link{i}.png").symlink_to(photos / "gone" / f"{i}.png")


def circle(root: Path) -> Words:
    (root / "a").symlink_to(root / "b")
    (root / "b").symlink_to(root / "a")
    return fit(root / "a", root)


def circles_of_files(photos: Path) -> None:
    for i in range(4):
        (photos / "cat" / f"l{i}.png").symlink_to(f"m{i}.png")
        (photos / "cat" / f"m{i}.png").symlink_to(f"l{i}.png")


def unreadable_files(photos: Path) -> None:
    for path in sorted((photos / "cat").iterdir())[:6]:
        path.chmod(0)


def unreadable_folder(root: Path) -> Words:
    photos = good(root)
    (photos / "dog").chmod(0)
    return fit(photos, root)


def unreadable_table(root: Path) -> Words:
    words = table(good_rows())(root)
    Path(words[1]).chmod(0)
    return words


def unwritable_output(root: Path) -> Words:
    (root / "locked").mkdir(mode=0o555)
    return [*fit(good(root), root)[:2], "-o", str(root / "locked" / "out"), "--backbone", BACKBONE]


def parts(**classes: dict[str, int]) -> Make:
    """train=, val=, test= with so many pictures of each class."""

    def make(root: Path) -> Words:
        for number, (part, sizes) in enumerate(classes.items()):
            (root / "photos" / part).mkdir(parents=True)
            write_classes(root / "photos" / part, sizes, start=1000 * number)
        return fit(root / "photos", root)

    return make


def taken(name: str) -> Make:
    """An output that is there already: a file, a folder with something in it, a folder of somebody else."""

    def make(root: Path) -> Words:
        out = root / "out"
        if name == "file":
            out.write_text("mine")
        else:
            out.mkdir()
            (out / "thesis.txt").write_text("five years of work")
        return fit(good(root), root, *(["--overwrite"] if name == "foreign" else []))

    return make


def below_a_file(root: Path) -> Words:
    (root / "notes.txt").write_text("x")
    return ["fit", str(good(root)), "-o", str(root / "notes.txt" / "out"), "--backbone", BACKBONE]


def backbone(change: Callable[[Path], object]) -> Make:
    """A local backbone whose weights something was done to."""

    def make(root: Path) -> Words:
        from headstart.backbones import catalogue, folder

        to = root / "backbone"
        folder.write_folder(catalogue.load("embedded/resnet10-8-12-16-24", weights=False), to, {"source": "random"})
        change(next(to.glob("*.safetensors")))
        return ["fit", str(good(root)), "-o", str(root / "out"), "--backbone", f"local:{to}", "--strategy", "probe"]

    return make


def cut(path: Path, least: int = 40) -> None:
    path.write_bytes(path.read_bytes()[:-least])


def flip(path: Path) -> None:
    """One byte in the middle is another one."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def huge_header(path: Path) -> None:
    """A safetensors file whose header claims 2^60 bytes."""
    path.write_bytes(struct.pack("<Q", 2**60) + path.read_bytes()[8:])


def pickled(path: Path) -> None:
    import pickle

    path.write_bytes(pickle.dumps({"a": 1}))


def resumed_with_other_data(root: Path) -> Words:
    """A run that was begun, and now there is one more picture."""
    from headstart.api.fitting import fit as fitted
    from headstart.base.progress import Silent

    class Stopping(Silent):
        def say(self, text: str) -> None:
            raise KeyboardInterrupt

    photos = good(root)
    given = {"backbone": BACKBONE, "strategy": "probe", "baselines": False}
    with contextlib.suppress(KeyboardInterrupt):
        fitted(photos, output=root / "out", report=Stopping(), **given)
    write(photos / "cat" / "new.png", 4711)
    return fit(photos, root, "--resume")


def resumed_broken(root: Path) -> Words:
    photos = good(root)
    (root / "out" / "run").mkdir(parents=True)
    (root / "out" / "run" / "config.json").write_text('{"id": ')
    return fit(photos, root, "--resume")


def model(change: Callable[[Path], object], *words: str) -> Callable[[Path, Path], Words]:
    """Predict with a copy of a sealed model that something was done to."""

    def make(root: Path, sealed: Path) -> Words:
        shutil.copytree(sealed, root / "model")
        write(root / "one.png")
        change(root / "model")
        return ["predict", str(root / "model"), *(words or [str(root / "one.png")])]

    return make


def about(*words: str, make: Callable[[Path], object] = lambda root: None) -> Callable[[Path, Path], Words]:
    """A command about a sound model; ROOT and MODEL stand for the folders."""

    def made(root: Path, sealed: Path) -> Words:
        make(root)
        return [word.replace("ROOT", str(root)).replace("MODEL", str(sealed)) for word in words]

    return made


def manifest(change: Callable[[dict], object], *, reseal: bool = False) -> Callable[[Path], None]:
    """The manifest edited, as a careless person would or, with ``reseal``, as a careful forger."""

    def edit(folder: Path) -> None:
        if reseal:
            resealed(folder, change)
            return
        found = json.loads((folder / "manifest.json").read_text())
        change(found)
        (folder / "manifest.json").write_text(json.dumps(found))

    return edit


def traversal(found: dict) -> None:
    found["files"]["../../../../etc/passwd"] = found["files"]["weights.safetensors"]


def other_weights(folder: Path) -> None:
    """Sound weights of another network, with a manifest to match: only the golden examples can tell."""
    from safetensors.torch import load_file, save_file

    path = folder / "weights.safetensors"
    save_file(
        {name: value * 1.5 if value.is_floating_point() else value for name, value in load_file(path).items()}, path
    )
    resealed(folder)


def some_pictures(root: Path) -> None:
    write_classes(root / "test", {"checks": 3, "zebra": 3})


def one_unreadable(root: Path) -> None:
    (root / "bad.jpg").write_bytes(b"no picture")


def one_locked(root: Path) -> None:
    write(root / "locked.png").chmod(0)


def odd_pictures(photos: Path) -> None:
    """Everything odd that is a picture all the same: 15 more among the checks."""
    to = photos / "checks"
    colours = [Image.fromarray(noise(300 + i, 9, 9)) for i in range(3)]
    colours[0].save(to / "animated.gif", save_all=True, append_images=colours[1:])
    colours[0].save(to / "animated.webp", save_all=True, append_images=colours[1:], lossless=True)
    colours[0].save(to / "animated.png", save_all=True, append_images=colours[1:])
    colours[1].save(to / "pages.tif", save_all=True, append_images=colours[2:])
    Image.fromarray(noise(310, 9, 9)[:, :, 0].astype(np.uint16) * 257).save(to / "sixteen.png")
    Image.fromarray(noise(311, 9, 9)[:, :, 0].astype(np.float32) / 255).save(to / "float.tif")
    colours[2].convert("CMYK").save(to / "cmyk.jpg")
    colours[2].convert("P").save(to / "palette.png", transparency=0)
    Image.fromarray(noise(312, 1, 1)).save(to / "tiny.png")
    Image.fromarray(noise(313, 1, 20_000)).save(to / "wide.png")
    Image.fromarray(noise(314, 20_000, 1)).save(to / "tall.png")
    write(to / "line\nbreak.png", 319)
    write(to / "\u05d7\u05ea\u05d5\u05dc\u202e.png", 315)
    write(to / (251 * "n" + ".png"), 316)
    write(Path(os.fsdecode(os.fsencode(to) + b"/\xff\xfe.png")), 317)
    (to / "empty.png").mkdir()
    (to / "again").symlink_to(to)


SAID = ("4 images of 51 hold several pictures .*of which only the first is read", "loop|link")
"""What is said of them."""


def blackened(photos: Path) -> Path:
    """All pictures of one class are black."""
    for i, path in enumerate(sorted((photos / "disc").iterdir())):
        Image.new("RGB", (20 + i, 20)).save(path)
    return photos


def wrapped(photos: Path) -> Path:
    """As archives unpack: photos/photos/cat."""
    outer = photos.with_name("outer")
    outer.mkdir()
    photos.rename(outer / "inner")
    return outer


def nested(photos: Path) -> Path:
    """A folder in a class folder, loose pictures and a readme."""
    (photos / "disc" / "more").mkdir()
    write(photos / "disc" / "more" / "1.png", 900)
    write(photos / "loose.png", 901)
    (photos / "README.txt").write_text("by me")
    return photos


def parts_without_test(photos: Path) -> Path:
    """train/ with classes, test/ with nothing in it."""
    outer = photos.with_name("outer")
    (outer / "test").mkdir(parents=True)
    photos.rename(outer / "train")
    return outer


def loose_test(photos: Path) -> Path:
    """train/ with classes, test/ with pictures of which nobody knows the class."""
    outer = parts_without_test(photos)
    for i in range(5):
        write(outer / "test" / f"{i}.png", 500 + i)
    return outer


def two_labels(photos: Path) -> Path:
    """The same bytes under two classes."""
    shutil.copy(photos / "disc" / "disc-000.png", photos / "checks" / "copy.png")
    return photos


def as_table(encoding: str, header: str = "file,label", bom: str = "") -> Callable[[Path], Path]:
    """The folder as a CSV in another encoding."""

    def make(photos: Path) -> Path:
        more = "," * (header.count(",") - 1)
        rows = [f"{path.parent.name}/{path.name},{path.parent.name} \u00fc{more}" for path in photos.glob("*/*.png")]
        (photos / "t.csv").write_bytes((bom + "\n".join([header, *rows])).encode(encoding))
        return photos / "t.csv"

    return make


LAYOUTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "one class all black": (blackened, "36 images in 3 classes"),
    "a folder in a folder": (wrapped, "read .*inner, the only folder in .*outer"),
    "mixed": (nested, "disc/more as disc.*ignored: 1 image beside the class folders"),
    "an empty test part": (parts_without_test, "ignored: no images in test/"),
    "a test part without classes": (loose_test, "not used: 5 images in test/, which has no class folders"),
    "the same picture under two labels": (two_labels, "1 content is there under different labels: .*copy.png"),
    "a table with a byte-order mark": (as_table("utf-8", bom="\ufeff"), "column 'file' is the image"),
    "a table in UTF-16": (as_table("utf-16"), "column 'file' is the image"),
    "a table in Windows-1252": (as_table("cp1252"), "read as Windows-1252"),
    "two columns of one name": (as_table("utf-8", "file,label,label"), "2 columns are called 'label'; the first"),
}
"""Sources that are not as they should be, yet can be read: what is said of them."""
