"""A server in a process of its own, for scripts and tests: started on a free port, measured, stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import Self

from scripts.common.process import cpu_seconds, memory, python_command, tree_of

_STARTED = re.compile(r"running on (http://\S+)")


class ServerProcess:
    """`python -m bof.serve` over an index. Use it as a context manager; url: where it answers."""

    def __init__(self, index: Path, *flags: str, environment: dict[str, str] | None = None) -> None:
        command = python_command("bof.serve", "--index", index, "--port", 0, *flags)
        variables = {**os.environ, **(environment or {})}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=variables)
        self.index, self.log = index, list[str]()
        self.url = self._wait_for_start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def address(self) -> str:
        """Its host and port."""
        return self.url.removeprefix("http://")

    def _wait_for_start(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if found := _STARTED.search(line):
                return found[1]
        raise RuntimeError(f"the server did not start: {''.join(self.log)}")

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self, how: signal.Signals = signal.SIGTERM, seconds: float = 30.0) -> int:
        """Send a signal and wait for the end; returns the status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._reader.join(5.0)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return status

    def processes(self) -> list[int]:
        """The server's process and its children."""
        return [self.process.pid, *sorted(tree_of(self.process.pid) - {self.process.pid})]

    def memory(self) -> int:
        """Bytes that they take together: what is theirs alone, and mapped files in the memory of each."""
        return sum(memory(pid)["VmRSS"] for pid in self.processes())

    def cpu_seconds(self) -> float:
        """Seconds of processor that they took so far."""
        return sum(map(cpu_seconds, self.processes()))

    def n_files(self) -> int:
        """Open files and sockets of the server's process; 0 for who may not look: it hides from all but root."""
        try:
            return len(os.listdir(f"/proc/{self.process.pid}/fd"))
        except PermissionError:
            return 0
