"""Copies of pictures with next to no features, flat logos, skies, blank pages: found by sketches, proved by pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bof.geometry.transforms import scaling
from bof.global_descriptors.sketch import FEW_FEATURES, NEAR_LEVELS, SAME_ASPECT
from bof.grouping.kinds import Proof, changes_of
from bof.grouping.reading import Unread, compare_pairs, read_sketches
from bof.grouping.types import Member
from bof.options import DuplicateOptions, FeatureOptions
from bof.store.catalog import FileStamp
from bof.system.steps import Progress, Stage
from bof.types import F64, U8


def flat_proofs(
    contents: Mapping[str, tuple[Member, FileStamp]],
    features: FeatureOptions,
    options: DuplicateOptions,
    progress: Progress | None = None,
) -> list[Proof]:
    """Copies among contents with few features, each by its SHA-256 with a member and the file to read."""
    flat = sorted(content for content, (member, _) in contents.items() if member.n_features < FEW_FEATURES)
    if len(flat) < 2:
        return []
    files = [contents[content][1] for content in flat]
    stage = Stage(progress, "pictures with few points", len(flat))
    sketches: dict[int, U8] = {}
    for place, sketch in read_sketches(files, features, options.workers):
        if not isinstance(sketch, Unread):
            sketches[place] = sketch
        stage.advance()
    near: dict[int, list[int]] = {}
    for i, j in _near(sketches, [contents[content][0] for content in flat]):
        near.setdefault(i, []).append(j)
    firsts = list(near)
    items = [
        (files[i], [(files[j], _whole(contents[flat[j]][0], contents[flat[i]][0])) for j in near[i]]) for i in firsts
    ]
    proofs = []
    for place, found in compare_pairs(items, features, options.workers):
        i = firsts[place]
        for j, likeness in zip(near[i], found if isinstance(found, list) else [], strict=False):
            if likeness is not None and likeness.is_whole_copy:
                transform = _whole(contents[flat[j]][0], contents[flat[i]][0])
                changes = frozenset(changes_of(transform, likeness))
                proofs.append(Proof(flat[i], flat[j], "copy", 0, 1.0, transform, changes))
    return proofs


def _near(sketches: Mapping[int, U8], members: Sequence[Member]) -> Iterator[tuple[int, int]]:
    """Pairs i < j whose sketches and aspects are alike, in order. Only those of about one level are held together."""
    places = np.array(sorted(sketches), np.int64)
    if not len(places):
        return
    rows = np.stack([sketches[place].reshape(-1).astype(np.int16) for place in places.tolist()])
    aspect = np.array([np.log(members[place].width / members[place].height) for place in places.tolist()])
    level = rows.mean(axis=1)
    order = np.argsort(level, kind="stable")
    for position, row in enumerate(order.tolist()):
        last = np.searchsorted(level[order], level[row] + NEAR_LEVELS, side="right")
        others = order[position + 1 : last]
        alike = np.abs(rows[others] - rows[row]).max(axis=1, initial=0) <= NEAR_LEVELS
        for other in others[alike & (np.abs(aspect[others] - aspect[row]) <= SAME_ASPECT)].tolist():
            one, two = sorted((int(places[row]), int(places[other])))
            yield one, two


def _whole(target: Member, source: Member) -> F64:
    """All of the source onto all of the target f64 (3, 3)."""
    return scaling(target.width / source.width, target.height / source.height)
