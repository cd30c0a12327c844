"""scripts/scale: synthetic pictures are like real ones, planted matches are found, growth is fitted rightly."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bof.engine import Engine
from bof.vocabulary.vocabulary import Vocabulary, load_vocabulary
from scripts.common.arguments import write_figures
from scripts.scale import __main__ as bench
from scripts.scale import planting, pool, report
from scripts.scale import synthesis as likeness
from scripts.scale.synthesis import Synthesis
from tests.support.scenes import N_SCENES

N_QUERIES, N_FEATURES, N_IMAGES = 3, 200, 40


@pytest.fixture(scope="module")
def data(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenes as a folder train/, and room for the cache."""
    folder = tmp_path_factory.mktemp("scale")
    (folder / "train").mkdir()
    for photo in photos.iterdir():
        (folder / "train" / photo.name).symlink_to(photo)
    return folder


@pytest.fixture(scope="module")
def vocabulary(vocabulary_folder: Path) -> Vocabulary:
    return load_vocabulary(vocabulary_folder)


@pytest.fixture(scope="module")
def drawn(data: Path, vocabulary: Vocabulary) -> Any:
    """The pool of the scenes, and the photographs that ask."""
    cache = data / "cache"
    cache.mkdir(exist_ok=True)
    return pool.load_pool(data / "train", N_SCENES, N_QUERIES, vocabulary, cache)


@pytest.fixture(scope="module")
def synthesis(drawn: Any) -> Any:
    return Synthesis.of(drawn[0], N_FEATURES, seed=7)


def _command(data: Path, vocabulary_folder: Path, *more: object) -> list[str]:
    fixed = ["--data", data, "--cache", data / "cache", "--vocabulary", vocabulary_folder, "--features", N_FEATURES]
    return [str(word) for word in [*fixed, "--queries", N_QUERIES, "--runs", 1, *more]]


@pytest.fixture(scope="module")
def document(data: Path, vocabulary_folder: Path) -> Any:
    """What a run wrote; the collection is kept."""
    file = data / "figures.json"
    command = _command(data, vocabulary_folder, "--images", N_IMAGES, "--json", file, "--keep")
    assert bench.main(command) == 0
    return json.loads(file.read_text())


@pytest.fixture(scope="module")
def result(document: Any) -> Any:
    return report.Result.from_json(document["results"][0])


def _same(a: Sequence[Any], b: Sequence[Any]) -> bool:
    names = ("word", "signature", "xy", "scale_angle")
    pairs = zip(a, b, strict=True)
    return all(np.array_equal(getattr(x, name), getattr(y, name)) for x, y in pairs for name in names)


def test_the_pool_keeps_words_and_signatures_and_leaves_the_queries_out(drawn: Any, vocabulary: Vocabulary) -> None:
    clutter, asking = drawn
    assert len(asking) == N_QUERIES
    assert len(clutter.sizes) == N_SCENES - N_QUERIES
    assert min(map(len, asking)) >= clutter.sizes.max()  # none is rich, so the richest ask
    residuals = pool._residuals
    words = vocabulary.quantize(asking[0].descriptors)
    found = pool.signatures(residuals([asking[0].descriptors], words.word[:, 0], vocabulary))
    assert np.array_equal(found, words.signature[:, 0])


def test_the_strongest_features_of_each_photograph_are_kept(drawn: Any) -> None:
    clutter = drawn[0]
    fewer = clutter.strongest(20)
    assert fewer.sizes.mean() == pytest.approx(20, abs=1)
    assert np.ptp(fewer.sizes) > 0
    assert np.array_equal(fewer.word[: fewer.sizes[0]], clutter.word[: fewer.sizes[0]])
    assert np.array_equal(fewer.word[-fewer.sizes[-1] :], clutter.word[clutter.indptr[-2] :][: fewer.sizes[-1]])


def test_one_seed_makes_one_collection_however_it_is_cut(synthesis: Any) -> None:
    whole = synthesis.pictures(0, 2000)
    assert len(whole) == 2000
    assert _same(whole[990:1010], synthesis.pictures(990, 1010))
    assert not _same(whole[:1], whole[1:2])
    assert not _same(whole[:1], replace(synthesis, seed=8).pictures(0, 1))


def test_synthetic_pictures_are_like_the_photographs(drawn: Any, synthesis: Any, vocabulary: Vocabulary) -> None:
    real, made = likeness.compare(synthesis, drawn[1], vocabulary)
    assert made.features == pytest.approx(real.features, rel=0.05)
    assert made.spread == pytest.approx(real.spread, abs=0.1)
    assert made.tf_shares == pytest.approx(real.tf_shares, abs=0.05)
    assert made.bits == pytest.approx(real.bits, abs=1.0)
    assert made.near == pytest.approx(real.near, rel=0.3)
    assert made.postings == pytest.approx(real.postings, rel=0.15)


def test_synthetic_signatures_are_no_copies(synthesis: Any) -> None:
    word, signature, _ = likeness.flatten(synthesis.pictures(0, 100))
    known = set(zip(synthesis.pool.word.tolist(), synthesis.pool.signature.tolist(), strict=True))
    made = list(zip(word.tolist(), signature.tolist(), strict=True))
    lonely = np.diff(synthesis.word_indptr)[word] == 1  # a word's only feature has no other to be mixed with
    assert np.mean([pair in known for pair, alone in zip(made, lonely, strict=True) if not alone]) < 0.25
    assert len(set(made)) > 5 * len(known)


