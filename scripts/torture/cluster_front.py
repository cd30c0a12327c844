"""The front of searches on Dask's workers, for `cluster`: eight threads search, a line of JSON an answer.

python -m scripts.torture.cluster_front INDEX ADDRESS QUERY...
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from bof.engine import Engine
from bof.errors import BofError
from bof.options import SearchOptions, VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.remote.searching import SearchWorkers
from bof.scheduling.connection import open_cluster

OPTIONS = SearchOptions(verify=VerifyOptions(pixels=4))
_CLIENTS, _DEADLINE_S = 8, 20.0


def digest_of(answer: Answer, engine: Engine) -> str:
    """Of names, scores and verdicts."""
    names = [engine.images.names[image] for image in answer.images.tolist()]
    verdicts = [answer.verdict(image, OPTIONS.verify) for image in answer.images.tolist()]
    text = json.dumps([names, answer.scores.tolist(), verdicts])
    return hashlib.sha256(text.encode()).hexdigest()


def search_for_ever(engine: Engine, queries: Sequence[Path], first: int, lock: threading.Lock) -> None:
    """One client."""
    prepared = [engine.query(path, OPTIONS) for path in queries]
    for turn in count(first):
        place = turn % len(queries)
        try:
            answer = engine.answer(prepared[place], OPTIONS)
            line = {"query": place, "digest": digest_of(answer, engine), "missing": sorted(answer.missing)}
        except BofError as error:
            line = {"query": place, "error": str(error)}
        with lock:
            print(json.dumps(line), flush=True)


def main(argv: Sequence[str]) -> None:
    """Search until somebody kills this process."""
    index, address, *names = argv
    queries = list(map(Path, names))
    with (
        open_cluster(address) as cluster,
        Engine.open(index, workers=SearchWorkers(cluster, 2, _DEADLINE_S)) as engine,
    ):
        lock = threading.Lock()
        clients = [
            threading.Thread(target=search_for_ever, args=(engine, queries, number, lock), daemon=True)
            for number in range(_CLIENTS)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()


if __name__ == "__main__":
    main(sys.argv[1:])
