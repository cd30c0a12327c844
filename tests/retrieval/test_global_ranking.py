"""Rankers that compare pictures as wholes, alone and fused with the engine, over one living index."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from bof import index as index_command
from bof import search as search_command
from bof.engine import Engine
from bof.errors import ImageError, MismatchError, ModelError, OptionError
from bof.global_descriptors import ann_index
from bof.global_descriptors.describe import ColumnSpec, ModelChoice
from bof.images.decode import read_image
from bof.options import COLUMN_OF, LOCAL, IndexOptions, ModelOptions, SearchOptions, VerifyOptions
from bof.retrieval.fusion import add_up, evidence, reciprocal_ranks
from bof.retrieval.global_ranking import Similarities
from bof.store.index import Index
from bof.system.steps import Step
from bof.types import Hit
from tests.support.onnx_models import Network
from tests.support.scenes import N_SCENES, draw_scene, write_picture

WHOLE = [ranker for ranker in COLUMN_OF if ranker != "embedding"]
ONE = IndexOptions(workers=1)


@pytest.fixture(scope="module")
def extracted(photos: Path, vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of `photos` with hashes and colours; read it only."""
    folder = tmp_path_factory.mktemp("described") / "index"
    with Engine.create(folder, vocabulary_folder) as engine:
        engine.add_columns(["hash", "color"])
        engine.add([photos], ONE)
    return folder


def ask(engine: Engine, path: Path, ranker: str, **options: object) -> list[Hit]:
    chosen = SearchOptions(ranker=ranker, **options)  # type: ignore[arg-type]
    return engine.search(read_image(path), chosen, top=100)


def answers(engine: Engine, photos: Path) -> list[object]:
    """What every ranker says of two pictures."""
    paths = [photos / "scene-03.png", photos / "scene-07.png"]
    rankers = [*WHOLE, "bof+color", "votes+ahash", "color+phash"]
    return [[(h.name, h.score, h.verdict) for h in ask(engine, path, r)] for r in rankers for path in paths]


@pytest.mark.parametrize("ranker", WHOLE)
def test_a_picture_is_most_like_itself(extracted: Path, photos: Path, ranker: str) -> None:
    with Engine.open(extracted) as engine:
        hits = ask(engine, photos / "scene-05.png", ranker)
    assert hits[0].name == "scene-05.png"
    assert hits[0].score == pytest.approx(1.0, abs=1e-3)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(hits) == N_SCENES


@pytest.mark.parametrize("ranker", ["color+phash", "bof+color", "votes+color", "tfidf+histogram+ahash", "bof+radial"])
@pytest.mark.parametrize("fusion", ["calibrated", "rrf"])
def test_fused_rankers_agree_on_the_picture_itself(extracted: Path, photos: Path, ranker: str, fusion: str) -> None:
    with Engine.open(extracted) as engine:
        hits = ask(engine, photos / "scene-05.png", ranker, fusion=fusion)
    assert hits[0].name == "scene-05.png"
    assert hits[0].verdict == ("same" if "bof" in ranker else "unverified")


def test_ahash_has_a_verdict_of_its_own(extracted: Path, photos: Path) -> None:
    with Engine.open(extracted) as engine:
        hits = ask(engine, photos / "scene-05.png", "ahash")
    for hit in hits:
        distance = round(64 * (1 - hit.score))
        assert hit.verdict == ("same" if distance <= 5 else "no" if distance > 10 else "maybe")


def test_candidates_of_the_others_are_verified(extracted: Path, photos: Path) -> None:
    """A shortlist of one: what colour finds is proved all the same."""
    shallow = VerifyOptions(depth=1)
    with Engine.open(extracted) as engine:
        alone = ask(engine, photos / "scene-05.png", "bof", verify=shallow, mirror="never")
        fused = ask(engine, photos / "scene-05.png", "bof+color", verify=shallow, mirror="never")
    assert sum(hit.verification is not None for hit in alone) == 1
    assert sum(hit.verification is not None for hit in fused) == N_SCENES


