"""Films with known boundaries, composed of clips and photographs: by seed and style the same frames each time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType

import av
import cv2
import numpy as np

from bof.types import U8
from scripts.shots import scenes
from scripts.shots.scenes import Scene, Size
from scripts.shots.transitions import TRANSITIONS

RATE = 25
_CLIP_FRAMES = 300
"""What is read of a clip."""

_CUTS_OF_CLIPS = {"bikes.mp4": (30, 76, 137, 187, 242), "v2s.mov": (37,)}
"""Frames that begin a shot inside a clip, found by eye: films are composed of what lies between."""

_WORDS = (
    "Where were you last night?",
    "I cannot say.",
    "Look, over there!",
    "It is too late now",
    "- No. - Yes, it is.",
)


@dataclass(frozen=True)
class Style:
    """How films of a kind are made.

    shot_s: the median length of a shot; transitions: how often each comes, `cut` too; transition_s: from and to which
    length of the others; disturbances: the share of shots with each; clips, cards: shares of shots that are clips and
    title cards, the rest are photographs; speed: of pans, see `scenes.pan`; grain: of the film, in levels.
    """

    shot_s: float
    transitions: Mapping[str, float]
    transition_s: tuple[float, float] = (0.4, 1.2)
    disturbances: Mapping[str, float] = field(default_factory=dict)
    clips: float = 0.3
    cards: float = 0.0
    speed: float = 1.0
    grain: float = 0.0
    is_grey: bool = False
    crf: int = 23


TUNING: Mapping[str, Style] = MappingProxyType(
    {
        "documentary": Style(4.0, {"cut": 5, "dissolve": 4, "fade black": 1}, clips=0.1, cards=0.1, speed=0.8,
                             disturbances={"caption": 0.4}),
        "action": Style(1.8, {"cut": 1}, clips=0.5, speed=6.0,
                        disturbances={"flash": 0.25, "explosion": 0.2, "shake": 0.4, "passer": 0.2}),
        "slides": Style(3.0, {"cut": 2, "wipe right": 2, "wipe left": 2, "wipe circle": 1, "dissolve": 2},
                        clips=0.0, speed=0.3, transition_s=(0.4, 1.6), disturbances={"light": 0.1}),
    }
)  # fmt: skip
"""What thresholds were chosen on."""

JUDGING: Mapping[str, Style] = MappingProxyType(
    {
        "music video": Style(0.9, {"cut": 8, "dissolve": 1, "fade white": 1}, (0.2, 0.5), clips=0.4, speed=3.0,
                             disturbances={"flash": 0.3, "light": 0.15, "shake": 0.2, "whip": 0.1}),
        "old film": Style(3.5, {"cut": 5, "fade black": 3, "smooth dissolve": 3}, (0.5, 2.0), clips=0.4, grain=14,
                          is_grey=True, speed=1.0, disturbances={"shake": 0.5, "passer": 0.2}, crf=30),
        "holiday": Style(2.6, {"cut": 4, "wipe down": 1, "wipe up": 1, "wipe diagonal": 1, "push": 1,
                               "smooth dissolve": 2, "fade black": 1}, (0.3, 1.3), clips=0.2, cards=0.1, speed=2.0,
                         disturbances={"shake": 0.6, "caption": 0.3, "whip": 0.15, "flash": 0.1, "passer": 0.1}),
        "battle": Style(1.5, {"cut": 1}, clips=0.3, speed=8.0, crf=32, grain=6,
                        disturbances={"explosion": 0.4, "flash": 0.3, "shake": 0.7, "passer": 0.3, "whip": 0.1}),
    }
)  # fmt: skip
"""What they were judged on."""


@dataclass(frozen=True, slots=True)
class Transition:
    """Where a shot becomes the next: from the first frame that is no longer the old one to the first all new one."""

    kind: str
    start: Fraction
    stop: Fraction


@dataclass(frozen=True, slots=True)
class Material:
    """What films are made of: files of photographs, and pieces of clips, each from one frame on before another."""

    photographs: Sequence[Path]
    clips: Sequence[tuple[Path, int, int]]

    @classmethod
    def of(cls, photographs: Path, clips: Path) -> Material:
        """All pictures below one folder, all films in another."""
        pictures = [each for each in sorted(photographs.rglob("*")) if each.suffix.lower() in (".jpg", ".jpeg", ".png")]
        films = [each for each in sorted(clips.iterdir()) if each.suffix in (".mp4", ".m4v", ".mov")]
        edges = {film: (0, *_CUTS_OF_CLIPS.get(film.name, ()), _CLIP_FRAMES) for film in films}
        return cls(pictures, [(film, *piece) for film in films for piece in itertools.pairwise(edges[film])])


@dataclass(frozen=True, slots=True)
class Plan:
    """A film that is to be drawn: what each shot shows, where it begins, and how it becomes the next, in frames."""

    shots: Sequence[Scene]
    starts: Sequence[int]
    kinds: Sequence[str]
    lengths: Sequence[int]
    n_frames: int

    @property
    def transitions(self) -> list[Transition]:
        """Where shots become the next."""
        return [
            Transition(kind, Fraction(start, RATE), Fraction(start + length, RATE))
            for kind, start, length in zip(self.kinds, self.starts[1:], self.lengths, strict=True)
        ]

    def frames(self) -> Iterator[U8]:
        """Every frame, u8 (h, w, 3) RGB."""
        shot = 0
        for i in range(self.n_frames):
            while shot + 1 < len(self.starts) and i >= self.starts[shot + 1] + self.lengths[shot]:
                shot += 1
            yield self._frame(shot, i)

    def _frame(self, shot: int, i: int) -> U8:
        frame = self.shots[shot]((i - self.starts[shot]) / RATE)
        if shot + 1 == len(self.starts) or i < self.starts[shot + 1]:
            return frame
        since = i - self.starts[shot + 1]
        blend = TRANSITIONS[self.kinds[shot]]
        return blend(frame, self.shots[shot + 1](since / RATE), (since + 1) / (self.lengths[shot] + 1))


def plan_film(style: Style, seed: int, seconds: float, size: Size, material: Material) -> Plan:
    """A film of a style; the same for the same seed."""
    rng = np.random.default_rng(seed)
    shots: list[Scene] = []
    starts = [0]
    kinds: list[str] = []
    lengths: list[int] = []
    names, weights = list(style.transitions), np.array(list(style.transitions.values()), float)
    while True:
        duration = float(np.clip(rng.lognormal(np.log(style.shot_s), 0.5), 0.4, 20))
        kind = str(rng.choice(names, p=weights / weights.sum()))
        length = 0 if kind == "cut" else round(rng.uniform(*style.transition_s) * RATE)
        before = lengths[-1] if lengths else 0
        shots.append(_shot(style, duration + before / RATE, size, material, rng))
        n = before + round(duration * RATE)
        if starts[-1] + n >= seconds * RATE:
            return Plan(shots, starts, kinds, lengths, starts[-1] + n)
        starts.append(starts[-1] + n)
        kinds.append(kind)
        lengths.append(length)


def write_plan(path: Path, plan: Plan, style: Style, seed: int) -> Path:
    """Encode it with x264."""
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=RATE, options={"crf": str(style.crf), "preset": "veryfast"})
        frames = plan.frames()
        first = next(frames)
        stream.height, stream.width, stream.pix_fmt = first.shape[0], first.shape[1], "yuv420p"
        for pixels in itertools.chain([first], frames):
            film.mux(stream.encode(_finished(pixels, style, rng)))
        film.mux(stream.encode(None))
    return path


def _finished(pixels: U8, style: Style, rng: np.random.Generator) -> av.VideoFrame:
    if style.is_grey:
        pixels = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if style.grain:
        noise = rng.normal(0, style.grain, pixels.shape[:2])[..., None]
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")


def _shot(style: Style, seconds: float, size: Size, material: Material, rng: np.random.Generator) -> Scene:
    photograph = _photograph(material.photographs[int(rng.integers(len(material.photographs)))])
    which = rng.random()
    if which < style.cards:
        return scenes.card(size, rng, str(rng.choice(_WORDS)))
    if which < style.cards + style.clips:
        path, first, last = material.clips[int(rng.integers(len(material.clips)))]
        clip = _clip(path, size)[first:last]
        scene = scenes.loop(clip, int(rng.integers(len(clip))))
    else:
        scene = scenes.pan(photograph, size, rng, float(rng.uniform(0, style.speed)))
    return _disturbed(scene, style, seconds, size, material, rng)


def _disturbed(
    scene: Scene, style: Style, seconds: float, size: Size, material: Material, rng: np.random.Generator
) -> Scene:
    happens = {name: rng.random() < share for name, share in style.disturbances.items()}
    when = float(rng.uniform(0.3, 0.7)) * seconds
    other = _photograph(material.photographs[int(rng.integers(len(material.photographs)))])
    if happens.get("whip"):
        scene = scenes.whip(scene, when, other, size, rng)
    elif happens.get("passer"):
        scene = scenes.passer_by(scene, when, other, rng)
    elif happens.get("explosion"):
        scene = scenes.explosion(scene, when, rng)
    elif happens.get("light"):
        scene = scenes.lit(scene, when, float(rng.choice([0.45, 0.6, 1.5])))
    if happens.get("flash"):
        scene = scenes.flash(scene, float(rng.uniform(0.2, 0.8)) * seconds, rng)
    if happens.get("shake"):
        scene = scenes.shaken(scene, rng, 0.02)
    if happens.get("caption"):
        scene = scenes.captioned(scene, str(rng.choice(_WORDS)), 0.3 * seconds, 0.5 * seconds)
    return scene


@cache
def _photograph(path: Path) -> U8:
    picture = cv2.imread(str(path))
    assert picture is not None, path
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


@cache
def _clip(path: Path, size: Size) -> Sequence[U8]:
    return scenes.read_clip(path, size, _CLIP_FRAMES)
