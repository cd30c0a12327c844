"""The collection on disk: members of every family, queries of every kind, and siblings.json that says what is right."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
from joblib import Parallel, delayed

from bof.types import U8
from scripts.common.arguments import n_cores
from scripts.common.pictures import encode
from scripts.siblings.camera import photographed, set_inside, shrunk, telling_crop
from scripts.siblings.registry import Family, all_families
from scripts.siblings.streams import Streams, whole

N_MEMBERS = 6
FILE = "siblings.json"

QUERIES = {"exact": 1, "photo": 2, "resaved": 1, "absent": 1, "absent_photo": 1, "crop": 1, "inside": 1}
"""How many queries of each kind a family has; absent: of a member that the collection does not have."""

_CAMERA = 1000
_RESAVED_SCALE, _RESAVED_QUALITY = 0.6, 50


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the collection goes and what is in it."""

    out: Path
    n_members: int = N_MEMBERS
    seed: int = 0
    photos: Sequence[Path] = ()


def draw_collection(plan: Plan, families: Sequence[Family]) -> Path:
    """Draw all pictures, families side by side, and write the benchmark's file; returns it. The same seed draws the
    same pictures, whichever families there are beside.
    """
    parts = Parallel(n_cores())(delayed(draw_family)(plan, each.name) for each in families)
    database = [name for names, _ in parts for name in names]
    queries = [query for _, queries in parts for query in queries]
    file = plan.out / FILE
    content = {"name": "siblings", "database": database, "queries": queries}
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return file


def draw_family(plan: Plan, name: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Draw one family's members and queries; returns the names of its members and the queries' entries."""
    cv2.setNumThreads(1)
    family = next(each for each in all_families() if each.name == name)
    drawn = [family.draw(m, Streams.of(name, m, plan.seed, plan.photos)) for m in range(plan.n_members + 1)]
    design = Streams.of(name, 0, plan.seed).design
    suffix, quality = (".png", None) if design.random() < 0.5 else (".jpg", whole(design, 82, 96))
    contents = [encoded(pixels, quality) for pixels in drawn]
    names = [_write(plan, f"db/{name}/{name}_{m}{suffix}", contents[m]) for m in range(plan.n_members)]
    queries = [
        _entry(family, names, member, kind, _write(plan, f"queries/{name}/{kind}_{member}{ending}", content))
        for kind, member, ending, content in _queries(plan, family, drawn, contents, suffix)
    ]
    return names, queries


def _queries(
    plan: Plan, family: Family, drawn: Sequence[U8], contents: Sequence[bytes], suffix: str
) -> Iterator[tuple[str, int, str, bytes]]:
    """Kind, member, suffix and content of each query of a family."""
    for number, (kind, n) in enumerate(QUERIES.items()):
        for i in range(n):
            is_absent = kind.startswith("absent")
            member = plan.n_members if is_absent else (number + 3 * i) % plan.n_members
            if kind in ("exact", "absent"):
                yield kind, member, suffix, contents[member]
                continue
            streams = Streams.of(family.name, _CAMERA + 10 * number + i, plan.seed, plan.photos)
            yield kind, member, ".jpg", _attacked(kind, streams, drawn, member)


def _attacked(kind: str, streams: Streams, drawn: Sequence[U8], member: int) -> bytes:
    pixels, quality = drawn[member], whole(streams.own, 60, 86)
    if kind in ("photo", "absent_photo"):
        return encoded(photographed(streams, pixels), quality)
    if kind == "resaved":
        return encoded(shrunk(pixels, _RESAVED_SCALE), _RESAVED_QUALITY)
    if kind == "crop":
        siblings = [other for m, other in enumerate(drawn[:-1]) if m != member]
        return encoded(telling_crop(streams.own, pixels, siblings), quality)
    return encoded(set_inside(streams, pixels), quality)


def _entry(family: Family, names: Sequence[str], member: int, kind: str, image: str) -> dict[str, Any]:
    positives = names[member : member + 1]
    return {
        "image": image,
        "positives": positives,
        "siblings": [name for name in names if name not in positives],
        "group": kind,
        "family": family.name,
        "kind": family.kind,
        "member": member,
        "query_kind": kind,
        "half": family.half,
    }


def encoded(pixels: U8, quality: int | None) -> bytes:
    """RGB u8 (h, w, 3) as a JPEG of a quality, without one as a PNG."""
    if quality is None:
        return encode(pixels, ".png")
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _write(plan: Plan, name: str, content: bytes) -> str:
    path = plan.out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return name
