"""Handler: the values of a field, such as all tags, searched and page by page."""

from __future__ import annotations

import unicodedata
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bof.engine import Engine
from bof.errors import OptionError, display_name
from bof.options.option import Option
from bof.retrieval.grouped import FieldValues
from bof.server.api.endpoint import Endpoint
from bof.server.http.answers import answer
from bof.server.http.parameters import Parameter, Values, whole
from bof.server.service import Service
from bof.store.catalog import TAG

MAX_TEXT = 200


async def list_values(service: Service, request: Request, values: Values) -> Response:
    """The values that pictures have of a field, the most frequent first."""
    engine = await service.engine()
    wish = values["field"], values["contains"], values["offset"], values["limit"]
    return answer(await service.in_search_thread(_page, engine, *wish))


def _page(engine: Engine, field: str, contains: str, offset: int, limit: int) -> dict[str, Any]:
    found = _values_of(engine, field)
    part = _plain(contains)
    counted = zip(found.names, found.n_images.tolist(), strict=True)
    fitting = sorted(((n, name) for name, n in counted if part in _plain(name)), key=lambda one: (-one[0], one[1]))
    shown = [{"name": display_name(name), "pictures": n} for n, name in fitting[offset : offset + limit]]
    return {"field": field, "total": len(fitting), "offset": offset, "values": shown}


def _values_of(engine: Engine, field: str) -> FieldValues:
    """Raises OptionError that names this endpoint's parameter, which other searches call `group_by`."""
    try:
        return engine.field_values(field)
    except OptionError as error:
        error.option = "field"
        raise


def _plain(text: str) -> str:
    """Text as it is compared: whatever its case, and however its accents are composed."""
    return unicodedata.normalize("NFC", text).casefold()


ENDPOINTS = (
    Endpoint(
        "GET", "/values", "List the values of a field", list_values, {200: "FieldValues"},
        parameters=(
            Parameter(Option("field", TAG, "a field of pictures, tag, or folder"), more={"maxLength": MAX_TEXT}),
            Parameter(Option("contains", "", "only values that hold this text"), more={"maxLength": MAX_TEXT}),
            whole("offset", 0, 0, 1_000_000_000, "values to pass over"),
            whole("limit", 50, 1, 500, "values in this answer"),
        ),
    ),
)  # fmt: skip
