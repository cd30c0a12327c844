"""Broken picture files, made from whole ones: every kind of damage that files meet, and some that people make."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "GIF": ".gif", "BMP": ".bmp", "PPM": ".ppm",
            "AVIF": ".avif"}  # fmt: skip

Rng = np.random.Generator


def write_mutants(pictures: Sequence[Path], folder: Path, n: int, seed: int) -> list[str]:
    """Write n files into the folder; returns the kind of each."""
    rng = np.random.default_rng(seed)
    seeds = [(suffix, data) for path in pictures for suffix, data in _encodings(path)]
    made = _bombs()[: n // 10]
    for number, (name, data) in enumerate(made):
        (folder / f"bomb-{number:03d}-{name}").write_bytes(data)
    kinds = ["bomb"] * len(made)
    names = list(_DAMAGES)
    for number in range(n - len(made)):
        suffix, data = seeds[int(rng.integers(len(seeds)))]
        kind = names[number % len(names)]
        other = list(SUFFIXES.values())[int(rng.integers(len(SUFFIXES)))] if kind == "wrong suffix" else suffix
        (folder / f"{kind.replace(' ', '-')}-{number:05d}{other}").write_bytes(_DAMAGES[kind](rng, data))
        kinds.append(kind)
    return kinds


def _encodings(path: Path) -> list[tuple[str, bytes]]:
    """The picture in every format, small."""
    picture = Image.open(path).convert("RGB").resize((160, 120))
    found = []
    for kind, suffix in SUFFIXES.items():
        stream = io.BytesIO()
        picture.save(stream, kind)
        found.append((suffix, stream.getvalue()))
    progressive, deep = io.BytesIO(), io.BytesIO()
    picture.save(
        progressive, "JPEG", progressive=True, exif=b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"
    )
    Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257).save(deep, "PNG")
    return [*found, (".jpg", progressive.getvalue()), (".png", deep.getvalue())]


def _flip_bits(rng: Rng, data: bytes) -> bytes:
    damaged = bytearray(data)
    for at in rng.integers(0, len(data), int(rng.integers(1, 30))):
        damaged[at] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def _damage_header(rng: Rng, data: bytes) -> bytes:
    damaged = bytearray(data)
    for at in rng.integers(4, min(80, len(data)), int(rng.integers(1, 8))):
        damaged[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, int(rng.integers(256))]))
    return bytes(damaged)


def _truncate(rng: Rng, data: bytes) -> bytes:
    return data[: int(rng.integers(0, len(data)))]


def _blank_block(rng: Rng, data: bytes) -> bytes:
    start, length = int(rng.integers(0, len(data))), int(rng.integers(1, 400))
    return (
        data[:start] + bytes([int(rng.choice([0, 0xFF]))]) * len(data[start : start + length]) + data[start + length :]
    )


def _insert(rng: Rng, data: bytes) -> bytes:
    at = int(rng.integers(0, len(data)))
    return data[:at] + rng.bytes(int(rng.integers(1, 200))) + data[at:]


def _cut_out(rng: Rng, data: bytes) -> bytes:
    at, length = int(rng.integers(0, len(data))), int(rng.integers(1, 400))
    return data[:at] + data[at + length :]


def _resize(rng: Rng, data: bytes) -> bytes:
    """Another size in the header: 0, 1, 65,535, or far more than there are pixels."""
    small, large = [struct.pack(order + "HH", 160, 120) for order in "<>"], [struct.pack(">II", 160, 120)]
    side = [0, 1, 65535, 30000, 5000][int(rng.integers(5))]
    other = [160, 0, 65535, side][int(rng.integers(4))]
    for order, kind, places in ((">", "HH", small), (">", "II", large), ("<", "II", [struct.pack("<II", 160, 120)])):
        for place in places:
            for size, new in ((place, struct.pack(order + kind, side, other)),):
                if size in data:
                    return _mend_png(data.replace(size, new, 1))
    height_first = struct.pack(">HH", 120, 160)
    return data.replace(height_first, struct.pack(">HH", side, other), 1)


def _mend_png(data: bytes) -> bytes:
    """A PNG's header has a checksum: with a wrong one nobody would look at the size."""
    if not data.startswith(b"\x89PNG"):
        return data
    return data[:29] + struct.pack(">I", zlib.crc32(data[12:29])) + data[33:]


def _wrong_suffix(rng: Rng, data: bytes) -> bytes:
    return data


def _another_file(rng: Rng, data: bytes) -> bytes:
    starts = (b"%PDF-1.7\n", b"PK\3\4", b"<svg xmlns=", b"\x7fELF", b"", b"GIF89a", b"\xff\xd8\xff", b"BM", b"P6 ")
    return starts[int(rng.integers(len(starts)))] + rng.bytes(int(rng.integers(0, 3000)))


_DAMAGES: dict[str, Callable[[Rng, bytes], bytes]] = {
    "flipped bits": _flip_bits, "damaged header": _damage_header, "truncated": _truncate, "blank block": _blank_block,
    "inserted bytes": _insert, "cut out": _cut_out, "another size": _resize, "wrong suffix": _wrong_suffix,
    "another file": _another_file,
}  # fmt: skip


# -- Small files that hold much ---------------------------------------------------------------------------------------


def _bombs() -> list[tuple[str, bytes]]:
    """Pictures of very many pixels in few bytes, and chunks that unpack to much."""
    sizes = [(30000, 30000), (14000, 14000), (65535, 3), (3, 65535), (65535, 65535), (1, 1), (2, 1), (9000, 9000)]
    bombs = [(f"{width}x{height}.png", _png(width, height)) for width, height in sizes]
    text = b"zTXt" + b"comment\0\0" + zlib.compress(bytes(200 << 20))
    bombs.append(("text.png", _png(8, 8, _chunk(text))))
    profile = b"iCCP" + b"icc\0\0" + zlib.compress(bytes(200 << 20))
    bombs.append(("profile.png", _png(8, 8, _chunk(profile))))
    large = [("JPEG", (30000, 6000)), ("JPEG", (12000, 12000)), ("TIFF", (12000, 12000)), ("GIF", (9000, 9000))]
    for kind, size in [*large, ("WEBP", (16383, 4000)), ("BMP", (5000, 5000))]:
        stream = io.BytesIO()
        options = {"compression": "tiff_deflate"} if kind == "TIFF" else {}
        Image.new("L" if kind != "WEBP" else "RGB", size).save(stream, kind, **options)
        bombs.append((f"{size[0]}x{size[1]}{SUFFIXES[kind]}", stream.getvalue()))
    progressive = io.BytesIO()
    Image.new("RGB", (12000, 12000)).save(progressive, "JPEG", progressive=True)
    return [*bombs, ("progressive.jpg", progressive.getvalue())]


def _png(width: int, height: int, extra: bytes = b"") -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(width + 1)
    packed = b"".join(packer.compress(row) for _ in range(min(height, 10000))) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + _chunk(header) + extra + _chunk(b"IDAT" + packed) + _chunk(b"IEND")


def _chunk(data: bytes) -> bytes:
    return struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
