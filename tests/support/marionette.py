"""Firefox as Debian has it, driven by the protocol that it has built in (Marionette): its extensions and menus too."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "network.dns.localDomains": "shop.example,cdn.example",
    "intl.locale.requested": "en-US",
}


class Firefox:
    """A session with a Firefox."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._buffer, self._number = connection, b"", 0
        self._receive()
        self.call("WebDriver:NewSession", capabilities={})

    def call(self, command: str, **parameters: Any) -> Any:
        """What a command answers."""
        self._number += 1
        message = json.dumps([0, self._number, command, parameters]).encode()
        self._connection.sendall(f"{len(message)}:".encode() + message)
        _, _, error, result = self._receive()
        assert error is None, (command, error["error"], error["message"])
        return result

    def _receive(self) -> Any:
        while b":" not in self._buffer:
            self._buffer += self._connection.recv(1 << 16)
        size, _, rest = self._buffer.partition(b":")
        while len(rest) < int(size):
            rest += self._connection.recv(1 << 16)
        self._buffer = rest[int(size) :]
        return json.loads(rest[: int(size)])

    def run(self, script: str, *arguments: Any, chrome: bool = False) -> Any:
        """What a script returns, in the page or, with chrome, in the browser's own window."""
        self.call("Marionette:SetContext", value="chrome" if chrome else "content")
        result = self.call("WebDriver:ExecuteScript", script=script, args=list(arguments))["value"]
        self.call("Marionette:SetContext", value="content")
        return result

    def visit(self, url: str) -> None:
        """Go there in this tab."""
        self.call("WebDriver:Navigate", url=url)

    def open_tab(self, url: str) -> None:
        """A new tab with a page, the extension's own too; it is the one that is driven from now on."""
        script = """gBrowser.selectedTab = gBrowser.addTab(arguments[0],
            { triggeringPrincipal: Services.scriptSecurityManager.getSystemPrincipal() });"""
        self.run(script, url, chrome=True)
        self.switch_to(lambda found: found == url)

    def switch_to(self, is_it: Callable[[str], bool]) -> str:
        """Drive the tab with such an address, once it is there, and leave in front which is in front: the address."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for handle in self.call("WebDriver:GetWindowHandles"):
                self.call("WebDriver:SwitchToWindow", handle=handle, focus=False)
                url = str(self.call("WebDriver:GetCurrentURL")["value"])
                if is_it(url):
                    return url
            time.sleep(0.1)
        raise AssertionError("there is no such tab")

    def press(self, selector: str, button: int = 0) -> None:
        """Press a button of the mouse in the middle of an element; 2: the right one."""
        element = self.call("WebDriver:FindElement", using="css selector", value=selector)["value"]
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": element, "duration": 0}
        steps = [move, {"type": "pointerDown", "button": button}, {"type": "pointerUp", "button": button}]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}
        self.call("WebDriver:PerformActions", actions=[mouse])

    def choose_in_menu(self, selector: str, label: str) -> None:
        """Right click on an element, and choose an entry of the browser's menu."""
        until(lambda: self.run("return document.readyState === 'complete'"))
        self.press(selector, 2)
        script = """const menu = document.getElementById('contentAreaContextMenu');
            const item = [...menu.querySelectorAll('menuitem')].find((each) => each.label === arguments[0]);
            if (menu.state !== 'open' || !item) return false; // a menu that is about to open takes no choice
            menu.activateItem(item);
            return true;"""
        until(lambda: self.run(script, label, chrome=True))


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What a condition is once it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
    return value


@contextmanager
def firefox_with(extension: Path, profile: Path, program: str) -> Iterator[tuple[Firefox, str]]:
    """A Firefox with the extension of a folder, and the address of the extension's pages."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    profile.mkdir()
    preferences = {**PREFERENCES, "marionette.port": port}
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items())
    (profile / "user.js").write_text("\n".join(lines))
    flags = ["--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", str(profile)]
    with subprocess.Popen([program, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with until(lambda: _connected(port, process), 60) as connection:
                firefox = Firefox(connection)
                added = firefox.call("Addon:Install", path=str(extension), temporary=True)["value"]
                script = "return WebExtensionPolicy.getByID(arguments[0]).getURL('')"
                yield firefox, firefox.run(script, added, chrome=True)
        finally:
            process.terminate()


def _connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket | None:
    assert process.poll() is None, "Firefox ended"
    try:
        return socket.create_connection(("127.0.0.1", port))
    except OSError:
        return None
