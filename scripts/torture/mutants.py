"""Broken picture files through indexing and search: none may crash, hang or take more memory than was allowed.

They are made from whole ones: every kind of damage that files meet, and some that people make.
"""

from __future__ import annotations

import argparse
import io
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bof.engine import Engine
from bof.errors import ImageError
from bof.images.readers.jpeg import TRUNCATED
from bof.options import SearchOptions, VerifyOptions
from scripts.common.features import prepare
from scripts.common.process import memory, tree_of
from scripts.torture.index import Finding, index_command, link_all, n_images, start

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "GIF": ".gif", "BMP": ".bmp", "PPM": ".ppm",
            "AVIF": ".avif"}  # fmt: skip

_HANG_S = 30.0
_SEARCH = SearchOptions(verify=VerifyOptions(depth=20), mirror="never")
"""The mutants are copies of four pictures: to verify every copy for every copy would take an hour."""

Rng = np.random.Generator


Damage = Callable[[Rng, bytes], bytes]


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """Index them all, then search with each."""
    seeds = [(suffix, data) for path in pictures[:4] for suffix, data in _encodings(path)]
    return torture(pictures, scratch, arguments, seeds, DAMAGES, _bombs())


def torture(
    pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace, seeds: Sequence[tuple[str, bytes]],
    damages: Mapping[str, Damage], bombs: Sequence[tuple[str, bytes]] = (), every: int = 1,
) -> list[Finding]:  # fmt: skip
    """Damage the files of some seeds, suffix and bytes, index them, and search with each of so many."""
    folder, index, skipped = link_all(pictures[:3], scratch / "photos"), scratch / "index", scratch / "skipped"
    kinds = write_mutants(seeds, folder, arguments.mutants, arguments.seed, damages, bombs)
    command = index_command(folder, index, arguments, "--memory", arguments.memory, "--skipped", skipped)
    status, peak, seconds = _index(command)
    lines, n_indexed, n_files = skipped.read_text(encoding="utf-8").splitlines(), n_images(index), len(kinds) + 3
    named = [line for line in lines if TRUNCATED not in line]  # what is truncated is indexed too
    lost = [line for line in named if "the process that read it" in line]
    searched, slowest = _search_with_all(index, folder, every)
    is_whole, cap = status == 0 and n_indexed + len(named) == n_files, arguments.memory
    return [
        Finding("files", f"{n_files} ({', '.join(f'{n} {kind}' for kind, n in sorted(Counter(kinds).items()))})"),
        Finding("indexing", f"exit status {status} after {seconds:.0f} s", status != 0),
        Finding("indexed, and named as skipped", f"{n_indexed} + {len(named)} of {n_files}", not is_whole),
        Finding("pictures that took a process down or were given up", len(lost)),
        Finding("memory of all processes, and the cap", f"{peak >> 20} MB, {cap} MB", peak >> 20 > cap),
        Finding("searches by outcome", dict(searched), searched["another error"] > 0),
        Finding("slowest search", f"{slowest:.1f} s", slowest > _HANG_S),
    ]


def _index(command: list[str]) -> tuple[int, int, float]:
    """Exit status, peak of the memory of all processes that is not pages of files, seconds."""
    begin, peak = time.perf_counter(), 0
    process = start(command)
    while process.poll() is None:
        peak = max(peak, sum(memory(pid)["RssAnon"] for pid in tree_of(process.pid)))
        time.sleep(0.1)
    return process.returncode, peak, time.perf_counter() - begin


def _search_with_all(index: Path, folder: Path, every: int) -> tuple[Counter[str], float]:
    """Outcomes of one long-lived engine, and the seconds of the slowest search."""
    engine, outcomes, slowest = Engine.open(index), Counter[str](), 0.0
    for path in sorted(folder.iterdir())[::every]:
        begin = time.perf_counter()
        try:
            engine.answer(prepare(engine, path), _SEARCH)
            outcomes["answered"] += 1
        except ImageError:
            outcomes["refused by name"] += 1
        except Exception as error:
            outcomes["another error"] += 1
            print(f"{path.name}: {type(error).__name__}: {error}", file=sys.stderr)
        slowest = max(slowest, time.perf_counter() - begin)
    return outcomes, slowest


def write_mutants(
    seeds: Sequence[tuple[str, bytes]], folder: Path, n: int, seed: int, damages: Mapping[str, Damage],
    bombs: Sequence[tuple[str, bytes]] = (),
) -> list[str]:  # fmt: skip
    """Write n files into the folder; returns the kind of each."""
    rng = np.random.default_rng(seed)
    suffixes = sorted({suffix for suffix, _ in seeds})
    made = list(bombs)[: n // 10]
    for number, (name, data) in enumerate(made):
        (folder / f"bomb-{number:03d}-{name}").write_bytes(data)
    kinds = ["bomb"] * len(made)
    names = list(damages)
    for number in range(n - len(made)):
        suffix, data = seeds[int(rng.integers(len(seeds)))]
        kind = names[number % len(names)]
        other = suffixes[int(rng.integers(len(suffixes)))] if kind == "wrong suffix" else suffix
        (folder / f"{kind.replace(' ', '-')}-{number:05d}{other}").write_bytes(damages[kind](rng, data))
        kinds.append(kind)
    return kinds


def _encodings(path: Path) -> list[tuple[str, bytes]]:
    """The picture in every format, small."""
    picture = Image.open(path).convert("RGB").resize((160, 120))
    found = [(suffix, saved(picture, kind)) for kind, suffix in SUFFIXES.items()]
    turned = b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"
    progressive = saved(picture, "JPEG", progressive=True, exif=turned)
    deep = saved(Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257), "PNG")
    return [*found, (".jpg", progressive), (".png", deep)]


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


