"""One hit as a Web Annotation (W3C, 2017): its region of a canvas shows what the query shows.

Its motivations are `linking` and `commenting`. The model has none for "shows the same thing as": `identifying` would
say what the target is, also where the verdict is `maybe` or `no`. `linking` relates the region to the query, the first
body; `commenting` is the purpose of the second, which says the verdict in words, and what viewers of IIIF show. The
figures have names of bof's own, in the namespace `bof:` (docs/iiif-server.md).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bof.annotations.places import Place, Whole, joined
from bof.retrieval.hits import bounds_of, outline_of
from bof.types import F64, Box, Hit

NAMESPACE = "urn:uuid:9fbed58c-5f71-54c1-9dd8-ec4580778abb#"
"""Of the properties `bof:...`; it will be an address once the project has a public home."""

CONTEXT = {"bof": NAMESPACE}
MEDIA_FRAGMENTS = "http://www.w3.org/TR/media-frags/"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AnnotatedQuery:
    """What was searched with: an id, what kind of resource it is, what people call it, and which part of it."""

    source: str
    kind: str
    label: str
    region: Whole | None = None


@dataclass(frozen=True, slots=True)
class PlacedHit:
    """A hit, its rank from 1 on, what people call it, and where its picture stands."""

    hit: Hit
    rank: int
    label: str
    place: Place

    @property
    def bounds(self) -> Box | None:
        """The box x0, y0, x1, y1 around what the query shows, from the picture's edges; None where nothing is known."""
        found = bounds_of(self.hit)
        if found is None:
            return None
        width, height = self.hit.width, self.hit.height
        x0, y0, x1, y1 = (value + 0.5 for value in found)  # from the centre of the first pixel to its edge
        return max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)

    @property
    def region(self) -> Whole | None:
        """The same in the frame of the canvas; None for the whole canvas."""
        return self.place.region(self.bounds)

    @property
    def picture(self) -> str:
        """The URL of the picture of the region."""
        return self.place.picture_of(self.bounds)


def content_url(sha256: str) -> str:
    """The id of a picture that has no address: by its content (RFC 6920). sha256: in hexadecimal digits."""
    digest = base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode("ascii")
    return f"ni:///sha-256;{digest.rstrip('=')}"


def annotation_of(found: PlacedHit, query: AnnotatedQuery, url: str) -> Json:
    """The annotation of a hit. url: its id."""
    return {
        "id": url,
        "type": "Annotation",
        "motivation": ["linking", "commenting"],
        "body": [
            {"type": "SpecificResource", "purpose": "linking", **_about_query(query)},
            {
                "type": "TextualBody", "purpose": "commenting", "value": in_words(found.hit), "format": "text/plain",
                "language": "en",
            },
        ],
        "target": target_of(found),
        **figures_of(found),
    }  # fmt: skip


def target_of(found: PlacedHit) -> Json:
    """The region of the canvas; or of a picture, where there is none."""
    place = found.place
    source: Json = {"id": place.source, "type": place.kind}
    if place.manifests:
        source["partOf"] = [{"id": url, "type": "Manifest"} for url in place.manifests]
    target: Json = {"type": "SpecificResource", "source": source}
    if (region := found.region) is not None:
        selectors = [fragment(region)]
        if (outline := _shown_outline(found)) is not None:
            selectors.append(_svg(outline))
        target["selector"] = selectors if len(selectors) > 1 else selectors[0]
    return target


def figures_of(found: PlacedHit) -> Json:
    """What bof says of a hit, by names of its own; null where nothing is known."""
    hit = found.hit
    verification, agreement = hit.verification, hit.agreement
    return {
        "bof:name": found.label,
        "bof:rank": found.rank,
        "bof:verdict": hit.verdict,
        "bof:score": float(hit.score),
        "bof:probability": None if hit.probability is None else float(hit.probability),
        "bof:inliers": None if verification is None else int(verification.n_inliers),
        "bof:mirrored": None if verification is None else verification.mirrored,
        "bof:variant": None if verification is None else verification.variant,
        "bof:basis": hit.basis,
        "bof:hitOverlap": None if agreement is None else round(float(agreement.hit_overlap), 4),
        "bof:queryOverlap": None if agreement is None else round(float(agreement.query_overlap), 4),
        "bof:picture": {"id": found.picture, "type": "Image"} if found.picture else None,
    }


def iiif_json(found: PlacedHit) -> Json:
    """Where a harvested hit stands, as JSON outputs have it."""
    region = found.region
    return {
        "canvas": found.place.source,
        "manifests": list(found.place.manifests),
        "xywh": None if region is None else list(region),
        "service": found.place.service or None,
        "picture": found.picture or None,
    }


def in_words(hit: Hit) -> str:
    """Verdict, score, probability and inliers in a line."""
    parts = [hit.verdict, f"score {hit.score:.2f}"]
    parts += [f"probability {hit.probability:.2f}"] if hit.probability is not None else []
    parts += [f"{hit.verification.n_inliers} inliers"] if hit.verification else []
    return ", ".join(parts)


def fragment(region: Whole) -> Json:
    """A selector of a box."""
    return {"type": "FragmentSelector", "conformsTo": MEDIA_FRAGMENTS, "value": f"xywh={joined(region)}"}


def _about_query(query: AnnotatedQuery) -> Json:
    source = {"id": query.source, "type": query.kind}
    found: Json = {"source": source, "bof:name": query.label}
    if query.region is not None:
        found["selector"] = fragment(query.region)
    return found


def _shown_outline(found: PlacedHit) -> F64 | None:
    """The corners of what the query shows, in the frame of the canvas; None where they lie outside it or nowhere."""
    outline, place = outline_of(found.hit), found.place
    if outline is None or not np.isfinite(outline).all():
        return None
    left, top, width, height = place.box
    points = (outline + 0.5) * (width / place.size[0], height / place.size[1]) + (left, top)
    low, high = points.min(axis=0), points.max(axis=0)
    is_inside = (low >= (left - 1, top - 1)).all() and (high <= (left + width + 1, top + height + 1)).all()
    return points if is_inside else None


def _svg(outline: F64) -> Json:
    """A selector of a polygon."""
    path = " L ".join(f"{x:.1f},{y:.1f}" for x, y in outline.tolist())
    value = f'<svg xmlns="http://www.w3.org/2000/svg"><path d="M {path} Z" fill="none" stroke="#e0459b"/></svg>'
    return {"type": "SvgSelector", "value": value}


def annotations_of(found: Sequence[PlacedHit], query: AnnotatedQuery, url: str, mark: str = "#") -> list[Json]:
    """The annotations of hits. url and mark: what their ids begin with."""
    return [annotation_of(one, query, f"{url}{mark}hit-{one.rank}") for one in found]