def test_a_box_is_compared_with_what_is_in_it(vocabulary_folder: Path, tmp_path: Path) -> None:
    """Two pictures side by side: the right half finds what the right half is."""
    left, right = draw_scene(1), draw_scene(2)
    write_picture(tmp_path / "photos" / "left.png", left)
    write_picture(tmp_path / "photos" / "right.png", right)
    query = write_picture(tmp_path / "query.png", np.hstack([left, right]))
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add_columns(["color"])
        engine.add([tmp_path / "photos"], ONE)
        for box, name in (((0, 0, 320, 240), "left.png"), ((320, 0, 640, 240), "right.png")):
            (first, *_) = engine.search(read_image(query), SearchOptions(ranker="color"), box=box)
            assert first.name == name
            assert first.score == pytest.approx(1.0, abs=1e-3)


# -- The same lifecycle as features -----------------------------------------------------------------------------------


def test_batches_order_and_merging_change_no_answer(extracted: Path, photos: Path, tmp_path: Path) -> None:
    with Engine.open(extracted) as engine:
        expected, vocabulary = answers(engine, photos), engine.vocabulary_folder
    with Engine.create(tmp_path / "index", vocabulary) as engine:
        engine.add_columns(["hash", "color"])
        for path in sorted(photos.iterdir(), reverse=True):
            engine.add([path], ONE)
        assert len(Index.open(engine.folder).snapshot().segments) > 1
        assert answers(engine, photos) == expected
        engine.merge()
        engine.refresh()
        assert answers(engine, photos) == expected


def test_an_index_that_stands_gets_columns(extracted: Path, index_folder: Path, photos: Path, tmp_path: Path) -> None:
    shutil.copytree(index_folder, tmp_path / "index")
    with Engine.open(extracted) as engine:
        expected = answers(engine, photos)
    with Engine.open(tmp_path / "index") as engine:
        with pytest.raises(MismatchError, match=r"expected the column color, found sketch; .*--columns color"):
            ask(engine, photos / "scene-05.png", "color")
        engine.add_columns(["color", "hash"])
        with pytest.raises(MismatchError, match="no picture has the column color yet"):
            ask(engine, photos / "scene-05.png", "color")
        assert engine.add([photos], ONE).n_backfilled == N_SCENES
        assert engine.add([photos], ONE).n_backfilled == 0
        assert answers(engine, photos) == expected


def test_filling_goes_on_where_it_was_stopped(
    index_folder: Path, photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(index_folder, tmp_path / "index")
    with Engine.open(tmp_path / "index") as engine:
        engine.add_columns(["hash"])

        def stop(step: Step) -> None:
            if step.stage == "describing" and step.n_done == 5:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            engine.add([photos], IndexOptions(workers=1, commit_images=4), stop)
        engine.refresh()
        with caplog.at_level(logging.WARNING):
            assert len(ask(engine, photos / "scene-05.png", "ahash")) == 4
        assert "8 pictures have no column hash" in caplog.text
        assert engine.add([photos], ONE).n_backfilled == N_SCENES - 4


def test_what_is_gone_or_changed_gets_no_columns(vocabulary_folder: Path, tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / "photos" / f"{seed}.png", draw_scene(seed)) for seed in range(4)]
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], ONE)
        engine.add_columns(["hash"])
        paths[1].unlink()
        write_picture(paths[2], draw_scene(9))
        report = engine.add([paths[0]], ONE)
        assert report.n_backfilled == 2
        assert {Path(item.path).name: item.reason for item in report.skipped} == {
            "1.png": "No such file or directory",
            "2.png": "its content has changed; bof index reads it again",
        }
        engine.add([tmp_path / "photos"], ONE)
        assert {hit.name for hit in ask(engine, paths[0], "ahash")} == {"0.png", "2.png", "3.png"}


def test_filters_hold(extracted: Path, photos: Path, tmp_path: Path) -> None:
    shutil.copytree(extracted, tmp_path / "index")
    with Engine.open(tmp_path / "index") as engine:
        engine.annotate(["scene-01.png", "scene-02.png"], {"tag": ["few"]})
        for ranker in ("ahash", "color+phash", "bof+color"):
            found = ask(engine, photos / "scene-05.png", ranker, where="tag = few")
            assert {hit.name for hit in found} <= {"scene-01.png", "scene-02.png"}
            everywhere = {hit.name: hit.score for hit in ask(engine, photos / "scene-05.png", ranker)}
            if "bof" not in ranker:  # whose expansion asks with what is found, and so with what may be found
                assert all(hit.score == everywhere[hit.name] for hit in found)
        assert len(ask(engine, photos / "scene-05.png", "ahash", where="tag = few")) == 2