def _blank_block(rng: Rng, data: bytes) -> bytes:
    start, length = int(rng.integers(0, len(data))), int(rng.integers(1, 400))
    end = min(start + length, len(data))
    return data[:start] + bytes([int(rng.choice([0, 0xFF]))]) * (end - start) + data[end:]


def _insert(rng: Rng, data: bytes) -> bytes:
    at = int(rng.integers(0, len(data)))
    return data[:at] + rng.bytes(int(rng.integers(1, 200))) + data[at:]


def _cut_out(rng: Rng, data: bytes) -> bytes:
    at, length = int(rng.integers(0, len(data))), int(rng.integers(1, 400))
    return data[:at] + data[at + length :]


def _resize(rng: Rng, data: bytes) -> bytes:
    """Another size in the header: 0, 1, 65,535, or far more than there are pixels."""
    side = [0, 1, 65535, 30000, 5000][int(rng.integers(5))]
    other = [160, 0, 65535, side][int(rng.integers(4))]
    for form in ("<HH", ">HH", ">II", "<II"):
        if (size := struct.pack(form, 160, 120)) in data:
            new = struct.pack(form if form != "<HH" else ">HH", side, other)
            data = data.replace(size, new, 1)
            if not data.startswith(b"\x89PNG"):
                return data
            # Its header has a checksum: with a wrong one nobody would look at the size.
            return data[:29] + struct.pack(">I", zlib.crc32(data[12:29])) + data[33:]
    return data.replace(struct.pack(">HH", 120, 160), struct.pack(">HH", side, other), 1)


def _another_file(rng: Rng, data: bytes) -> bytes:
    starts = (b"%PDF-1.7\n", b"PK\3\4", b"<svg xmlns=", b"\x7fELF", b"", b"GIF89a", b"\xff\xd8\xff", b"BM", b"P6 ")
    return starts[int(rng.integers(len(starts)))] + rng.bytes(int(rng.integers(0, 3000)))


DAMAGES: dict[str, Damage] = {
    "flipped bits": _flip_bits,
    "damaged header": _damage_header,
    "truncated": lambda rng, data: data[: int(rng.integers(0, len(data)))],
    "blank block": _blank_block,
    "inserted bytes": _insert,
    "cut out": _cut_out,
    "another size": _resize,
    "wrong suffix": lambda rng, data: data,
    "another file": _another_file,
}


# -- Small files that hold much ---------------------------------------------------------------------------------------


def _bombs() -> list[tuple[str, bytes]]:
    """Pictures of very many pixels in few bytes, and chunks that unpack to much."""
    sizes = [(30000, 30000), (14000, 14000), (65535, 3), (3, 65535), (65535, 65535), (1, 1), (2, 1), (9000, 9000)]
    bombs = [(f"{width}x{height}.png", png(width, height, _pixels(width, height))) for width, height in sizes]
    unpacking = zlib.compress(bytes(200 << 20))
    for name, type_code, head in (("text", b"zTXt", b"comment\0\0"), ("profile", b"iCCP", b"icc\0\0")):
        bombs.append((f"{name}.png", png(8, 8, chunk(type_code, head + unpacking), _pixels(8, 8))))
    large = [("JPEG", (30000, 6000)), ("JPEG", (12000, 12000)), ("TIFF", (12000, 12000)), ("GIF", (9000, 9000))]
    for kind, size in [*large, ("WEBP", (16383, 4000)), ("BMP", (5000, 5000))]:
        options = {"compression": "tiff_deflate"} if kind == "TIFF" else {}
        data = saved(Image.new("L" if kind != "WEBP" else "RGB", size), kind, **options)
        bombs.append((f"{size[0]}x{size[1]}{SUFFIXES[kind]}", data))
    return [*bombs, ("progressive.jpg", saved(Image.new("RGB", (12000, 12000)), "JPEG", progressive=True))]


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The file of a picture in a format of Pillow's."""
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def _pixels(width: int, height: int) -> bytes:
    """The chunk of black pixels, of at most 10,000 rows."""
    packer, row = zlib.compressobj(9), bytes(width + 1)
    return chunk(b"IDAT", b"".join(packer.compress(row) for _ in range(min(height, 10000))) + packer.flush())


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, color: int = 0) -> bytes:
    """A PNG that claims this size; color: 0 grey, 2 RGB, 6 RGB with transparency."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")
