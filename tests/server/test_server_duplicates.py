"""Duplicates over HTTP: figures, order, reasons, groups by their address, accepting, moving, undoing, forgetting."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import OptionError
from bof.options import IndexOptions
from bof.server import collection
from tests.support.scenes import draw_scene, write_picture
from tests.support.serving import API, X_BOF, TestClient, ended, refused, scene, served

SCENES = (1, 2, 3)


def shrunk(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return cv2.resize(draw_scene(seed), (160, 120), interpolation=cv2.INTER_AREA).astype(np.uint8)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder: an exact copy of scene 1, a smaller one of scenes 1 and 2, scene 3 alone."""
    folder = tmp_path / "pictures"
    for seed in SCENES:
        write_picture(folder / f"scene-{seed}.png", draw_scene(seed))
    write_picture(folder / "sub" / "scene-1 (1).png", draw_scene(1))
    write_picture(folder / "sub" / "small-1.png", shrunk(1))
    write_picture(folder / "small-2.png", shrunk(2))
    return folder


@pytest.fixture
def index(pictures: Path, vocabulary_folder: Path, tmp_path: Path) -> Path:
    with Engine.create(tmp_path / "own" / "index", vocabulary_folder) as engine:
        engine.add([pictures], IndexOptions(workers=1))
        engine.annotate("sub/small-1.png", {"tag": ["loved"]})
    return tmp_path / "own" / "index"


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    return tmp_path / "moved"


