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
