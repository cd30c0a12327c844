"""What few points suggest, pixels prove: one picture lies in the other, and agrees with it in every detail.

A line of a page, a small detail of a large picture, has too few points for geometry to be sure. Where these lay one
picture over the other, and all of the smaller one is there, to a fraction of a pixel, nothing else is needed. Another
picture that has as many points in common by chance agrees in less than half of its detail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bof.alignment.agreement import MEASURES
from bof.alignment.colours import DrawnColours, compare_colours, resemblance
from bof.alignment.drawings import is_page
from bof.alignment.drawn import DrawnMask
from bof.alignment.likeness import Likeness, compare
from bof.alignment.planes import refine_plane
from bof.alignment.searched_plane import search_drawing
from bof.geometry.transforms import apply, corners, rotation, translation
from bof.geometry.verification import agreeing, similarities
from bof.images.decode import Picture
from bof.options import PixelLimit, VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.collection import Collection
from bof.retrieval.query import Query
from bof.retrieval.shortlist import CLEAR_INLIERS
from bof.retrieval.shown import Pictures, QueryPixels, in_rgb
from bof.system.threads import in_threads
from bof.types import F64, Agreement, Verification

N_DOUBTFUL, N_DOUBTFUL_FLAT = 4, 12
"""So many of the first hits that geometry leaves in doubt are compared: each is a picture to read. The points of a flat
drawing are few, and many pictures have as many by chance."""

_NEARLY, _N_NEARLY = 0.9, 2
"""So many hits of this probability are compared even where another one is clear."""


Says = Literal["same", "part", "other", "nothing"]
"""What pixels prove of two pictures: that one lies in the other, that all but a patch of it does, that another one
does, or nothing."""


@dataclass(frozen=True, slots=True)
class PixelProof:
    """What pixels prove, and how two pictures lie, f64 (3, 3), in pixels of the originals."""

    says: Says
    one_from_other: F64


@dataclass(frozen=True, slots=True)
class ProvedImage:
    """What pixels prove of an image, and how the query lies there."""

    says: Says
    verification: Verification


_AGREES, _COVERS = 0.95, 0.9
_LEAST_CELLS, _LEAST_DETAILED = 16, 4
"""So many cells must be there to compare, and with detail: less is a corner, or a line."""

_HOPEFUL = 0.25
"""The share of cells that agree as points lay the pictures, from which they are brought nearer: other pictures that
have as many points in common by chance stay below 0.3.
"""

_OTHER_COLOUR, _OTHER_DRAWN, _SPECK = 0.002, 0.01, 0.001
_OFF_BY_ONE = 0.02
"""The share of another colour that edges and noise may have, of all and of what is drawn, and a patch of it of that."""

_OUTLINED, _OTHER_GROUND = 0.75, 0.25
"""What is drawn ends there in the picture too, round so much of it: a smaller shape lies within a larger one of its
colour. Less of the ground unexplained is the drawing's own, where all must agree."""

_MOST_MARRED = 0.1
"""The share of what is drawn that a line over it, or a sibling's other patch, may take where the rest is there."""

_RESEMBLES, _SURELY_RESEMBLES = 0.5, 0.8
"""A drawing is looked at where it correlates so well as points lay it, or as the best of many single matches does."""

_N_UNLAID, _AMONG_UNLAID, _MARGIN, _LEAST_SIDE_PX = 3, 10, 0.1, 32
"""Single matches are tried in so many of the first pictures, where they lay the drawing within, and so large."""

_N_TURNS, _TURNING = 24, 6
"""Of 15 degrees: what resembles may be off by half of that. Tried where so many points agree."""

_LEAST_SPREAD = 1e-3
"""Of single matches, which have none."""

_OTHER_PATCH, _MOST_OTHER = 0.01, 0.3
"""A sibling of a flat drawing differs in a patch of at least so much of it; what differs in more lies wrong."""

_SURE_OF_PAGES, _PAGE_EXACT = 20, 0.2
"""Fewer points than the first of these say little of two pages. Where these differ, a tenth of the cells in the hull of
the points agrees exactly."""

_EDGE = 0.02
"""So much of the smaller picture, on every side, is left out once it lies right: what is around it shows through there.
"""

_AMONG = 40
"""Doubtful hits are looked for among so many of the first: a picture with few points in common has few votes too."""


