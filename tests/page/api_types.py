"""What the server answers, as TypeScript: the page's code is checked against the document that the server publishes.

Prints a file of declarations. An ending for every schema that the document uses; any other ends with an error.
openapi-typescript, a library that does this, makes tuples of lists out of lists of tuples (outlines, transforms).
"""

from __future__ import annotations

import json
from typing import Any

from bof.server.api.openapi import document
from bof.server.app import ENDPOINTS

SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def type_of(schema: dict[str, Any]) -> str:
    """A JSON schema as a TypeScript type."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema and schema["anyOf"][1:] == [{"type": "string"}]:
        return type_of(schema["anyOf"][0])  # the page comes with its server: no later version adds to these words
    if "anyOf" in schema or "enum" in schema:
        return " | ".join([*map(type_of, schema.get("anyOf", [])), *map(json.dumps, schema.get("enum", []))])
    if schema["type"] == "array":
        item = type_of(schema["items"])
        length = schema["minItems"] if schema.get("minItems") == schema.get("maxItems", -1) else None
        return f"Array<{item}>" if length is None else f"[{', '.join([item] * length)}]"
    return _object(schema) if schema["type"] == "object" else SIMPLE[schema["type"]]


def _object(schema: dict[str, Any]) -> str:
    if "properties" not in schema:
        values = schema.get("additionalProperties")
        return f"Record<string, {type_of(values)}>" if values else "object"
    required = schema.get("required", [])
    fields = [
        f"{name}{'' if name in required else '?'}: {type_of(value)};" for name, value in schema["properties"].items()
    ]
    return f"{{ {' '.join(fields)} }}"


def endpoint_type(operation: dict[str, Any]) -> str:
    """What an endpoint takes and answers: names of its parameters by place, its JSON body, its JSON answer."""
    parameters = operation["parameters"]
    names = {place: [each["name"] for each in parameters if each["in"] == place] for place in ("path", "query")}
    taken = {place: " | ".join(map(json.dumps, found)) or "never" for place, found in names.items()}
    body = _json(operation.get("requestBody", {}))
    answers = [_json(answer) for status, answer in operation["responses"].items() if status.startswith("2")]
    answer = " | ".join(filter(None, answers)) or "null"
    return f"{{ path: {taken['path']}; query: {taken['query']}; json: {body or 'never'}; answer: {answer} }}"


def _json(message: dict[str, Any]) -> str:
    schema = message.get("content", {}).get("application/json", {}).get("schema")
    return type_of(schema) if schema else ""


def declarations(api: dict[str, Any]) -> str:
    """The whole file: a type for each schema, and `Endpoints` by method and path."""
    schemas = [f"  type {name} = {type_of(schema)};" for name, schema in api["components"]["schemas"].items()]
    endpoints = [
        f'    "{method.upper()} {path}": {endpoint_type(operation)};'
        for path, operations in api["paths"].items()
        for method, operation in operations.items()
    ]
    first = "// Written by api_types.py from the server's OpenAPI document."
    return "\n".join([first, "declare namespace Api {", *schemas, "  interface Endpoints {", *endpoints, "  }", "}"])


if __name__ == "__main__":
    print(declarations(document(ENDPOINTS)))
