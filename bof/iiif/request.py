"""What is asked of a harvest, and of the hosts."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bof.errors import OptionError
from bof.store.catalog import Fields
from bof.web.addresses import Source


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a host is waited for.

    request_seconds: for one answer, from the first byte sent to the last received; first_wait_seconds: before a second
    try where the host does not say how long, doubled each time; most_wait_seconds: a host that asks for more is asked
    nothing more in this run; tries: of one request.
    """

    request_seconds: float = 120.0
    first_wait_seconds: float = 1.0
    most_wait_seconds: float = 60.0
    tries: int = 5


@dataclass(frozen=True, slots=True)
class HarvestRequest:
    """What is asked for: URLs and files of manifests and collections, and the hosts that may be asked.

    delete: canvases that have left their manifests leave the index; store_pictures: the index stores what was fetched,
    not thumbnails alone; fields: values that each canvas is given besides what is said of it.
    """

    sources: Sequence[str]
    hosts: Collection[Source]
    delete: bool = False
    store_pictures: bool = False
    fields: Fields = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)

    @classmethod
    def of(
        cls,
        sources: Sequence[str],
        hosts: Sequence[str],
        *,
        delete: bool = False,
        store_pictures: bool = False,
        fields: Fields | None = None,
    ) -> HarvestRequest:
        """The hosts as the option allow_urls has them. Raises OptionError."""
        return cls(sources, [Source.of(host) for host in hosts], delete, store_pictures, fields or {})


def require_h11() -> None:
    """Raises OptionError where the package is missing that speaks HTTP."""
    if importlib.util.find_spec("h11") is None:
        advice = 'install with: pip install "bof-search[iiif]"'
        raise OptionError(option="iiif", expected="the package h11", found="none", advice=advice)
