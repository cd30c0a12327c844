"""Clients that others' programs make of the OpenAPI document: each adds a picture, finds it and fetches it."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bof.server.api.openapi import document
from bof.server.app import ENDPOINTS
from scripts.server.process import ServerProcess
from tests.support.scenes import ROOT, draw_scene, write_picture
from tests.support.serving import copied, scene

PAGE = ROOT / "tests" / "page"
TSC = PAGE / "node_modules" / ".bin" / "tsc"
COMPILED = ("--strict", "--target", "es2023", "--module", "nodenext", "--lib", "es2023,dom,dom.iterable")

USE = """
import io, json, sys, time
from client import Client
from client.api.images import add_images, list_images, send_file, tag_image
from client.api.jobs import show_job
from client.api.search import search
from client.models import AddImagesBody, Tags
from client.types import File

url, path = sys.argv[1:]
client = Client(base_url=url + "/api/v1", raise_on_unexpected_status=True)
content = open(path, "rb").read()
form = AddImagesBody(image=[File(io.BytesIO(content), "added by a generated client.png", "image/png")])
job = add_images.sync(client=client, body=form).job
while job.state in ("queued", "running"):
    time.sleep(0.02)
    job = show_job.sync(job.id, client=client)
hit = search.sync(client=client, body=File(io.BytesIO(content)), top=1).hits[0]
assert hit.id == job.images[0], (hit, job)
original = send_file.sync(hit.id, client=client)
tagged = tag_image.sync(hit.id, client=client, body=Tags(tags=["generated"]))
listed = list_images.sync(client=client, tag=["generated"])
print(json.dumps({
    "name": hit.name, "verdict": hit.verdict, "bytes": len(original.payload.read()),
    "tagged": tagged.tags == ["generated"], "total": listed.total,
    "missing": send_file.sync(999999, client=client).status,
}))
"""


@pytest.fixture
def server(index_folder: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(copied(index_folder, tmp_path), "--rate", "0") as server:
        yield server


@pytest.fixture
def description(tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document(ENDPOINTS)), encoding="utf-8")
    return path


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def check(printed: str) -> None:
    expected: dict[str, Any] = {"name": "added by a generated client.png", "verdict": "same", "bytes": len(scene(61))}
    assert json.loads(printed) == {**expected, "tagged": True, "total": 1, "missing": 404}


@pytest.mark.skipif(
    importlib.util.find_spec("openapi_python_client") is None,
    reason='openapi-python-client is not installed: pip install -e ".[dev]"',
)
def test_a_python_client_adds_searches_and_fetches(server: ServerProcess, description: Path, tmp_path: Path) -> None:
    path, settings = write_picture(tmp_path / "query.png", draw_scene(61)), tmp_path / "settings.yml"
    settings.write_text("post_hooks: []\n", encoding="utf-8")
    generate = ("generate", "--path", description, "--output-path", "client", "--meta", "none", "--config", settings)
    printed = run(sys.executable, "-m", "openapi_python_client", *generate, folder=tmp_path)
    omitted = [line for line in printed.splitlines() if line.startswith("WARNING")]
    assert not [line for line in omitted if "/thumbnail" not in line and "within search" not in line], printed
    (tmp_path / "use.py").write_text(USE, encoding="utf-8")
    check(run(sys.executable, "use.py", server.url, path, folder=tmp_path))


@pytest.mark.skipif(
    not TSC.exists() or not (PAGE / "node_modules" / "@hey-api").exists() or shutil.which("node") is None,
    reason="@hey-api/openapi-ts is not installed: npm ci --prefix tests/page --omit=optional",
)
def test_a_typescript_client_adds_searches_and_fetches(
    server: ServerProcess, description: Path, tmp_path: Path
) -> None:
    """Strictly typed, too: TypeScript takes what the program gives, and knows what it gets."""
    path = write_picture(tmp_path / "query.png", draw_scene(61))
    run("node", PAGE / "generate_client.js", description, tmp_path / "client", folder=PAGE)
    shutil.copy(PAGE / "generated_client.ts", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    types = ("--types", "node", "--typeRoots", PAGE / "node_modules" / "@types")
    run(TSC, *COMPILED, *types, "generated_client.ts", folder=tmp_path)
    check(run("node", "generated_client.js", server.url, path, folder=tmp_path))
