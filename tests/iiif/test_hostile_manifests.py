"""500 mutated manifests through the parser and the harvest: no crash, no hang, nothing asked that was not allowed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import ImageError
from bof.iiif.image_service import service_of
from bof.iiif.json_values import parse
from bof.iiif.manifest import Manifest, read_presentation
from bof.options import IndexOptions
from tests.support.iiif_server import Archive, serving

N_MUTANTS, N_HARVESTED = 500, 120

ODD: list[Any] = [
    None, True, 0, -1, 1e308, 1 << 70, "", "x" * 10_000, "\ud800", "\x00", "file:///etc/passwd", "http://10.0.0.1/secret",
    "http://127.0.0.1:1/", "http://[::1]/", "//evil.example/", "javascript:alert(1)", "../../etc/passwd", [], {}, [[]],
    {"id": {"id": "x"}}, {"en": {"en": []}}, ["Manifest"], {"@value": {"@value": 1}}, "#xywh=0,0,99999999999,1",
]  # fmt: skip


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    with serving() as found:
        names = [found.draw(number, (160, 120)) for number in range(3)]
        found.manifest("/3", names)
        found.manifest("/2", names, version=2, service="2")
        found.manifest("/0", names, service="0")
        yield found


def places_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document where a value stands: its container, and the key there."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from places_of(value[key])


def mutant(document: Any, rng: np.random.Generator) -> bytes:
    """A document with a few values exchanged, taken out, doubled or nested, or with a few bytes changed."""
    changed = copy.deepcopy(document)
    for _ in range(int(rng.integers(1, 4))):
        places = list(places_of(changed))
        container, key = places[int(rng.integers(len(places)))]
        kind = int(rng.integers(5))
        if kind == 0:
            del container[key]
        elif kind == 1:
            container[key] = [container[key]]
        elif kind == 2 and isinstance(container, list):
            container.insert(0, copy.deepcopy(container[key]))
        elif kind == 3:
            other, from_key = places[int(rng.integers(len(places)))]
            container[key] = copy.deepcopy(other[from_key])
        else:
            container[key] = ODD[int(rng.integers(len(ODD)))]
    data = bytearray(json.dumps(changed).encode())
    for _ in range(int(rng.integers(3)) if rng.random() < 0.3 else 0):
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
    return bytes(data[: int(rng.integers(len(data)))] if rng.random() < 0.05 else data)


def mutants(archive: Archive) -> list[bytes]:
    rng = np.random.default_rng(0)
    documents = list(archive.documents.values())
    return [mutant(documents[number % len(documents)], rng) for number in range(N_MUTANTS)]


def test_mutants_are_read_or_refused(archive: Archive) -> None:
    n_read = n_refused = 0
    for number, data in enumerate(mutants(archive)):
        try:
            found = read_presentation(parse(data, "x"), f"file{number}")
        except ImageError:
            n_refused += 1
            continue
        n_read += 1
        assert isinstance(found, Manifest)
        for picture in found.pictures:
            assert picture.canvas
            assert picture.service is None or picture.service.url.lower().startswith(("http://", "https://"))
            assert all(
                type(side) is int and 0 <= side < 1 << 31 for side in (picture.width, picture.height, *picture.box)
            )
            if picture.service and (picture.region == "full" or picture.service.level):
                assert picture.service.picture_urls(1024, picture.region, (picture.width, picture.height))
    assert n_read > N_MUTANTS // 2
    assert n_refused > N_MUTANTS // 20


def test_mutated_descriptions_of_services_are_read_or_refused(archive: Archive) -> None:
    rng = np.random.default_rng(1)
    for number in range(N_MUTANTS):
        path = ("/iiif/3/p0/info.json", "/iiif/2/p0/info.json", "/iiif/0/p0/info.json")[number % 3]
        info = json.loads(archive.answer(path)[2])
        service = service_of(info)
        assert service is not None
        try:
            urls = service.described(parse(mutant(info, rng), "x")).picture_urls(1024)
        except ImageError:
            continue
        assert all(url.startswith(archive.url("/iiif/")) and len(url) < 300 for url in urls)


def test_mutants_are_harvested(archive: Archive, vocabulary_folder: Path, tmp_path: Path) -> None:
    files = []
    for number, data in enumerate(mutants(archive)[:N_HARVESTED]):
        (tmp_path / f"{number}.json").write_bytes(data)
        files.append(str(tmp_path / f"{number}.json"))
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        report = engine.harvest(files, archive.host, IndexOptions(workers=1))
        assert report.n_added >= 9
        assert report.skipped
        assert engine.check().is_sound
        n_requests = len(archive.requests)
        report = engine.harvest(files, archive.host, IndexOptions(workers=1))
        assert (report.n_added, report.n_changed) == (0, 0)
        assert {status for _, status, _ in archive.requests[n_requests:]} <= {304, 400, 404}
