"""The OpenAPI document (version 3.1.0), made from the declarations that the handlers read their parameters with."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from bof import __version__
from bof.server.api.endpoint import PREFIX, Endpoint
from bof.server.api.schemas import SCHEMAS
from bof.server.http.parameters import URL, Parameter
from bof.server.http.problems import MEDIA_TYPE, TITLES

_EVERYWHERE = (
    "bad-request", "not-found", "method-not-allowed", "wrong-host", "forbidden", "head-too-large", "internal", "busy",
    "no-index",
)  # fmt: skip
_IMAGE = {"type": "string", "contentMediaType": "application/octet-stream"}


def document(endpoints: Sequence[Endpoint], prefix: str = PREFIX) -> dict[str, Any]:
    """The whole document of the endpoints below a prefix."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bof", "version": __version__, "summary": "Search an index of pictures with a picture",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": prefix}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }  # fmt: skip


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    needed = () if endpoint.access == "open" else ("unauthorised", "too-many-requests")
    kinds = dict.fromkeys([*_EVERYWHERE, *needed, *endpoint.problems])
    found: dict[str, Any] = {
        "operationId": f"{endpoint.handle.__name__}",
        "summary": endpoint.summary,
        "parameters": [_parameter(parameter) for parameter in endpoint.parameters],
        "responses": {**_answers(endpoint), **_problems(list(kinds))},
    }
    if endpoint.access != "open":
        found["security"] = [{"token": []}, {}]
    if endpoint.access == "write":
        header = {"name": "X-Bof", "in": "header", "required": False, "schema": {"type": "string", "enum": ["1"]}}
        found["parameters"].append({**header, "description": "needed where a form could send the same request"})
    if endpoint.body:
        found["requestBody"] = {"required": URL not in endpoint.parameters, "content": _body(endpoint)}
    return found


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
    return (
        content if many else {"image/*": {"schema": _IMAGE}, "application/octet-stream": {"schema": _IMAGE}, **content}
    )


def _answers(endpoint: Endpoint) -> dict[str, Any]:
    found = {str(status): _answer(status, shape) for status, shape in endpoint.answers.items()}
    for kind, shape in endpoint.others.items():
        first = found[str(next(iter(endpoint.answers)))]
        first["content"][kind] = {"schema": {"$ref": f"#/components/schemas/{shape}"}}
    return found


def _answer(status: int, shape: str) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    if not shape:
        return {"description": phrase}
    if "/" in shape:
        kinds = {"text/": {"type": "string"}, "application/ld+json": {"type": "object"}}
        schema = next((schema for start, schema in kinds.items() if shape.startswith(start)), _IMAGE)
        return {"description": phrase, "content": {shape: {"schema": schema}}}
    return {
        "description": phrase,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}},
    }


def _problems(kinds: Sequence[str]) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(TITLES[kind][0]): {"description": TITLES[kind][1], "content": content} for kind in kinds}
