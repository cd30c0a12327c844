"""`bof mcp` in a process of its own, spoken to over stdio with the client of the package `mcp`."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cv2
import jsonschema_rs
import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import ImageError
from bof.mcp import main as mcp_command
from bof.system.steps import Step
from tests.support.scenes import ROOT, draw_scene, warp, write_picture

mcp = pytest.importorskip("mcp", reason='needs pip install "bof-search[mcp]"')

TURNED = np.array([[0.9, -0.2, 40.0], [0.2, 0.9, -20.0], [0.0001, 0.0, 1.0]])
READING = {"search", "prove", "duplicates", "stats"}
CHANGING = {"add", "tag", "remove"}


class Desk:
    """An index that may be changed, an allowed folder with a query, and a secret beside it."""

    def __init__(self, folder: Path, index: Path) -> None:
        self.index = Path(shutil.copytree(index, folder / "index"))
        self.allowed = folder / "allowed"
        self.query = write_picture(self.allowed / "from-the-side.png", warp(draw_scene(5), TURNED))
        self.secret = write_picture(folder / "secret" / "scene.png", draw_scene(5))

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "bof.mcp", "--index", str(self.index), "--allow", str(self.allowed)]

    def talk(self, work: Callable[[Any], Awaitable[Any]], *flags: str) -> Any:
        """What is said with a server in a child process."""
        from mcp import Client, StdioServerParameters
        from mcp.client.stdio import stdio_client

        async def main() -> Any:
            first, *rest = [*self.command, *flags]
            child = StdioServerParameters(command=first, args=rest, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
            with open(os.devnull, "w") as nowhere:
                async with asyncio.timeout(120), Client(stdio_client(child, nowhere)) as client:
                    return await work(client)

        return asyncio.run(main())

    def call(self, name: str, *flags: str, **arguments: Any) -> Any:
        """One call of one tool."""
        return self.talk(lambda client: client.call_tool(name, arguments), *flags)


@pytest.fixture
def desk(tmp_path: Path, index_folder: Path) -> Desk:
    return Desk(tmp_path, index_folder)


def refused(result: Any) -> str:
    """The words of a tool's error, which are bof's own and the tool's alone."""
    assert result.is_error, result.structured_content
    assert result.structured_content is None
    (content,) = result.content
    assert not content.text.startswith("Error executing")
    return str(content.text)


# -- What is offered --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("flags", "expected"), [([], READING), (["--write"], READING | CHANGING)])
def test_tools_change_the_index_only_where_the_user_says_so(desk: Desk, flags: list[str], expected: set[str]) -> None:
    async def work(client: Any) -> Any:
        listed = (await client.list_tools()).tools
        return listed, None if flags else await client.call_tool("remove", {"names": ["scene-05.png"]})

    listed, denied = desk.talk(work, *flags)
    assert {tool.name for tool in listed} == expected
    for tool in listed:
        assert tool.annotations.read_only_hint == (tool.name in READING)
        assert tool.annotations.destructive_hint == (tool.name == "remove")
        assert tool.description
        assert tool.output_schema["type"] == "object"
        for name, parameter in tool.input_schema["properties"].items():
            assert "description" in parameter or tool.name in CHANGING, (tool.name, name)
    if denied:
        assert denied.is_error
        assert "scene-05.png" in Engine.open(desk.index)


def test_answers_are_as_their_schemas_say(desk: Desk) -> None:
    calls: dict[str, dict[str, Any]] = {
        "search": {"picture": str(desk.query), "top": 3},
        "prove": {"picture": str(desk.query), "other": "scene-05.png"},
        "duplicates": {"kind": "exact"},
        "stats": {},
    }

    async def work(client: Any) -> Any:
        schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
        return schemas, {name: await client.call_tool(name, given) for name, given in calls.items()}

    schemas, results = desk.talk(work)
    for name, result in results.items():
        assert not result.is_error, result.content
        jsonschema_rs.validate(schemas[name], result.structured_content)
        assert json.loads(result.content[0].text) == result.structured_content
    first = results["search"].structured_content["hits"][0]
    assert (first["name"], first["verdict"], first["meaning"]) == ("scene-05.png", "same", "the same thing, proved")
    assert results["stats"].structured_content["may_read"] == [str(desk.allowed)]
    shown = results["prove"].content[1]
    assert shown.mime_type == "image/jpeg"
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(shown.data), np.uint8), cv2.IMREAD_COLOR)
    assert pixels.shape[1] > 2 * 320
    assert results["prove"].structured_content["points"] > 30