# -- Arithmetic -------------------------------------------------------------------------------------------------------


def test_z_score_is_measured_against_strangers() -> None:
    similarity = np.concatenate([np.linspace(0.2, 0.4, 101), [0.9, 0.9]]).astype(np.float32)
    known = np.ones(103, np.bool_)
    known[-1] = False
    z_score = Similarities(similarity, known, similarity[known]).z_score()
    assert z_score[50] == pytest.approx(0, abs=0.1)
    assert z_score[101] == pytest.approx((0.9 - 0.3) / (1.4826 * 0.05), rel=0.05)
    assert z_score[102] == 0


def test_z_score_of_all_alike_is_nothing() -> None:
    same, nobody = np.full(9, 0.5, np.float32), np.empty(0, np.float32)
    assert not Similarities(same, np.ones(9, np.bool_), same).z_score().any()
    assert not Similarities(np.zeros(3, np.float32), np.zeros(3, np.bool_), nobody).z_score().any()


def test_reciprocal_ranks_by_hand() -> None:
    found = reciprocal_ranks([np.array([5.0, 1.0, 0.0, 1.0]), np.array([0.0, 2.0, 3.0, 0.0])])
    assert found.tolist() == pytest.approx([1 / 61, 1 / 62 + 1 / 62, 1 / 61, 1 / 62])


def test_what_is_usual_is_no_evidence() -> None:
    assert evidence("color", np.array([-3.0, 0.0])).tolist() == [0, 0]
    one = evidence("color", np.array([4.0]))
    assert one > 0
    assert add_up([one, one]).tolist() == (2 * one).tolist()


# -- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranker", "reported"),
    [
        ("nonsense", "expected one of bof, votes"),
        ("bof+", "found ''"),
        ("bof+votes", "once each, found 'bof\\+votes'"),
        ("color+color", "once each"),
    ],
)
def test_a_ranker_that_is_none_is_refused(ranker: str, reported: str) -> None:
    with pytest.raises(OptionError, match=reported):
        SearchOptions(ranker=ranker)


def test_options_say_what_they_need() -> None:
    options = SearchOptions(ranker="bof+color+ahash+phash")
    assert (options.local, options.groups) == (("bof",), ("color", "hash"))
    assert SearchOptions().groups == ()
    assert {*LOCAL} & {*COLUMN_OF} == set()


def test_a_grey_picture_has_no_colours(extracted: Path, photos: Path) -> None:
    with Engine.open(extracted) as engine, pytest.raises(ImageError, match="expected a picture in colour"):
        engine.search(read_image(photos / "scene-01.png", grey=True), SearchOptions(ranker="color"))


def test_columns_that_are_none_are_refused() -> None:
    with pytest.raises(OptionError, match="columns: expected some of sketch, hash, color, embedding, found 'smell'"):
        ColumnSpec(("smell",))
    with pytest.raises(OptionError, match="expected model FILE"):
        ColumnSpec(("embedding",))


# -- Commands ---------------------------------------------------------------------------------------------------------


