"""A server of its own process for tests of the page: it can be killed and started again at the same address."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PageServer:
    """`python -m bof.serve` over an index. Use it as a context manager; address: of its page."""

    def __init__(self, index: Path, *flags: str) -> None:
        self._port = free_port()
        self._command = [sys.executable, "-m", "bof.serve", "--index", str(index), "--port", str(self._port)]
        self._command += ["--rate", "0", *flags]
        self.address = f"http://127.0.0.1:{self._port}/"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not self._answers():
            assert self._process.poll() is None, "the server ended"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it without a warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.address + "api/v1/health").close()
        except OSError:
            return False
        return True
