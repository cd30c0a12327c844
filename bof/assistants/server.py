"""The tools of an index over the Model Context Protocol: schemas and words for the assistant, errors, cancelling.

Schemas come from the types of the functions below and of `answers`. A call works in a thread, so that others, and its
own cancelling, come through; a long one reports how far it is and ends at its next step once nobody waits for it.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import anyio.from_thread
import anyio.to_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import CallToolResult, ImageContent, TextContent, ToolAnnotations
from pydantic import Field

from bof import __version__
from bof.assistants.answers import (
    AddAnswer,
    ChangeAnswer,
    DuplicatesAnswer,
    ProofAnswer,
    SearchAnswer,
    StatsAnswer,
)
from bof.assistants.tools import Tools
from bof.errors import BofError
from bof.options import Kind
from bof.system.steps import Progress, Step

MAX_TOP = 50
MAX_NAMES = 100

_INSTRUCTIONS = (
    "bof finds pictures of the user's own collection that show the same thing as a picture, and proves it with "
    "geometry. A verdict 'same' is proved; 'maybe' and 'no' are not, and must not be presented as found. A picture is "
    "named as the index names it (search and duplicates show names), or as a file in a folder that the user allows "
    "(stats shows them)."
)

_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_CHANGES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_REMOVES = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)

PictureName = Annotated[
    str, Field(min_length=1, max_length=4096, description="name of a picture of the index, or path of an allowed file")
]
IndexedName = Annotated[str, Field(min_length=1, max_length=4096, description="name of a picture of the index")]
Names = Annotated[list[IndexedName], Field(min_length=1, max_length=MAX_NAMES)]
Paths = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=4096)]],
    Field(min_length=1, max_length=MAX_NAMES, description="files or folders below the allowed folders"),
]
Tags = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=100)]
QueryBox = Annotated[
    list[float] | None,
    Field(min_length=4, max_length=4, description="a part of the picture: x0, y0, x1, y1 in its pixels"),
]
DuplicateKind = Annotated[Kind, Field(description="exact: the same bytes; copy; crop; scene: the same thing")]
Offset = Annotated[int, Field(ge=0, le=1_000_000, description="groups to pass over")]
Limit = Annotated[int, Field(ge=1, le=100, description="groups in the answer at most")]
Top = Annotated[int, Field(ge=1, le=MAX_TOP, description="hits at most")]
Where = Annotated[
    str, Field(max_length=2000, description="only pictures that meet a condition: year >= 1900 and tag = x")
]
Text = Annotated[str, Field(max_length=500, description="only pictures with these words in name or fields")]


class _Abandoned(KeyboardInterrupt):
    """Nobody waits for this call any more: as at Ctrl-C, what is done is committed."""


async def _call(work: Callable[[Progress], object], context: Context[Any, Any]) -> CallToolResult:
    """The answer of a tool, as JSON and as text, with its picture where it has one.

    What the user can act on is the tool's error, in bof's own words; anything else is a mistake of ours.
    """
    try:
        found = await _in_thread(work, context)
    except (BofError, OSError) as error:
        return CallToolResult(content=[TextContent(type="text", text=str(error))], is_error=True)
    answer, *jpegs = found if isinstance(found, tuple) else (found,)
    values = dataclasses.asdict(answer)
    text = TextContent(type="text", text=json.dumps(values, ensure_ascii=False))
    return CallToolResult(content=[text, *map(_picture, jpegs)], structured_content=values)


def _picture(jpeg: bytes) -> ImageContent:
    return ImageContent(type="image", data=base64.b64encode(jpeg).decode("ascii"), mime_type="image/jpeg")


async def _in_thread(work: Callable[[Progress], Any], context: Context[Any, Any]) -> Any:
    """Work in a thread, which reports its steps and ends at the next one where the call was cancelled."""
    abandoned = threading.Event()

    def report(step: Step) -> None:
        if abandoned.is_set():
            raise _Abandoned
        message = f"{step.stage}: {step.n_done} of {step.n_items}"
        anyio.from_thread.run(context.report_progress, step.share, 1.0, message)

    try:
        return await anyio.to_thread.run_sync(lambda: work(report), abandon_on_cancel=True)
    finally:
        abandoned.set()


def make_server(tools: Tools) -> MCPServer[Any]:
    """A server that offers the tools; those that change the index only where they may."""
    server = MCPServer[Any]("bof", instructions=_INSTRUCTIONS, version=__version__, log_level="WARNING")
    _add_reading(server, tools)
    if tools.may_write:
        _add_changing(server, tools)
    return server


def _add_reading(server: MCPServer[Any], tools: Tools) -> None:
    async def search(
        context: Context[Any, Any], picture: PictureName, top: Top = 10, box: QueryBox = None, where: Where = "",
        text: Text = "",
    ) -> Annotated[CallToolResult, SearchAnswer]:  # fmt: skip
        """Find pictures of the collection that show the same thing as a picture, best first."""
        return await _call(lambda _: tools.search(picture, top, box, where, text), context)

    async def prove(
        context: Context[Any, Any], picture: PictureName, other: IndexedName, box: QueryBox = None
    ) -> Annotated[CallToolResult, ProofAnswer]:
        """Show how a picture matches one of the collection: both side by side, with the points that agree."""
        return await _call(lambda _: tools.prove(picture, other, box), context)

    async def duplicates(
        context: Context[Any, Any], kind: DuplicateKind = "copy", offset: Offset = 0, limit: Limit = 20
    ) -> Annotated[CallToolResult, DuplicatesAnswer]:
        """List groups of duplicates in the collection. The first time this compares all pictures, and takes long."""
        return await _call(lambda report: tools.duplicates(kind, offset, limit, report), context)

    async def stats(context: Context[Any, Any]) -> Annotated[CallToolResult, StatsAnswer]:
        """Say what is in the collection: pictures, tags, fields, and which folders may be read."""
        return await _call(lambda _: tools.stats(), context)

    _add(server, _READS, search, prove, duplicates, stats)


def _add_changing(server: MCPServer[Any], tools: Tools) -> None:
    async def add(context: Context[Any, Any], paths: Paths) -> Annotated[CallToolResult, AddAnswer]:
        """Add pictures to the collection. Files that cannot be read are named, and the rest is added."""
        return await _call(lambda report: tools.add(paths, report), context)

    async def tag(
        context: Context[Any, Any], names: Names, add: Tags | None = None, remove: Tags | None = None
    ) -> Annotated[CallToolResult, ChangeAnswer]:
        """Add tags to pictures of the collection, and take others away."""
        return await _call(lambda _: tools.tag(names, add or [], remove or []), context)

    async def remove(context: Context[Any, Any], names: Names) -> Annotated[CallToolResult, ChangeAnswer]:
        """Take pictures out of the collection's index. No file is deleted."""
        return await _call(lambda _: tools.remove(names), context)

    _add(server, _CHANGES, add, tag)
    _add(server, _REMOVES, remove)


def _add(server: MCPServer[Any], hints: ToolAnnotations, *functions: Callable[..., Awaitable[CallToolResult]]) -> None:
    for function in functions:
        server.add_tool(function, annotations=hints)
