"""Segments by the index alone, where a film's file is not at hand: they end with matched samples and shots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bof.clips.aligning import Aligned
from bof.clips.joining import Found
from bof.clips.lines import Line
from bof.clips.matching import KeyframeMatch

_LEAST_SAMPLES = 3
_LEAST_PROBABILITY = 0.988
_LEAST_INLIERS = 20
"""Without pixels more must agree."""

_KNOWN_S = 2.0


def by_keyframes(
    line: Line,
    matches: Sequence[KeyframeMatch],
    times: Sequence[float],
    sampled: Sequence[float],
    limits: tuple[float, float],
    film_size: tuple[int, int],
) -> list[Found]:
    """The segment of a line, from half a sample before its first one; none where the matches are few or weak.

    times: of the matches' samples; sampled: of all samples; limits: from when until when the query was sampled;
    film_size: width and height in pixels.
    """
    sure = [match for match in matches if match.probability >= _LEAST_PROBABILITY]
    if len({match.sample for match in sure}) < _LEAST_SAMPLES:
        return []
    if max(match.verification.n_inliers for match in sure) < _LEAST_INLIERS:
        return []
    between = np.diff(sorted(sampled))
    half = float(np.median(between)) / 2 if len(between) else 0.5
    start = max(times[0] - half, limits[0])
    stop = min(times[-1] + half, limits[1])
    shots = min(float(m.times.start) for m in matches), max(float(m.times.stop) for m in matches)
    film_s = (
        max(line.speed * start + line.offset, shots[0]),
        min(line.speed * stop + line.offset, shots[1]),
    )
    is_still = line.offsets[1] - line.offsets[0] > _KNOWN_S
    best = max(sure, key=lambda match: match.verification.n_inliers)
    transform = best.verification.database_from_query
    assert transform is not None
    proof = times[matches.index(best)], float(best.times.time), best.verification.n_inliers
    aligned = Aligned((start, stop), shots if is_still else film_s, line.speed, 0.6, transform, line.mirrored, proof,
                      is_still, len(sure), film_size)  # fmt: skip
    return [Found(line.film, aligned, best.probability, "keyframe")]
