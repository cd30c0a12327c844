"""Copies of pictures with next to no features, flat logos, skies, blank pages: found by sketches, proved by pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bof.alignment.likeness import Likeness
from bof.geometry.transforms import scaling
from bof.global_descriptors.sketch import FEW_FEATURES, NEAR_LEVELS, SAME_ASPECT
from bof.grouping.batches import in_batches
from bof.grouping.kinds import Proof, changes_of
from bof.grouping.reading import Unread, compare_pairs, read_sketches
from bof.grouping.types import Member
from bof.options import DuplicateOptions, FeatureOptions
from bof.store.catalog import FileStamp
from bof.system.steps import Progress, Stage
from bof.types import F64, U8


def flat_proofs(
    contents: Mapping[str, tuple[Member, FileStamp]],
    sketches: Mapping[str, U8],
    features: FeatureOptions,
    options: DuplicateOptions,
    progress: Progress | None = None,
) -> list[Proof]:
    """Copies among contents with few features, each by its SHA-256 with a member and the file to read.

    sketches: those that the index holds, u8 (8, 8); of other contents with few features the files are read.
    """
    flat = sorted(content for content, (member, _) in contents.items() if member.n_features < FEW_FEATURES)
    if len(flat) < 2:
        return []
    members, files = [contents[content][0] for content in flat], [contents[content][1] for content in flat]
    known = {place: sketches[content] for place, content in enumerate(flat) if content in sketches}
    near: dict[int, list[int]] = {}
    for i, j in _near(known | _read_others(known, files, features, options, progress), members):
        near.setdefault(i, []).append(j)
    return list(_proved(flat, members, files, near, (features, options.workers)))


def _read_others(
    known: Mapping[int, U8],
    files: Sequence[FileStamp],
    features: FeatureOptions,
    options: DuplicateOptions,
    progress: Progress | None,
) -> dict[int, U8]:
    """The sketches of files that none is known of, by place."""
    left = [place for place in range(len(files)) if place not in known]
    stage = Stage(progress, "pictures with few points", len(left))
    found: dict[int, U8] = {}
    for number, sketch in read_sketches([files[place] for place in left], features, options.workers):
        found |= {} if isinstance(sketch, Unread) else {left[number]: sketch}
        stage.advance()
    return found


def _proved(
    contents: Sequence[str],
    members: Sequence[Member],
    files: Sequence[FileStamp],
    near: Mapping[int, Sequence[int]],
    reading: tuple[FeatureOptions, int],
) -> Iterator[Proof]:
    """Copies among pictures whose sketches are near; reading: what limits the processes that read, and their number."""
    firsts = list(near)
    batches = in_batches([[contents[place] for place in (i, *near[i])] for i in firsts])
    items = [
        [(files[i], [(files[j], _whole(members[j], members[i])) for j in near[i]]) for i in (firsts[n] for n in batch)]
        for batch in batches
    ]
    found = dict(compare_pairs(items, *reading))
    for place, batch in enumerate(batches):
        for i, likenesses in zip((firsts[n] for n in batch), found[place], strict=True):
            for j, alike in zip(near[i], likenesses if isinstance(likenesses, list) else [], strict=False):
                if isinstance(alike, Likeness) and alike.is_whole_copy:
                    transform = _whole(members[j], members[i])
                    changes = frozenset(changes_of(transform, alike))
                    yield Proof(contents[i], contents[j], "copy", 0, 1.0, transform, changes)


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
