"""A server of a published index follows what is published, and changes nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from bof.engine import Engine
from bof.options import IndexOptions
from bof.options.published import CacheOptions
from bof.server import collection
from bof.store.published import copies
from bof.store.published.buckets import open_bucket
from bof.store.published.publishing import publish, sweep
from tests.support.object_stores import folder_shelf
from tests.support.scenes import draw_scene, write_picture
from tests.support.serving import API, X_BOF, copied, scene, search, served


def answers(client: Any, seed: int) -> list[tuple[Any, ...]]:
    return [(hit["name"], hit["score"], hit["verdict"], hit["id"]) for hit in search(client, scene(seed))["hits"]]


def test_a_server_follows_what_is_published(
    index_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection, "FOLLOW_SECONDS", 0.0)
    monkeypatch.setattr(copies, "LOOK_S", 0.0)
    engine, shelf = Engine.open(copied(index_folder, tmp_path)), folder_shelf(tmp_path / "shelf")
    bucket = open_bucket(shelf.place, write=True)
    publish(engine.index, bucket)
    with served(engine.folder) as client:
        expected = answers(client, 2)
    folder = copies.local_folder(shelf.text, CacheOptions(str(tmp_path / "cache"), 100))
    with served(folder, read_only=True) as client:
        assert answers(client, 2) == expected
        refused = client.post(f"{API}/images", files=[("image", ("new.png", scene(40)))], headers=X_BOF)
        assert refused.status_code == 403
        write_picture(tmp_path / "more" / "new.png", draw_scene(40))
        engine.add(tmp_path / "more", IndexOptions(workers=1))
        sweep(bucket, publish(engine.index, bucket).manifest)
        until = time.monotonic() + 60
        while client.get(f"{API}/index").json()["pictures"] != len(engine):
            assert time.monotonic() < until
            time.sleep(0.05)
        assert answers(client, 40)[0][2] == "same"
        images = client.get(f"{API}/images").json()["images"]
        number = next(image["id"] for image in images if image["name"] == "scene-00.png")
        assert client.get(f"{API}/images/{number}/file").content == scene(0)
        assert client.get(f"{API}/watches").status_code == 200
