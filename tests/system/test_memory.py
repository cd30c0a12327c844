"""Memory is shared out: never more than there is, fewer processes where it is scarce, all of it for one at the end."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bof import native
from bof.errors import OptionError
from bof.options import NATIVE, OPENCV, FeatureOptions
from bof.system.memory import (
    DECODE_BYTES,
    WORKER_BYTES,
    WRITER_BYTES,
    limit_memory,
    machine_memory,
    pixels_beside_freed,
    pyramid_bytes,
)

OPENCVS = FeatureOptions(extractor=OPENCV)


@given(memory=st.integers(876, 1 << 20), n_workers=st.integers(1, 200))
def test_the_shares_are_no_more_than_the_whole(memory: int, n_workers: int) -> None:
    memory_limit = limit_memory(memory, n_workers, OPENCVS)
    assert 1 <= memory_limit.n_workers <= n_workers
    assert WRITER_BYTES + memory_limit.n_workers * (WORKER_BYTES + memory_limit.bytes) <= memory << 20
    assert memory_limit.in_one.bytes == memory_limit.n_workers * memory_limit.bytes
    assert memory_limit.max_pixels * DECODE_BYTES <= memory_limit.bytes


def test_scarce_memory_means_fewer_processes() -> None:
    assert [limit_memory(mb, 8, OPENCVS).n_workers for mb in (900, 1500, 4096, 100_000)] == [1, 2, 7, 8]


@given(n_pixels=st.integers(1, 10**9), n_workers=st.integers(1, 16))
def test_the_memory_that_is_asked_for_is_enough(n_pixels: int, n_workers: int) -> None:
    needed = max(limit_memory(0, n_workers, OPENCVS).memory_for(n_pixels), 876)
    assert limit_memory(needed, n_workers, OPENCVS).in_one.max_pixels >= n_pixels * 0.999 - 50_000


def test_too_little_is_refused_with_what_is_needed() -> None:
    with pytest.raises(OptionError, match="memory: expected at least 876 MB to index with, found 875"):
        limit_memory(875, 1, OPENCVS)
    assert limit_memory(876, 1, OPENCVS).n_workers == 1


def test_bofs_own_extractor_takes_less_than_half_of_opencvs() -> None:
    own = FeatureOptions(extractor=NATIVE)
    assert 0 < pyramid_bytes(own) < pyramid_bytes(OPENCVS) / 2
    assert native.sift_room(own.max_side, own.max_side, 1) <= pyramid_bytes(own)
    assert limit_memory(1500, 8, own).n_workers > limit_memory(1500, 8, OPENCVS).n_workers


def test_by_default_a_machine_of_any_size_can_index(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine_memory() > 1 << 28
    monkeypatch.setattr("bof.system.memory.machine_memory", lambda: 1 << 29)
    assert limit_memory(0, 4, OPENCVS).n_workers == 1


def test_what_is_kept_and_what_is_decoded_fit_a_share_together() -> None:
    features = OPENCVS
    memory_limit = limit_memory(4096, 2, features)
    beside = pixels_beside_freed(memory_limit.max_pixels, features)
    assert 0 < beside < memory_limit.max_pixels
    assert beside * DECODE_BYTES + pyramid_bytes(features) <= memory_limit.bytes
    assert pixels_beside_freed(1000, features) == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what the process takes is told by Linux alone")
def test_freed_memory_is_kept_and_given_back() -> None:
    """In a process of its own, because the setting stays."""
    code = """
import numpy as np
from bof.system.memory import give_back_memory, keep_freed_memory
from pathlib import Path
import resource
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def work():
    return [np.ones(3 << 20, np.float32) for _ in range(8)] and None
keep_freed_memory()
work()
before = faults()
work()
print(faults() - before, resident(), end=" ")
give_back_memory()
print(resident())
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    n_faults, retained, given_back = map(int, done.stdout.split())
    assert n_faults < 1000 < 8 * (12 << 20) // resource.getpagesize()
    assert retained - given_back > 80


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux' prctl")
def test_a_server_hides_its_memory_before_it_knows_its_tokens(tmp_path: Path) -> None:
    """Seen where the tokens are looked at; a program that is started from there is not hidden."""
    code = """
import ctypes, subprocess, sys
from bof import serve
ask = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)"
def hosts(*_):
    exec(ask)
    subprocess.run([sys.executable, "-c", ask])
    raise SystemExit
exec(ask)
serve._hosts = hosts
serve.main(["--index", sys.argv[1]])
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["1", "0", "1"], done.stderr