@pytest.fixture
def client(index: Path, moved: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(collection, "FOLLOW_SECONDS", 0.0)
    with served(index, moves=moved) as client:
        look(client)
        yield client


def look(client: TestClient, kind: str = "copy") -> None:
    job = ended(client, client.post(f"{API}/duplicates", json={"kind": kind}).json()["job"])
    assert (job["state"], job["error"]) == ("done", None)


def groups(client: TestClient, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{API}/duplicates", params={"kind": "copy", **query}).json()
    return found


def names(group: dict[str, Any]) -> list[str]:
    return sorted(member["name"] for member in group["members"])


def listed(client: TestClient) -> list[str]:
    return [image["name"] for image in client.get(f"{API}/images").json()["images"]]


def tags_of(client: TestClient, text: str) -> list[str]:
    (image,) = client.get(f"{API}/images", params={"text": text}).json()["images"]
    return list(image["tags"])


def accept(client: TestClient, action: str = "remove", **more: Any) -> dict[str, Any]:
    response = client.post(f"{API}/duplicates/accept", json={"kind": "copy", "action": action, **more})
    assert response.status_code == 202, response.text
    assert response.headers["location"].endswith(response.json()["job"]["id"])
    return ended(client, response.json()["job"])


def undo(client: TestClient) -> dict[str, Any]:
    (action, *_) = client.get(f"{API}/duplicates/actions").json()["actions"]
    response = client.post(f"{API}/duplicates/actions/{action['id']}/undo", headers=X_BOF)
    return ended(client, response.json()["job"])


def size(pictures: Path, *names: str) -> int:
    return sum((pictures / name).stat().st_size for name in names)


# ---- figures, order, reasons


def test_totals_come_with_the_groups_and_those_that_free_most_come_first(client: TestClient, pictures: Path) -> None:
    found = groups(client)
    first, second = found["groups"]
    assert names(first) == ["scene-1.png", "sub/scene-1 (1).png", "sub/small-1.png"]
    freed = size(pictures, "sub/scene-1 (1).png", "sub/small-1.png"), size(pictures, "small-2.png")
    assert [group["bytes_to_free"] for group in found["groups"]] == list(freed)
    whole = {"groups": 2, "pictures": 5, "duplicates": 3, "bytes_to_free": sum(freed), "uploads": 0}
    assert found["totals"] == {**whole, "by_kind": {"copy": whole}}
    assert groups(client, sort="name")["groups"] == [first, second]
    assert groups(client, limit=1, offset=1)["groups"] == [second]
    assert groups(client, limit=1)["totals"] == found["totals"]


def test_groups_are_listed_by_kind_and_folder(client: TestClient) -> None:
    look(client, "crop")
    assert groups(client, kind="crop", only="exact")["total"] == 0
    assert groups(client, kind="crop", only=["exact", "copy"])["total"] == 2
    inside = groups(client, folder="sub")
    assert [names(group)[0] for group in inside["groups"]] == ["scene-1.png"]
    assert inside["totals"]["groups"] == 1
    assert groups(client, folder="su")["total"] == 0
    assert client.get(f"{API}/duplicates", params={"only": "all"}).status_code == 400


def test_a_group_says_why_which_picture_stays(client: TestClient) -> None:
    (first, _) = groups(client)["groups"]
    keeper = next(member for member in first["members"] if member["keep"])
    assert (keeper["name"], keeper["id"], keeper["reason"]) == ("scene-1.png", first["keep"], None)
    of = {member["name"]: member["reason"] for member in first["members"]}
    assert of["sub/scene-1 (1).png"]["key"] == "folder"
    assert of["sub/scene-1 (1).png"]["name"] == "(1)"
    assert (of["sub/small-1.png"]["key"], of["sub/small-1.png"]["times"]) == ("pixels", 4.0)
    assert {reason["key"] for reason in first["reasons"]} == {"folder", "pixels"}


def test_a_group_has_an_address_that_holds(client: TestClient, index: Path, pictures: Path) -> None:
    (first, second) = groups(client)["groups"]
    address = f"{API}/duplicates/groups/{first['id']}?kind=copy"
    assert client.get(address).json() == first
    os.rename(pictures / "scene-1.png", pictures / "another name.png")
    ended(client, client.post(f"{API}/sync", headers=X_BOF).json()["job"])
    look(client)
    assert names(client.get(address).json()) == ["another name.png", "sub/scene-1 (1).png", "sub/small-1.png"]
    with served(index) as other:  # of its own, which has not searched
        refused(other.get(address), 404)
    refused(client.get(f"{API}/duplicates/groups/{second['id']}?kind=exact"), 404)
    refused(client.get(f"{API}/duplicates/groups/scene-1?kind=exact"), 404)


# ---- what is decided


def test_accepted_duplicates_leave_the_index_and_come_back(client: TestClient, pictures: Path) -> None:
    before = sorted(listed(client))
    job = accept(client, pictures=3)
    assert (job["state"], job["kind"], job["removed"]) == ("done", "remove", 3)
    assert listed(client) == ["scene-1.png", "scene-2.png", "scene-3.png"]
    assert len(list(pictures.rglob("*.png"))) == 6
    assert groups(client)["totals"]["groups"] == 0
    job = undo(client)
    assert (job["state"], job["kind"], job["added"]) == ("done", "undo", 3)
    assert sorted(listed(client)) == before
    assert tags_of(client, "small-1") == ["loved"]
    assert client.get(f"{API}/duplicates/actions").json() == {"actions": []}


def test_accepted_duplicates_are_moved_with_a_log_and_come_back(
    client: TestClient, pictures: Path, moved: Path, index: Path
) -> None:
    before = {path.relative_to(pictures): path.read_bytes() for path in pictures.rglob("*.png")}
    job = accept(client, "move", groups=[groups(client)["groups"][0]["id"]])
    assert (job["state"], job["kind"], job["moved"], job["skipped"]) == ("done", "move", 2, [])
    assert sorted(path.name for path in moved.rglob("*.png")) == ["scene-1 (1).png", "small-1.png"]
    assert sorted(listed(client)) == ["scene-1.png", "scene-2.png", "scene-3.png", "small-2.png"]
    (log,) = index.parent.glob("bof-duplicates-*.jsonl")
    assert client.get(f"{API}/duplicates/actions").json()["actions"][0]["id"] == log.name
    with served(index, moves=moved) as other:  # a server that starts later can undo it too
        assert [one["pictures"] for one in other.get(f"{API}/duplicates/actions").json()["actions"]] == [2]
    job = undo(client)
    assert (job["state"], job["moved"], job["added"]) == ("done", 2, 2)
    assert {path.relative_to(pictures): path.read_bytes() for path in pictures.rglob("*.png")} == before
    assert len(listed(client)) == 6
    assert tags_of(client, "small-1") == ["loved"]


def test_one_picture_can_be_chosen_to_stay(client: TestClient) -> None:
    (first, second) = groups(client)["groups"]
    small = next(member["id"] for member in first["members"] if "small" in member["name"])
    job = accept(client, groups=[first["id"]], keep=small, pictures=2)
    assert (job["state"], job["removed"]) == ("done", 2)
    assert "sub/small-1.png" in listed(client)
    assert "scene-1.png" not in listed(client)
    other = {"kind": "copy", "action": "remove", "groups": [second["id"]], "keep": small}
    refused(client.post(f"{API}/duplicates/accept", json=other), 404)


def test_what_has_changed_since_is_left_alone(client: TestClient, pictures: Path) -> None:
    (pictures / "sub" / "small-1.png").write_bytes(scene(60))
    job = accept(client, "move")
    assert (job["state"], job["moved"]) == ("done", 2)
    assert [one["name"] for one in job["skipped"]] == ["sub/small-1.png"]
    assert (pictures / "sub" / "small-1.png").read_bytes() == scene(60)


def test_figures_that_do_not_hold_any_more_refuse(client: TestClient) -> None:
    wish = {"kind": "copy", "action": "remove", "pictures": 2}
    assert "found 3" in refused(client.post(f"{API}/duplicates/accept", json=wish), 409)
    assert "found 0" in refused(client.post(f"{API}/duplicates/accept", json={**wish, "kind": "exact"}), 409)
    for wrong in (
        {}, {"kind": "copy"}, {**wish, "action": "link"}, {**wish, "only": "copy"}, {**wish, "groups": ["x"]},
        {**wish, "pictures": -1}, {**wish, "keep": 1}, {**wish, "more": 1}, {**wish, "folder": 1},
    ):  # fmt: skip
        refused(client.post(f"{API}/duplicates/accept", json=wrong), 400)


def test_the_file_of_an_upload_goes_only_where_the_kept_picture_stands(client: TestClient, pictures: Path) -> None:
    half = {"image": ("half.png", cv2.imencode(".png", shrunk(3))[1].tobytes())}
    ended(client, client.post(f"{API}/images", files=half, headers=X_BOF).json()["job"])
    look(client)
    group = next(group for group in groups(client)["groups"] if "half.png" in names(group))
    assert groups(client)["totals"]["uploads"] == 1
    (pictures / "scene-3.png").unlink()
    job = accept(client, groups=[group["id"]])
    assert (job["removed"], [one["name"] for one in job["skipped"]]) == (0, [group_file(group)])
    write_picture(pictures / "scene-3.png", draw_scene(3))
    assert accept(client, groups=[group["id"]])["removed"] == 1


def group_file(group: dict[str, Any]) -> str:
    return next(member["file_name"] for member in group["members"] if member["uploaded"])


# ---- what a server may not do


def test_files_are_moved_only_where_the_server_was_started_for_it(index: Path, pictures: Path) -> None:
    with served(index) as client:
        look(client)
        assert groups(client)["actions"] == ["remove"]
        for action in ("move", "trash"):
            wish = {"kind": "copy", "action": action}
            assert "--allow-moves" in refused(client.post(f"{API}/duplicates/accept", json=wish), 403)
    assert len(list(pictures.rglob("*.png"))) == 6


def test_moves_lead_out_of_the_collection(index: Path, pictures: Path) -> None:
    for place in (pictures / "sub", pictures.parent, index / "inside"):
        with pytest.raises(OptionError, match="allow_moves"), served(index, moves=place):
            pass


def test_only_logs_of_this_index_are_undone(client: TestClient, index: Path, pictures: Path, tmp_path: Path) -> None:
    accept(client, "move")
    (log,) = index.parent.glob("bof-duplicates-*.jsonl")
    elsewhere = log.read_text().replace(str(pictures), str(tmp_path / "elsewhere"))
    log.with_name("bof-duplicates-20990101-000000.jsonl").write_text(elsewhere)
    log.with_name("bof-duplicates-20990102-000000.jsonl").write_text("no log")
    assert [one["id"] for one in client.get(f"{API}/duplicates/actions").json()["actions"]] == [log.name]
    for name in ("bof-duplicates-20990101-000000.jsonl", "..%2Fown%2F" + log.name, "j1"):
        refused(client.post(f"{API}/duplicates/actions/{name}/undo", headers=X_BOF), 404)


# ---- pairs that are none


def test_a_rejected_pair_is_listed_and_may_be_forgotten(client: TestClient) -> None:
    (_, group) = groups(client)["groups"]
    one, other = group["members"]
    pair = {"a": one["id"], "b": other["id"]}
    client.post(f"{API}/duplicates/reject", json=pair)
    assert groups(client)["total"] == 1
    (listed_pair,) = client.get(f"{API}/duplicates/rejected").json()["pairs"]
    assert {listed_pair["one"]["name"], listed_pair["other"]["name"]} == {"scene-2.png", "small-2.png"}
    assert client.post(f"{API}/duplicates/forget", json=pair).json() == pair
    assert groups(client)["groups"][1] == group
    assert client.get(f"{API}/duplicates/rejected").json() == {"pairs": []}
    refused(client.post(f"{API}/duplicates/forget", json=pair), 404)


def test_copies_of_one_content_can_be_rejected_too(client: TestClient) -> None:
    (group, _) = groups(client)["groups"]
    same = [member["id"] for member in group["members"] if "scene" in member["name"]]
    client.post(f"{API}/duplicates/reject", json={"a": same[0], "b": same[1]})
    (pair,) = client.get(f"{API}/duplicates/rejected").json()["pairs"]
    assert sorted([pair["one"]["id"], pair["other"]["id"]]) == sorted(same)
