"""Searching as a thread of the server does it: one commit, one query, one page of hits, ready for JSON."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bof.annotations.matches import PlacedHit, iiif_json
from bof.annotations.places import harvested_place
from bof.engine import Engine
from bof.errors import display_name
from bof.global_descriptors.describe import ColumnSpec
from bof.options import VARIANTS, SearchOptions
from bof.retrieval.answer import Answer, shared_percent
from bof.retrieval.searcher import Match
from bof.retrieval.shortlist import CLEAR_INLIERS
from bof.server.collection import Commit, ServedCollection, all_of, version_of
from bof.server.decoding import Pose, Prepared, QueryNeeds
from bof.server.http.parameters import Values
from bof.server.http.problems import not_found
from bof.server.rankers import require_columns
from bof.store.catalog import TAG, Fields, ImageRecord, Selection
from bof.types import F32, F64, Hit, Overlay, ValueGroup

_ENTRY_BYTES = 500
"""Of what an answer holds of an image that geometry or pixels have verified; a hundred or so are."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What is asked of a query: how to search, which page, which verdicts, and the ids of pictures to leave out."""

    options: SearchOptions
    top: int
    offset: int
    verdicts: frozenset[str]
    left_out: frozenset[int] = frozenset()

    @classmethod
    def of(cls, values: Values) -> PageRequest:
        """What a request's parameters say, but for `exclude_self`: see `without_self`."""
        where = all_of(values["where"], values["tag"], values["folder"])
        chosen = {name: values[name] for name in ("ranker", *VARIANTS, "text", "metric", "fusion", "group_by")}
        options = SearchOptions(**chosen, where=where, shots=bool(values["shots"]))
        return cls(options, values["top"], values["offset"], frozenset(values["verdict"]))

    def without_self(self, values: Values, own: Iterable[int]) -> PageRequest:
        """The same, but without the query's own entries in the index, where the parameters say so."""
        return dataclasses.replace(self, left_out=frozenset(own)) if values["exclude_self"] else self


def needs_of(engine: Engine, options: SearchOptions) -> QueryNeeds:
    """What the rankers need of a query. Raises ProblemError where the index lacks a column."""
    return QueryNeeds(bool(options.local), require_columns(engine, options.groups) if options.groups else ColumnSpec())


def pose_of(values: Values) -> Pose:
    """How a request's parameters look at the query."""
    return Pose(values["turn"], bool(values["flip"]), values["box"])


@dataclass(frozen=True, slots=True)
class FoundPage:
    """A page of hits. total: of all pages; numbers: the ids of the hits' pictures; records and fields: what the
    catalogue says of each, by id, of those that are still there; seconds: by stage; answer: of all pages.
    """

    prepared: Prepared
    request: PageRequest
    hits: Sequence[Hit]
    numbers: Sequence[int]
    records: Mapping[int, ImageRecord]
    fields: Mapping[int, Fields]
    names: Sequence[str]
    total: int
    overlay: Overlay | None
    seconds: Mapping[str, float]
    answer: Answer

    def to_json(self) -> dict[str, Any]:
        """The answer, but for the seconds."""
        return {
            "query": query_json(self.prepared),
            "ranker": self.request.options.ranker,
            "group_by": self.request.options.group_by or None,
            "total": self.total,
            "offset": self.request.offset,
            "hits": _hits_json(self.hits, self.numbers, self.records, self.fields, self.names),
            "overlay": _overlay_json(self.overlay),
            "missing_parts": self.missing_parts,
        }

    @property
    def missing_parts(self) -> list[dict[str, str]]:
        """The parts of the index that did not answer, and why."""
        return [{"part": name, "reason": reason} for name, reason in self.answer.missing.items()]


@dataclass(frozen=True, slots=True)
class DatedAnswer:
    """An answer as of a commit and of what a person had judged: its next page is not searched for again."""

    answer: Answer
    commit: Commit
    judged: Mapping[str, bool]

    def holds(self, commit: Commit, judged: Mapping[str, bool]) -> bool:
        """Would a search find the same now? What has not answered may answer again."""
        return not self.answer.missing and (self.commit, self.judged) == (commit, judged)

    @property
    def n_bytes(self) -> int:
        """About what it takes in memory."""
        return self.answer.images.nbytes + self.answer.scores.nbytes + _ENTRY_BYTES * len(self.answer.evidence)


