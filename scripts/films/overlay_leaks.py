"""How much of what lies over composed films comes into the index: python -m scripts.films.overlay_leaks --root OUT.

Reads films/ and films.json of scripts.films.compose. Keyframes are extracted as `bof index` does, and their features
counted that lie on drawn letters or on a channel's logo.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from joblib import Parallel, delayed

from bof.cli.command import run
from bof.images.films.film import Film
from bof.options import FeatureOptions, VideoOptions
from bof.types import Bool, Geometry
from bof.video.chunks import chunks_of
from bof.video.extraction import extract_shots
from bof.video.types import Keyframe
from scripts.common.arguments import make_parser
from scripts.common.sums import sum_fields
from scripts.films import overlays
from scripts.films.styles import STYLES

_AROUND_PX = 5


@dataclass(frozen=True, slots=True)
class Leaks:
    """Of a film's keyframes: how many, with a caption, with a logo; features of all, on captions, on logos."""

    keyframes: int
    captioned: int
    with_logo: int
    features: int
    on_captions: int
    on_logos: int


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = make_parser(__doc__, jobs=(2, "films at a time"))
    parser.add_argument("--root", type=Path, required=True, metavar="DIR", help="where the films are")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    films = json.loads((arguments.root / "films.json").read_text(encoding="utf-8"))["films"]
    found = Parallel(n_jobs=arguments.jobs)(delayed(count_leaks)(arguments.root, film) for film in films)
    print(f"{'':<14}{'keyframes':>11}{'features':>10}{'captioned':>11}{'on each':>9}{'with logo':>11}{'on each':>9}")
    names = [*(film["style"] for film in films), "all"]
    for name, leaks in zip(names, [*found, sum_fields(found)], strict=True):
        on_captions, on_logos = leaks.on_captions / max(leaks.captioned, 1), leaks.on_logos / max(leaks.with_logo, 1)
        print(f"{name:<14}{leaks.keyframes:>11}{leaks.features:>10}{leaks.captioned:>11}{on_captions:>9.1f}", end="")
        print(f"{leaks.with_logo:>11}{on_logos:>9.1f}")
    return 0


def count_leaks(root: Path, film: Mapping[str, Any]) -> Leaks:
    """Of a film whose truth is known."""
    found = [Leaks(0, 0, 0, 0, 0, 0)]
    for keyframe in _keyframes(root / "films" / film["film"]):
        geometry, time = keyframe.features.geometry, float(keyframe.time)
        caption = next((each["text"] for each in film["captions"] if each["times"][0] <= time < each["times"][1]), None)
        on_caption = n_inside(geometry, caption_mask(film, caption)) if caption else 0
        on_logo = n_inside(geometry, logo_mask(film)) if film["logo"] else 0
        found.append(Leaks(1, caption is not None, film["logo"] > 0, len(geometry), on_caption, on_logo))
    return sum_fields(found)


def _keyframes(path: Path) -> Iterator[Keyframe]:
    with Film(str(path)) as film:
        for chunk in chunks_of(film.facts.duration):
            for shot in extract_shots(film, chunk.start, chunk.stop, VideoOptions(), FeatureOptions()):
                yield from shot.keyframes


def caption_mask(film: Mapping[str, Any], text: str) -> Bool:
    """Where a caption is drawn in the film's frames: bool (h, w)."""
    frame = np.zeros((film["size"][1], film["size"][0], 3), np.uint8)
    kind = next(style.captions for style in STYLES if style.name == film["style"])
    overlays.lay_caption(frame, kind, text)
    return _drawn(frame.max(axis=2) > 128)


def logo_mask(film: Mapping[str, Any]) -> Bool:
    """Where the channel's logo is drawn."""
    frame = np.zeros((film["size"][1], film["size"][0], 3), np.uint8)
    overlays.lay_logo(frame, film["logo"])
    return _drawn(frame.max(axis=2) > 0)


def _drawn(inside: Bool) -> Bool:
    return np.asarray(cv2.dilate(inside.astype(np.uint8), np.ones((_AROUND_PX, _AROUND_PX), np.uint8)) > 0)


def n_inside(geometry: Geometry, mask: Bool) -> int:
    """How many features have their middles in a mask of the whole frame."""
    height, width = mask.shape
    xy = ((geometry.xy_px + 0.5) * (width / geometry.width)).astype(int)
    return int(mask[np.clip(xy[:, 1], 0, height - 1), np.clip(xy[:, 0], 0, width - 1)].sum())


if __name__ == "__main__":
    sys.exit(main())
