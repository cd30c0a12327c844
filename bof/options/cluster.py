"""Options of work and searches on Dask's workers."""

from __future__ import annotations

import re

from bof.options.option import Option

_ADDRESS = re.compile(r"local|(tcp|tls|ws|wss|ucx|inproc)://[^\s/]+(/\S*)?")


def _address(text: str) -> str:
    if text and not _ADDRESS.fullmatch(text):
        raise ValueError(text)
    return text


DASK = Option(
    "dask", "", "let the workers of a Dask scheduler do the work; local: workers on this machine",
    form="tcp://HOST:PORT, tls://HOST:PORT or local", parse=_address,
)  # fmt: skip
REPLICAS = Option(
    "replicas", 1, "with --dask: so many workers hold each part of the index, and answer for each other", 1, 64,
    expert=True,
)  # fmt: skip
DEADLINE = Option(
    "deadline", 30.0, "with --dask: so long a part of the index may take in a round of a query, else it is missing",
    0.1, 3600.0, unit="seconds", expert=True,
)  # fmt: skip
