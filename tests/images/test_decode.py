"""decode: every kind of picture and file name, upright and 8 bit; broken and hostile ones raise ImageError only."""

from __future__ import annotations

import io
import logging
import os
import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from bof.errors import ImageError, display_name
from bof.images import listing
from bof.images.decode import Picture, View, decode, decode_views, read_bytes, read_image
from bof.images.listing import IMAGE_SUFFIXES, list_everything, walk_images

Array = np.ndarray
needs_posix = pytest.mark.skipif(os.name != "posix", reason="POSIX file system")


def smooth(width: int = 96, height: int = 64) -> Array:
    """RGB u8 (height, width, 3), different at each corner, smooth enough to survive JPEG."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return np.stack([255 * x, 255 * y, 200 - 150 * x * y], axis=-1).round().astype(np.uint8)


def luma(rgb: Array) -> Array:
    return (rgb.astype(float) @ [0.299, 0.587, 0.114]).round()


def encode(image: Array | Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(out, kind, **options)
    return out.getvalue()


def distance(a: Array, b: Array) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def jpeg(width: int = 96, height: int = 64) -> bytes:
    return encode(smooth(width, height), "JPEG", quality=95)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


# -- Formats ----------------------------------------------------------------------------------------------------------

PLAIN: dict[str, Callable[[Array], bytes]] = {
    "jpeg": lambda a: encode(a, "JPEG", quality=95),
    "progressive jpeg": lambda a: encode(a, "JPEG", quality=95, progressive=True),
    "png": lambda a: encode(a, "PNG"),
    "webp": lambda a: encode(a, "WEBP", quality=95),
    "lossless webp": lambda a: encode(a, "WEBP", lossless=True),
    "tiff": lambda a: encode(a, "TIFF"),
    "lzw tiff": lambda a: encode(a, "TIFF", compression="tiff_lzw"),
    "jpeg tiff": lambda a: encode(a, "TIFF", compression="jpeg"),
    "bmp": lambda a: encode(a, "BMP"),
    "ppm": lambda a: encode(a, "PPM"),
    "adaptive palette": lambda a: encode(Image.fromarray(a).quantize(256), "PNG"),
    "gif": lambda a: encode(Image.fromarray(a).quantize(256), "GIF"),
    "cmyk jpeg": lambda a: encode(Image.fromarray(a).convert("CMYK"), "JPEG", quality=95),
    "cmyk tiff": lambda a: encode(Image.fromarray(a).convert("CMYK"), "TIFF"),
    "opaque alpha": lambda a: encode(Image.fromarray(a).convert("RGBA"), "PNG"),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_every_format_gives_the_same_picture(kind: str) -> None:
    rgb = smooth()
    data = PLAIN[kind](rgb)
    colour, grey = decode(data), decode(data, grey=True)
    assert colour.pixels.dtype == grey.pixels.dtype == np.uint8
    assert (colour.width, colour.height) == (grey.width, grey.height) == (96, 64)
    assert distance(colour.pixels, rgb) < 5
    assert distance(grey.pixels, luma(rgb)) < 5
    assert distance(grey.pixels, luma(colour.pixels)) < 1.5


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif() -> None:
    assert distance(decode(encode(smooth(), "AVIF", quality=90)).pixels, smooth()) < 5


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "GIF", "PPM"])
def test_grey_pictures(kind: str) -> None:
    grey = smooth()[..., 0]
    data = encode(grey, kind)
    assert distance(decode(data, grey=True).pixels, grey) < 1
    assert distance(decode(data).pixels, np.dstack([grey] * 3)) < 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF"])
def test_one_bit(kind: str) -> None:
    bits = smooth()[..., 0] > 100
    assert np.array_equal(decode(encode(Image.fromarray(bits), kind), grey=True).pixels, bits * np.uint8(255))


def test_a_single_pixel_is_a_picture() -> None:
    picture = decode(encode(np.full((1, 1, 3), 7, np.uint8), "PNG"), max_side=1000)
    assert picture.pixels.tolist() == [[[7, 7, 7]]]
    assert (picture.width, picture.height) == (1, 1)


def test_the_first_bytes_decide_not_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(encode(smooth(), "PNG"))
    assert np.array_equal(read_image(path).pixels, smooth())


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_many(kind: str) -> None:
    first, second = Image.fromarray(smooth()), Image.new("RGB", (96, 64), "red")
    if kind == "GIF":
        first = first.quantize(256)
    data = encode(first, kind, save_all=True, append_images=[second])
    assert distance(decode(data).pixels, smooth()) < 5


# -- Alpha, depth -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_composited_on_white(kind: str) -> None:
    rgba = np.dstack([smooth(), np.full((64, 96), 255, np.uint8)])
    rgba[:, :32, 3] = 0
    rgba[:, 32:64, 3] = 51
    pixels = decode(encode(rgba, kind, **({"lossless": True} if kind == "WEBP" else {}))).pixels
    assert (pixels[:, :32] == 255).all()
    assert np.abs(pixels[:, 32:64] - (0.2 * smooth()[:, 32:64] + 0.8 * 255)).max() <= 1
    assert np.array_equal(pixels[:, 64:], smooth()[:, 64:])


def test_grey_with_alpha() -> None:
    pixels = decode(encode(Image.new("LA", (4, 3), (0, 0)), "PNG"), grey=True).pixels
    assert np.array_equal(pixels, np.full((3, 4), 255, np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_palette_entry(kind: str) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.paste(0, (0, 0, 4, 8))
    pixels = decode(encode(image, kind, transparency=0)).pixels
    assert (pixels[:, :4] == 255).all()
    assert (pixels[:, 4:] == (10, 20, 30)).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_sixteen_bit_grey_is_scaled_by_the_bits_in_use(kind: str, bits: int) -> None:
    grey = smooth()[..., 0]
    deep = np.rint(grey / 255.0 * (2**bits - 1)).astype(np.uint16)
    assert distance(decode(encode(deep, kind), grey=True).pixels, grey) < 0.6
    assert distance(decode(encode(deep, kind)).pixels, np.dstack([grey] * 3)) < 0.6


def test_sixteen_bit_rgb_png() -> None:
    rows = b"".join(b"\0" + row.tobytes() for row in (smooth().astype(">u2") * 257))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 96, 64, 16, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert np.array_equal(decode(data).pixels, smooth())


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 255.0), (-3.0, 5.0), (0.0, 1e9)])
def test_float_tiff(low: float, high: float) -> None:
    grey = smooth()[..., 0]
    values = (low + (high - low) * (grey / 255.0)).astype(np.float32)
    assert distance(decode(encode(values, "TIFF"), grey=True).pixels, grey) < 0.6


def test_float_tiff_with_nan_and_infinity() -> None:
    values = np.array([[0.0, 1.0, np.nan, np.inf]], np.float32)
    assert decode(encode(values, "TIFF"), grey=True).pixels.tolist() == [[0, 255, 0, 0]]


# -- EXIF orientation -------------------------------------------------------------------------------------------------

# How a camera stores an upright picture under each orientation: the inverse of what the reader does.
STORED: dict[int, Callable[[Array], Array]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


def stored(orientation: int, kind: str, **options: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.ascontiguousarray(STORED[orientation](smooth()))
    return encode(pixels, kind, exif=exif, **options)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "LZW", "MPO"])
@pytest.mark.parametrize("orientation", STORED)
def test_exif_orientation(orientation: int, kind: str, grey: bool) -> None:
    known: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}, "LZW": {"compression": "tiff_lzw"}}
    options = known.get(kind, {})
    data = stored(orientation, {"LZW": "TIFF"}.get(kind, kind), **options)
    picture = decode(data, grey=grey)
    assert (picture.width, picture.height) == (96, 64)
    assert picture.pixels.flags.c_contiguous
    assert distance(picture.pixels, luma(smooth()) if grey else smooth()) < 3
    shrunk = decode(data, grey=grey, max_side=24)
    assert (shrunk.width, shrunk.height) == (96, 64)
    assert shrunk.pixels.shape[:2] == (16, 24)


def test_png_with_exif_behind_the_pixels() -> None:
    data = stored(6, "PNG")
    at = data.index(b"eXIf") - 4
    end = at + 12 + struct.unpack_from(">I", data, at)[0]
    moved = data[:at] + data[end:-12] + data[at:end] + data[-12:]
    assert np.array_equal(decode(moved).pixels, smooth())


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0\0\0\0\0",
        b"garbage",
    ],
)
def test_broken_exif_leaves_the_picture_as_stored(exif: bytes) -> None:
    data = encode(smooth(), "JPEG", quality=95, exif=b"Exif\0\0" + exif)
    assert distance(decode(data).pixels, smooth()) < 3


# -- Shrinking --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("max_side", [1, 7, 50, 64, 100, 200, 399])
def test_shrinking_keeps_the_original_size_in_width_and_height(kind: str, max_side: int) -> None:
    data = encode(smooth(400, 300), kind, **({"quality": 95} if kind == "JPEG" else {}))
    picture = decode(data, max_side=max_side, grey=True)
    assert (picture.width, picture.height) == (400, 300)
    assert picture.pixels.shape == (max(1, round(300 * max_side / 400)), max_side)
    full = Image.fromarray(luma(smooth(400, 300)).astype(np.uint8))
    assert distance(picture.pixels, np.asarray(full.resize(picture.pixels.shape[::-1], Image.Resampling.BOX))) < 3


@pytest.mark.parametrize("size", [(1000, 1), (1, 1000), (1000, 3)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_thin_pictures_keep_a_pixel(size: tuple[int, int], kind: str) -> None:
    picture = decode(encode(smooth(*size), kind), max_side=10)
    assert (picture.width, picture.height) == size
    assert sorted(picture.pixels.shape[:2]) == [1, 10]


def test_never_enlarges_and_is_deterministic() -> None:
    assert decode(jpeg(), max_side=1000).pixels.shape == (64, 96, 3)
    assert np.array_equal(decode(jpeg(), max_side=31).pixels, decode(jpeg(), max_side=31).pixels)


# -- Too large --------------------------------------------------------------------------------------------------------


def test_a_bomb_is_refused_before_memory_is_taken() -> None:
    resource = pytest.importorskip("resource")
    data = png_claiming(60_000, 60_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    with pytest.raises(ImageError, match=r"bomb\.png: too large: expected at most 200000000 .* 60000 x 60000"):
        decode(data, name="bomb.png")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB; the pixels would be 10 GB


@pytest.mark.parametrize("kind", PLAIN)
def test_the_cap_counts_every_format(kind: str) -> None:
    data = PLAIN[kind](smooth())
    assert decode(data, max_pixels=96 * 64).width == 96
    with pytest.raises(ImageError, match="too large: expected at most 6143 pixels, found 96 x 64"):
        decode(data, max_pixels=96 * 64 - 1)


def test_our_cap_not_pillows() -> None:
    # 100 million one-bit pixels: Image.open would warn, and warnings are errors here.
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 10_000, 10_000, 1, 0, 0, 0, 0))
    pixels = zlib.compress(bytes(1251 * 10_000), 1)
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    assert decode(data, grey=True, max_side=64).pixels.shape == (64, 64)


# -- Broken -----------------------------------------------------------------------------------------------------------

WHOLE = {
    "png": PLAIN["png"],
    "webp": PLAIN["webp"],
    "tiff": PLAIN["tiff"],
    "lzw tiff": PLAIN["lzw tiff"],
    "bmp": PLAIN["bmp"],
    "ppm": PLAIN["ppm"],
    "gif": PLAIN["gif"],
}


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("kind", WHOLE)
def test_truncated(kind: str, grey: bool, part: float, capfd: pytest.CaptureFixture[str]) -> None:
    data = WHOLE[kind](smooth(200, 150))
    with pytest.raises(ImageError, match=r"a\.x: .*truncated"):
        decode(data[: int(len(data) * part)], grey=grey, name="a.x")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("grey", [False, True])
def test_what_is_there_of_a_truncated_jpeg_is_read(grey: bool, capfd: pytest.CaptureFixture[str]) -> None:
    data = jpeg(200, 150)
    picture = decode(data[: len(data) // 2], grey=grey)
    whole = decode(data, grey=grey)
    assert (picture.width, picture.height, picture.pixels.shape) == (200, 150, whole.pixels.shape)
    assert picture.note.startswith("truncated: the end of the file is missing")
    assert whole.note == ""
    assert np.array_equal(picture.pixels[:40], whole.pixels[:40])
    assert np.ptp(picture.pixels[-8:].astype(int), axis=0).max() < 3  # what is missing is flat from top to bottom
    assert capfd.readouterr() == ("", "")


def test_a_truncated_progressive_jpeg_is_less_sharp() -> None:
    data = PLAIN["progressive jpeg"](smooth(200, 150))
    picture = decode(data[: len(data) * 8 // 10])
    assert picture.note
    assert distance(picture.pixels, smooth(200, 150)) < 12


@pytest.mark.parametrize("part", [0.02, 0.1])
def test_a_jpeg_without_any_pixels_is_refused(part: float) -> None:
    data = jpeg(200, 150)
    with pytest.raises(ImageError, match=r"a\.x: .*truncated"):
        decode(data[: int(len(data) * part)], name="a.x")


def test_truncated_jpeg_that_is_shrunk_while_decoding() -> None:
    data = jpeg(800, 600)
    picture = decode(data[: len(data) * 2 // 3], max_side=100)
    assert (picture.width, picture.height, picture.pixels.shape) == (800, 600, (75, 100, 3))
    assert picture.note


def test_bytes_after_the_end_are_ignored() -> None:
    assert distance(decode(jpeg() + b"trailing" * 1000).pixels, smooth()) < 3


def test_empty_garbage_and_text() -> None:
    with pytest.raises(ImageError, match=r"x\.jpg: expected a picture, found an empty file"):
        decode(b"", name="x.jpg")
    with pytest.raises(ImageError, match=r"x\.jpg: expected a picture \(JPEG, PNG, .*begins with b'<html>"):
        decode(b"<html></html>", name="x.jpg")


@pytest.mark.parametrize(
    "head", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 ", b"II*\0", b"BM", b"P6\n"]
)
def test_a_true_beginning_and_then_noise(head: bytes) -> None:
    with pytest.raises(ImageError, match="picture"):
        decode(head + random.Random(0).randbytes(500))


def mutated(chance: random.Random, data: bytes) -> bytes:
    """Some bytes changed, most of them near the beginning, where the headers are."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 3, 20])):
        changed[chance.randrange(min(len(data), chance.choice([64, 600, len(data)])))] = chance.randrange(256)
    return bytes(changed)


