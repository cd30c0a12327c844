"""However a collection is split into parts, and whatever its history: answers are, to the bit, those of one index."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bof.duplicates import main as duplicates_main
from bof.engine import Engine, Query
from bof.index import main as index_main
from bof.options import COLUMN_OF, LOCAL, IndexOptions, SearchOptions
from bof.store.index import Index
from bof.store.parts.layout import Split
from bof.store.parts.making import repart
from tests.support.extracted import Extracted
from tests.support.scenes import draw_scene, write_picture

GLOBAL = [name for name in COLUMN_OF if name != "embedding"]
RANKED = [*LOCAL, *GLOBAL, f"bof+color+{GLOBAL[0]}", "bof+dhash", "color+phash"]
N_PICTURES, N_SCENES = 26, 8
COPY = draw_scene(3)
COPY[:60, :80] = 200


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many pictures are alike to the last bit, so that names alone tell them apart, in several folders."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(N_PICTURES):
        write_picture(folder / f"{number % 3}" / f"{number * 7 % 10}{number}.png", draw_scene(number % N_SCENES))
    write_picture(folder / "query.png", COPY)
    return folder


@pytest.fixture(scope="module")
def known(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Extracted], dict[str, Query]]:
    """What an index has of each picture, some of them as frames of films, and queries."""
    with Engine.create(tmp_path_factory.mktemp("one") / "index") as engine:
        engine.add_columns(["color", "hash"])
        engine.add(photos, IndexOptions(workers=1))
        snapshot, records = engine.index.snapshot(), {record.id: record for record in engine.records()}
        everything = SearchOptions(ranker="+".join(["bof", *GLOBAL]))
        queries = {name: engine.query(photos / name, everything) for name in ("query.png", "0/00.png")}
    images = []
    for image, row in enumerate(snapshot.rows):
        columns = snapshot.segments[int(snapshot.segment_of[image])].image_columns(row.position)
        record = dataclasses.replace(records[row.id], id=0)
        if image % 4 == 0:
            part = f"#t={image}.000&shot={image - image % 8}.000,{image + 8}.000"
            path, name = f"/films/{image % 3}.mp4/{part}", f"{image % 3}.mp4#t={image}.000"
            record = dataclasses.replace(record, path=path, name=name)
        images.append((record, columns))
    return images, queries


def answers(engine: Engine, queries: Mapping[str, Query], rankers: Sequence[str]) -> list[Any]:
    """Rankings, scores, verdicts, proofs and outlines, by name."""
    found: list[Any] = []
    for ranker in rankers:
        for query in queries.values():
            for options in (SearchOptions(ranker=ranker), SearchOptions(ranker=ranker, fusion="rrf", shots=True)):
                answer = engine.answer(query, options)
                hits = engine.hits(query, answer, options, 100)
                found.append([(engine.images.names[i], float(s).hex()) for i, s in zip(*_columns(answer), strict=True)])
                found.append([_told(hit) for hit in hits])
    return found


def _columns(answer: Any) -> tuple[list[int], list[float]]:
    return answer.images.tolist(), answer.scores.tolist()


def _told(hit: Any) -> tuple[Any, ...]:
    boxes = [None if box is None else np.asarray(box).tobytes() for box in (hit.outline, hit.query_outline)]
    proof = hit.verification
    told = None if proof is None else (proof.n_inliers, proof.spread, proof.mirrored, proof.inliers.weight.tobytes())
    return hit.name, float(hit.score).hex(), hit.verdict, hit.probability, hit.basis, *boxes, told


def made(folder: Path, images: Sequence[Extracted], split: Split | None) -> Engine:
    engine = Engine.create(folder, split=split)
    engine.add_columns(["color", "hash"])
    with engine.writer() as writer:
        if images:
            writer.append(images)
    return engine


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.sets(st.integers(0, N_PICTURES), min_size=1)),
        st.tuples(st.just("remove"), st.sets(st.integers(0, N_PICTURES), min_size=1, max_size=9)),
        st.tuples(st.just("repart"), st.integers(1, 7)),
        st.tuples(st.just("merge"), st.none()),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@given(n_parts=st.integers(1, 7), by=st.sampled_from(["hash", "folder"]), steps=STEPS)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_split_and_any_history_answer_as_one_index(
    n_parts: int, by: Any, steps: Sequence[tuple[str, Any]], known: tuple[list[Extracted], dict[str, Query]]
) -> None:
    images, queries = known
    folder = Path(tempfile.mkdtemp())
    many = made(folder / "many", [], Split(n_parts, by))
    there: set[int] = set()
    for do, what in [("append", set(range(0, N_PICTURES, 2))), *steps]:
        if do == "append":
            with many.writer() as writer:
                writer.append([images[number] for number in sorted(what, key=lambda n: (n * 5) % 27)])
            there |= what
        elif do == "remove":
            many.remove([images[number][0].name for number in what])
            there -= what
        elif do == "repart":
            repart(many.index, what, by)
            many.refresh()
        else:
            many.merge()
    many.refresh()
    one = made(folder / "one", [images[number] for number in sorted(there)], None)
    assert len(one) == len(many) == len(there)
    if there:
        assert answers(one, queries, RANKED) == answers(many, queries, RANKED)
    shutil.rmtree(folder)


def test_judged_pictures_and_flat_ones_are_in_the_same_order(
    known: tuple[list[Extracted], dict[str, Query]], tmp_path: Path
) -> None:
    images, queries = known
    engines = [made(tmp_path / "one", images, None), made(tmp_path / "many", images[::-1], Split(5))]
    query, rivals = queries["0/00.png"], [record for record, _ in images if record.name[-6:-4] in ("17", "18", "25")]
    for engine in engines:
        for number, record in enumerate(rivals):
            engine.judge(query.sha256, record.sha256, is_same=number % 2 == 0)
    one, many = (answers(engine, {"": dataclasses.replace(query)}, ["bof"]) for engine in engines)
    assert one == many


# -- The commands -----------------------------------------------------------------------------------------------------


def test_parts_made_apart_and_combined_are_one_index(photos: Path, tmp_path: Path, capsys: Any) -> None:
    shares = [tmp_path / f"part {number}" for number in (1, 2, 3)]
    for number, share in enumerate(shares, 1):
        made_it = [str(photos), "--index", str(share), "--part", str(number), "--of", "3", "--workers", "1"]
        assert index_main(made_it) == 0
    assert index_main([*made_it, "--delete"]) == 0  # the same share again, and nothing is gone
    assert index_main([str(photos), "--index", str(shares[0]), "--part", "2", "--of", "3"]) == 1
    assert index_main(["--combine", str(shares[2]), str(shares[0]), "--index", str(tmp_path / "lacking")]) == 2
    whole = tmp_path / "whole"
    assert index_main(["--combine", *map(str, reversed(shares)), "--index", str(whole)]) == 0
    assert index_main([str(photos), "--index", str(tmp_path / "one"), "--workers", "1"]) == 0
    with Engine.open(whole) as many, Engine.open(tmp_path / "one") as one:
        assert [record.name for record in many.records()] == [record.name for record in one.records()]
        assert many.roots == one.roots
        queries = {"": one.query(photos / "query.png")}
        assert answers(many, queries, ["bof"]) == answers(one, queries, ["bof"])
        ids = {record.name: record.id for record in many.records()}
        assert len(set(ids.values())) == len(ids)
    capsys.readouterr()
    assert index_main([str(photos), "--index", str(whole)]) == 0
    assert "27 unchanged" in capsys.readouterr().out
    for folder in (whole, tmp_path / "one"):
        assert index_main(["--pairs", str(folder / "pairs.txt"), "--index", str(folder)]) == 0
    assert (whole / "pairs.txt").read_bytes() == (tmp_path / "one" / "pairs.txt").read_bytes()
    capsys.readouterr()
    told = []
    for folder in (whole, tmp_path / "one"):
        assert duplicates_main(["--index", str(folder), "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert _by_name(told[0]) == _by_name(told[1])
    assert all(Index.open(share).count() for share in shares)


def _by_name(told: Any) -> Any:
    """Without what is an index's own: ids and where it lies."""
    if isinstance(told, dict):
        return {key: _by_name(value) for key, value in told.items() if key not in ("id", "index", "seconds")}
    return [_by_name(value) for value in told] if isinstance(told, list) else told