def prove_doubtful(
    query: Query, answer: Answer, collection: Collection, pictures: Pictures, options: VerifyOptions, limit: PixelLimit
) -> dict[int, ProvedImage]:
    """What pixels prove of images that geometry left in doubt: that all of one lies in the other, or all but a patch of
    it, or another picture; and how the query lies in the image. Of what is no flat drawing only the first is said.

    limit: of the pictures as their features were extracted.
    """
    if query.picture is None or not options.pixels:
        return {}
    shown = QueryPixels.of(query, query.picture)
    sought = ("same", "part", "other") if query.is_flat else ("same",)

    def places_of(image: int, found: Verification) -> list[F64]:
        if found.tentative:
            return list(similarities(shown.features, collection.geometry(image), found.tentative))
        return [] if found.database_from_query is None else [found.database_from_query]

    def laid_at(image: int, found: Verification, place: F64) -> Verification:
        if found.tentative:
            features = shown.features, collection.geometry(image)
            matches = agreeing(*features, found.tentative, place, options.tolerance)
            found = replace(found, n_inliers=max(len(matches), 1), inliers=matches, tentative=None)
        return replace(found, spread=max(found.spread, _LEAST_SPREAD), database_from_query=place)

    def prove_one(image: int) -> ProvedImage | None:
        other = pictures.read(image, limit)
        if other is None:
            return None
        proofs = (prove_as(image, other, found) for found in ways(answer.verifications[image], is_flat=query.is_flat))
        return next((proof for proof in proofs if proof.says in sought), None)

    def prove_as(image: int, other: Picture, found: Verification) -> ProvedImage:
        pair, picture = (in_rgb(other), in_rgb(shown.as_found(found))), shown.query_from_picture
        places = [place @ picture for place in places_of(image, found)]
        may_turn = found.n_inliers >= _TURNING
        proof = prove_drawing(*pair, places, may_turn=may_turn) if query.is_flat else prove(*pair, places[0])
        return ProvedImage(proof.says, laid_at(image, found, proof.one_from_other @ np.linalg.inv(picture)))

    def prove_all(images: Sequence[int]) -> dict[int, ProvedImage]:
        pictures.contents(images)  # looked up together
        proofs = zip(images, in_threads(prove_one, images), strict=True)
        return {image: proof for image, proof in proofs if proof is not None}

    proofs = prove_all(find_doubtful(answer, options, CLEAR_INLIERS, is_flat=query.is_flat))
    if query.is_flat and not any(proof.says == "same" for proof in proofs.values()):
        proofs |= prove_all(find_unlaid(answer))
    return proofs


def ways(found: Verification, *, is_flat: bool) -> list[Verification]:
    """How a query may lie in an image: as it was found there. Where light and dark are exchanged for the points of a
    flat drawing, that may be its ground alone, and its colours as they are."""
    return [found, replace(found, variant=None)] if is_flat and found.variant == "inverted" else [found]


def find_unlaid(answer: Answer) -> list[int]:
    """The first images of which only single matches say where a flat drawing may lie."""
    found = answer.verifications
    first = [image for image in answer.images[:_AMONG_UNLAID].tolist() if image in found]
    return [image for image in first if found[image].tentative][:_N_UNLAID]


def find_doubtful(answer: Answer, options: VerifyOptions, is_clear_from: int, *, is_flat: bool = False) -> list[int]:
    """The first images that points lay over the query without proving anything, best first; where something is called
    the same on at least so many inliers, only what is nearly so: a small detail beside a large one.

    is_flat: of a flat drawing a few points prove nothing, whatever they weigh: all are doubtful, first those that are
    called the same.
    """
    verified = [image for image in answer.images[:_AMONG].tolist() if image in answer.evidence]
    laid = [image for image in verified if answer.verifications[image].database_from_query is not None]
    called = {image: answer.verdict(image, options) for image in verified}
    clear = {image for image in verified if answer.verifications[image].n_inliers >= is_clear_from}
    if is_flat:
        unclear = [image for image in laid if not (image in clear and called[image] == "same")]
        return sorted(unclear, key=lambda image: called[image] != "same")[:N_DOUBTFUL_FLAT]
    if any(called[image] == "same" for image in clear):
        nearly = [
            image for image in laid if called[image] == "maybe" and (answer.evidence[image].shared or 0.0) >= _NEARLY
        ]
        return nearly[:_N_NEARLY]
    return [image for image in laid if called[image] in ("maybe", "no")][:N_DOUBTFUL]


def is_other_page(one: Picture, other: Picture, found: Agreement, n_inliers: int) -> bool:
    """Do two clean pages or drawings share letters and nothing else, whatever few points say?

    A page has no depth: what is the same agrees to the pixel between the points. Letters of one font agree roughly.
    """
    differs = n_inliers < _SURE_OF_PAGES and found.measures[MEASURES.index("exact 1.0")] < _PAGE_EXACT
    return bool(differs and is_page(one) and is_page(other))


def is_proved(alike: Likeness) -> bool:
    """Is all of the smaller picture in the other, in every detail?"""
    return _is_whole(alike) and alike.agreement >= _AGREES


def _is_whole(alike: Likeness) -> bool:
    """Is all of the smaller picture in the other, in every detail of its light?"""
    found = alike.differences
    return (
        max(alike.covers) >= _COVERS
        and alike.n_cells >= _LEAST_CELLS
        and min(alike.n_detailed, found.n_cells) >= _LEAST_DETAILED
        and found.agree >= _AGREES
        and found.is_none
    )


