"""What is below /iiif/3 answers what its OpenAPI document says, whatever it is asked."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from bof.annotations.places import PREFIX
from bof.server.api.openapi import document
from bof.server.app import IIIF_ENDPOINTS
from scripts.server.process import ServerProcess

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

CHECKS = [
    not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_schema_conformance,
]  # fmt: skip


@pytest.fixture(scope="module")
def server(index_folder: Path) -> Iterator[str]:
    with ServerProcess(index_folder, "--rate", "0", "--read-only") as process:
        yield process.url


schema = schemathesis.openapi.from_dict(document(IIIF_ENDPOINTS, PREFIX))


@schema.parametrize()
@settings(
    max_examples=5, phases=[Phase.generate], derandomize=True, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_answer_is_as_the_document_says(case: schemathesis.Case[Any], server: str) -> None:
    response = case.call(base_url=server + PREFIX, allow_redirects=False)
    # 501 is an answer of the Image API: what it has and this server has not.
    used = [one for one in CHECKS if one is not not_a_server_error or response.status_code != 501]
    case.validate_response(response, checks=used)