def test_the_commands_add_a_column_and_ask_it(
    index_folder: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(index_folder, tmp_path / "index")
    where, query = ["--index", str(tmp_path / "index")], str(photos / "scene-04.png")
    assert search_command.main([query, *where, "--ranker", "color"]) == 1
    assert "--columns color" in capsys.readouterr().err
    assert index_command.main([*where, "--columns", "color", "--workers", "1"]) == 0
    assert f"{N_SCENES} described again" in capsys.readouterr().out
    assert search_command.main([query, *where, "--ranker", "bof+color", "--metric", "intersection"]) == 0
    assert "scene-04.png" in capsys.readouterr().out.splitlines()[2]
    assert search_command.main([query, *where, "--ranker", "smell"]) == 2
    assert index_command.main([*where, "--columns", "smell"]) == 2
    assert index_command.main([*where, "--columns", "embedding"]) == 2
    assert "expected --model FILE.onnx" in capsys.readouterr().err


def test_a_search_with_the_subject_says_what_it_took(
    index_folder: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ground = np.full((480, 640, 3), 200, np.uint8)
    ground[120:360, 160:480] = draw_scene(4)
    query = write_picture(tmp_path / "query.png", ground)
    assert search_command.main([str(query), "--index", str(index_folder), "--box", "auto"]) == 0
    *table, last = capsys.readouterr().out.splitlines()
    assert "scene-04.png" in table[2]
    x0, y0, x1, y1 = (float(value) for value in last.removeprefix("  subject: ").split(","))
    assert x0 < 170
    assert y0 < 130
    assert x1 > 470
    assert y1 > 350


# -- Embeddings -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def embedded(photos: Path, vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models, and an index of `photos` with embeddings by the first; read it only."""
    folder = tmp_path_factory.mktemp("embedded")
    Network(shape=(1, 3, 32, 32)).write(folder / "one.onnx")
    Network(head="map", shape=(1, 3, 24, 24)).write(folder / "other.onnx")
    with Engine.create(folder / "index", vocabulary_folder) as engine:
        engine.add_columns([], ModelChoice.of(folder / "one.onnx", ModelOptions()))
        engine.add([photos], ONE)
    return folder


def copy_of(embedded: Path, tmp_path: Path) -> Path:
    shutil.copytree(embedded / "index", tmp_path / "index")
    return tmp_path / "index"


@pytest.mark.parametrize("ranker", ["embedding", "bof+embedding", "embedding+color"])
def test_an_embedding_is_a_ranker_like_others(embedded: Path, photos: Path, tmp_path: Path, ranker: str) -> None:
    with Engine.open(copy_of(embedded, tmp_path)) as engine:
        engine.add_columns(["color"])
        engine.add([photos], ONE)
        hits = ask(engine, photos / "scene-05.png", ranker)
    assert hits[0].name == "scene-05.png"
    assert len(hits) == N_SCENES or "+color" in ranker  # what is as usual by all scores nothing


def test_a_large_collection_answers_by_its_finder(
    embedded: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine.open(copy_of(embedded, tmp_path)) as engine:
        expected = [ask(engine, photos / f"scene-{i:02d}.png", "embedding") for i in range(3)]
        monkeypatch.setattr(ann_index, "COMPARED_ALL", 0)
        engine.add([write_picture(tmp_path / "more" / "new.png", draw_scene(50))], ONE)
        assert list((tmp_path / "index" / ann_index.FOLDER).iterdir())
        found = [ask(engine, photos / f"scene-{i:02d}.png", "embedding") for i in range(3)]
    for one, other in zip(expected, found, strict=True):
        by_name = {hit.name: hit.score for hit in other}
        assert one[0].name == other[0].name
        assert all(by_name[hit.name] == hit.score for hit in one)


def test_another_model_takes_the_place_of_the_first(embedded: Path, photos: Path, tmp_path: Path) -> None:
    with Engine.open(copy_of(embedded, tmp_path)) as engine:
        engine.add_columns([], ModelChoice.of(embedded / "other.onnx", ModelOptions()))
        with pytest.raises(MismatchError, match="no picture has the column embedding yet"):
            ask(engine, photos / "scene-05.png", "embedding")
        assert engine.add([photos], ONE).n_backfilled == N_SCENES
        assert ask(engine, photos / "scene-05.png", "embedding")[0].name == "scene-05.png"


def test_a_model_that_is_not_what_it_was_is_refused(embedded: Path, photos: Path, tmp_path: Path) -> None:
    shutil.copy(embedded / "one.onnx", tmp_path / "one.onnx")
    with Engine.open(copy_of(embedded, tmp_path)) as engine:
        engine.add_columns([], ModelChoice.of(tmp_path / "one.onnx", ModelOptions()))
        assert engine.add([photos], ONE).n_backfilled == 0
        shutil.copy(embedded / "other.onnx", tmp_path / "one.onnx")
        with pytest.raises(MismatchError, match="expected the model of the index"):
            ask(engine, photos / "scene-05.png", "embedding")
        (tmp_path / "one.onnx").unlink()
        with pytest.raises(ModelError, match=r"one\.onnx"):
            ask(engine, photos / "scene-05.png", "embedding")


def test_a_table_of_pictures_as_wholes_has_its_head_and_no_word_of_features(
    extracted: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search_command.main([str(photos / "scene-04.png"), "--index", str(extracted), "--ranker", "ahash"]) == 0
    first, head, best, *_ = capsys.readouterr().out.splitlines()
    assert "features" not in first
    assert head.split()[0] == "rank"
    assert best.split()[0] == "1"
    assert best.endswith("scene-04.png")
