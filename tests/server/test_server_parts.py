"""A server of an index in parts answers as one of an ordinary index, also while it is given other parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bof.server import collection
from bof.store.index import Index
from bof.store.parts.making import repart
from tests.support.serving import API, X_BOF, copied, ended, scene, search, served


def told(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(hit["name"], hit["score"], hit["verdict"], hit["id"]) for hit in answer["hits"]]


def test_a_server_follows_an_index_into_parts(
    index_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection, "FOLLOW_SECONDS", 0.0)
    index = copied(index_folder, tmp_path)
    with served(index) as client:
        expected = [told(search(client, scene(seed))) for seed in (2, 7)]
        listed = client.get(f"{API}/images").json()
        for n_parts in (3, 5, 1):
            repart(Index.open(index), n_parts, "hash")
            assert [told(search(client, scene(seed))) for seed in (2, 7)] == expected
            assert client.get(f"{API}/images").json()["images"] == listed["images"]
        repart(Index.open(index), 4, "hash")
        number = listed["images"][0]["id"]
        new = client.post(f"{API}/images", files=[("image", ("new.png", scene(40)))], headers=X_BOF)
        assert ended(client, new.json()["job"])["state"] == "done"
        assert told(search(client, scene(40)))[0][2] == "same"
        assert client.get(f"{API}/index").json()["pictures"] == listed["total"] + 1
        assert client.get(f"{API}/images/{number}/file").content == scene(0)
    with Index.open(index).writer() as writer:
        assert len(writer.parts) == 4