def fuzz(seeds: list[bytes], n_files: int) -> None:
    chance = random.Random(7)
    n_decoded = 0
    for i in range(n_files):
        try:
            data = mutated(chance, seeds[i % len(seeds)])
            picture = decode(data, max_pixels=1_000_000, max_side=40, grey=i % 2 == 0)
        except ImageError:
            continue
        n_decoded += 1
        assert picture.pixels.dtype == np.uint8
        assert max(picture.pixels.shape[:2]) <= 40
    assert 0 < n_decoded < n_files


def test_mutated_files_raise_nothing_but_image_error_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    kinds = [kind for kind in PLAIN if "tiff" not in kind]
    fuzz([PLAIN[kind](smooth(48, 32)) for kind in kinds] + [stored(6, "JPEG"), stored(6, "WEBP")], 300)
    assert capfd.readouterr() == ("", "")


@pytest.mark.filterwarnings(
    "ignore::UserWarning"
)  # Pillow warns of broken tags; as errors they would end the test early
def test_mutated_tiffs_raise_nothing_but_image_error() -> None:
    # Not in silence: the libtiff inside Pillow writes to stderr, and Python cannot reach its handlers.
    fuzz([PLAIN[kind](smooth(48, 32)) for kind in PLAIN if "tiff" in kind] + [stored(6, "TIFF")], 150)