def prove_drawing(one: Picture, drawing: Picture, places: Sequence[F64], *, may_turn: bool = False) -> PixelProof:
    """What pixels prove of a flat drawing in a picture, both in RGB, where it may lie at one of some places f64 (3, 3).

    may_turn: where it does not resemble the picture at the only place, it may be turned there.

    What it shows on its ground decides: hung on another ground it is the same. Where it has one colour, all of it does.
    """
    is_laid = len(places) == 1
    if is_laid and may_turn and max(resemblance(one, drawing, places[0])) < _RESEMBLES:
        places, is_laid = _turned(drawing, places[0]), False
    places = places if is_laid else [place for place in places if _is_inside(one, drawing, place)]
    if not places:
        return PixelProof("nothing", np.eye(3))
    scores = [max(found) if is_laid else found[1] for found in (resemblance(one, drawing, p) for p in places)]
    best = places[int(np.argmax(scores))]
    if max(scores) < (_RESEMBLES if is_laid else _SURELY_RESEMBLES):
        return PixelProof("nothing", best)
    proof = prove(one, drawing, best)
    if proof.says != "nothing":
        return proof
    for nearer in search_drawing(one, drawing, best):
        found = compare_colours(one, drawing, nearer)
        drawn = found.drawn
        if found.covers[1] < _COVERS or drawn.outlined < _OUTLINED:
            continue
        is_own_ground = found.unexplained < _OTHER_GROUND * drawn.ground
        if _is_explained(drawn) and not is_own_ground:
            return PixelProof("same", nearer)
        if max(drawn.unexplained, drawn.patch) <= _MOST_MARRED:
            proof = PixelProof("part", nearer)
    return proof


def _is_explained(drawn: DrawnColours) -> bool:
    """Is what a drawing shows there, to the pixel? A small one may be off by one, where no colour is beyond that."""
    if drawn.unexplained <= _OTHER_DRAWN and drawn.patch <= _SPECK:
        return True
    return drawn.beyond == 0 and max(drawn.unexplained, drawn.patch) <= _OFF_BY_ONE


def _turned(drawing: Picture, one_from_drawing: F64) -> list[F64]:
    """Other places f64 (3, 3) of a drawing, turned about the middle of what it shows: of a wheel or a star, points in
    grey say where it is, and its colours alone which way up.
    """
    rows, columns = np.nonzero(DrawnMask.of_whole(drawing.pixels).drawn(1))
    if not len(rows):
        return []
    across, down = drawing.width / drawing.pixels.shape[1], drawing.height / drawing.pixels.shape[0]
    x, y = (float(columns.mean()) + 0.5) * across - 0.5, (float(rows.mean()) + 0.5) * down - 0.5
    return [
        one_from_drawing @ translation(x, y) @ rotation(turn) @ translation(-x, -y)
        for turn in np.arange(1, _N_TURNS) * (2 * np.pi / _N_TURNS)
    ]


def _is_inside(one: Picture, drawing: Picture, one_from_drawing: F64) -> bool:
    """Does a drawing lie in a picture, but for a margin, and large enough to be seen?"""
    outline = apply(one_from_drawing, corners((0, 0, drawing.width, drawing.height)))
    low, high, size = outline.min(axis=0), outline.max(axis=0), np.array([one.width, one.height])
    margin = _MARGIN * (high - low)
    is_within = np.all(low >= -margin) and np.all(high <= size + margin)
    return bool(is_within and (high - low).min() >= _LEAST_SIDE_PX)


def prove(one: Picture, other: Picture, one_from_other: F64) -> PixelProof:
    """What pixels prove of two pictures in RGB: that one lies in the other, that another one does, or nothing.

    Few points leave it some pixels off: what then agrees in part is brought nearer, and must have no other colour. A
    patch of quite another colour in what else agrees is another picture: a sibling.
    one_from_other f64 (3, 3): in pixels of the originals.
    """
    alike = compare(one, other, one_from_other)
    if is_proved(alike) or max(alike.covers) < _COVERS or alike.agreement < _HOPEFUL:
        return PixelProof("same" if is_proved(alike) else "nothing", one_from_other)
    nearer = refined = refine_plane(one, other, one_from_other)
    if alike.covers[0] > alike.covers[1]:
        one, corner = _without_edge(one)
        nearer = np.asarray(np.linalg.solve(corner, nearer), np.float64)
    else:
        other, corner = _without_edge(other)
        nearer = nearer @ corner
    colours = compare_colours(one, other, nearer)
    if colours.unexplained <= _OTHER_COLOUR and _is_whole(compare(one, other, nearer)):
        return PixelProof("same", refined)
    is_other = colours.drawn.patch >= _OTHER_PATCH and colours.unexplained <= _MOST_OTHER
    return PixelProof("other" if is_other else "nothing", refined)


def _without_edge(picture: Picture) -> tuple[Picture, F64]:
    """The inner part of a picture, and the transform f64 (3, 3) from its pixels to the picture's, of the originals."""
    height, width = picture.pixels.shape[:2]
    left, top = (max(1, round(_EDGE * side)) for side in (width, height))
    if min(width - 2 * left, height - 2 * top) < 1:
        return picture, np.eye(3)
    across, down = picture.width / width, picture.height / height
    pixels = picture.pixels[top : height - top, left : width - left]
    size = round((width - 2 * left) * across), round((height - 2 * top) * down)
    return Picture(pixels, *size), translation(left * across, top * down)
