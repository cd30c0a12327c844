"""The OpenAPI document (version 3.1.0), made from the declarations that the handlers read their parameters with."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from bof import __version__
from bof.server.api.endpoint import PREFIX, Endpoint
from bof.server.api.examples import EXAMPLES
from bof.server.api.schemas import SCHEMAS
from bof.server.http.auth import COOKIE
from bof.server.http.parameters import URL, Parameter
from bof.server.http.problems import MEDIA_TYPE, TITLES

_EVERYWHERE = (
    "bad-request", "not-found", "method-not-allowed", "wrong-host", "forbidden", "head-too-large", "internal", "busy",
    "no-index",
)  # fmt: skip
_IMAGE = {"type": "string", "format": "binary"}
"""Bytes: JSON Schema has no word for them, and this is the one that generators of clients know."""

TAGS = {
    "search": "Search with pictures, and how two pictures match",
    "images": "The pictures of the index: read, add, annotate, remove",
    "queries": "Pictures to search with, stored for a while",
    "judgments": "What a person has said of two pictures",
    "jobs": "Changes that take a while",
    "duplicates": "Groups of duplicates",
    "watches": "Pictures that every new one is compared with, and what was found",
    "pairing": "Browser extensions, and the codes that pair them",
    "server": "The server, its index in figures, and sessions",
}
"""Groups of endpoints, by the first part of their paths, but for those in `_TAG_OF`."""

_TAG_OF = {
    "subject": "search", "matches": "search", "sync": "images", "values": "images",
    **dict.fromkeys(["health", "openapi.json", "session", "metrics", "rankers", "index"], "server"),
}  # fmt: skip

_X_BOF = {
    "name": "X-Bof", "in": "header", "required": True, "schema": {"type": "string", "enum": ["1"], "default": "1"},
    "description": "says that no form on another site sends this; not needed beside a token in Authorization",
}  # fmt: skip
_KINDS_OF_FILES = {
    "image/*": ["image/*", "application/octet-stream"],
    "application/octet-stream": ["application/octet-stream", "application/pdf", "video/*"],
}
_LOCATION = {"Location": {"description": "the address of what was made", "schema": {"type": "string"}}}
_ETAG = {"ETag": {"description": "for If-None-Match: 304 while it is the same", "schema": {"type": "string"}}}


_ABOUT = """\
Pictures are sent as they are, as the body or as the field `image` of a form. Errors are problem documents (RFC 9457).
Answers may have fields that this document does not name: versions add some. docs/api.md says the same in words."""


def document(endpoints: Sequence[Endpoint], prefix: str = PREFIX) -> dict[str, Any]:
    """The whole document of the endpoints below a prefix."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    used = dict.fromkeys(operation["tags"][0] for known in paths.values() for operation in known.values())
    tags = [*(tag for tag in TAGS if tag in used), *(tag for tag in used if tag not in TAGS)]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bof", "version": __version__, "summary": "Search an index of pictures with a picture",
            "description": _ABOUT, "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": prefix}],
        "tags": [{"name": tag, "description": TAGS.get(tag, tag)} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": {
                name: {**schema, **({"examples": [EXAMPLES[name]]} if name in EXAMPLES else {})}
                for name, schema in SCHEMAS.items()
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }  # fmt: skip


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    needed = () if endpoint.access == "open" else ("unauthorised", "too-many-requests")
    kinds = dict.fromkeys([*_EVERYWHERE, *needed, *endpoint.problems])
    found: dict[str, Any] = {
        "operationId": endpoint.handle.__name__,
        "tags": [_tag(endpoint.path)],
        "summary": endpoint.summary,
        "description": inspect.getdoc(endpoint.handle) or endpoint.summary,
        "parameters": [_parameter(parameter) for parameter in endpoint.parameters],
        "responses": {**_answers(endpoint), **_problems(list(kinds))},
    }
    if endpoint.access != "open":  # a server without tokens asks for none
        found["security"] = [{}, {"token": []}, {"session": []}]
    if endpoint.access == "write" and endpoint.body != "json":
        found["parameters"].append(_X_BOF)
    if endpoint.body:
        found["requestBody"] = {"required": URL not in endpoint.parameters, "content": _body(endpoint)}
    return found


def _tag(path: str) -> str:
    first = path.split("/")[1]
    return _TAG_OF.get(first, first)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name, "in": parameter.place, "description": parameter.option.meaning,
        "required": parameter.place == "path", "schema": parameter.schema,
    }  # fmt: skip


def _body(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.body == "json":
        return {"application/json": {"schema": dict(endpoint.schema)}}
    many = endpoint.body == "pictures"
    image = {"type": "array", "items": _IMAGE, "minItems": 1} if many else _IMAGE
    form = {"type": "object", "properties": {"image": image}, "required": ["image"], "additionalProperties": False}
    content: dict[str, Any] = {"multipart/form-data": {"schema": form}}
    raw = {kind: {"schema": _IMAGE} for kind in ("application/octet-stream", "image/*")}
    return content if many else {**raw, **content}


def _answers(endpoint: Endpoint) -> dict[str, Any]:
    found = {str(status): _answer(status, shape) for status, shape in endpoint.answers.items()}
    for kind, shape in endpoint.others.items():
        first = found[str(next(iter(endpoint.answers)))]
        first["content"][kind] = {"schema": {"$ref": f"#/components/schemas/{shape}"}}
    if endpoint.method == "GET" and _is_json(endpoint.answers.get(200, "")):
        found["200"]["headers"] = _ETAG
        found["304"] = {"description": HTTPStatus(304).phrase, "headers": _ETAG}
    return found


def _is_json(shape: str) -> bool:
    return bool(shape) and "/" not in shape


def _answer(status: int, shape: str) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    if not shape:
        return {"description": phrase}
    if "/" in shape:
        kinds = {"text/": {"type": "string"}, "application/ld+json": {"type": "object"}}
        schema = next((schema for start, schema in kinds.items() if shape.startswith(start)), _IMAGE)
        return {
            "description": phrase,
            "content": {kind: {"schema": schema} for kind in _KINDS_OF_FILES.get(shape, [shape])},
        }
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
    headers = {"headers": _LOCATION} if status in (201, 202) else {}
    return {"description": phrase, **headers, "content": content}


def _problems(kinds: Sequence[str]) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(TITLES[kind][0]): {"description": TITLES[kind][1], "content": content} for kind in kinds}