# -- Files and their names --------------------------------------------------------------------------------------------

NAMES = ["照片 一.jpg", "with several  spaces.JPG", "é" * 100 + ".jpeg", "x" * 240 + ".jpg", "new\nline.jpg", "-.jpg"]


@needs_posix
@pytest.mark.parametrize("name", [*NAMES, os.fsdecode(b"caf\xe9.jpg")])
def test_any_file_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(jpeg())
    assert list(walk_images(tmp_path)) == [path]
    assert read_image(path, grey=True).pixels.shape == (64, 96)
    path.write_bytes(b"")
    with pytest.raises(ImageError) as caught:
        read_image(path)
    str(caught.value).encode("utf-8")


def test_display_name() -> None:
    assert display_name(Path("照片.jpg")) == "照片.jpg"
    assert display_name("caf\udce9.jpg") == "caf\\udce9.jpg"


def test_read_bytes_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"missing\.jpg: cannot read: No such file"):
        read_bytes(tmp_path / "missing.jpg")
    with pytest.raises(ImageError, match="cannot read"):
        read_bytes(tmp_path)
    with pytest.raises(ImageError, match="cannot read"):
        read_bytes(tmp_path / "nul\0.jpg")
    with pytest.raises(ImageError, match="cannot read"):
        read_bytes(tmp_path / ("x" * 5000))