def search_page(
    collection: ServedCollection,
    engine: Engine,
    prepared: Prepared,
    page_request: PageRequest,
    known: Answer | None = None,
) -> FoundPage:
    """A page of the answer to a query. known: that answer, where the same was searched for before in this commit."""
    query, options = prepared.query, page_request.options
    answer = known or engine.answer(query, options)
    chosen = page_request.top, page_request.offset, page_request.verdicts
    page = engine.page(query, _without(answer, engine, page_request.left_out), options, *chosen)
    numbers, records, fields, names = _catalogued(collection, engine, page.hits, page.selection)
    seconds = {"extract": prepared.seconds, **({} if known else answer.seconds)}
    facts = records, fields, names, page.total, answer.overlay, seconds
    return FoundPage(prepared, page_request, page.hits, numbers, *facts, answer)


def _without(answer: Answer, engine: Engine, ids: frozenset[int]) -> Answer:
    """The answer without the images of these ids."""
    if not ids:
        return answer
    retained = ~np.isin(engine.images.id[answer.images], list(ids))
    return dataclasses.replace(answer, images=answer.images[retained], scores=answer.scores[retained])


def _overlay_json(overlay: Overlay | None) -> dict[str, Any] | None:
    if overlay is None:
        return None
    box = [round(value, 2) for value in overlay.box]
    return {"n_features": len(overlay.features), "n_images": overlay.n_images, "box": box}


def match_pair(
    collection: ServedCollection, engine: Engine, prepared: Prepared, number: int, options: SearchOptions
) -> dict[str, Any]:
    """How a query lies in one image of the index. Raises ProblemError, not-found."""
    image = image_of(engine, number)
    start = time.perf_counter()
    hit, found = engine.match(prepared.query, image, options)
    verification = hit.verification
    transform = verification.database_from_query if verification else None
    return {
        "query": query_json(prepared),
        "hit": hits_json(collection, engine, [hit])[0],
        "hit_from_query": None if transform is None else transform.tolist(),
        "mirrored": bool(verification and verification.mirrored),
        "variant": verification.variant if verification else None,
        "points": _points_json(engine, image, found),
        "seconds": {"extract": prepared.seconds, "match": time.perf_counter() - start},
    }


def _points_json(engine: Engine, image: int, found: Match) -> dict[str, list[Any]]:
    """Where the matches lie in both pictures, whether each agrees with the transform, and its vote, strongest first."""
    return {
        "query": _rounded(found.query_xy_px, 2),
        "hit": _rounded(engine.points_in(image, found.matches), 2),
        "inlier": found.agrees.tolist(),
        "weight": _rounded(found.matches.weight, 4),
    }


def _rounded(values: F32 | F64, digits: int) -> list[Any]:
    rounded: list[Any] = np.round(values.astype(np.float64), digits).tolist()
    return rounded


def image_of(engine: Engine, number: int) -> int:
    """The place of a live image, by id, in the engine's snapshot. Raises ProblemError, not-found."""
    rows = engine.images
    found = np.flatnonzero((rows.id == number) & ~rows.deleted)
    if not len(found):
        raise not_found(f"image {number}")
    return int(found[0])


def query_json(prepared: Prepared) -> dict[str, Any]:
    """What an answer reports of a query."""
    box = None if prepared.box is None else [round(value, 2) for value in prepared.box]
    return {
        "width": prepared.width, "height": prepared.height, "n_features": len(prepared.query.features), "box": box,
        "sha256": prepared.query.judged_as or None,
    }  # fmt: skip


_Catalogued = tuple[Sequence[int], Mapping[int, ImageRecord], Mapping[int, Fields], Sequence[str]]


def _catalogued(
    collection: ServedCollection, engine: Engine, hits: Sequence[Hit], found: Selection | None = None
) -> _Catalogued:
    """The ids of hits, the records and fields of those that are still there, by id, and what each is called.

    found: what the catalogue says of them, if it was looked up.
    """
    numbers = [int(engine.images.id[hit.image]) for hit in hits]
    found = collection.select(ids=numbers) if found is None else found
    records = {image.id: image for image in found.records}  # a commit since may have taken one out
    names = [
        collection.name_of(records[number], found.fields[number]) if number in records else display_name(hit.name)
        for number, hit in zip(numbers, hits, strict=True)
    ]
    return numbers, records, found.fields, names


