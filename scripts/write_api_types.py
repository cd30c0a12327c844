"""Writes bof/api_types.py from the server's OpenAPI document: python -m scripts.write_api_types > bof/api_types.py

Every schema is a TypedDict, an object inside one too, under the name of both; the query parameters of an operation are
one, under the operation's name.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from bof.server.api.openapi import document
from bof.server.app import ENDPOINTS

HEAD = '''"""What the HTTP API is sent and answers, for type checkers: written by `python -m scripts.write_api_types`.

Answers of a later server may have more fields, and more words where one of some is expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict, final
'''
SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
Schema = dict[str, Any]


def camel(name: str) -> str:
    """A name of words with underscores as a class has it."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def type_of(schema: Schema, name: str, found: dict[str, str]) -> str:
    """A JSON schema as a type. name: of an object in it; found: classes by name, to which its own are added."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(each for one in _kinds(schema) for each in [type_of(one, name, found)]))
    if "enum" in schema:
        return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]"
    if schema["type"] == "array":
        return f"list[{type_of(schema['items'], name.removesuffix('s'), found)}]"
    if schema["type"] != "object":
        return SIMPLE[schema["type"]]
    if "properties" in schema:
        found[name] = ""  # before those inside, whose order is that of the document
        found[name] = _class(schema, name, found)
        return name
    values = schema.get("additionalProperties")
    return f"dict[str, {type_of(values, name, found)}]" if isinstance(values, dict) else "dict[str, Any]"


def _kinds(schema: Schema) -> list[Schema]:
    """Of words that a later version may add to, text is what is certain."""
    kinds: list[Schema] = schema["anyOf"]
    return kinds[1:] if kinds[1:] == [{"type": "string"}] else kinds


def _class(schema: Schema, name: str, found: dict[str, str]) -> str:
    required = schema.get("required", [])
    lines = ["@final", f"class {name}(TypedDict):"]  # so that `"problem" in answer` says which of two it is
    for key, value in schema["properties"].items():
        kind = type_of(value, f"{name}{camel(key)}", found)
        lines.append(f"    {key}: {kind if key in required else f'NotRequired[{kind}]'}")
    return "\n".join(lines)


def parameters_of(operation: Schema) -> str:
    """The query parameters of an operation as a class; empty where it has none."""
    queried = [one for one in operation["parameters"] if one["in"] == "query"]
    lines = [f"    {one['name']}: {_parameter(one['name'], one['schema'])}" for one in queried]
    name = f"{camel(operation['operationId'])}Parameters"
    return "\n".join([f"class {name}(TypedDict, total=False):", *lines]) if lines else ""


def _parameter(name: str, schema: Schema) -> str:
    """What the client takes for it: a box also as numbers, a flag as a bool, several values in any sequence."""
    if schema.get("enum") == [0, 1]:
        return "bool | Literal[0, 1]"
    kind = type_of(schema, name, {})
    return {"box": "str | Sequence[float]"}.get(name, kind.replace("list[", "Sequence["))


def classes() -> Iterator[str]:
    """Every class of the module."""
    api, found = document(ENDPOINTS), dict[str, str]()
    for name, schema in api["components"]["schemas"].items():
        type_of(schema, name, found)
    yield from found.values()
    for known in api["paths"].values():
        for operation in known.values():
            if written := parameters_of(operation):
                yield written


def module() -> str:
    """The whole module, as ruff formats it."""
    text = "\n\n\n".join([HEAD.rstrip(), *classes()]) + "\n"
    command = [sys.executable, "-m", "ruff", "format", "-", "--stdin-filename", "bof/api_types.py"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    print(module(), end="")
