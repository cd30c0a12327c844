"""Handlers: the index as a collection of the IIIF Presentation API 3.0, by folder, by field, or page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from bof.annotations.matches import CONTEXT
from bof.annotations.pages import MEDIA_TYPE as LINKED_DATA
from bof.annotations.places import PREFIX
from bof.annotations.presentation import PRESENTATION, Json, collection, in_english, in_no_language, pair, reference
from bof.errors import display_name
from bof.options.option import Option
from bof.server.api.endpoint import Endpoint
from bof.server.collection import all_of, quoted
from bof.server.http.answers import answer, to_json
from bof.server.http.parameters import FILTERS, Parameter, Values, whole
from bof.server.iiif.answers import server_of
from bof.server.iiif.images import linked, shared
from bof.server.iiif.manifests import PICTURES_A_MANIFEST, own_url
from bof.server.service import Service

FOLDER = "folder"


async def show_collection(service: Service, request: Request, values: Values) -> Response:
    """Manifests of the pictures that meet the filters, or collections by folder or by the values of a field."""
    where = all_of(values["where"], values["tag"], values["folder"])
    ids = await service.in_file_thread(service.collection.select_ids, where, values["text"])
    page = range(values["offset"], values["offset"] + values["limit"])
    if not values["by"]:
        items, n_all = _manifests(request, values, len(ids), page)
    else:
        counted = await service.in_file_thread(service.collection.count_values, values["by"], ids)
        items, n_all = _collections(request, values, counted, page)
    last = min(page.stop, n_all)
    shown = f"{page.start + 1} to {last} of {n_all}" if page.start < last else f"none of {n_all}"
    more = {"metadata": [pair("Pictures", str(len(ids))), pair("Parts shown", shown)]}
    label = in_english(f"Pictures by {values['by']}") if values["by"] else _label(values)
    return linked(service, request, collection(own_url(request), label, items, more), PRESENTATION)


def _manifests(request: Request, values: Values, n_pictures: int, page: range) -> tuple[list[Json], int]:
    """One a hundred pictures, and how many there are."""
    n_all = -(-n_pictures // PICTURES_A_MANIFEST)
    items = []
    for number in range(page.start, min(page.stop, n_all)):
        first = number * PICTURES_A_MANIFEST
        label = in_english(f"Pictures {first + 1} to {min(first + PICTURES_A_MANIFEST, n_pictures)} of {n_pictures}")
        place = {"offset": first} if first else {}
        items.append(reference(_url(request, "manifest", {**_filters(values), **place}), "Manifest", label))
    return items, n_all


def _collections(request: Request, values: Values, counted: Mapping[str, int], page: range) -> tuple[list[Json], int]:
    """One a value, the most frequent first, and how many there are."""
    ranked = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    items = []
    for value, n in ranked[page.start : page.stop]:
        filters = _filters(values)
        if values["by"] == FOLDER:
            filters["folder"] = value
        else:
            condition = f"{quoted(values['by'])} = {quoted(value)}"
            filters["where"] = f"({values['where']}) and {condition}" if values["where"].strip() else condition
        label = in_no_language(f"{display_name(value)} ({n})")
        items.append(reference(_url(request, "collection", filters), "Collection", label))
    return items, len(ranked)


def _filters(values: Values) -> dict[str, Any]:
    """Those that were given."""
    return {parameter.name: values[parameter.name] for parameter in FILTERS if values[parameter.name]}


def _url(request: Request, what: str, parameters: Mapping[str, Any]) -> str:
    query = urlencode(parameters, doseq=True, errors="surrogateescape")
    return f"{server_of(request)}{PREFIX}/{what}{f'?{query}' if query else ''}"


def _label(values: Values) -> Mapping[str, list[str]]:
    filters = _filters(values)
    parts = [f"{name}: {', '.join(given) if isinstance(given, list) else given}" for name, given in filters.items()]
    return in_no_language("; ".join(parts)) if parts else in_english("All pictures")


async def describe_iiif(service: Service, request: Request, values: Values) -> Response:
    """The addresses below /iiif/3 for programs."""
    return answer(request.app.state.openapi_of_iiif)


async def show_context(service: Service, request: Request, values: Values) -> Response:
    """The names of bof's own in annotations, for readers of JSON-LD."""
    headers = {"Cache-Control": "public, max-age=86400", **shared(service)}
    return Response(to_json({"@context": CONTEXT}), 200, headers, LINKED_DATA)


ENDPOINTS = (
    Endpoint(
        "GET", "/context.json", "The context of bof's own names in JSON-LD", show_context,
        {200: "application/ld+json"}, "open", prefix=PREFIX,
    ),
    Endpoint("GET", "/openapi.json", "Describe this API", describe_iiif, {200: "Document"}, "open", prefix=PREFIX),
    Endpoint(
        "GET", "/collection", "The index as a collection", show_collection, {200: "Document"},
        parameters=(
            Parameter(
                Option("by", "", "folder, tag or a field: a collection for each of its values"),
                more={"maxLength": 200},
            ),
            whole("offset", 0, 0, 1_000_000_000, "manifests or collections to pass over"),
            whole("limit", 100, 1, 1000, "manifests or collections in this one"),
            *FILTERS,
        ),
        others={"application/ld+json": "Document"}, prefix=PREFIX,
    ),
)  # fmt: skip
