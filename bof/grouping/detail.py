"""What a group's files hold now: are they still there, how much do they show, how much detail is in their pixels."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from bof.errors import ImageError, reason_of
from bof.geometry import transforms
from bof.grouping.frames import Preview, area_of, unframed
from bof.grouping.types import Group, Member
from bof.images.address import is_part, is_remote
from bof.images.decode import read_image
from bof.images.provenance import Provenance, read_provenance
from bof.store.catalog import is_in_memory
from bof.system.files import sha256_of
from bof.system.steps import Progress, Stage
from bof.system.threads import in_threads
from bof.types import F64, U8, Bool

_WINDOW_PX = 1500
_FINEST = 4.0
"""The common scale is at most so many times finer than the reference's pixels."""
_TILES = 8
_TILE_PX = 16
_LEAST_VARIANCE = 25.0
"""A tile of less contrast than 5 grey levels tells nothing of sharpness."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found of one member.

    problem: why its file cannot stand for it now, "" where it can; detail: how sharp it is at the scale of the group's
    finest member, relative to the group's reference (1 for that), None where it was not compared; n_pixels: how many
    pixels show the picture, not a frame round it; outline f64 (n, 2): where these lie, in the pixels of the
    representative; inode: device and number of the file, None where it is gone; provenance: what the file tells, None
    where it was not asked.
    """

    problem: str
    detail: float | None
    n_pixels: float
    outline: F64
    inode: tuple[int, int] | None
    provenance: Provenance | None

    @property
    def area(self) -> float:
        """How much it shows, in pixels of the representative."""
        return area_of(self.outline)


def problem_of(member: Member) -> str:
    """Why a member's file is not what was indexed, in words, or "". Reads the file only where its time has changed."""
    if is_in_memory(member.path):
        return "was given in memory, so there is no file"
    if is_remote(member.path):
        return "lies on another machine"
    if is_part(member.path):
        return "lies in a file with other pictures"
    try:
        found = os.lstat(member.path)
        if stat.S_ISLNK(found.st_mode):
            return "is a link to another file"
        if not stat.S_ISREG(found.st_mode):
            return "is no regular file"
        changed = found.st_size != member.n_bytes
        if not changed and found.st_mtime_ns != member.mtime_ns:
            changed = sha256_of(Path(member.path)) != member.sha256
        return "has changed since it was indexed" if changed else ""
    except FileNotFoundError:
        return "is gone"
    except (OSError, ValueError) as error:
        return f"cannot be read: {reason_of(error)}"


def look_at(group: Group) -> Mapping[int, Look]:
    """A look at every member, by id. Files of the same bytes are read once, a group of exact copies not at all."""
    problems = {member.id: problem_of(member) for member in group.members}
    representative_from = {
        group.representative.id: np.eye(3),
        **{member.id: link.representative_from_member for member, link in group.others},
    }
    if len({member.sha256 for member in group.members}) == 1:
        return {m.id: _unread(m, problems[m.id], representative_from[m.id]) for m in group.members}
    sound = {m.sha256: m for m in reversed(group.members) if not problems[m.id]}
    seen = _read_all(list(reversed(sound.values())), representative_from)
    return {m.id: _look(m, problems[m.id], seen.get(m.sha256), representative_from[m.id]) for m in group.members}


_BATCH = 16
"""Groups after which progress is reported."""

_WORK_A_FILE, _WORK_A_PICTURE = 1_000, 500_000
"""To ask for the size and time of a file, and to compare a picture, takes as long as to decode about so many pixels."""


def look_at_all(groups: Sequence[Group], progress: Progress | None = None) -> list[Mapping[int, Look]]:
    """A look at every group, in the order of the groups. progress: receives steps."""
    work = [_work(group) for group in groups]
    stage = Stage(progress, "looking at files", len(groups), sum(work))
    looks: list[Mapping[int, Look]] = []
    for first in range(0, len(groups), _BATCH):
        looks += in_threads(look_at, groups[first : first + _BATCH])
        stage.advance(len(looks) - first, sum(work[first : first + _BATCH]))
    return looks


