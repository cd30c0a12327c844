"""The extension in a real Chromium, and what its tests visit: a shop, and another site that lets no page read."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bof.options import ServeOptions
from bof.server.app import Application
from bof.server.http.gate import LOOPBACK_NAMES
from bof.server.running import make_server
from bof.server.service import Settings

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-unsafe-extension-debugging",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
)  # fmt: skip


@dataclass
class Site:
    """Several sites of one server: what they answer by path, and what they were asked."""

    port: int
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Host, path, cookies."""

    def url(self, path: str, host: str = "shop.example") -> str:
        return f"http://{host}:{self.port}{path}"

    def show(self, body: str) -> str:
        """The address of a new page with this body."""
        path = f"/page-{len(self.files)}"
        self.files[path] = "text/html; charset=utf-8", f"<!doctype html><title>A shop</title>{body}".encode()
        return self.url(path)


@contextmanager
def sites() -> Iterator[Site]:
    """What lies below /private needs the cookie that /login sets."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host, cookies = self.headers["Host"].partition(":")[0], self.headers.get("Cookie", "")
            site.requests.append((host, self.path, cookies))
            kind, content = site.files.get(self.path, ("text/plain", b"nothing"))
            is_refused = self.path.startswith("/private") and "member=1" not in cookies
            self.send_response(403 if is_refused else 200 if self.path in site.files else 404)
            self.send_header("Content-Type", "text/plain" if is_refused else kind)
            if self.path == "/login":
                self.send_header("Set-Cookie", "member=1; HttpOnly; SameSite=Strict")
            self.end_headers()
            self.wfile.write(b"members only" if is_refused else content)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def listening(index: Path, **settings: Any) -> Iterator[tuple[str, Application]]:
    """A server on a port of this machine, in a thread: its address."""
    made = list[tuple[Any, Application]]()

    def serve() -> None:
        async def main() -> None:
            application = Application(Settings(index, hosts=LOOPBACK_NAMES, **settings), ServeOptions(rate=0))
            made.append((make_server(application, "127.0.0.1", 0, access_log=False, log_config=None), application))
            await made[0][0].serve()

        asyncio.run(main())

    thread = threading.Thread(target=serve)
    thread.start()
    wait_for(lambda: made and made[0][0].started)
    server, application = made[0]
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", application
    finally:
        server.should_exit = True
        thread.join()


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What a condition is once it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return value


class Browser:
    """A Chromium with the extension. The native menu cannot be clicked here: its event is dispatched in the worker.

    The button is: Chromium's own debugging presses it, and so grants what a click on it or on the menu grants.
    """

    def __init__(self, context: Any) -> None:
        self.context = context
        worker = context.service_workers[0] if context.service_workers else context.wait_for_event("serviceworker")
        self.id = worker.url.split("/")[2]
        self._debugging = context.browser.new_browser_cdp_session()

    def open(self, url: str) -> Any:
        page = self.context.new_page()
        page.goto(url)
        return page

    def options(self) -> Any:
        return self.open(f"chrome-extension://{self.id}/options.html")

    def pair(self, address: str, code: str) -> str:
        """What the settings say when a code was typed."""
        page = self.options()
        page.fill("#address", address)
        page.fill("#code", code)
        page.click("#form button")
        page.wait_for_selector("#state:is(.good, .bad)")
        said = str(page.inner_text("#state"))
        page.close()
        return said

    def press(self, page: Any) -> None:
        """The extension's button, while this page is in front."""
        page.bring_to_front()
        known = self._debugging.send("Target.getTargets", {"filter": [{"type": "tab"}]})["targetInfos"]
        tab = next(each for each in known if each["url"] == page.url)
        self._debugging.send("Extensions.triggerAction", {"id": self.id, "targetId": tab["targetId"]})
        page.wait_for_selector("[aria-label='Choose a picture or an area for bof']")

    def grant(self, page: Any) -> None:
        """What a use of the extension in this tab grants."""
        self.press(page)
        page.keyboard.press("Escape")
        page.wait_for_selector("[aria-label='Choose a picture or an area for bof']", state="detached")

    def right_click(self, page: Any, picture: str) -> Any:
        """ "Search in bof" on a picture: the tab that comes."""
        self.grant(page)
        worker = wait_for(lambda: self.context.service_workers)[-1]
        with self.context.expect_page() as coming:
            worker.evaluate(
                """async (srcUrl) => {
                const [tab] = await chrome.tabs.query({ active: true, lastFocusedWindow: true });
                chrome.contextMenus.onClicked.dispatch({ menuItemId: 'picture', srcUrl, frameId: 0 }, tab);
            }""",
                picture,
            )
        return coming.value


@contextmanager
def chromium_with(extension: Path, profile: Path, engine: Any, chromium: str) -> Iterator[Browser]:
    """A Chromium with the extension of a folder."""
    own = [f"--disable-extensions-except={extension}", f"--load-extension={extension}"]
    context = engine.chromium.launch_persistent_context(
        profile, executable_path=chromium, headless=False, args=[*FLAGS, *own], locale="en-GB",
        ignore_default_args=["--disable-extensions"], viewport={"width": 1000, "height": 700},
    )  # fmt: skip
    context.set_default_timeout(15_000)
    try:
        yield Browser(context)
    finally:
        context.close()
