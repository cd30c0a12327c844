"""Handlers: what a person judges of two pictures, the same thing or not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bof.errors import IndexStoreError
from bof.options.option import Option
from bof.server.api.endpoint import Endpoint
from bof.server.collection import ServedCollection
from bof.server.http.answers import answer
from bof.server.http.bodies import JSON_BYTES, body_of, json_object
from bof.server.http.parameters import Parameter, Values, whole
from bof.server.http.problems import ProblemError, not_found
from bof.server.http.received import as_received
from bof.server.service import Service
from bof.store.judgments import Judgment, add_judgments, read_judgments, withdraw_judgments
from bof.system.units import when

SAME, DIFFERENT = JUDGMENTS = ("same", "different")
PICTURE_PATTERN = "^([0-9a-f]{64}|[0-9]{1,18})$"
"""A picture by the SHA-256 of its file, or by its id in the index."""


def _picture_of(text: str) -> str:
    if not re.fullmatch(PICTURE_PATTERN, text):
        raise ValueError(text)
    return text


def _picture(name: str, meaning: str, default: Any = None) -> Parameter:
    form = "an id of the index, or the SHA-256 of a file in 64 digits"
    return Parameter(Option(name, default, meaning, form=form, parse=_picture_of), more={"pattern": PICTURE_PATTERN})


async def judge(service: Service, request: Request, values: Values) -> Response:
    """Two pictures show the same thing, or not."""
    async with body_of(request, JSON_BYTES, service.options.body_seconds, service.byte_limit) as body:
        query, image, judgment = _requested(json_object(request, body))
    return answer(await service.in_file_thread(_judge, service.collection, query, image, judgment))


def _requested(value: dict[str, Any]) -> tuple[str, str, str]:
    names = ("query", "image", "judgment")
    texts = [str(value[name]) if type(value.get(name)) in (int, str) else "" for name in names]
    pictures = all(re.fullmatch(PICTURE_PATTERN, text) for text in texts[:2])
    if set(value) != set(names) or not pictures or texts[2] not in JUDGMENTS:
        expected = '{"query": ID or SHA-256, "image": ID or SHA-256, "judgment": "same" or "different"}'
        raise ProblemError("bad-request", f"expected {expected}, found {as_received(value)}")
    return texts[0], texts[1], texts[2]


def _judge(collection: ServedCollection, query: str, image: str, judgment: str) -> dict[str, Any]:
    contents = _content(collection, query), _content(collection, image)
    if contents[0] == contents[1]:
        raise ProblemError("bad-request", "expected two pictures, found one file twice")
    judged = Judgment.of(*contents, is_same=judgment == SAME)
    try:
        add_judgments(collection.folder, [judged])
    except IndexStoreError as error:
        raise _cannot(error) from error
    return _shown(collection, [judged])[0]


def _content(collection: ServedCollection, picture: str) -> str:
    """The SHA-256 of a picture that is named by it, or by its id. Raises ProblemError, not-found."""
    return picture if len(picture) == 64 else collection.record(int(picture)).sha256


def _cannot(error: IndexStoreError) -> ProblemError:
    """The index is searched all the same."""
    kind = "no-space" if "full" in str(error.found) else "conflict"
    return ProblemError(kind, f"expected to write what was judged beside the index, found {error.found}")


async def withdraw(service: Service, request: Request, values: Values) -> Response:
    """Forget what was judged of two pictures."""
    pictures = values["query"], values["image"]
    if None in pictures:
        raise ProblemError("bad-request", "expected query and image, found one of them missing")
    await service.in_file_thread(_withdraw, service.collection, *pictures)
    return answer({"query": pictures[0], "image": pictures[1]})


def _withdraw(collection: ServedCollection, query: str, image: str) -> None:
    pair = _content(collection, query), _content(collection, image)
    try:
        n_withdrawn = withdraw_judgments(collection.folder, [pair])
    except IndexStoreError as error:
        raise _cannot(error) from error
    if not n_withdrawn:
        raise not_found("judgment of these two")


async def list_judgments(service: Service, request: Request, values: Values) -> Response:
    """What was judged, the last first."""
    found = await service.in_file_thread(_page, service.collection, values["image"], values["offset"], values["limit"])
    return answer(found)


def _page(collection: ServedCollection, image: str | None, offset: int, limit: int) -> dict[str, Any]:
    judgments = read_judgments(collection.folder)
    if image is not None:
        content = _content(collection, image)
        judgments = [judged for judged in judgments if content in (judged.one, judged.other)]
    shown = _shown(collection, judgments[offset : offset + limit])
    return {"total": len(judgments), "offset": offset, "judgments": shown}


def _shown(collection: ServedCollection, judgments: Sequence[Judgment]) -> list[dict[str, Any]]:
    contents = {content for judged in judgments for content in (judged.one, judged.other)}
    ids: dict[str, list[int]] = {}
    for number, content in collection.ids_of_contents(contents) if contents else []:
        ids.setdefault(content, []).append(number)
    return [_judgment(judged, ids) for judged in judgments]


def _judgment(judged: Judgment, ids: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    sides = [{"sha256": content, "images": list(ids.get(content, []))} for content in (judged.one, judged.other)]
    judgment = SAME if judged.is_same else DIFFERENT
    return {"judgment": judgment, "judged": when(judged.seconds), "one": sides[0], "other": sides[1]}


_CHANGE = ("conflict", "too-large", "time-out", "busy", "too-many-requests", "no-space")

ENDPOINTS = (
    Endpoint(
        "GET", "/judgments", "List what was judged of pairs", list_judgments, {200: "Judgments"},
        parameters=(
            _picture("image", "only judgments of this picture"),
            whole("offset", 0, 0, 1_000_000_000, "judgments to pass over"),
            whole("limit", 50, 1, 500, "judgments in this answer"),
        ),
    ),
    Endpoint(
        "PUT", "/judgments", "Two pictures show the same thing, or not", judge, {200: "Judgment"}, "write", body="json",
        schema={"$ref": "#/components/schemas/NewJudgment"}, is_heavy=True, problems=_CHANGE,
    ),
    Endpoint(
        "DELETE", "/judgments", "Forget what was judged of two pictures", withdraw, {200: "Withdrawn"}, "write",
        parameters=(_picture("query", "one picture"), _picture("image", "the other")), is_heavy=True,
        problems=_CHANGE,
    ),
)  # fmt: skip