def test_an_index_is_made_in_parts_grows_and_gets_others(photos: Path, tmp_path: Path, capsys: Any) -> None:
    index = str(tmp_path / "index")
    assert (
        index_main([str(photos / "0"), "--index", index, "--parts", "3", "--columns", "color", "--workers", "1"]) == 0
    )
    assert index_main([str(photos / "1"), "--index", index, "--parts", "4"]) == 1
    assert "expected 4 parts, by hash, found 3 parts, by hash" in capsys.readouterr().err
    assert index_main([str(photos / "1"), "--index", index, "--tag", "one", "--workers", "1"]) == 0
    assert index_main(["--reparts", "2", "--part-by", "folder", "--index", index]) == 0
    assert "in 2 parts" in capsys.readouterr().out
    assert index_main(["--reparts", "2", "--index", index]) == 0
    assert Index.open(Path(index)).layout.by == "folder"  # type: ignore[attr-defined]
    assert index_main(["--annotate", "1*.png", "--field", "year=1999", "--index", index]) == 0
    assert index_main(["--check", "--index", index]) == 0
    assert index_main(["--repair", "--index", index]) == 0
    assert index_main(["--merge", "--index", index]) == 0
    capsys.readouterr()
    assert index_main(["--stats", "--json", "--index", index]) == 0
    stats = json.loads(capsys.readouterr().out)
    assert (stats["parts"], stats["pictures"], stats["columns"]["color"]) == (2, 18, 18)
    assert stats["tags"] == {"one": 9}
    assert index_main(["--remove", "0*", "--index", index]) == 0
    assert index_main(["--dry-run", "--index", index]) == 0
