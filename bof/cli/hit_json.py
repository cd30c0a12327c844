"""Hits as --json prints them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from bof.annotations.matches import PlacedHit, iiif_json
from bof.cli.finding import FoundHits
from bof.cli.hit_table import bits_of_hit
from bof.images.address import Address
from bof.options import SearchOptions
from bof.types import Hit, Overlay


def found_as_json(
    found: FoundHits, options: SearchOptions, harvested: Mapping[int, PlacedHit] | None = None
) -> dict[str, Any]:
    """The answer to one query. harvested: where the hits stand that come from archives, by image."""
    places = harvested or {}
    hits = [
        {
            "rank": rank, **hit_as_json(hit), "title": found.titles.get(hit.image),
            "bits": bits_of_hit(hit, options)[0],
            "iiif": iiif_json(places[hit.image]) if hit.image in places else None,
        }
        for rank, hit in enumerate(found.hits, 1)
    ]  # fmt: skip
    query = {"query": found.name, "box": found.box, "n_features": len(found.query.features)}
    return {**query, "overlay": _overlay_as_json(found.answer.overlay), "hits": hits,
            "missing_parts": dict(found.answer.missing), "seconds": found.seconds}  # fmt: skip


def _overlay_as_json(overlay: Overlay | None) -> dict[str, Any] | None:
    if overlay is None:
        return None
    return {"n_features": len(overlay.features), "n_images": overlay.n_images, "box": overlay.box}


def hit_as_json(hit: Hit) -> dict[str, Any]:
    """One hit with its proof."""
    transform = hit.verification.database_from_query if hit.verification else None
    return {
        "name": hit.name,
        "path": str(hit.file),
        "part": hit.part,
        "link": Address(str(hit.file), hit.shown_part).link,
        "score": hit.score,
        "verdict": hit.verdict,
        "probability": hit.probability,
        "mirrored": hit.verification.mirrored if hit.verification else None,
        "variant": hit.verification.variant if hit.verification else None,
        "query_number": hit.query_number,
        "n_inliers": hit.verification.n_inliers if hit.verification else None,
        "database_from_query": transform.tolist() if transform is not None else None,
        "outline": hit.outline.tolist() if hit.outline is not None else None,
        "query_outline": hit.query_outline.tolist() if hit.query_outline is not None else None,
        **_agreement_as_json(hit),
        "width": hit.width,
        "height": hit.height,
        "fields": {key: list(values) for key, values in hit.fields.items()},
        "group": dataclasses.asdict(hit.group) if hit.group else None,
        "film": dataclasses.asdict(hit.film) if hit.film else None,
    }


def _agreement_as_json(hit: Hit) -> dict[str, Any]:
    """What pixels say; null where they were not compared."""
    found = hit.agreement
    regions = (None, None) if found is None else (found.query_region, found.hit_region)
    in_query, in_hit = (None if region is None else region.tolist() for region in regions)
    return {
        "basis": hit.basis,
        "query_overlap": found.query_overlap if found else None,
        "hit_overlap": found.hit_overlap if found else None,
        "query_region": in_query,
        "hit_region": in_hit,
    }
