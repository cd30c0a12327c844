"""The commands as a user meets them: exit statuses, tables, JSON, and one line for every mistake."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bof import evaluate, index, search, train_vocab
from bof.cli import main
from bof.errors import BofError
from bof.images.decode import read_image
from bof.images.draw import VIOLET
from bof.options import VARIANTS
from bof.store import catalog, writer
from bof.store.segments import ARRAYS
from bof.vocabulary.vocabulary import Vocabulary
from tests.support.scenes import N_SCENES, N_WORDS, draw_scene, warp, write_picture
from tests.support.verdicts import call_part

Main = Callable[[list[str]], int]
Outcome = tuple[int, str, str]
"""Exit status, stdout, stderr."""
Run = Callable[..., Outcome]

STAGES = {"assign", "vote", "verify", "expand", "rank", "pixels"}
"""Of every query; one that finds nothing the same also looks into the mirror."""

TURNED = np.array([[0.87, -0.5, 80.0], [0.5, 0.87, -60.0], [0.0, 0.0, 1.0]])


@pytest.fixture(autouse=True)
def _no_index_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOF_INDEX", raising=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process."""

    def run_here(main: Main, *arguments: str | Path) -> Outcome:
        try:
            status = main([str(a) for a in arguments])
        except SystemExit as stop:
            status = int(stop.code or 0)
        return status, *capsys.readouterr()

    return run_here


@pytest.fixture
def own_index(index_folder: Path, tmp_path: Path) -> Path:
    """A copy of the shared index, free to change."""
    return shutil.copytree(index_folder, tmp_path / "own-index")


@pytest.fixture
def query(tmp_path: Path) -> Path:
    """Scene 4, turned."""
    return write_picture(tmp_path / "query.png", warp(draw_scene(4), TURNED))


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"no picture at all")
    return path


