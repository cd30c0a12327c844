"""What the tests of the server share: an application in this process, pictures as bytes, jobs waited for."""

from __future__ import annotations

import re
import shutil
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import jsonschema_rs
import numpy as np

from bof.options import ServeOptions
from bof.server.api.openapi import document
from bof.server.app import ENDPOINTS, Application
from bof.server.http.gate import LOOPBACK_NAMES
from bof.server.service import Settings
from tests.support.scenes import draw_scene

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that httpx will have a successor
    from starlette.testclient import TestClient as TestClient


class AppTransport(httpx.BaseTransport):
    """Lets a client of httpx speak to the application of a test client, which may be of httpx's successor."""

    def __init__(self, app: TestClient) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = dict(request.headers)
        found = self._app.request(request.method, str(request.url), content=request.read(), headers=headers)
        return httpx.Response(found.status_code, headers=list(found.headers.items()), content=found.content)


API = "/api/v1"
X_BOF = {"X-Bof": "1"}
PNG = {"Content-Type": "image/png"}


def encoded(pixels: np.ndarray[Any, np.dtype[np.uint8]], suffix: str = ".png") -> bytes:
    """A picture file's bytes."""
    return bytes(cv2.imencode(suffix, pixels)[1])


def scene(seed: int, suffix: str = ".png") -> bytes:
    """The scene of a seed, which `index_folder` has for 0 to 11."""
    return encoded(draw_scene(seed), suffix)


def closed(schema: Any) -> Any:
    """A document whose objects have no other properties than those that it names, and whose lists of words are all.

    What is published leaves room for later versions; this version must answer nothing that it does not describe.
    """
    if isinstance(schema, list):
        return list(map(closed, schema))
    if not isinstance(schema, dict):
        return schema
    if schema.get("anyOf", [])[1:] == [{"type": "string"}]:
        return closed(schema["anyOf"][0])
    more = {"additionalProperties": False} if schema.get("type") == "object" and "properties" in schema else {}
    return {**more, **{key: closed(value) for key, value in schema.items()}}


DOCUMENT = closed(document(ENDPOINTS))


def hold_to_the_document(response: Any) -> None:
    """Fails where an answer of the API is not one that the OpenAPI document describes."""
    response.read()
    path = response.request.url.path.removeprefix(API)
    fits = [known for known in DOCUMENT["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", known), path)]
    operations = [DOCUMENT["paths"][known].get(response.request.method.lower()) for known in fits]
    if not operations or operations[0] is None or response.status_code >= 500:
        return
    documented = operations[0]["responses"][str(response.status_code)].get("content", {})
    kind = response.headers.get("content-type", "").partition(";")[0]
    shape = documented.get(kind) or documented.get(f"{kind.partition('/')[0]}/*") if documented or kind else {}
    assert shape is not None, f"{path}: {response.status_code} {kind}"
    if kind.endswith("json"):
        jsonschema_rs.validate({**shape["schema"], "components": DOCUMENT["components"]}, response.json())


@contextmanager
def served(index: Path, options: ServeOptions | None = None, **settings: Any) -> Iterator[TestClient]:
    """A client of an application over an index, without a network."""
    chosen = Settings(index, **{"hosts": LOOPBACK_NAMES, **settings})
    application = Application(chosen, options or ServeOptions(rate=0))
    with TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        client.event_hooks = {"response": [hold_to_the_document]}
        client.application = application
        yield client


def copied(index: Path, folder: Path) -> Path:
    """An index that may be changed."""
    return Path(shutil.copytree(index, folder / "index"))


def search(client: TestClient, body: bytes, **parameters: Any) -> dict[str, Any]:
    """The answer to a picture."""
    response = client.post(f"{API}/search", content=body, headers=PNG, params=parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def names(answer: dict[str, Any], verdict: str = "same") -> list[str]:
    """The names of an answer's hits of one verdict."""
    return [hit["name"] for hit in answer["hits"] if hit["verdict"] == verdict]


def ended(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    """A job once it is over."""
    end = time.monotonic() + 20
    while job["state"] in ("queued", "running"):
        assert time.monotonic() < end
        time.sleep(0.01)
        job = client.get(f"{API}/jobs/{job['id']}").json()
    return job


def refused(response: Any, status: int) -> str:
    """The detail of a refusal, which is a whole problem document."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    assert {"title", "detail"} <= set(problem)
    return str(problem["detail"])


def bearer(token: str) -> dict[str, str]:
    """The header that a program sends its token in."""
    return {"Authorization": f"Bearer {token}"}