@needs_posix
def test_a_pipe_or_device_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="expected a regular file"):
        read_image(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="expected a regular file"):
        read_bytes(Path("/dev/zero"))
    assert list(walk_images(tmp_path)) == []


def test_read_image_passes_its_options(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg())
    picture = read_image(path, max_side=48, grey=True)
    assert isinstance(picture, Picture)
    assert picture.pixels.shape == (32, 48)
    with pytest.raises(ImageError, match=r"a\.jpg: too large"):
        read_image(path, max_pixels=10)


# -- Folders ----------------------------------------------------------------------------------------------------------


def touch(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def test_walk_is_recursive_sorted_and_skips_the_rest(tmp_path: Path) -> None:
    expected = touch(tmp_path, "b.jpg", "a/z.PNG", "a/b/c/deep.webp", "a.tif", "照片/图.gif", "c.JPEG")
    touch(tmp_path, ".hidden.jpg", ".git/x.jpg", "a/.thumbs/x.png", "notes.txt", "jpg", ".jpg", "x.jpg.part")
    (tmp_path / "folder.jpg").mkdir()
    assert list(walk_images(tmp_path)) == sorted(expected)


def test_files_whose_names_say_nothing_are_known_by_content(tmp_path: Path) -> None:
    for name in ("DSC1", "a.jpg_large", "b.1", "notes", "c.txt", "d.unknown", ".e"):
        (tmp_path / name).write_bytes(jpeg() if name not in ("notes", "d.unknown") else b"some words")
    found = list_everything([tmp_path])
    assert sorted(found.names.values()) == ["DSC1", "a.jpg_large", "b.1"]
    kinds = {os.path.basename(path): kind for path, kind in found.passed_over.items()}
    assert kinds == {"notes": "without a suffix", "c.txt": ".txt", "d.unknown": ".unknown", ".e": "hidden"}


def test_only_files_whose_names_say_nothing_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jpg", "b.txt", "c.mp4", "d", "e.strange")
    for name in ("d", "e.strange"):
        (tmp_path / name).write_bytes(b"words")
    opened: list[str] = []

    def record(path: Path) -> None:
        opened.append(path.name)

    monkeypatch.setattr(listing, "kind_of_file", record)
    list_everything([tmp_path])
    assert opened == ["d", "e.strange"]


def test_a_hidden_folder_is_walked_when_named(tmp_path: Path) -> None:
    expected = touch(tmp_path, ".mine/a.jpg")
    assert list(walk_images(tmp_path / ".mine")) == expected
    assert list(walk_images(tmp_path)) == []


@needs_posix
def test_links(tmp_path: Path) -> None:
    (real,) = touch(tmp_path, "in/real.jpg")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/link.jpg").symlink_to(real)
    (tmp_path / "in/broken.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "in/self.jpg").symlink_to(tmp_path / "in/self.jpg")
    (tmp_path / "alias").symlink_to(tmp_path / "in")
    assert [p.name for p in walk_images(tmp_path / "in")] == ["link.jpg", "real.jpg"]
    assert [p.name for p in walk_images(tmp_path / "alias")] == ["link.jpg", "real.jpg"]


def test_walk_raises_at_once_for_no_folder(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    with pytest.raises(ImageError, match="missing: expected a folder"):
        walk_images(tmp_path / "missing")
    with pytest.raises(ImageError, match=r"a\.jpg: expected a folder"):
        walk_images(tmp_path / "a.jpg")


def test_an_unreadable_folder_is_passed_over_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = touch(tmp_path, "a.jpg", "z/b.jpg")
    touch(tmp_path, "closed/c.jpg")
    scan = os.scandir

    def refuse(path: str) -> object:  # root reads everything, so chmod would prove nothing
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with caplog.at_level(logging.WARNING, logger="bof"):
        assert list(walk_images(tmp_path)) == expected
    assert [r.name for r in caplog.records] == ["bof"]
    assert "closed: folder passed over: Permission denied" in caplog.text


def test_suffixes_are_lower_case_with_a_dot() -> None:
    assert all(s == s.lower() and s.startswith(".") for s in IMAGE_SUFFIXES)
    assert {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"} <= IMAGE_SUFFIXES


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_views_that_are_decoded_together_have_the_bits_of_each_alone(kind: str, mode: str, orientation: int) -> None:
    if kind == "JPEG" and mode in ("RGBA", "P"):
        return
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (90, 131, 3), np.uint8)).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    picture.save(stream, kind, exif=exif)
    views: list[View] = [(100, True), (37, False), (None, False)]
    together = decode_views(stream.getvalue(), views)
    alone = [decode(stream.getvalue(), max_side=max_side, grey=grey) for max_side, grey in views]
    for one, other in zip(together, alone, strict=True):
        assert (one.width, one.height) == (other.width, other.height)
        assert np.array_equal(one.pixels, other.pixels)