def _work(group: Group) -> float:
    """In pixels to decode."""
    of_content = {member.sha256: _WORK_A_PICTURE + member.width * member.height for member in group.members}
    return _WORK_A_FILE * len(group.members) + (sum(of_content.values()) if len(of_content) > 1 else 0)


def _unread(member: Member, problem: str, representative_from_member: F64) -> Look:
    outline = transforms.apply(representative_from_member, transforms.corners((0, 0, member.width, member.height)))
    return Look(problem, None, member.width * member.height, outline, _inode(member.path), None)


def _look(member: Member, problem: str, seen: _Seen | str | None, representative_from_member: F64) -> Look:
    if seen is None or isinstance(seen, str):
        return _unread(member, problem or seen or "cannot be read", representative_from_member)
    n_pixels = area_of(seen.outline)
    outline = transforms.apply(representative_from_member, seen.outline)
    return Look(problem, seen.detail, n_pixels, outline, _inode(member.path), seen.provenance)


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _grey(path: Path) -> U8 | str:
    """The picture u8 (h, w) in full size, or why there is none."""
    try:
        return read_image(path, grey=True).pixels
    except ImageError as error:
        return f"cannot be read: {error}"


# -- Sharpness --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seen:
    """One content: its sharpness, its outline f64 (n, 2) without a frame in its own pixels, and what its file tells."""

    detail: float
    outline: F64
    provenance: Provenance | None


def _read_all(members: Sequence[Member], representative_from: Mapping[int, F64]) -> dict[str, _Seen | str]:
    """What is seen of each content; or why it cannot be read. Sharpness is relative to the first that can be.

    One after another: of a large group there are never more than two pictures in memory.
    """
    found: dict[str, _Seen | str] = {}
    previews: dict[int, Preview] = {}
    sizes = Counter((member.width, member.height) for member in members)
    reference: tuple[Member, U8] | None = None
    for member in members:
        pixels = _grey(Path(member.path))
        if isinstance(pixels, str):
            found[member.sha256] = pixels
            continue
        reference = reference or (member, pixels)
        previews[member.id] = Preview.of(pixels)
        detail = _detail(member, pixels, reference, members, representative_from)
        provenance = read_provenance(Path(member.path), with_pixels=sizes[member.width, member.height] > 1)
        found[member.sha256] = _Seen(detail, previews[member.id].outline, provenance)
    if reference is None:
        return found
    outlines = unframed(previews, reference[0].id, representative_from)
    shown = {member.sha256: outlines[member.id] for member in members if member.id in outlines}
    return {key: replace(seen, outline=shown[key]) if isinstance(seen, _Seen) else seen for key, seen in found.items()}


def _detail(
    member: Member,
    pixels: U8,
    reference: tuple[Member, U8],
    members: Sequence[Member],
    representative_from: Mapping[int, F64],
) -> float:
    """How sharp a member is relative to the reference, at the scale of the finest member of all."""
    first, base = reference
    if member is first:
        return 1.0
    onto = {
        m.id: np.asarray(np.linalg.solve(representative_from[first.id], representative_from[m.id]), np.float64)
        for m in members
    }
    finest = max(1.0, *(1 / _pixel_size(onto[m.id], m) for m in members))
    return compare_detail(base, pixels, onto[member.id], min(finest, _FINEST))


def _pixel_size(target_from_source: F64, member: Member) -> float:
    """The side of a pixel at the source's centre, in pixels of the target."""
    x, y = (member.width - 1) / 2, (member.height - 1) / 2
    points = transforms.apply(target_from_source, np.array([[x, y], [x + 1, y], [x, y + 1]]))
    return float(np.sqrt(abs(np.linalg.det(points[1:] - points[0])))) or 1.0