def hits_json(collection: ServedCollection, engine: Engine, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Hits as the API tells of them."""
    return _hits_json(hits, *_catalogued(collection, engine, hits))


def _hits_json(
    hits: Sequence[Hit], numbers: Sequence[int], records: Mapping[int, ImageRecord], fields: Mapping[int, Fields],
    names: Sequence[str],
) -> list[dict[str, Any]]:  # fmt: skip
    return [
        _hit(number, name, records.get(number), fields.get(number, {}), hit)
        for number, name, hit in zip(numbers, names, hits, strict=True)
    ]


def _hit(number: int, name: str, image: ImageRecord | None, fields: Fields, hit: Hit) -> dict[str, Any]:
    verification = hit.verification
    place = harvested_place(fields, (hit.width, hit.height))
    return {
        "id": number,
        "name": name,
        "version": version_of(image) if image else "",
        "score": hit.score,
        "verdict": hit.verdict,
        "probability": hit.probability,
        "n_inliers": verification.n_inliers if verification else None,
        "mirrored": verification.mirrored if verification else None,
        "variant": verification.variant if verification else None,
        "query_number": hit.query_number,
        "outline": None if hit.outline is None else np.round(hit.outline, 2).tolist(),
        "query_outline": None if hit.query_outline is None else _rounded(hit.query_outline, 2),
        **_agreement(hit),
        "width": hit.width,
        "height": hit.height,
        "tags": list(fields.get(TAG, [])),
        "fields": {key: list(fields[key]) for key in fields if key != TAG},
        "part": hit.part,
        "film": None if hit.film is None else dataclasses.asdict(hit.film),
        "group": _group_json(hit.group),
        "iiif": None if place is None else iiif_json(PlacedHit(hit, 1, name, place)),
        "explanation": explain(hit),
    }


def _group_json(group: ValueGroup | None) -> dict[str, Any] | None:
    if group is None:
        return None
    return {**dataclasses.asdict(group), "value": None if group.value is None else display_name(group.value)}


def _agreement(hit: Hit) -> dict[str, Any]:
    """What pixels say; null where they were not compared."""
    found = hit.agreement
    if found is None:
        return {"basis": hit.basis} | dict.fromkeys(("query_overlap", "hit_overlap", "query_region", "hit_region"))
    return {
        "basis": hit.basis,
        "query_overlap": round(found.query_overlap, 4),
        "hit_overlap": round(found.hit_overlap, 4),
        "query_region": None if found.query_region is None else _rounded(found.query_region, 2),
        "hit_region": None if found.hit_region is None else _rounded(found.hit_region, 2),
    }


def explain(hit: Hit) -> dict[str, Any]:
    """What the verdict rests on: a sentence's key, and the numbers in it."""
    verification = hit.verification
    if hit.basis == "person":
        n_inliers = verification.n_inliers if verification else 0
        return {"key": f"judged_{'same' if hit.verdict == 'same' else 'different'}", "args": {"n_inliers": n_inliers}}
    if hit.verdict == "unverified":
        return {"key": "not_checked", "args": {}}
    if verification is None or hit.probability is None:
        return {"key": "unlike_as_a_whole" if hit.verdict == "no" else "alike_as_a_whole", "args": {}}
    counted = {"n_inliers": verification.n_inliers}
    if hit.basis == "content":
        return {"key": "same_file", "args": {}}
    if hit.basis == "whole":
        return {"key": "same_whole", "args": {}}
    if hit.verdict == "part" and hit.agreement:
        return {"key": "part", "args": {**counted, "percent": shared_percent(hit.agreement.query_overlap)}}
    if hit.verdict == "no":
        return {"key": "not_proved", "args": counted}
    args = {**counted, "percent": math.floor(100 * min(hit.probability or 0.0, 0.999))}
    if hit.verdict == "maybe":
        return {"key": "maybe", "args": args}
    if verification.mirrored:
        return {"key": "proved_mirrored", "args": args}
    if verification.variant == "inverted":
        return {"key": "proved_inverted", "args": args}
    return {"key": "proved_many_points" if counted["n_inliers"] >= CLEAR_INLIERS else "proved_few_points", "args": args}
