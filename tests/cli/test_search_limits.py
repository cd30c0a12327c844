"""`bof search` and files that are no honest query: one line on stderr, in little time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.bombs import png_of

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="measures and bounds memory on Linux alone"
)

CODE = """
import re, sys
from pathlib import Path
from bof.search import main
status = main(sys.argv[1:])
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10, file=sys.stderr)
sys.exit(status)
"""
"""Says in the end how many megabytes the process itself has had."""


def huge(path: Path) -> None:
    path.write_bytes(png_of(14_000, 14_000))


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"\xff\xd8\xff")
        file.truncate(12 << 30)


@pytest.mark.parametrize(
    ("make", "reason"), [(huge, "found 196000000; it needs"), (sparse, "found 12884901888"), (os.mkfifo, "a pipe")]
)
def test_a_query_beyond_the_limits_is_one_line(
    index_folder: Path, tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    make(tmp_path / "query.png")
    command = [
        sys.executable,
        "-c",
        CODE,
        str(tmp_path / "query.png"),
        "--index",
        str(index_folder),
        "--memory",
        "1000",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    line, peak = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert line.startswith("error: ")
    assert "query.png" in line
    assert reason in line
    assert int(peak) < 400


def test_a_huge_query_takes_its_memory_elsewhere(index_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "query.png").write_bytes(png_of(7_000, 7_000))
    command = [
        sys.executable,
        "-c",
        CODE,
        str(tmp_path / "query.png"),
        "--index",
        str(index_folder),
        "--memory",
        "2000",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith(f"{tmp_path}/query.png: 7000 x 7000, 0 features")
    assert int(done.stderr) < 400
