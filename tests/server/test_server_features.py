"""POST /search/features: a query without pixels, of an index of features that somebody else extracted."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.client import Client
from bof.engine import Engine
from bof.features.encoding import encode_features
from bof.features.sift import extract_features
from bof.images.decode import decode
from bof.options import OWN, FeatureOptions, SearchOptions, TrainOptions
from bof.server.http.feature_body import features_of
from bof.server.http.problems import ProblemError
from bof.types import Features
from bof.vocabulary.sampling import Sample
from bof.vocabulary.training import train_vocabulary
from tests.support.serving import API, AppTransport, TestClient, copied, refused, scene, served

N_SCENES = 6


def features(seed: int) -> Features:
    return extract_features(decode(scene(seed), grey=True, max_side=1024), FeatureOptions())


@pytest.fixture(scope="module")
def own_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    described = np.concatenate([features(seed).descriptors for seed in range(N_SCENES)])
    sample = Sample(described, np.arange(N_SCENES, dtype=np.uint64), FeatureOptions(extractor=OWN), "scenes")
    train_vocabulary(sample, TrainOptions(words=200, workers=1)).save(folder / "vocabulary")
    with Engine.create(folder / "index", folder / "vocabulary") as engine:
        engine.add_features({f"scene-{seed}": features(seed) for seed in range(N_SCENES)})
    return folder / "index"


@pytest.fixture(scope="module")
def client(own_index: Path) -> Iterator[TestClient]:
    with served(own_index) as client:
        yield client


def sent(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (encode_features(features(3)) | changes).items() if value is not None}


def test_features_find_what_the_engine_finds_with_them(client: TestClient, own_index: Path) -> None:
    answer = client.post(f"{API}/search/features", json=sent(), params={"top": 3}).json()
    with Engine.open(own_index) as engine:
        hits = engine.search_features(features(3), SearchOptions(), top=3)
    assert [hit["name"] for hit in answer["hits"]] == [hit.name for hit in hits]
    assert answer["hits"][0]["name"] == "scene-3"
    assert [hit["score"] for hit in answer["hits"]] == pytest.approx([hit.score for hit in hits])
    assert answer["query"] == {
        "width": 320, "height": 240, "n_features": len(features(3)), "box": None, "sha256": answer["query"]["sha256"],
    }  # fmt: skip


def test_the_client_sends_features(client: TestClient) -> None:
    with Client("http://127.0.0.1", transport=AppTransport(client)) as mine:
        answer = mine.search_features(features(2), top=1)
        assert [hit["name"] for hit in answer["hits"]] == ["scene-2"]


def test_points_without_scale_and_angle_find_by_pairs_of_points(client: TestClient) -> None:
    answer = client.post(f"{API}/search/features", json=sent(scale_px=None, angle_deg=None)).json()
    first = answer["hits"][0]
    assert (first["name"], first["verdict"]) == ("scene-3", "same")


def test_what_was_sent_is_what_was_extracted() -> None:
    found, expected = features_of(sent()), features(3)
    np.testing.assert_array_equal(found.descriptors, expected.descriptors)
    np.testing.assert_array_equal(found.geometry.xy_px, expected.geometry.xy_px)
    np.testing.assert_array_equal(found.geometry.angle_deg, expected.geometry.angle_deg)
    assert (found.geometry.width, found.geometry.height) == (320, 240)


def coded(values: Any, dtype: str = "<f4") -> str:
    return base64.b64encode(np.asarray(values, dtype).tobytes()).decode()


ONE = {"xy_px": coded([[5, 5]]), "descriptors": coded([0] * 128, "u1"), "scale_px": coded([4]), "angle_deg": coded([9])}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"width": 0}, "expected width from 1 to 16777216, found 0"),
        ({"width": True}, "expected width from 1 to"),
        ({"height": 3.5}, "expected height from 1 to"),
        ({"xy_px": None}, "expected xy_px, found none"),
        ({"descriptors": None}, "expected descriptors, found none"),
        ({"descriptors": coded([0] * 100, "u1")}, "expected descriptors of a multiple of 128 bytes, found 100"),
        ({"descriptors": 7}, "expected descriptors in base64, found int"),
        ({"descriptors": "a-b"}, "expected descriptors in base64, found other text"),
        ({"xy_px": coded([5])}, "expected xy_px of 8, 8 a descriptor bytes, found 4"),
        ({"xy_px": coded([[np.nan, 5]])}, "expected finite numbers in xy_px"),
        ({"xy_px": coded([[5, 900]])}, "expected xy_px in 320 x 240 pixels, found places outside"),
        ({"scale_px": coded([0])}, "expected scale_px above 0, found 0"),
        ({"angle_deg": coded([np.inf])}, "expected finite numbers in angle_deg"),
        ({"model": "x"}, "expected only width, height, xy_px, descriptors, scale_px, angle_deg, found 'model'"),
        ({"descriptors": coded(np.zeros(65536 * 128), "u1")},
         "expected at most 65535 features, found 65536"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(changes: dict[str, Any], problem: str) -> None:
    body = {"width": 320, "height": 240, **ONE} | changes
    with pytest.raises(ProblemError) as caught:
        features_of({name: value for name, value in body.items() if value is not None})
    assert caught.value.kind == "bad-request"
    assert problem in caught.value.detail


def test_a_body_that_is_no_json_object_is_refused(client: TestClient) -> None:
    refused(client.post(f"{API}/search/features", content=b"[]", headers={"Content-Type": "application/json"}), 400)


def test_rankers_of_whole_pictures_are_refused(client: TestClient) -> None:
    answer = client.post(f"{API}/search/features", json=sent(), params={"ranker": "bof+color"})
    assert "one ranker of features" in refused(answer, 400)


def test_an_index_of_pictures_refuses_features(index_folder: Path, tmp_path: Path) -> None:
    with served(copied(index_folder, tmp_path)) as client:
        answer = client.post(f"{API}/search/features", json=sent())
        assert "an index of features of your own" in refused(answer, 409)