def test_a_part_of_a_picture_and_conditions_are_taken(desk: Desk) -> None:
    found = desk.call("search", picture="scene-05.png", box=[20, 20, 300, 220], where="name ~ scene-0", text="05")
    assert [hit["name"] for hit in found.structured_content["hits"]] == ["scene-05.png"]


# -- What is refused --------------------------------------------------------------------------------------------------


def test_files_outside_the_allowed_folders_are_refused_whether_they_exist_or_not(desk: Desk) -> None:
    (desk.allowed / "link.png").symlink_to(desk.secret)
    (desk.allowed / "folder").symlink_to(desk.secret.parent)
    names = [
        str(desk.secret), str(desk.secret.parent / "none.png"), f"{desk.allowed}/../secret/scene.png",
        f"{desk.allowed}/link.png", f"{desk.allowed}/folder/scene.png", "/etc/passwd", "scene-0*.png", "~", ".",
        f"{desk.allowed}-other/x.png", "\0", f"{desk.secret}/#page=1",
    ]  # fmt: skip

    async def work(client: Any) -> Any:
        return [await client.call_tool("search", {"picture": name}) for name in names]

    for name, result in zip(names, desk.talk(work), strict=True):
        assert "expected the name of a picture of the index, or a file in a folder" in refused(result), name


def test_what_is_no_picture_and_what_is_no_argument_is_explained(desk: Desk) -> None:
    (desk.allowed / "words.png").write_text("no picture")
    (desk.allowed / "empty.png").touch()
    calls: list[tuple[str, dict[str, Any], str]] = [
        ("search", {"picture": f"{desk.allowed}/words.png"}, "words.png"),
        ("search", {"picture": f"{desk.allowed}/empty.png"}, "empty.png"),
        ("search", {"picture": str(desk.allowed)}, "allowed"),
        ("search", {"picture": "scene-05.png", "where": "year >>> 3"}, "where"),
        ("search", {"picture": "scene-05.png", "box": [0, 0, 9999, 9999]}, "box"),
        ("prove", {"picture": "scene-05.png", "other": "none.png"}, "expected the name of a picture of the index"),
    ]

    async def work(client: Any) -> Any:
        wrong = [await client.call_tool("search", {"picture": "scene-05.png", "top": top}) for top in (0, 51, "many")]
        return [await client.call_tool(name, given) for name, given, _ in calls], wrong

    results, wrong = desk.talk(work)
    for (*call, expected), result in zip(calls, results, strict=True):
        assert expected in refused(result), call
    assert all(result.is_error for result in wrong)


def test_an_indexed_picture_counts_only_as_what_was_indexed(desk: Desk, tmp_path: Path) -> None:
    own = write_picture(tmp_path / "own" / "mine.png", draw_scene(50)[:90, :90])
    with Engine.open(desk.index) as engine:
        engine.add(own.parent)
    own.unlink()
    own.symlink_to(desk.secret)  # another picture, and a larger file

    async def work(client: Any) -> Any:
        calls = ({"picture": "mine.png", "other": "scene-05.png"}, {"picture": "scene-05.png", "other": "mine.png"})
        search = await client.call_tool("search", {"picture": "mine.png"})
        return [search, *[await client.call_tool("prove", given) for given in calls]]

    for result in desk.talk(work):
        assert "mine.png: " in refused(result)


def test_a_picture_of_the_index_may_be_named_by_its_path(desk: Desk, photos: Path) -> None:
    found = desk.call("search", picture=str(photos / "scene-05.png"), top=1)
    assert found.structured_content["hits"][0]["basis"] == "content"


