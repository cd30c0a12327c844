"""Handlers: groups of duplicates, looking for them, what is decided about them, and pairs that are none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bof.grouping.types import GROUP_KIND
from bof.options import KINDS
from bof.options.option import Option
from bof.server.api.changing import accepted
from bof.server.api.endpoint import Endpoint
from bof.server.http.answers import answer
from bof.server.http.bodies import JSON_BYTES, body_of, json_object
from bof.server.http.parameters import MAX_ID, Parameter, Values, choice, whole
from bof.server.http.problems import ProblemError
from bof.server.http.received import as_received
from bof.server.jobs.found import ORDERS
from bof.server.jobs.queue import Kind as JobKind
from bof.server.service import Service

_MOST_GROUPS, _LONGEST_FOLDER = 1000, 500


async def list_groups(service: Service, request: Request, values: Values) -> Response:
    """Groups as the last look found them."""
    page = (values[name] for name in ("kind", "offset", "limit", "sort", "only", "folder"))
    found = await service.in_file_thread(service.duplicates.page, *page)
    return answer({**found, "actions": service.decisions.actions})


async def show_group(service: Service, request: Request, values: Values) -> Response:
    """One group."""
    return answer(await service.in_file_thread(service.duplicates.group, values["kind"], values["group"]))


async def find_duplicates(service: Service, request: Request, values: Values) -> Response:
    """Look for them."""
    value = await _json(service, request)
    if set(value) != {"kind"} or value["kind"] not in KINDS:
        expected = f'{{"kind": ...}} of {", ".join(KINDS)}'
        raise ProblemError("bad-request", f"expected {expected}, found {as_received(value)}")
    return accepted(service.jobs.submit("duplicates", service.duplicates.look(value["kind"])))


async def accept_suggestions(service: Service, request: Request, values: Values) -> Response:
    """Let duplicates go."""
    wish = _wish(await _json(service, request))
    service.decisions.require(wish["action"])
    groups = await service.in_file_thread(service.duplicates.to_act_on, wish)
    kind: JobKind = "remove" if wish["action"] == "remove" else "move"
    n = sum(len(group.duplicates) for group in groups)
    return accepted(service.jobs.submit(kind, service.decisions.work(wish["action"], groups), n))


async def list_actions(service: Service, request: Request, values: Values) -> Response:
    """What can be undone."""
    return answer({"actions": await service.in_file_thread(service.decisions.undoable)})


async def undo_action(service: Service, request: Request, values: Values) -> Response:
    """Put back."""
    work = await service.in_file_thread(service.decisions.undo, values["action"])
    return accepted(service.jobs.submit("undo", work))


async def list_rejected(service: Service, request: Request, values: Values) -> Response:
    """Pairs that are none."""
    return answer(await service.in_file_thread(service.duplicates.rejected_pairs))


async def reject_pair(service: Service, request: Request, values: Values) -> Response:
    """These two are none, now and in every later look."""
    return await _change_pair(service, request, service.duplicates.reject)


async def forget_pair(service: Service, request: Request, values: Values) -> Response:
    """These two may be duplicates again."""
    return await _change_pair(service, request, service.duplicates.forget)


async def _change_pair(service: Service, request: Request, change: Callable[[int, int], None]) -> Response:
    value = await _json(service, request)
    if set(value) != {"a", "b"} or not all(map(_is_id, value.values())):
        raise ProblemError("bad-request", f'expected {{"a": ID, "b": ID}}, found {as_received(value)}')
    if value["a"] == value["b"]:
        raise ProblemError("bad-request", "expected two pictures, found one twice")
    await service.in_file_thread(change, value["a"], value["b"])
    return answer({"a": value["a"], "b": value["b"]})


async def _json(service: Service, request: Request) -> dict[str, Any]:
    async with body_of(request, JSON_BYTES, service.options.body_seconds, service.byte_limit) as body:
        return json_object(request, body)


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_ID


def _is_group(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{16}", value) is not None


def _list_of(is_one: Callable[[Any], bool], most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(is_one, value))


_WISH: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "kind": (f"one of {', '.join(KINDS)}", lambda value: value in KINDS),
    "action": ("remove, move or trash", lambda value: value in ("remove", "move", "trash")),
    "only": ("a list of kinds", _list_of(lambda value: value in KINDS, len(KINDS))),
    "folder": ("a text", lambda value: isinstance(value, str) and len(value) <= _LONGEST_FOLDER),
    "groups": (f"at most {_MOST_GROUPS} addresses of groups", _list_of(_is_group, _MOST_GROUPS)),
    "keep": ("an id, and one group beside it", _is_id),
    "pictures": ("a number of pictures", _is_id),
}
"""Of each field of a wish: what it is, in words, and whether a value is that."""


def _wish(value: dict[str, Any]) -> dict[str, Any]:
    """What is to go, checked. Raises ProblemError, bad-request."""
    for name in {"kind", "action"} - set(value) or set(value) - set(_WISH):
        expected = f"the fields kind and action, and of {', '.join(_WISH)} no others"
        raise ProblemError("bad-request", f"expected {expected}, found {name[:50]!r} missing or unknown")
    for name, found in value.items():
        expected, is_right = _WISH[name]
        if not is_right(found):
            raise ProblemError("bad-request", f"{name}: expected {expected}, found {found!r:.80}")
    if "keep" in value and len(value.get("groups", [])) != 1:
        raise ProblemError("bad-request", "keep: expected one group beside it, found none or several")
    return value


_CHANGE = ("conflict", "too-large", "time-out", "busy", "too-many-requests")
_PAIR = {"$ref": "#/components/schemas/Pair"}
_GROUP = Parameter(
    Option("group", None, "the address of a group"), place="path", more={"pattern": "^[0-9a-f]{16}$", "maxLength": 16}
)
_ACTION = Parameter(Option("action", None, "an action of /duplicates/actions"), place="path", more={"maxLength": 100})

ENDPOINTS = (
    Endpoint(
        "GET", "/duplicates", "List groups of duplicates", list_groups, {200: "Groups"},
        parameters=(
            Parameter(GROUP_KIND),
            whole("offset", 0, 0, 1_000_000, "groups to pass over"),
            whole("limit", 20, 1, 100, "groups in this answer"),
            choice("sort", "frees", tuple(ORDERS), "first those that free or hold most, or by kind or name"),
            Parameter(Option("only", (), "only groups of this kind; may be repeated", choices=KINDS, many=True)),
            Parameter(Option("folder", "", "only groups with a picture in this folder"), more={"maxLength": 500}),
        ),
    ),
    Endpoint(
        "POST", "/duplicates", "Look for duplicates", find_duplicates, {202: "Accepted"}, "write", body="json",
        schema={"$ref": "#/components/schemas/Look"}, is_heavy=True, problems=_CHANGE,
    ),
    Endpoint(
        "GET", "/duplicates/groups/{group}", "Show a group of duplicates", show_group, {200: "Group"},
        parameters=(_GROUP, Parameter(GROUP_KIND)),
    ),
    Endpoint(
        "POST", "/duplicates/accept", "Let duplicates go", accept_suggestions, {202: "Accepted"}, "write",
        body="json", schema={"$ref": "#/components/schemas/Accept"}, is_heavy=True, problems=_CHANGE,
    ),
    Endpoint("GET", "/duplicates/actions", "List what can be undone", list_actions, {200: "Actions"}),
    Endpoint(
        "POST", "/duplicates/actions/{action}/undo", "Undo what was done with duplicates", undo_action,
        {202: "Accepted"}, "write", parameters=(_ACTION,), is_heavy=True, problems=("busy", "too-many-requests"),
    ),
    Endpoint(
        "GET", "/duplicates/rejected", "List pairs that are no duplicates", list_rejected, {200: "RejectedPairs"}
    ),
    Endpoint(
        "POST", "/duplicates/reject", "Two pictures are no duplicates", reject_pair, {200: "Rejected"}, "write",
        body="json", schema=_PAIR, is_heavy=True, problems=_CHANGE,
    ),
    Endpoint(
        "POST", "/duplicates/forget", "Two pictures may be duplicates again", forget_pair, {200: "Rejected"}, "write",
        body="json", schema=_PAIR, is_heavy=True, problems=_CHANGE,
    ),
)  # fmt: skip
