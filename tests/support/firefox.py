"""Debian's Firefox for Playwright, which speaks WebDriver BiDi with it: a command that this Firefox lacks is answered.

Run in the place of Firefox, with its arguments: it starts Firefox and stands between both.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

FIREFOX = os.environ.get("BOF_FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
_LACKING = frozenset({"emulation.setMediaFeaturesOverride"})
"""What Playwright asks of every context, and Firefox ESR 153 does not know; no test in Firefox emulates media."""

_LISTENING = re.compile(r"ws://[\d.]+:\d+")
_MOST_BYTES = 256 << 20


def wrapper(folder: Path) -> Path:
    """A command for Playwright's executable_path."""
    path = folder / "firefox"
    root = Path(__file__).parents[2]
    path.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {sys.executable} -m tests.support.firefox "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def _between(arguments: list[str]) -> int:
    from aiohttp import ClientSession, WSMessage, WSMsgType, web

    process = await asyncio.create_subprocess_exec(str(FIREFOX), *arguments, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    address = ""
    while not address:
        line = (await process.stderr.readline()).decode(errors="replace")
        if not line:
            return await process.wait()
        found = _LISTENING.search(line)
        address = found[0] if found else ""

    async def connect(request: web.Request) -> web.WebSocketResponse:
        near = web.WebSocketResponse(max_msg_size=_MOST_BYTES)
        await near.prepare(request)
        async with (
            ClientSession() as session,
            session.ws_connect(address + request.path, max_msg_size=_MOST_BYTES) as far,
        ):

            async def pass_on(source: Any, target: Any, *, is_near: bool) -> None:
                message: WSMessage
                async for message in source:
                    if message.type == WSMsgType.TEXT:
                        if is_near and (answer := _answered(message.data)):
                            await near.send_str(answer)
                        else:
                            await target.send_str(message.data)
                await target.close()

            await asyncio.gather(pass_on(near, far, is_near=True), pass_on(far, near, is_near=False))
        return near

    application = web.Application()
    application.router.add_get("/{path:.*}", connect)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    print(f"WebDriver BiDi listening on ws://127.0.0.1:{port}", file=sys.stderr, flush=True)
    while await process.stderr.readline():
        pass
    return await process.wait()


def _answered(message: str) -> str:
    """The answer to a command that Firefox lacks; empty for any other."""
    command = json.loads(message)
    lacks = command.get("method") in _LACKING
    return json.dumps({"type": "success", "id": command["id"], "result": {}}) if lacks else ""


if __name__ == "__main__":
    sys.exit(asyncio.run(_between(sys.argv[1:])))
