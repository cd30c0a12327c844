"""perception's TMK asked for clips, in an environment of its own: python peer_tmk.py < question.json > answer.json.

The question and the answer are those of peer_provena.py, without segments: TMK makes one hash of a whole film, and says
of two films how near they are, not when. Every film is in the answer; the score is minus the distance. perception 0.9.3
fails on a film with a black frame, which has no hash (ValueError: inhomogeneous shape); it counts as zeros here.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from perception.hashers import TMKL2, PHashF


def main() -> None:
    """Hash films and clips, compare each clip with each film."""
    question = json.load(sys.stdin)
    with ProcessPoolExecutor(2) as pool:
        films = dict(zip(question["films"], pool.map(_hash, question["films"]), strict=True))
        clips = dict(zip(question["clips"], pool.map(_hash, question["clips"]), strict=True))
    hasher = TMKL2()
    json.dump({clip: _ranked(hasher, of_clip, films) for clip, of_clip in clips.items()}, sys.stdout)


class _FlatIsZero(PHashF):  # type: ignore[misc]
    """TMK's hash of a frame, zeros where it has none."""

    def compute(self, *args: Any, **kwargs: Any) -> Any:
        found = super().compute(*args, **kwargs)
        return np.zeros(self.hash_length, np.float32) if found is None else found


def _hash(path: str) -> Any:
    frames = _FlatIsZero(hash_size=16, exclude_first_term=True, freq_shift=1)  # as TMKL2 has it
    return TMKL2(frame_hasher=frames).compute(path, hash_format="vector")


def _ranked(hasher: Any, clip: Any, films: dict[str, Any]) -> list[dict[str, Any]]:
    near = {
        film: -float(np.ravel(hasher.compute_distance(clip, other, hash_format="vector"))[0])
        for film, other in films.items()
    }
    return [{"film": film, "score": near[film], "segments": []} for film in sorted(near, key=lambda film: -near[film])]


if __name__ == "__main__":
    main()
