"""A server and commands whose searches run on Dask's workers: partial answers say so, metrics count by part."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bof.cluster import main as cluster_command
from bof.duplicates import main as duplicates
from bof.engine import Engine
from bof.errors import ClusterError
from bof.evaluate import main as evaluate
from bof.retrieval.remote.searching import SearchWorkers
from bof.scheduling.connection import Cluster
from bof.search import main as search
from bof.server.http.metrics import Metrics
from tests.support.serving import API, copied, scene, served


def test_a_server_answers_as_without_workers(cluster: Cluster, index_folder: Path, tmp_path: Path) -> None:
    folder = copied(index_folder, tmp_path)
    with served(folder) as client:
        alone = client.post(f"{API}/search", content=scene(3), headers={"Content-Type": "image/png"}).json()
    with served(folder, workers=SearchWorkers(cluster)) as client:
        response = client.post(f"{API}/search", content=scene(3), headers={"Content-Type": "image/png"})
        found = response.json()
        assert response.status_code == 200
        assert found["missing_parts"] == []
        assert found["hits"] == alone["hits"]
        metrics = client.get(f"{API}/metrics").text
    assert "# TYPE bof_part_requests gauge" in metrics
    assert 'bof_part_missing{part=""} 0' in metrics


def test_a_partial_answer_is_206_and_names_what_is_missing(
    index_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Engine.answer

    def partly(engine: Engine, *arguments: object) -> object:
        return dataclasses.replace(original(engine, *arguments), missing={"ab": "no answer in time"})

    monkeypatch.setattr(Engine, "answer", partly)
    with served(copied(index_folder, tmp_path)) as client:
        response = client.post(f"{API}/search", content=scene(3), headers={"Content-Type": "image/png"})
    assert response.status_code == 206
    assert response.json()["missing_parts"] == [{"part": "ab", "reason": "no answer in time"}]


def test_without_any_worker_a_server_says_that_it_cannot_read_the_index(
    index_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(engine: Engine, *arguments: object) -> object:
        raise ClusterError("no part of the index answers: no answer in time", path="tcp://10.0.0.1:8786")

    monkeypatch.setattr(Engine, "answer", fail)
    with served(copied(index_folder, tmp_path)) as client:
        response = client.post(f"{API}/search", content=scene(3), headers={"Content-Type": "image/png"})
    assert response.status_code == 503
    assert response.json()["type"] == "/problems/no-index"


def test_commands_search_on_workers(
    cluster: Cluster, index_folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, flags = str(photos / "scene-03.png"), ["--index", str(index_folder)]
    dask = ["--dask", cluster.address]
    assert search([picture, *flags]) == 0
    alone = capsys.readouterr().out.splitlines()[1:]  # the first line says how long it took
    assert search([picture, *flags, *dask]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == alone
    assert search([picture, *flags, *dask, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["missing_parts"] == {}
    assert duplicates([*flags]) == 0
    groups = capsys.readouterr().out
    assert duplicates([*flags, *dask]) == 0
    assert capsys.readouterr().out == groups
    assert cluster_command(["status", *dask, *flags]) == 0
    shown = capsys.readouterr().out
    assert f"{index_folder} (whole): epoch" in shown
    assert "bof 0.1.0 (code " in shown
    assert cluster_command(["status", *dask, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["workers"]) == 2
    assert cluster_command(["status"]) == 2


def test_a_benchmark_is_indexed_and_searched_on_workers(
    cluster: Cluster, photos: Path, vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"scene-{seed:02d}.png" for seed in range(4)]
    truth = {
        "name": "scenes",
        "database": names,
        "queries": [{"image": name, "positives": [name]} for name in names[:2]],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    flags = [str(tmp_path / "truth.json"), "--root", str(photos), "--vocabulary", str(vocabulary_folder), "--json"]
    results = []
    for dask in ([], ["--dask", cluster.address]):
        assert evaluate([*flags, "--workers", "1", *dask]) == 0
        results.append(json.loads(capsys.readouterr().out)["map"])
    assert results[0] == results[1]


def test_what_a_metric_says_of_all_parts_stands_together() -> None:
    missing = [({"part": "a"}, 1.0), ({"part": "b"}, 0.0)]
    text = Metrics().text({"bof_part_missing": ("that did not answer", missing), "bof_jobs": ("that run", 2.0)})
    assert text.endswith(
        '# TYPE bof_part_missing gauge\nbof_part_missing{part="a"} 1\nbof_part_missing{part="b"} 0\n'
        "# HELP bof_jobs that run\n# TYPE bof_jobs gauge\nbof_jobs 2\n"
    )
