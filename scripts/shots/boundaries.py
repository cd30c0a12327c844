"""Boundaries of composed films that are found, beside PySceneDetect's:

    python -m scripts.shots.boundaries --photographs DIR --clips DIR [--peer PYTHON] [--set tuning|judging] [--work DIR]

--peer: a Python that has scenedetect, which is no part of bof's environment. Films are made once, and kept in --work.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from bof.images.films.film import Film
from bof.video.boundary_stream import BoundaryStream
from bof.video.small_frames import MIDDLE_SIDE
from scripts.shots.composing import JUDGING, TUNING, Material, Transition, plan_film, write_plan
from scripts.shots.matching import Tally

_SIZE = 640, 360
_PEER = """
import json, sys
from scenedetect import AdaptiveDetector, ContentDetector, ThresholdDetector, detect
kinds = {"content": ContentDetector, "adaptive": AdaptiveDetector, "threshold": ThresholdDetector}
def starts(path, name):
    found = detect(path, kinds[name](min_scene_len=5))
    return [scene[0].seconds for scene in found[1:]]
print(json.dumps({name: starts(sys.argv[1], name) for name in kinds}))
"""


def find_boundaries_of(path: Path) -> list[Fraction]:
    """bof's."""
    stream = BoundaryStream(Fraction(0))
    with Film(str(path)) as film:
        found = [each for frame in film.decoded() for each in stream.take(frame.time, frame.grey(MIDDLE_SIDE))]
    return [*found, *stream.finish()]


def ask_peer(python: str, path: Path) -> dict[str, list[Fraction]]:
    """PySceneDetect's by detector, at their defaults but for the shortest scene, which is 5 frames; and of the adaptive
    one together with what the one for fades finds besides.
    """
    done = subprocess.run([python, "-c", _PEER, str(path)], check=True, capture_output=True, text=True)
    found = {
        name: [Fraction(t).limit_denominator(1000) for t in times] for name, times in json.loads(done.stdout).items()
    }
    fades = [t for t in found.pop("threshold") if all(abs(t - other) > 1 for other in found["adaptive"])]
    return {**found, "adaptive and fades": sorted([*found["adaptive"], *fades])}


def composed(
    folder: Path, style_set: str, material: Material, seconds: float, seeds: list[int]
) -> Iterator[tuple[Path, list[Transition]]]:
    """The films of a set of styles and what is known of them; made where they are not there."""
    for name, style in (TUNING if style_set == "tuning" else JUDGING).items():
        for seed in seeds:
            path = folder / f"{style_set}-{name.replace(' ', '_')}-{seed}.mp4"
            known = path.with_suffix(".json")
            if not known.exists():
                plan = plan_film(style, seed, seconds, _SIZE, material)
                write_plan(path, plan, style, seed)
                rows = [(each.kind, float(each.start), float(each.stop)) for each in plan.transitions]
                known.write_text(json.dumps(rows), encoding="utf-8")
            yield path, [_transition(*row) for row in json.loads(known.read_text(encoding="utf-8"))]


def _transition(kind: str, start: float, stop: float) -> Transition:
    return Transition(kind, Fraction(start).limit_denominator(1000), Fraction(stop).limit_denominator(1000))


def main() -> None:
    """Print a table: precision, recall, F1, false boundaries, and how many of each kind are found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--peer", help="a Python with scenedetect")
    parser.add_argument("--set", default="judging", choices=("tuning", "judging"), dest="style_set")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "bof_shots")
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12])
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    material = Material.of(given.photographs, given.clips)
    tallies: dict[str, Tally] = {}
    for path, known in composed(given.work, given.style_set, material, given.seconds, given.seeds):
        found = {"bof": find_boundaries_of(path), **(ask_peer(given.peer, path) if given.peer else {})}
        for name, times in found.items():
            tallies.setdefault(name, Tally()).add(known, times)
            of_film = Tally()
            of_film.add(known, times)
            print(of_film.row(f"{path.stem}, {name}"), flush=True)
    for name, tally in tallies.items():
        print(tally.row(f"all, {name}"))


if __name__ == "__main__":
    main()