def compare_detail(reference: U8, pixels: U8, reference_from_pixels: F64, scale: float) -> float:
    """How many times sharper one picture is than another where both show the same; 1 where that cannot be told.

    reference, pixels u8 (h, w); scale: both are enlarged or shrunk to this many pixels for one of the reference, so
    that an enlarged copy gains nothing. Sharpness is the variance of the Laplacian (Pech-Pacheco et al. 2000) over that
    of the grey levels, so contrast does not count; the median over tiles, so neither does what is drawn over a part.
    """
    box = _common_box(reference.shape, pixels.shape, reference_from_pixels, _WINDOW_PX / scale)
    if box is None:
        return 1.0
    x0, y0, x1, y1 = box
    size = round((x1 - x0) * scale), round((y1 - y0) * scale)
    ours = _resized(reference[y0:y1, x0:x1], size)
    theirs = _seen_in(pixels, np.asarray(np.linalg.inv(reference_from_pixels), np.float64), box, size)
    if theirs is None:
        return 1.0
    (one, busy_one), (other, busy_other) = _tiles(ours), _tiles(theirs)
    both = busy_one & busy_other
    return float(np.median(other[both] / one[both])) if both.sum() >= 3 else 1.0


def _common_box(
    shape: tuple[int, ...], other_shape: tuple[int, ...], transform: F64, largest: float
) -> tuple[int, int, int, int] | None:
    """Where the other lies in the reference, at most `largest` pixels wide and high, round the middle."""
    outline = transforms.apply(transform, transforms.corners((0, 0, other_shape[1], other_shape[0])))
    if not np.isfinite(outline).all():
        return None
    low = np.clip(outline.min(axis=0), 0, [shape[1], shape[0]])
    high = np.clip(outline.max(axis=0), 0, [shape[1], shape[0]])
    middle, half = (low + high) / 2, np.minimum(high - low, largest) / 2
    x0, y0 = np.ceil(middle - half).astype(int).tolist()
    x1, y1 = np.floor(middle + half).astype(int).tolist()
    return (x0, y0, x1, y1) if min(x1 - x0, y1 - y0) >= _TILE_PX else None


def _seen_in(pixels: U8, from_reference: F64, box: tuple[int, int, int, int], size: tuple[int, int]) -> U8 | None:
    """The box as the other picture shows it: cut out, turned by right angles or mirrored, and resized once at most."""
    corners = transforms.apply(from_reference, transforms.corners(box))
    if not np.isfinite(corners).all():
        return None
    low = np.clip(np.rint(corners.min(axis=0) + 0.5), 0, [pixels.shape[1], pixels.shape[0]]).astype(int)
    high = np.clip(np.rint(corners.max(axis=0) + 0.5), 0, [pixels.shape[1], pixels.shape[0]]).astype(int)
    if (high - low < 4).any():
        return None
    cut = pixels[low[1] : high[1], low[0] : high[0]]
    right, down = corners[1] - corners[0], corners[3] - corners[0]
    if abs(right[1]) > abs(right[0]):  # the reference's rows are columns here
        cut, right, down = cut.T, right[::-1], down[::-1]
    cut = cut[:: 1 if down[1] >= 0 else -1, :: 1 if right[0] >= 0 else -1]
    return _resized(np.ascontiguousarray(cut), size)


def _resized(pixels: U8, size: tuple[int, int]) -> U8:
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    shrinks = size[0] < pixels.shape[1]
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC), np.uint8)


def _tiles(grey: U8) -> tuple[F64, Bool]:
    """The sharpness of each tile f64 (n,), and whether it has contrast enough to tell."""
    rows, columns = (max(1, min(_TILES, side // _TILE_PX)) for side in grey.shape)
    height, width = grey.shape[0] // rows, grey.shape[1] // columns
    whole = np.ascontiguousarray(grey[: rows * height, : columns * width], np.float32)
    shape = (rows, height, columns, width)
    contrast = whole.reshape(shape).var(axis=(1, 3), dtype=np.float64).ravel()
    edges = cv2.Laplacian(whole, cv2.CV_32F).reshape(shape).var(axis=(1, 3), dtype=np.float64).ravel()
    return (edges + 1e-9) / (contrast + 1e-9), contrast >= _LEAST_VARIANCE
