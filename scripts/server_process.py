"""A server in a process of its own, for scripts and tests: started on a free port, measured, stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_STARTED = re.compile(r"running on (http://\S+)")


class ServerProcess:
    """`python -m bof.serve` over an index. Use it as a context manager; url: where it answers."""

    def __init__(self, index: Path, *flags: str, environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "bof.serve", "--index", str(index), "--port", "0", *flags]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}
        )
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = {int(pid) for task in path.parent.parent.iterdir() for pid in (task / "children").read_text().split()}
        return [self.process.pid, *sorted(found)]

    def memory(self) -> int:
        """Bytes that they take together: what is theirs alone, and mapped files in the memory of each."""
        total = 0
        for pid in self.processes():
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return total

    def cpu_seconds(self) -> float:
        """Seconds of processor that they took so far."""
        total = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def n_files(self) -> int:
        """Open files and sockets of the server's process."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
