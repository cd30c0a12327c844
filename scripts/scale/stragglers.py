"""Indexing on two Dask workers, one of which is killed and one stopped for a while, against indexing undisturbed.

python -m scripts.scale.stragglers PICTURES [--pictures 20000] [--turns 1] [--stopped 20]

Small pictures are cut out of photographs. A quarter of the way one worker is killed (its nanny starts another), half of
the way one is stopped for so many seconds. By turns, so that other load of the machine meets both.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2

from bof.engine import Engine
from bof.images.listing import walk_images
from bof.options import IndexOptions
from bof.scheduling.connection import Cluster, open_cluster, quiet
from bof.system.steps import Step

_WORKERS = 2
_SIZE = 160, 120
_KILLED_AT, _STOPPED_AT = 0.25, 0.5


def cut(photographs: Path, folder: Path, n: int) -> list[Path]:
    """So many small pictures of a folder of photographs."""
    paths, drawn, made = sorted(walk_images(photographs)), random.Random(7), list[Path]()
    a_photograph = -(-n // len(paths))
    for path in paths:
        pixels = cv2.imread(str(path))
        assert pixels is not None, path
        for number in range(min(a_photograph, n - len(made))):
            x, y = (drawn.randrange(max(1, side - part)) for side, part in zip(pixels.shape[1::-1], _SIZE, strict=True))
            made.append(folder / f"{path.stem}-{number}.jpg")
            cv2.imwrite(str(made[-1]), pixels[y : y + _SIZE[1], x : x + _SIZE[0]])
    return made


class Trouble:
    """What becomes of the workers as indexing goes on."""

    def __init__(self, cluster: Cluster, stopped_s: float) -> None:
        self._cluster, self._stopped_s = cluster, stopped_s
        self._left = [(_KILLED_AT, self._kill), (_STOPPED_AT, self._stop)]

    def __call__(self, step: Step) -> None:
        """Called with how far the run is."""
        if self._left and step.stage == "reading" and step.share >= self._left[0][0]:
            threading.Thread(target=self._left.pop(0)[1], daemon=True).start()

    def _pid(self) -> int:
        return int(min(self._cluster.on_all(os.getpid).values()))

    def _kill(self) -> None:
        os.kill(self._pid(), signal.SIGKILL)
        print("killed a worker", flush=True)

    def _stop(self) -> None:
        pid = self._pid()
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self._stopped_s)
        os.kill(pid, signal.SIGCONT)
        print(f"a worker was stopped for {self._stopped_s:g} s", flush=True)


@contextmanager
def workers() -> Iterator[Cluster]:
    """Two processes of one thread each."""
    from distributed import LocalCluster

    quiet()
    local: Any = LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=_WORKERS, threads_per_worker=1, dashboard_address=":0", silence_logs=False
    )
    with local, open_cluster(local.scheduler_address) as cluster:
        cluster.client.wait_for_workers(_WORKERS, timeout=60)
        yield cluster


def index(files: Sequence[Path], stopped_s: float) -> float:
    """Seconds of indexing into a new index; stopped_s: of one worker, 0: nothing happens to any."""
    with (
        tempfile.TemporaryDirectory(prefix="bof-scale-") as folder,
        Engine.create(Path(folder) / "index") as engine,
        workers() as cluster,
    ):
        trouble = Trouble(cluster, stopped_s) if stopped_s else None
        report = engine.add(list(files), IndexOptions(workers=_WORKERS), trouble, cluster=cluster)
        assert report.n_added + len(report.skipped) == len(files)
        assert engine.check().is_sound
        return report.seconds


def main(argv: Sequence[str] | None = None) -> None:
    """Print the seconds of each turn, and the ratio of the best."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--stopped", type=float, default=20.0)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bof-small-") as scratch:
        files = cut(arguments.folder, Path(scratch), arguments.pictures)
        seconds: dict[float, list[float]] = {0.0: [], arguments.stopped: []}
        for _ in range(arguments.turns):
            for stopped_s, found in seconds.items():
                found.append(index(files, stopped_s))
                print(f"{'disturbed' if stopped_s else 'undisturbed'}: {found[-1]:.1f} s", flush=True)
    calm, disturbed = (min(found) for found in seconds.values())
    print(f"{len(files)} pictures: {disturbed / calm:.2f} times the undisturbed run")


if __name__ == "__main__":
    main()
