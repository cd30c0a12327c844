"""Hits as --format iiif prints them: a page of W3C annotations; and where harvested hits stand."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bof.annotations.matches import AnnotatedQuery, PlacedHit, content_url
from bof.annotations.pages import WEB_ANNOTATION, PageLinks, annotation_page
from bof.annotations.places import file_place, file_url, harvested_place, served_place
from bof.cli.finding import FoundHits
from bof.cli.queries import STANDARD_INPUT
from bof.engine import Engine
from bof.images.address import Address
from bof.store.catalog import Fields


def harvested_hits(engine: Engine, found: FoundHits) -> dict[int, PlacedHit]:
    """The hits that were harvested from archives, by image, each with its place there."""
    fields = _fields_of(engine, found)
    placed: dict[int, PlacedHit] = {}
    for rank, hit in enumerate(found.hits, 1):
        place = harvested_place(fields.get(hit.image, {}), (hit.width, hit.height))
        if place is not None:
            placed[hit.image] = PlacedHit(hit, rank, found.names[hit.image], place)
    return placed


def annotated(engine: Engine, found: FoundHits, server: str) -> dict[str, Any]:
    """The answer to one query as an annotation page. server: the URL of one that shows the index, "" for none.

    What was not harvested stands on the server's canvas or, without one, is its file.
    """
    harvested = harvested_hits(engine, found)
    placed = []
    for rank, hit in enumerate(found.hits, 1):
        size, number = (hit.width, hit.height), int(engine.images.id[hit.image])
        own = served_place(server, number, size) if server else file_place(hit.path, size)
        placed.append(harvested.get(hit.image) or PlacedHit(hit, rank, found.names[hit.image], own))
    query = _query(found)
    url = _url_of(query, placed)
    return annotation_page(placed, query, PageLinks(url, f"{url}#all"), len(found.answer.images), 0, WEB_ANNOTATION)


def _fields_of(engine: Engine, found: FoundHits) -> Mapping[int, Fields]:
    """What the index says of the hits, by image."""
    image_of = {int(engine.images.id[hit.image]): hit.image for hit in found.hits}
    fields = engine.select(ids=list(image_of)).fields if image_of else {}
    return {image_of[number]: values for number, values in fields.items()}


def _query(found: FoundHits) -> AnnotatedQuery:
    """The query's file by its URL, a picture on standard input by its content."""
    size = found.picture.width, found.picture.height
    if found.name == STANDARD_INPUT:
        source = content_url(found.source.sha256)
    else:
        source = file_url(Path(str(Address.parse_spoken(found.name))).absolute())
    region = None if found.box is None else file_place(Path("/"), size).region(found.box)
    return AnnotatedQuery(source, "Image", found.shown, region)


def _url_of(query: AnnotatedQuery, placed: list[PlacedHit]) -> str:
    """An id of an answer that has no address: the same for the same answer."""
    facts = [query.source, query.region, [[one.place.source, one.hit.score] for one in placed]]
    return uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(facts)).urn