def test_a_folder_that_is_none_and_an_index_that_is_none_end_the_command(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mcp_command(["--index", str(desk.index), "--allow", str(desk.query)]) == 2
    assert "--allow: expected a folder" in capsys.readouterr().err
    assert mcp_command(["--index", str(desk.allowed)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "error:" in err


# -- Changes ----------------------------------------------------------------------------------------------------------


def test_pictures_are_added_tagged_and_removed(desk: Desk) -> None:
    write_picture(desk.allowed / "new.png", draw_scene(40))
    (desk.allowed / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")

    async def work(client: Any) -> Any:
        added = await client.call_tool("add", {"paths": [str(desk.allowed)]})
        denied = await client.call_tool("add", {"paths": [str(desk.allowed / "new.png"), str(desk.secret)]})
        tagged = await client.call_tool("tag", {"names": ["new.png"], "add": ["museum", "1890"]})
        untagged = await client.call_tool("tag", {"names": ["new.png"], "remove": ["1890"]})
        pattern = await client.call_tool("remove", {"names": ["scene-*"]})
        removed = await client.call_tool("remove", {"names": ["scene-07.png"]})
        return added, denied, tagged, untagged, pattern, removed, await client.call_tool("stats", {})

    added, denied, tagged, untagged, pattern, removed, stats = desk.talk(work, "--write")
    found = added.structured_content
    assert (found["added"], found["n_skipped"], found["skipped"][0]["name"].endswith("broken.png")) == (2, 1, True)
    assert "allowed" in refused(denied)
    assert tagged.structured_content == untagged.structured_content == {"pictures": 1}
    assert "expected the name" in refused(pattern), "a name is no pattern"
    assert removed.structured_content == {"pictures": 1}
    assert stats.structured_content["tags"] == [{"name": "museum", "pictures": 1}]
    assert stats.structured_content["pictures"] == 13
    assert (desk.allowed / "new.png").exists()


def test_what_others_commit_is_seen(desk: Desk) -> None:
    async def work(client: Any) -> Any:
        before = await client.call_tool("stats", {})
        with Engine.open(desk.index) as engine:
            engine.remove("scene-01.png")
        return before, await client.call_tool("stats", {})

    before, after = desk.talk(work)
    assert before.structured_content["pictures"] - after.structured_content["pictures"] == 1


# -- The protocol -----------------------------------------------------------------------------------------------------


def test_nothing_but_the_protocol_is_on_standard_output(desk: Desk) -> None:
    (desk.allowed / "broken.jpg").write_bytes(bytes(cv2.imencode(".jpg", draw_scene(3))[1])[:3000])
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    lines: list[Any] = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call",
         "params": {"name": "search", "arguments": {"picture": f"{desk.allowed}/broken.jpg"}}},
        {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "duplicates", "arguments": {}}},
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        desk.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT,
        env=environment,
    ) as child:  # fmt: skip
        assert child.stdin
        assert child.stdout
        for line in lines:
            child.stdin.write(json.dumps(line).encode() + b"\n")
        child.stdin.flush()
        answered: dict[int, Any] = {}
        while len(answered) < 3:
            message = json.loads(child.stdout.readline())
            assert message["jsonrpc"] == "2.0"
            if "id" in message:
                answered[message["id"]] = message
        child.stdin.close()
        assert child.stdout.read() == b""
        assert child.wait(20) == 0, "it ends when the assistant goes away"
    assert answered[3]["result"]["structuredContent"]["kind"] == "copy"


class Slow:
    """Tools whose search for duplicates takes until somebody ends it."""

    may_write = False

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.n_steps = 0

    def duplicates(self, kind: str, offset: int, limit: int, progress: Callable[[Step], None]) -> Any:
        try:
            while True:
                self.n_steps += 1
                progress(Step("searching", self.n_steps, 1000, self.n_steps / 1000))
                time.sleep(0.01)
        except KeyboardInterrupt:
            self.ended.set()
            raise

    def stats(self) -> Any:
        raise ImageError("is not what was indexed", path="a.png")


def test_a_long_call_reports_its_steps_and_ends_when_it_is_cancelled() -> None:
    from mcp import Client

    from bof.assistants.server import make_server

    slow, seen = Slow(), list[float]()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async def main() -> Any:
        async with Client(make_server(slow)) as client:
            call = asyncio.create_task(client.call_tool("duplicates", {}, progress_callback=hear))
            while len(seen) < 3:
                await asyncio.sleep(0.01)
            other = await client.call_tool("stats", {})
            call.cancel()
            await asyncio.to_thread(slow.ended.wait, 20)
            return other

    other = asyncio.run(main())
    assert slow.ended.is_set()
    assert seen == sorted(seen)
    assert refused(other) == "a.png: is not what was indexed", "others are answered meanwhile"


def test_without_the_package_the_command_says_how_to_get_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = __import__("importlib.util").util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *more: None if name == "mcp" else real(name, *more))
    assert mcp_command(["--index", str(desk.index)]) == 1
    assert 'pip install "bof-search[mcp]"' in capsys.readouterr().err
