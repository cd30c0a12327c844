"""The image services before the validator of the IIIF Image API (iiif-validator-ng, Apache-2.0), on its own picture."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bof.engine import Engine
from bof.options import IndexOptions
from scripts.server.process import ServerProcess

ORIGIN = "http://iiif.io/"
"""The site that the validator says it is on."""

OBJECTION = "size='!2000,3000'"
"""What the validator has against a size to fit into that is larger than the region. The specification (4.2) says of it:
"as large as possible but not larger than the extracted region", so it is an answer and no error."""

N_LEAST = 20
"""Tests that hold for level 1 with what this server offers beyond."""


def applies(test: Any, features: Any) -> bool:
    """Does a test hold for a server of these features? As in `iiif_validator.validate`, which needs Python 3.12."""
    level = test.compliance_level
    level = level[features.version] if isinstance(level, dict) else level
    extra = getattr(test, "extra_name", None) or ()
    named = {extra} if isinstance(extra, str) else set(extra)
    if test.__name__ == "HttpCachingTest":
        return bool(features.supports_caching)
    return level <= features.compliance_level or bool(named & set(features.extra_features))


@pytest.fixture(scope="module")
def target(vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server with the validator's picture."""
    validator = pytest.importorskip("iiif_validator.tests.test", reason='needs pip install "bof-search[dev]"')
    folder = tmp_path_factory.mktemp("validated")
    source = importlib.resources.files("iiif_validator") / "validation_image.png"
    (folder / "squares.png").write_bytes(source.read_bytes())
    with Engine.create(folder / "index", vocabulary_folder) as engine:
        engine.add([folder / "squares.png"], IndexOptions(workers=1))
        (record,) = engine.records()
    with ServerProcess(folder / "index", "--rate", "0", "--allow-origin", ORIGIN) as server:
        yield validator.TargetServer(f"{server.url}/iiif/3/images", str(record.id), validator.IIIFVersion.V3)


def test_the_validator_finds_no_fault(target: Any) -> None:
    from iiif_validator.tests.test import get_tests

    features = target.feature_set()
    assert features.compliance_level == 1
    tests = [test for test in get_tests(target.version) if applies(test, features)]
    assert len(tests) >= N_LEAST
    faults = []
    for test in tests:
        found = test.run(target)
        faults += [(test.__name__, one) for one in (found if isinstance(found, list) else [found]) if not one.success]
    assert [fault for fault in faults if OBJECTION not in fault[1].details] == []