@pytest.fixture(scope="module")
def other_vocabulary(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Path:
    """Trained on the same pictures with another seed."""
    folder = tmp_path_factory.mktemp("other") / "vocabulary"
    photos = vocabulary_folder.parent
    assert train_vocab.main([str(photos), "-o", str(folder), "--words", "64", "--seed", "1", "--workers", "1"]) == 0
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def in_process_of_its_own(*command: str | Path, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([os.fspath(part) for part in command], input=data, capture_output=True, timeout=60)


def first_row(table: str) -> list[str]:
    """The columns of the first hit."""
    return next(line.split() for line in table.splitlines() if re.match(r" +1 ", line))


# -- index ------------------------------------------------------------------------------------------------------------


def test_index_says_what_it_did(run: Run, photos: Path, vocabulary_folder: Path, tmp_path: Path) -> None:
    arguments = (photos, "--index", tmp_path / "i", "--vocabulary", vocabulary_folder, "--workers", "1")
    status, out, err = run(index.main, *arguments)
    assert (status, err) == (0, "")
    assert re.search(rf"indexed {N_SCENES} new pictures in [\d.]+ s .* 0 unchanged, 0 skipped; \d+ features", out)
    assert f"{tmp_path / 'i'}: {N_SCENES} pictures" in out

    status, out, err = run(index.main, *arguments)
    assert (status, err) == (0, "")
    expected = rf"indexed 0 new pictures in [\d.]+ s \(0\.0 a second\), {N_SCENES} unchanged, 0 skipped; 0 features"
    assert re.search(expected, out)


def test_index_names_what_it_skips(
    run: Run, broken: Path, query: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    arguments = ("--index", tmp_path / "i", "--vocabulary", vocabulary_folder, "--workers", "1")
    status, out, err = run(index.main, query, broken, *arguments)
    assert status == 0
    assert "indexed 1 new picture in" in out
    assert err.startswith(f"skipped {broken}: expected a picture")


def test_index_names_at_most_twenty_of_what_it_skips(
    run: Run, query: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "many").mkdir()
    for number in range(25):
        (tmp_path / "many" / f"{number:02d}.jpg").write_bytes(b"")
    arguments = ("--index", tmp_path / "i", "--vocabulary", vocabulary_folder, "--skipped", tmp_path / "skipped.txt")
    status, _, err = run(index.main, tmp_path / "many", query, *arguments)
    assert status == 0
    assert len(err.splitlines()) == 21
    assert err.splitlines()[-1] == "... and 5 more (--skipped FILE writes them all)"
    lines = (tmp_path / "skipped.txt").read_text(encoding="utf-8").splitlines()
    assert lines[24] == f"{tmp_path / 'many' / '24.jpg'}\texpected a picture, found an empty file"


def test_the_default_index_is_below_the_working_folder_and_is_named(
    run: Run, query: Path, vocabulary_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, err = run(index.main, "query.png", "--vocabulary", vocabulary_folder, "--workers", "1")
    assert (status, f"index: {tmp_path / 'bof-index'} " in err) == (0, True)
    assert catalog.exists(tmp_path / "bof-index")
    status, out, err = run(search.main, query)
    assert (status, f"index: {tmp_path / 'bof-index'} " in err) == (0, True)
    assert first_row(out)[6:] == ["query.png", "(the", "same", "file)"]


def test_the_environment_names_the_index(
    run: Run, index_folder: Path, query: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOF_INDEX", str(index_folder))
    status, out, err = run(search.main, query)
    assert (status, err) == (0, f"index: {index_folder} (choose another with --index or $BOF_INDEX)\n")
    assert first_row(out)[-1] == "scene-04.png"


# -- search -----------------------------------------------------------------------------------------------------------


def test_search_prints_a_table_with_the_right_picture_first(run: Run, index_folder: Path, query: Path) -> None:
    status, out, err = run(search.main, query, "--index", index_folder)
    assert (status, err) == (0, "")
    assert out.startswith(f"{query}: 320 x 240, ")
    _, _, _, sure, verdict, _, name = first_row(out)
    assert (verdict, name) == ("same", "scene-04.png")
    assert 95 < float(sure.removesuffix("%")) < 100


def test_json_holds_every_hit_with_its_proof(run: Run, index_folder: Path, photos: Path, query: Path) -> None:
    status, out, err = run(search.main, query, "--index", index_folder, "--json")
    (answer,) = json.loads(out)
    assert (status, err, answer["query"]) == (0, "", str(query))
    assert answer["n_features"] > 100
    assert set(answer["seconds"]) == {"extract", *STAGES}
    hits = answer["hits"]
    assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))
    first = hits[0]
    assert (first["name"], first["path"], first["verdict"]) == ("scene-04.png", str(photos / "scene-04.png"), "same")
    assert (first["width"], first["height"]) == (320, 240)
    assert first["n_inliers"] >= 10
    assert (first["probability"] > 0.99, first["mirrored"]) == (True, False)
    assert np.array(first["outline"]).shape == (4, 2)
    np.testing.assert_allclose(np.linalg.inv(first["database_from_query"])[:2, :2], TURNED[:2, :2], atol=0.03)
    assert hits[-1]["database_from_query"] is hits[-1]["outline"] is None


def test_a_negative_says_so(run: Run, index_folder: Path, tmp_path: Path) -> None:
    negative = write_picture(tmp_path / "negative.png", np.asarray(255 - draw_scene(4), np.uint8))
    _, out, _ = run(search.main, negative, "--index", index_folder, "--json")
    first = json.loads(out)[0]["hits"][0]
    assert (first["name"], first["verdict"], first["variant"]) == ("scene-04.png", "same", "inverted")
    _, out, _ = run(search.main, negative, "--index", index_folder)
    assert first_row(out)[-2:] == ["scene-04.png", "(inverted)"]


def test_pictures_together_have_one_answer(run: Run, index_folder: Path, tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"{seed}.png", draw_scene(seed)) for seed in (4, 5)]
    status, out, _ = run(search.main, *paths, "--together", "--index", index_folder, "--json")
    (answer,) = json.loads(out)
    assert status == 0
    assert {hit["name"]: hit["query_number"] for hit in answer["hits"][:2]} == {"scene-04.png": 0, "scene-05.png": 1}
    status, _, err = run(search.main, *paths, "--together", "--index", index_folder, "--html", tmp_path / "a.html")
    assert status == 2
    assert "together" in err


def test_a_mirrored_query_says_so(run: Run, index_folder: Path, tmp_path: Path) -> None:
    mirrored = write_picture(tmp_path / "mirrored.png", np.ascontiguousarray(draw_scene(4)[:, ::-1]))
    _, out, _ = run(search.main, mirrored, "--index", index_folder, "--json")
    (answer,) = json.loads(out)
    first = answer["hits"][0]
    assert (first["name"], first["verdict"], first["mirrored"]) == ("scene-04.png", "same", True)
    assert set(answer["seconds"]) == {"extract", *STAGES, "mirror"}
    _, out, _ = run(search.main, mirrored, "--index", index_folder)
    assert first_row(out)[-2:] == ["scene-04.png", "(mirrored)"]
    _, out, _ = run(search.main, mirrored, "--index", index_folder, "--json", "--mirror", "never")
    assert "same" not in {hit["verdict"] for hit in json.loads(out)[0]["hits"]}


def test_a_part_says_how_much_agrees_and_draws_it(
    run: Run, index_folder: Path, query: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_part(monkeypatch)
    _, out, _ = run(search.main, query, "--index", index_folder, "--json")
    first = json.loads(out)[0]["hits"][0]
    assert (first["name"], first["verdict"], first["basis"]) == ("scene-04.png", "part", "pixels")
    assert min(len(first["query_region"]), len(first["hit_region"])) >= 3
    arguments = (query, "--index", index_folder, "--top", "1", "--matches", tmp_path / "matches")
    _, out, _ = run(search.main, *arguments)
    shares = [min(99, round(100 * first[name])) for name in ("query_overlap", "hit_overlap")]
    assert first_row(out)[3] == "part"  # nothing stands under `sure`: that something is shared is certain
    x0, y0, x1, y1 = (int(value) for value in first_row(out)[4].split(","))
    inside = np.clip(first["hit_region"], 0, [320, 240])
    np.testing.assert_allclose([[x0, y0], [x1, y1]], [inside.min(axis=0), inside.max(axis=0)], atol=1)
    assert "({}% of the query and {}% of it agree, the rest differs)".format(*shares) in out
    picture = read_image(next((tmp_path / "matches").iterdir())).pixels.astype(int)
    violet = (np.abs(picture - VIOLET) < 40).all(axis=2)
    assert violet.sum() > 1000
    assert violet[:, : picture.shape[1] // 2].any()


def test_a_hit_without_its_file_says_that_pixels_were_not_compared(
    run: Run, query: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    gone = write_picture(tmp_path / "photos" / "gone.png", draw_scene(4))
    run(index.main, gone, "--index", tmp_path / "i", "--vocabulary", vocabulary_folder, "--workers", "1")
    gone.unlink()
    _, out, _ = run(search.main, query, "--index", tmp_path / "i")
    assert first_row(out)[4:5] + first_row(out)[6:] == ["same", "gone.png", "(pixels", "not", "compared)"]


def test_top_bounds_the_hits(run: Run, index_folder: Path, query: Path) -> None:
    _, out, _ = run(search.main, query, "--index", index_folder, "--top", "3", "--json")
    assert len(json.loads(out)[0]["hits"]) == 3


@pytest.mark.parametrize("flags", [["--no-verify"], ["--ranker", "votes"], ["--ranker", "tfidf"]])
def test_rankers_without_geometry_show_no_inliers(run: Run, index_folder: Path, query: Path, flags: list[str]) -> None:
    status, out, _ = run(search.main, query, "--index", index_folder, "--json", *flags)
    first = json.loads(out)[0]["hits"][0]
    assert (status, first["name"], first["verdict"], first["n_inliers"]) == (0, "scene-04.png", "unverified", None)
    assert first["probability"] is first["mirrored"] is None
    _, out, _ = run(search.main, query, "--index", index_folder, *flags)
    assert first_row(out)[2:] == ["unverified", "scene-04.png"]


def test_a_box_searches_with_a_part(run: Run, index_folder: Path, tmp_path: Path) -> None:
    montage = write_picture(tmp_path / "montage.png", np.hstack([draw_scene(1), draw_scene(2)]))
    status, out, _ = run(search.main, montage, "--index", index_folder, "--box", "330,10,630,230", "--json")
    hits = json.loads(out)[0]["hits"]
    assert (status, hits[0]["name"]) == (0, "scene-02.png")
    assert [hit["verdict"] for hit in hits].count("same") == 1


def test_the_box_of_a_hit_finds_the_query_again(run: Run, index_folder: Path, photos: Path, query: Path) -> None:
    _, out, _ = run(search.main, query, "--index", index_folder)
    status, out, _ = run(search.main, photos / "scene-04.png", "--index", index_folder, "--box", first_row(out)[5])
    assert (status, first_row(out)[-1]) == (0, "scene-04.png")


def test_one_broken_query_stops_no_other(run: Run, index_folder: Path, photos: Path, query: Path, broken: Path) -> None:
    status, out, err = run(search.main, query, broken, photos / "scene-07.png", "--index", index_folder)
    assert status == 1
    assert err.startswith(f"error: {broken}: expected a picture")
    assert len(err.splitlines()) == 1
    assert [line.split()[6:] for line in out.splitlines() if re.match(r" +1 ", line)] == [
        ["scene-04.png"],
        ["scene-07.png", "(the", "same", "file)"],
    ]


def test_a_blank_query_says_that_it_has_no_features(run: Run, index_folder: Path, tmp_path: Path) -> None:
    blank = write_picture(tmp_path / "blank.png", np.full((50, 50, 3), 99, np.uint8))
    status, out, _ = run(search.main, blank, "--index", index_folder)
    assert (status, "no features" in out) == (0, True)
    status, out, _ = run(search.main, blank, "--index", index_folder, "--json")
    assert (status, json.loads(out)[0]["hits"]) == (0, [])


def test_matches_are_pictures_that_can_be_read(run: Run, index_folder: Path, query: Path, tmp_path: Path) -> None:
    out_folder = tmp_path / "matches"
    status, _, err = run(search.main, query, "--index", index_folder, "--top", "3", "--matches", out_folder)
    written = sorted(out_folder.iterdir())
    assert (status, err) == (0, f"3 match pictures in {out_folder}\n")
    assert written[0].name == "query_01_scene-04.jpg"
    assert all(read_image(path).width > 320 for path in written)


def test_matches_of_equal_names_from_two_folders_are_all_kept(run: Run, index_folder: Path, tmp_path: Path) -> None:
    queries = [
        write_picture(tmp_path / name / "q.png", warp(draw_scene(4), TURNED @ np.diag([s, s, 1])))
        for name, s in (("a", 1.0), ("b", 0.9))
    ]
    run(search.main, *queries, "--index", index_folder, "--top", "1", "--matches", tmp_path / "matches")
    assert len(list((tmp_path / "matches").iterdir())) == 2


def test_a_hit_whose_file_is_gone_is_still_found(
    run: Run, query: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    gone = write_picture(tmp_path / "photos" / "gone.png", draw_scene(4))
    run(index.main, gone, "--index", tmp_path / "i", "--vocabulary", vocabulary_folder, "--workers", "1")
    gone.unlink()
    status, out, err = run(search.main, query, "--index", tmp_path / "i", "--matches", tmp_path / "matches")
    assert (status, first_row(out)[6]) == (0, "gone.png")
    assert "0 match pictures" in err


def test_odd_names_are_printed_and_drawn(run: Run, vocabulary_folder: Path, tmp_path: Path) -> None:
    odd = write_picture(tmp_path / "photos" / os.fsdecode(b"caf\xe9 50%.png"), draw_scene(4))
    status, out, _ = run(index.main, odd, "--index", tmp_path / "i", "--vocabulary", vocabulary_folder)
    assert (status, "indexed 1 new" in out) == (0, True)
    status, out, _ = run(search.main, odd, "--index", tmp_path / "i", "--matches", tmp_path / "matches")
    assert (status, out.splitlines()[-1].endswith(r"caf\udce9 50%.png (the same file)")) == (0, True)
    assert len(list((tmp_path / "matches").iterdir())) == 1
    status, out, _ = run(search.main, odd, "--index", tmp_path / "i", "--json")
    assert (status, json.loads(out)[0]["hits"][0]["path"]) == (0, str(odd))


def test_timings_name_the_stages(run: Run, index_folder: Path, query: Path) -> None:
    _, _, err = run(search.main, query, "--index", index_folder, "--timings")
    assert re.fullmatch(r"(\w+ \d+ ms(; |\n))+", err)
    assert set(re.findall(r"(\w+) \d", err)) == {"start_up", "open", "extract", *STAGES}


def test_a_dash_reads_standard_input(
    run: Run, index_folder: Path, query: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(query.read_bytes())))
    status, out, _ = run(search.main, "-", "--index", index_folder, "--matches", query.parent / "matches")
    assert (status, first_row(out)[-1]) == (0, "scene-04.png")
    assert out.startswith("standard input: 320 x 240")


# -- train_vocab ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def training_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    for seed in range(200, 206):
        write_picture(folder / f"{seed}.png", draw_scene(seed, 160, 120))
    return folder


def test_training_says_how_it_went_and_one_seed_gives_one_vocabulary(
    run: Run, training_photos: Path, tmp_path: Path
) -> None:
    fingerprints = []
    for workers in ("1", "2"):
        output = tmp_path / f"with-{workers}"
        status, out, err = run(
            train_vocab.main, training_photos, "-o", output, "--words", "64", "--seed", "7", "--workers", workers
        )
        assert (status, err) == (0, "")
        assert re.search(r"sampled \d+ descriptors from 6 pictures, 0 skipped", out)
        assert re.search(rf"{output}: 64 words, \d+ used, distortion [\d.]+, [\d.]+ s, [\d.]+ KB, peak memory ", out)
        fingerprints.append(Vocabulary.load(output).fingerprint)
    assert fingerprints[0] == fingerprints[1]


def test_another_seed_gives_another_vocabulary(other_vocabulary: Path, vocabulary_folder: Path) -> None:
    assert Vocabulary.load(other_vocabulary).fingerprint != Vocabulary.load(vocabulary_folder).fingerprint


def test_no_workers_means_one_a_core_as_it_does_for_index(run: Run, training_photos: Path, tmp_path: Path) -> None:
    arguments = (training_photos, "-o", tmp_path / "v", "--words", "32", "--workers", "0")
    assert run(train_vocab.main, *arguments)[0] == 0


def test_training_names_what_it_skips_and_records_its_source(
    run: Run, training_photos: Path, broken: Path, tmp_path: Path
) -> None:
    arguments = ("-o", tmp_path / "v", "--words", "32", "--workers", "1", "--source", "six drawings")
    status, out, err = run(train_vocab.main, training_photos, broken, *arguments)
    assert (status, "1 skipped" in out) == (0, True)
    assert err.startswith(f"skipped {broken}: expected a picture")
    assert Vocabulary.load(tmp_path / "v").trained_on["source"] == "six drawings"


def test_training_replaces_a_vocabulary(
    run: Run, training_photos: Path, other_vocabulary: Path, tmp_path: Path
) -> None:
    shutil.copytree(other_vocabulary, tmp_path / "v")
    arguments = (training_photos, "-o", tmp_path / "v", "--words", "32", "--workers", "1")
    assert run(train_vocab.main, *arguments)[0] == 0
    assert Vocabulary.load(tmp_path / "v").n_words == 32
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_training_in_the_working_folder_names_that_folder_as_its_source(
    run: Run, training_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(training_photos)
    run(train_vocab.main, ".", "-o", tmp_path / "v", "--words", "32", "--workers", "1")
    assert Vocabulary.load(tmp_path / "v").trained_on["source"] == training_photos.name


# -- evaluate ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def benchmark_file(photos: Path, tmp_path: Path) -> Path:
    """A JSON benchmark over six photos: a turned scene, a box, a rejection; its root holds photos/ and queries/."""
    shutil.copytree(photos, tmp_path / "root" / "photos")
    queries = tmp_path / "root" / "queries"
    write_picture(queries / "turned.png", warp(draw_scene(0), TURNED))
    write_picture(queries / "montage.png", np.hstack([draw_scene(1), draw_scene(2)]))
    write_picture(queries / "stranger.png", draw_scene(777))
    description = {
        "name": "six scenes",
        "database": [f"photos/scene-{number:02d}.png" for number in range(6)],
        "queries": [
            {"image": "queries/turned.png", "positives": ["photos/scene-00.png"], "junk": ["photos/scene-05.png"]},
            {"image": "queries/montage.png", "positives": ["photos/scene-02.png"], "box": [320, 0, 640, 240]},
            {"image": "photos/scene-03.png", "positives": ["photos/scene-03.png"]},
            {"image": "queries/stranger.png", "positives": []},
        ],
    }
    (tmp_path / "six.json").write_text(json.dumps(description))
    return tmp_path / "six.json"


def evaluate_arguments(kind: str | Path, root: Path, vocabulary_folder: Path, report: Path) -> list[str]:
    named = {"--root": root, "--vocabulary": vocabulary_folder, "--json-file": report, "--workers": 1}
    return [str(kind), *(str(part) for pair in named.items() for part in pair)]


def test_an_index_in_parts_is_evaluated_as_one_index(
    run: Run, benchmark_file: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    reports = []
    for n_parts in (0, 3):
        arguments = evaluate_arguments(benchmark_file, tmp_path / "root", vocabulary_folder, tmp_path / "report.json")
        status, _, err = run(evaluate.main, *arguments, "--index", tmp_path / "X", "--ranker", "bof+color")
        assert (status, err) == (0, "")
        reports.append(json.loads((tmp_path / "report.json").read_text()))
        if not n_parts:
            assert run(index.main, "--index", tmp_path / "X", "--reparts", "3")[0] == 0
    one, many = reports
    for report in reports:
        for query in report["queries"]:
            del query["seconds"]
    assert one["queries"] == many["queries"]
    assert one["map"] == many["map"] == 1


def test_evaluate_writes_the_whole_report(
    run: Run, benchmark_file: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    report_file = tmp_path / "report.json"
    status, out, err = run(
        evaluate.main, *evaluate_arguments(benchmark_file, tmp_path / "root", vocabulary_folder, report_file)
    )
    assert (status, err) == (0, "")
    report = json.loads(report_file.read_text())
    assert [report[f] for f in ("map", "recall_at_1", "recall_at_10", "false_accept_rate", "ns")] == [1, 1, 1, 0, None]
    assert (report["benchmark"], report["n_database"], report["n_queries"], report["skipped"]) == (
        "six scenes",
        6,
        4,
        [],
    )
    assert set(report["query_milliseconds"]) == {"extract", *STAGES, *VARIANTS, "after_extract"}
    assert report["index_bytes"] > 10_000
    assert report["peak_memory_bytes"] > 1_000_000
    assert report["index_seconds_per_image"] > 0
    assert report["evaluated_images_trained_on"] == 0
    assert [query["average_precision"] for query in report["queries"]] == [1, 1, 1, None]
    assert [query["accepted"] for query in report["queries"]] == [True, True, True, False]
    assert report["options"]["vocabulary"]["n_words"] == N_WORDS
    assert re.search(r"^mAP +1.0000$", out, re.MULTILINE)
    assert "N-S" not in out


def test_distractors_join_the_database_without_what_the_benchmark_names(
    run: Run, benchmark_file: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    root, report_file = tmp_path / "root", tmp_path / "report.json"
    arguments = evaluate_arguments(benchmark_file, root, vocabulary_folder, report_file)
    status, _, _ = run(evaluate.main, *arguments, "--distractors", root, "--index", tmp_path / "kept")
    report = json.loads(report_file.read_text())
    assert (status, report["n_distractors"], report["n_database"], report["map"]) == (0, N_SCENES - 6, N_SCENES, 1)

    status, _, err = run(evaluate.main, *arguments, "--index", tmp_path / "kept")
    assert (status, "expected the benchmark's 6 pictures, found 6 others" in err) == (1, True)


def test_evaluate_knows_what_the_vocabulary_was_trained_on(run: Run, vocabulary_folder: Path, tmp_path: Path) -> None:
    root, report_file = vocabulary_folder.parent, tmp_path / "report.json"
    description = {"name": "seen", "database": ["100.png"], "queries": [{"image": "101.png", "positives": []}]}
    (tmp_path / "seen.json").write_text(json.dumps(description))
    status, out, _ = run(
        evaluate.main, *evaluate_arguments(tmp_path / "seen.json", root, vocabulary_folder, report_file)
    )
    assert (status, json.loads(report_file.read_text())["evaluated_images_trained_on"]) == (0, 2)
    assert "2 of 2 evaluated pictures" in out


def test_evaluate_reads_the_ukbench_layout(run: Run, vocabulary_folder: Path, tmp_path: Path) -> None:
    for number in range(8):
        view = np.eye(3) + np.array([[0, 0, 5 * (number % 4)], [0, 0, 3 * (number % 4)], [0, 0, 0]])
        write_picture(tmp_path / "root" / f"ukbench{number:05d}.jpg", warp(draw_scene(number // 4), view))
    report_file = tmp_path / "report.json"
    status, out, _ = run(
        evaluate.main, *evaluate_arguments("ukbench", tmp_path / "root", vocabulary_folder, report_file)
    )
    report = json.loads(report_file.read_text())
    assert (status, report["benchmark"], report["ns"], report["map"]) == (0, "ukbench-8", 4, 1)
    assert report["false_accept_rate"] is None
    assert re.search(r"^N-S \(of 4\) +4.0000$", out, re.MULTILINE)


def test_evaluate_reads_the_dvd_layout(run: Run, vocabulary_folder: Path, tmp_path: Path) -> None:
    root, report_file = tmp_path / "root", tmp_path / "report.json"
    for number in (1, 2):
        write_picture(root / "Reference" / f"{number:03d}.jpg", draw_scene(number))
        for camera in ("Canon", "Droid", "E63", "Palm"):
            write_picture(root / camera / f"{number:03d}.jpg", warp(draw_scene(number), TURNED))
    status, out, _ = run(evaluate.main, *evaluate_arguments("dvd", root, vocabulary_folder, report_file))
    report = json.loads(report_file.read_text())
    assert (status, report["benchmark"], report["n_queries"], report["recall_at_1"]) == (0, "dvd-2", 8, 1)
    assert report["recall_at_1_by_group"] == {"Canon": 1, "Droid": 1, "E63": 1, "Palm": 1}
    assert "Palm" in out


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not json", "not a benchmark file"),
        ("[]", "not a benchmark file"),
        ('{"name": "x", "database": []}', "expected a field 'queries'"),
        ('{"name": "x", "database": [], "queries": []}', "at least one query"),
        ('{"name": "x", "database": [7], "queries": []}', "expected text"),
        ('{"name": "x", "database": [], "queries": [{"image": "a", "positives": ["b"]}]}', "not in the database"),
        ('{"name": "x", "database": [], "queries": [{"image": "a", "positives": [], "box": [1]}]}', "expected a box"),
        ('{"name": "x", "database": ["a.png"], "queries": [{"image": "a.png", "positives": []}]}', "are missing"),
    ],
)
def test_a_malformed_benchmark_is_one_line(
    run: Run, text: str, reason: str, vocabulary_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text(text)
    arguments = evaluate_arguments(tmp_path / "bad.json", tmp_path, vocabulary_folder, tmp_path / "report.json")
    assert_one_error(run(evaluate.main, *arguments), 1, reason)
    assert not (tmp_path / "report.json").exists()


# -- Mistakes ---------------------------------------------------------------------------------------------------------


def assert_one_error(outcome: Outcome, status: int, *words: str) -> None:
    found, _, err = outcome
    assert found == status
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    assert all(word in lines[0] for word in words), err


def assert_misused(outcome: Outcome, *words: str) -> None:
    """What argparse says: what is wrong in a line, then usage in another; of a value out of range the first alone."""
    found, out, err = outcome
    assert (found, out) == (2, "")
    error, *usage = err.splitlines()
    assert error.startswith("error: ")
    assert len(usage) <= 1
    assert all(line.startswith("usage: bof ") for line in usage)
    assert all(word in error for word in words), err


@pytest.mark.parametrize("place", ["nowhere", "n" * 300, "query.png/below"])
def test_a_missing_folder_is_one_line_and_the_index_stays(run: Run, own_index: Path, query: Path, place: str) -> None:
    before = content(own_index)
    assert_one_error(run(index.main, query.parent / place, "--index", own_index), 1, place)
    assert content(own_index) == before


@pytest.mark.parametrize("place", ["nowhere", "n" * 300, "query.png/below"])
def test_a_missing_index_is_one_line(run: Run, query: Path, place: str) -> None:
    folder = query.parent / place
    assert_one_error(run(search.main, query, "--index", folder), 1, place)


@pytest.mark.parametrize("place", ["n" * 300, "query.png/below"])
def test_a_place_where_no_index_can_be_made_is_one_line(
    run: Run, query: Path, vocabulary_folder: Path, place: str
) -> None:
    folder = query.parent / place
    assert_one_error(run(index.main, query, "--index", folder, "--vocabulary", vocabulary_folder), 1, place)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("index", ["PHOTO", "--index", "PLACE/i", "--vocabulary", "LONG"]),
        ("train_vocab", ["PHOTO", "-o", "LONG"]),
        ("train_vocab", ["LONG", "-o", "PLACE/v"]),
        ("evaluate", ["ukbench", "--root", "LONG"]),
        ("evaluate", ["LONG", "--root", "PLACE"]),
    ],
)
def test_a_name_too_long_for_the_disk_is_one_line(
    run: Run, name: str, arguments: list[str], query: Path, tmp_path: Path
) -> None:
    places = {"PHOTO": str(query), "LONG": str(tmp_path / ("n" * 300)), "PLACE": str(tmp_path)}
    given = [re.sub("PHOTO|LONG|PLACE", lambda m: places[m[0]], argument) for argument in arguments]
    extra = ["--words", "32", "--workers", "1"] if name == "train_vocab" else []
    assert_one_error(run(MAINS[name], *given, *extra), 1, "nnn")


def test_an_empty_folder_is_one_line(run: Run, vocabulary_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    outcome = run(
        index.main, tmp_path / "empty", "--index", tmp_path / "i", "--vocabulary", vocabulary_folder, "--workers", "1"
    )
    assert_one_error(outcome, 1, str(tmp_path / "empty"), "expected pictures", "JPEG")


def test_an_empty_folder_leaves_an_index_as_it_was(run: Run, own_index: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    before = content(own_index)
    run(index.main, tmp_path / "empty", "--index", own_index)
    assert content(own_index) == before


def test_a_query_that_is_no_picture_is_one_line(run: Run, own_index: Path, broken: Path) -> None:
    before = content(own_index)
    assert_one_error(run(search.main, broken, "--index", own_index), 1, str(broken), "expected a picture")
    assert content(own_index) == before


@pytest.mark.parametrize("name", ["missing.jpg", "n" * 300, "a\nb", "missing.mp4#t=3", "missing.pdf#page=2"])
def test_a_missing_query_is_one_line(run: Run, index_folder: Path, name: str, tmp_path: Path) -> None:
    assert_one_error(run(search.main, tmp_path / name, "--index", index_folder), 1, "cannot read")


def test_every_picture_of_a_folder_is_a_query(run: Run, index_folder: Path, photos: Path) -> None:
    _, out, _ = run(search.main, photos, "--index", index_folder, "--json")
    assert [Path(found["query"]).name for found in json.loads(out)] == sorted(p.name for p in photos.iterdir())


@pytest.mark.parametrize("box", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "", "1 2 3 4"])
def test_a_malformed_box_is_misuse(run: Run, index_folder: Path, query: Path, box: str) -> None:
    assert_misused(run(search.main, query, "--index", index_folder, f"--box={box}"), "--box", "expected x0,y0,x1,y1")


@pytest.mark.parametrize("box", ["0,0,999,999", "-5,0,10,10", "10,10,5,5", "nan,0,10,10", "0,0,inf,10"])
def test_a_box_outside_the_picture_is_one_line(run: Run, index_folder: Path, query: Path, box: str) -> None:
    assert_one_error(run(search.main, query, "--index", index_folder, f"--box={box}"), 1, "320 x 240")


def test_standard_input_named_twice_is_misuse(run: Run, index_folder: Path) -> None:
    assert_one_error(run(search.main, "-", "-", "--index", index_folder), 2, "standard input")


@pytest.mark.parametrize("main", [index.main, search.main])
def test_another_vocabulary_is_one_line_and_the_index_stays(
    run: Run, main: Main, own_index: Path, query: Path, other_vocabulary: Path
) -> None:
    before = content(own_index)
    assert_one_error(run(main, query, "--index", own_index, "--vocabulary", other_vocabulary), 1, "--vocabulary")
    assert content(own_index) == before


def test_a_missing_vocabulary_is_one_line(run: Run, query: Path, tmp_path: Path) -> None:
    outcome = run(index.main, query, "--index", tmp_path / "i", "--vocabulary", tmp_path / "nowhere")
    assert_one_error(outcome, 1, "nowhere", "no vocabulary here")
    assert not (tmp_path / "i").exists()


def test_other_features_are_one_line_and_the_index_stays(run: Run, own_index: Path, query: Path) -> None:
    before = content(own_index)
    assert_one_error(run(index.main, query, "--index", own_index, "--max-side", "512"), 1, "max_side=512", "--index")
    assert content(own_index) == before


@pytest.mark.parametrize("main", [index.main, search.main])
def test_a_damaged_segment_is_one_line(run: Run, main: Main, own_index: Path, query: Path) -> None:
    path = next((own_index / "segments").glob("*/signature.npy"))
    path.write_bytes(path.read_bytes()[:-9])
    before = content(own_index)
    assert_one_error(run(main, query, "--index", own_index), 1, str(path), "expected", "found")
    assert content(own_index) == before


@pytest.mark.parametrize("filler", [0x00, 0x5A, 0xFF])
@pytest.mark.parametrize("name", ARRAYS)
def test_a_segment_damaged_inside_is_one_line_or_an_answer(
    run: Run, own_index: Path, query: Path, name: str, filler: int
) -> None:
    path = next((own_index / "segments").glob(f"*/{name}.npy"))
    whole = path.read_bytes()
    path.write_bytes(whole[:128] + bytes([filler]) * (len(whole) - 128))
    outcome = run(search.main, query, "--index", own_index)
    if outcome[0]:
        assert_one_error(outcome, 1, str(own_index))


@pytest.mark.parametrize("main", [index.main, search.main])
def test_a_damaged_catalogue_is_one_line(run: Run, main: Main, own_index: Path, query: Path) -> None:
    path = own_index / catalog.FILE_NAME
    path.write_bytes(b"garbage " * 999)
    before = content(own_index)
    assert_one_error(run(main, query, "--index", own_index), 1, str(path), "damaged")
    assert content(own_index) == before


def test_a_full_disk_is_one_line_and_the_index_stays(
    run: Run, own_index: Path, query: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writer, "write_segment", no_space)
    before = content(own_index)
    outcome = run(index.main, query, "--index", own_index, "--workers", "1")
    assert_one_error(outcome, 1, "No space left on device", "the index is as it was")
    assert content(own_index) == before


def test_matches_that_cannot_be_written_are_one_line(run: Run, index_folder: Path, query: Path) -> None:
    outcome = run(search.main, query, "--index", index_folder, "--matches", query / "below")
    assert_one_error(outcome, 1, "--matches")


def test_a_report_that_cannot_be_written_is_one_line(
    run: Run, benchmark_file: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    place = tmp_path / "nowhere" / "report.json"
    arguments = evaluate_arguments(benchmark_file, tmp_path / "root", vocabulary_folder, place)
    assert_one_error(run(evaluate.main, *arguments), 1, str(place), "--json-file")


def test_more_words_than_descriptors_is_one_line(run: Run, training_photos: Path, tmp_path: Path) -> None:
    status, _, err = run(train_vocab.main, training_photos, "-o", tmp_path / "v", "--words", "100000", "--workers", "1")
    assert_one_error((status, "", err), 1, "100000 words need as many different descriptors", "--words")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("photos", ["nowhere", "empty"])
def test_training_on_nothing_is_one_line(run: Run, photos: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    outcome = run(train_vocab.main, tmp_path / photos, "-o", tmp_path / "v", "--workers", "1")
    assert_one_error(outcome, 1, photos)
    assert not (tmp_path / "v").exists()


def test_a_vocabulary_never_replaces_other_files(run: Run, training_photos: Path, tmp_path: Path) -> None:
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "monday.txt").write_text("dear diary")
    before = content(tmp_path)
    for output in (tmp_path / "diary", tmp_path / "diary" / "monday.txt", tmp_path / "diary" / "monday.txt" / "v"):
        outcome = run(train_vocab.main, training_photos, "-o", output, "--words", "32", "--workers", "1")
        assert_one_error(outcome, 1, str(output), "-o")
    assert content(tmp_path) == before


@pytest.mark.parametrize("root", ["nowhere", "empty"])
@pytest.mark.parametrize("kind", ["ukbench", "dvd", "missing.json"])
def test_evaluating_nothing_is_one_line(
    run: Run, kind: str, root: str, vocabulary_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    arguments = evaluate_arguments(kind, tmp_path / root, vocabulary_folder, tmp_path / "report.json")
    assert_one_error(run(evaluate.main, *arguments), 1, "data/README.md")


MAINS = {"index": index.main, "search": search.main, "train_vocab": train_vocab.main, "evaluate": evaluate.main}


@pytest.mark.parametrize("name", MAINS)
def test_an_unknown_option_is_misuse(run: Run, name: str) -> None:
    needed = {"train_vocab": ["-o", "x"], "evaluate": ["--root", "x"]}.get(name, [])
    assert_misused(run(MAINS[name], "x", *needed, "--colour"), "--colour")


@pytest.mark.parametrize("name", MAINS)
def test_help_is_no_failure(run: Run, name: str) -> None:
    status, out, err = run(MAINS[name], "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: bof {name} ")


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("search", ["--words-per-feature", "-1"]),
        ("search", ["--words-per-feature", "65"]),
        ("search", ["--max-hamming", "65"]),
        ("search", ["--same", "1.1"]),
        ("search", ["--same", "0.5", "--maybe", "0.6"]),
        ("search", ["--depth", "-1"]),
        ("search", ["--expand", "101"]),
        ("search", ["--tolerance", "nan"]),
        ("index", ["--workers", "-1"]),
        ("index", ["--max-pixels", "0"]),
        ("index", ["--vocabulary", "VOCABULARY", "--max-side", "5"]),
        ("train_vocab", ["-o", "PLACE/v", "--words", "1"]),
        ("train_vocab", ["-o", "PLACE/v", "--seed", "-1"]),
        ("train_vocab", ["-o", "PLACE/v", "--max-features", "70000"]),
        ("train_vocab", ["-o", "PLACE/v", "--words", "32", "--workers", "-3"]),
    ],
)
def test_an_option_out_of_range_is_misuse_and_writes_nothing(
    run: Run,
    name: str,
    flags: list[str],
    training_photos: Path,
    vocabulary_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BOF_INDEX", str(tmp_path / "i"))
    given = [f.replace("PLACE", str(tmp_path)).replace("VOCABULARY", str(vocabulary_folder)) for f in flags]
    status, _, err = run(MAINS[name], training_photos / "200.png", *given)
    assert status == 2
    assert err.splitlines()[-1].startswith("error: --")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "flags", [["--top", "0"], ["--top", "x"], ["--ranker", "best"], ["--mirror", "often"], ["--max-hamming", "many"]]
)
def test_an_option_that_cannot_be_parsed_is_misuse(run: Run, index_folder: Path, query: Path, flags: list[str]) -> None:
    assert_misused(run(search.main, query, "--index", index_folder, *flags), flags[0])


def test_debug_shows_the_traceback(index_folder: Path, broken: Path) -> None:
    with pytest.raises(BofError, match="expected a picture"):
        search.main([str(broken), "--index", str(index_folder), "--debug"])


def test_an_interrupt_ends_with_130_and_keeps_what_was_committed(
    run: Run, own_index: Path, query: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writer, "write_segment", interrupted)
    before = content(own_index)
    assert run(index.main, query, "--index", own_index, "--workers", "1") == (130, "", "interrupted\n")
    assert content(own_index) == before


# -- The console script and real processes ----------------------------------------------------------------------------


def test_the_console_script_runs_every_command(run: Run, index_folder: Path, query: Path) -> None:
    status, out, _ = run(main.main, "search", query, "--index", index_folder)
    assert (status, first_row(out)[-1]) == (0, "scene-04.png")
    for name in MAINS:
        assert run(main.main, name, "--help")[0] == 0
        assert run(main.main, name.replace("_", "-"), "--help")[0] == 0


@pytest.mark.parametrize("arguments", [[], ["fly"], [""]])
def test_the_console_script_refuses_what_is_no_command(run: Run, arguments: list[str]) -> None:
    status, out, err = run(main.main, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("error: expected a command")
    assert err.splitlines()[1:] == ["usage: bof COMMAND ... (--help says more)"]


def test_the_console_script_helps(run: Run) -> None:
    status, out, err = run(main.main, "--help")
    assert (status, err) == (0, "")
    assert all(name.replace("watch_list", "watch-list") in out for name in MAINS)
    assert "watch_list" not in out


def test_the_installed_script_searches_standard_input(index_folder: Path, query: Path) -> None:
    script = Path(sysconfig.get_path("scripts")) / "bof"
    if not script.exists():
        pytest.skip("bof is not installed")
    done = in_process_of_its_own(script, "search", "-", "--index", index_folder, data=query.read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert first_row(done.stdout.decode())[-1] == "scene-04.png"


def test_a_mistake_in_a_process_of_its_own_is_one_line(index_folder: Path, broken: Path) -> None:
    done = in_process_of_its_own(sys.executable, "-m", "bof.search", broken, "--index", index_folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") == 1


def test_debug_in_a_process_of_its_own_shows_the_traceback(index_folder: Path, broken: Path) -> None:
    done = in_process_of_its_own(sys.executable, "-m", "bof", "search", broken, "--index", index_folder, "--debug")
    assert done.returncode == 1
    assert done.stderr.startswith(b"Traceback")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_went_away_is_no_traceback(index_folder: Path, query: Path, unbuffered: str) -> None:
    command = [sys.executable, "-m", "bof.search", str(query), "--index", str(index_folder)]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        process.wait(60)
    assert (process.returncode, err) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_an_output_that_is_full_is_one_line(index_folder: Path, query: Path) -> None:
    command = [sys.executable, "-m", "bof.search", str(query), "--index", str(index_folder)]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") == 1


def test_a_search_does_not_wait_for_what_training_needs() -> None:
    heavy = {"sklearn", "pandas", "matplotlib"}
    code = f"import sys, bof.search; print(sorted({heavy} & set(sys.modules)))"
    done = in_process_of_its_own(sys.executable, "-c", code)
    assert done.stdout.decode().strip() == "[]"


def test_an_interrupt_while_modules_are_imported_is_one_line(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main.importlib, "import_module", interrupted)
    assert run(main.main, "index") == (130, "", "interrupted\n")