def test_distances_are_those_of_all_pairs(synthesis: Any) -> None:
    word, signature = np.array([1, 0, 1], np.int32), np.array([0b111, 0, 0b1], np.uint64)
    bits, n_pairs = likeness._distances(word, signature, np.array([1, 2, 0], np.int32), np.array([0, 0, 1], np.uint64))
    assert n_pairs == 3
    assert set(bits.tolist()) == {3, 1}
    assert bits.mean() == pytest.approx((3 + 1 + 1) / 3, abs=0.02)


def test_noise_lets_half_of_the_features_keep_their_words(drawn: Any, vocabulary: Vocabulary) -> None:
    planted = planting.plant(drawn[1], N_FEATURES, vocabulary, seed=0)
    assert planted.kept_words == pytest.approx(0.5, abs=0.05)
    assert [len(query) for query in planted.queries] == [N_FEATURES] * N_QUERIES
    assert all(0 < len(target) <= 0.3 * N_FEATURES + 1 for target in planted.targets)
    assert len(set(planted.places(50, 0))) == N_QUERIES


def test_planted_matches_are_found_and_everything_is_measured(result: Any) -> None:
    assert (result.build.images, result.build.features) == (N_IMAGES, N_FEATURES)
    assert {way: found["first"] for way, found in result.found.items()} == {"default": 1.0, "verify 200": 1.0}
    assert result.build.n_bytes > 20 * result.build.n_features > 0
    assert result.memory["asked"]["VmRSS"] > result.memory["before"]["VmRSS"] > 0
    assert set(result.milliseconds) == {"first pass", "default", "verify 200"}
    assert all(stages["query"] >= stages["vote"] > 0 for stages in result.milliseconds.values())
    assert {how: set(parts) for how, parts in result.opening.items()} == {
        how: {"vocabulary", "index"} for how in ("cold", "warm")
    }


def test_a_kept_collection_is_a_whole_index_and_is_asked_again(
    result: Any,
    document: Any,
    data: Path,
    vocabulary_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reported = {**document["results"][0], "open": result.opening["cold"]}
    monkeypatch.setattr(bench, "in_fresh_process", lambda *command: reported)
    (place,) = (data / "cache").glob(f"scale-{N_IMAGES}x*")
    with Engine.open(place / "index") as engine:
        assert len(engine) == N_IMAGES
        assert engine.searcher().collection.n_features == result.build.n_features
    record = (place / "build.json").stat().st_mtime_ns
    earlier, more = data / "earlier.json", data / "more.json"
    write_figures(earlier, {"results": [result, _grown(result, 400, N_FEATURES)]})
    again = _command(data, vocabulary_folder, "--images", N_IMAGES, "--earlier", earlier, "--json", more)
    assert bench.main(again) == 0
    assert (place / "build.json").stat().st_mtime_ns == record
    joined = json.loads(more.read_text())["results"]
    assert sorted(r["build"]["images"] for r in joined) == [N_IMAGES, 400]
    assert f"(run: {N_IMAGES}, 400)" in capsys.readouterr().out


def test_a_full_disk_is_noticed_before_anything_is_built(
    data: Path, vocabulary_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1000))
    assert bench.main(_command(data, vocabulary_folder, "--images", 50)) == 1
    assert "1 KB" in capsys.readouterr().err
    assert not list((data / "cache").glob("scale-50x*"))


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        (("--images", 0), 2, "--images"),
        (("--images", 2), 2, "one a query"),
        (("--queries", N_SCENES), 2, "more than 12"),
    ],
)
def test_nonsense_is_refused(
    data: Path, vocabulary_folder: Path, more: Any, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(_command(data, vocabulary_folder, *more)) == status
    assert message in capsys.readouterr().err


def _grown(result: Any, images: int, features: int) -> Any:
    """A result as if bytes were images * features ** 2."""
    build = replace(result.build, images=images, features=features, n_bytes=images * features**2)
    return replace(result, build=build)


def test_exponents_are_those_of_the_law(result: Any) -> None:
    grid = [_grown(result, n, f) for n in (1000, 10_000, 100_000) for f in (300, 1000)]
    fits = report.fit_all(grid)
    along_images = report.find_fit(fits, "bytes", "images", 300)
    along_features = report.find_fit(fits, "bytes", "features", 10_000)
    assert along_images
    assert along_features
    assert along_images.exponent == pytest.approx(1.0)
    assert along_features.exponent == pytest.approx(2.0)
    assert report.find_fit(fits, "bytes", "images", 500) is None
    lines = list(report.fit_lines([along_images, along_features]))
    assert lines[0].endswith("bytes: images^1.00 at 300 features (run: 1000, 10000, 100000)")
    assert "FASTER THAN LINEAR" in lines[1]


def test_one_size_has_no_law_and_zeros_are_left_out(result: Any) -> None:
    assert report.fit_all([result]) == []
    requested = replace(result, milliseconds={"default": {"mirror": 0.0, "query": 1.0}})
    never = [requested, _grown(requested, 400, N_FEATURES)]
    assert {law.quantity for law in report.fit_all(never) if law.quantity.startswith("ms")} == {"ms default: query"}


def test_the_same_results_draw_the_same_figure(result: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    results = [result, _grown(result, 400, N_FEATURES)]
    fits = report.fit_all(results)
    for name in ("a.svg", "b.svg"):
        report.draw(tmp_path / name, results, fits)
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    assert re.search(r"on disk, 200 features \(1\.\d\d\)", text)  # the exponent
    assert "<dc:date>" not in text
