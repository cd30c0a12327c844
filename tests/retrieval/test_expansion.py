"""expansion and what it does to a ranking: what the found pictures find counts, and what they are does not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.images.decode import Picture
from bof.options import ExpandOptions, IndexOptions, SearchOptions, VerifyOptions, VoteOptions
from bof.retrieval.collection import Collection
from bof.retrieval.evidence import Evidence, gained
from bof.retrieval.expansion import NeighbourMemory, expand, is_itself
from bof.retrieval.rankers import LocalScores, with_evidence
from bof.retrieval.shortlist import Candidates, VoteAndVerify
from bof.retrieval.votes import self_similarity, vote
from bof.types import U8, QueryWords
from tests.support.scenes import draw_scene, rows_of, warp, write_picture

OPTIONS = VoteOptions(), VerifyOptions()
QUERY, LINKED = 40, 41
"""Scenes: the one that is asked for, and one that hangs beside it in one picture of the collection."""

FULL_TRUST = 20


def stages(engine: Engine) -> VoteAndVerify:
    return VoteAndVerify(collection(engine), engine.vocabulary)


def collection(engine: Engine) -> Collection:
    return engine.searcher().collection


def grey(pixels: U8) -> Picture:
    return Picture(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8), pixels.shape[1], pixels.shape[0])


@pytest.fixture(scope="module")
def chain(vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Both scenes side by side, the linked one alone, and ten strangers: the query itself is not there."""
    folder = tmp_path_factory.mktemp("chain")
    write_picture(folder / "both.png", np.hstack([draw_scene(QUERY), draw_scene(LINKED)]))
    write_picture(folder / "linked.png", draw_scene(LINKED))
    for seed in range(50, 60):
        write_picture(folder / f"stranger-{seed}.png", draw_scene(seed))
    engine = Engine.create(folder / "index", vocabulary_folder)
    engine.add(sorted(folder.glob("*.png")), IndexOptions(workers=1))
    return engine


def number_of(engine: Engine, name: str) -> int:
    return [row.name for row in engine.images].index(name)


def names(engine: Engine, seed: int, n_expand: int) -> list[str]:
    options = SearchOptions(expand=ExpandOptions(expand=n_expand))
    return [hit.name for hit in engine.search(grey(draw_scene(seed)), options, top=1000)]


# -- A chain ----------------------------------------------------------------------------------------------------------


def test_what_hangs_beside_the_query_is_found_through_the_picture_of_both(chain: Engine) -> None:
    """The query and the linked scene share nothing but a neighbour."""
    without, with_expansion = names(chain, QUERY, 0), names(chain, QUERY, 3)
    assert without[0] == with_expansion[0] == "both.png"
    assert without.index("linked.png") > 1
    assert with_expansion[1] == "linked.png"
    assert set(without) <= set(with_expansion)


def test_what_was_found_through_another_picture_is_not_called_the_same(chain: Engine) -> None:
    hits = {hit.name: hit for hit in chain.search(grey(draw_scene(QUERY)))}
    assert (hits["both.png"].verdict, hits["linked.png"].verdict) == ("same", "no")


def test_a_stranger_gains_nothing(chain: Engine) -> None:
    """Nothing is called the same, so nobody is asked."""
    answers = [
        [(hit.name, hit.score) for hit in chain.search(grey(draw_scene(900)), options, top=1000)]
        for options in (SearchOptions(), SearchOptions(expand=ExpandOptions(expand=0)))
    ]
    assert answers[0] == answers[1] != []


def test_only_the_best_are_asked(chain: Engine) -> None:
    """The linked scene has two of its kind; the query of one seed is that of the strongest. What is called the same
    gains nothing."""
    query = chain.prepare(grey(draw_scene(LINKED)))
    answer = chain.answer(query, SearchOptions(expand=ExpandOptions(expand=0)))
    same = [i for i in answer.images.tolist() if answer.verdict(i, OPTIONS[1]) == "same"]
    assert [chain.images[i].name for i in same] == ["linked.png", "both.png"]
    one, plain = chain.answer(query, SearchOptions(expand=ExpandOptions(expand=1))), score_by_image(answer)
    added = expand(stages(chain), {same[0]: answer.verifications[same[0]].n_inliers})
    gained = {i for i, score in score_by_image(one).items() if score > plain.get(i, 0.0)}
    assert gained == set(added) - set(same)
    assert gained


def score_by_image(answer: Any) -> dict[int, float]:
    return dict(zip(answer.images.tolist(), answer.scores.tolist(), strict=True))


# -- What is added ----------------------------------------------------------------------------------------------------


def test_without_seeds_nothing_is_added(chain: Engine) -> None:
    assert expand(stages(chain), {}) == {}


def test_a_picture_adds_nothing_to_itself_and_most_to_what_it_shows(chain: Engine) -> None:
    both, linked = number_of(chain, "both.png"), number_of(chain, "linked.png")
    added = expand(stages(chain), {both: 30})
    assert both not in added
    assert max(added, key=lambda i: added[i]) == linked
    assert added[linked] > 10 * max(value for i, value in added.items() if i != linked)
    assert min(added.values()) > 0


def test_what_is_added_is_the_similarity_with_what_agreeing_matches_add(chain: Engine) -> None:
    both, linked = number_of(chain, "both.png"), number_of(chain, "linked.png")
    word, signature = collection(chain).words(both)
    requested = QueryWords(word[:, None], signature[:, None])
    votes = vote(collection(chain).postings, collection(chain).weights, requested, OPTIONS[0])
    (n,), _ = stages(chain).quick_verify(collection(chain).geometry(both), votes, np.array([linked]))
    similarity = votes.score[linked] / self_similarity(collection(chain).weights, word)[0]
    assert n > 20
    assert expand(stages(chain), {both: 99})[linked] == pytest.approx(gained(similarity, n))


def test_trust_grows_with_inliers_to_its_full(chain: Engine) -> None:
    both, linked = number_of(chain, "both.png"), number_of(chain, "linked.png")
    added = [expand(stages(chain), {both: n})[linked] for n in (FULL_TRUST // 2, FULL_TRUST, 300)]
    assert added[0] * 2 == pytest.approx(added[1])
    assert added[1] == added[2]


def test_two_seeds_add_what_each_adds(chain: Engine) -> None:
    both, stranger = number_of(chain, "both.png"), number_of(chain, "stranger-50.png")
    one, other = (expand(stages(chain), {seed: 15}) for seed in (both, stranger))
    together = expand(stages(chain), {both: 15, stranger: 15})
    assert together == pytest.approx({i: one.get(i, 0) + other.get(i, 0) for i in {*one, *other}})


def test_removed_pictures_gain_nothing(chain: Engine, tmp_path: Path) -> None:
    engine = Engine.open(chain.folder)
    copy = Engine.create(tmp_path / "index", engine.vocabulary_folder)
    copy.add([chain.folder.parent / name for name in ("both.png", "linked.png")], IndexOptions(workers=1))
    assert len(expand(stages(copy), {number_of(copy, "both.png"): 30})) == 1
    copy.remove(["linked.png"])
    assert expand(stages(copy), {number_of(copy, "both.png"): 30}) == {}


# -- Farther ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def row(vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Four scenes in a row, each hung beside the next, and ten strangers: links of a chain."""
    folder = tmp_path_factory.mktemp("row")
    for place in range(3):
        scenes = np.hstack([draw_scene(QUERY + place), draw_scene(QUERY + place + 1)])
        write_picture(folder / f"link-{place}.png", scenes)
    write_picture(folder / "query.png", draw_scene(QUERY))
    for seed in range(50, 60):
        write_picture(folder / f"stranger-{seed}.png", draw_scene(seed))
    engine = Engine.create(folder / "index", vocabulary_folder)
    engine.add(sorted(folder.glob("*.png")), IndexOptions(workers=1))
    return engine


def test_a_chain_is_followed_as_far_as_seeds_may_be_added(row: Engine) -> None:
    first, second, third = (number_of(row, f"link-{place}.png") for place in range(3))
    near, far = (expand(stages(row), {first: 30}, n) for n in (0, 2))
    assert near[second] > 10 * near.get(third, 0.0)
    assert far[third] > 10 * near.get(third, 0.0)
    barred = expand(stages(row), {first: 30}, 2, [second])
    assert barred[third] < far[third] / 10


def test_answers_are_the_same_with_and_without_a_memory(row: Engine) -> None:
    memory, seed = NeighbourMemory(), {number_of(row, "link-0.png"): 30}
    plain = expand(stages(row), seed, 5)
    assert [expand(stages(row), seed, 5, (), memory) for _ in range(2)] == [plain, plain]


def test_the_query_itself_is_no_seed(row: Engine) -> None:
    """It has said all that it says; another picture of the same size is one."""
    pixels = draw_scene(QUERY)
    for shown, is_own in ((pixels, True), (warp(pixels, np.array([[1, 0, 3.0], [0, 1, 2], [0, 0, 1]])), False)):
        query = row.prepare(grey(np.asarray(shown, np.uint8)))
        found = row.searcher().candidates(query.features)
        image = number_of(row, "query.png")
        proof = found.verifications[image]
        assert proof.n_inliers > 20
        assert is_itself(collection(row), query.features.geometry, image, proof) == is_own
        wide = number_of(row, "link-0.png")
        assert not is_itself(collection(row), query.features.geometry, wide, found.verifications[wide])


# -- Ranking ----------------------------------------------------------------------------------------------------------


def seen(similarity: list[float], evidence: dict[int, Evidence]) -> tuple[Any, Candidates]:
    """A snapshot of images a, b, c and so on, and what a query sees of it."""
    snapshot = SimpleNamespace(rows=rows_of("abcdefgh"[: len(similarity)]))
    scores = np.array(similarity)
    return snapshot, Candidates(scores, {}, evidence)


def ranked(similarity: list[float], evidence: dict[int, Evidence], added: dict[int, float]) -> tuple[str, list[float]]:
    snapshot, found = seen(similarity, evidence)
    scores = LocalScores(snapshot, with_evidence(found, added), found, VerifyOptions(same=0.9, maybe=0.5))
    images = scores.best()
    return "".join(snapshot.rows[i].name for i in images.tolist()), scores.of(images).tolist()


def test_those_called_the_same_stand_first_whatever_their_score() -> None:
    evidence = {0: Evidence(0.9, 0.89), 1: Evidence(0.001, 0.91), 2: Evidence(0.8, 0.0)}
    order, scores = ranked([0.9, 0.001, 0.8, 0.0005, 0.0], evidence, {0: 1e6})
    assert order == "bacd"
    assert scores[1] > scores[0]


def test_what_is_added_lifts_and_makes_nothing_the_same() -> None:
    evidence = {0: Evidence(0.3, 0.95), 1: Evidence(0.2, 0.0), 2: Evidence(0.1, 0.0)}
    assert ranked([0.3, 0.2, 0.1], evidence, {})[0] == "abc"
    assert ranked([0.3, 0.2, 0.1], evidence, {2: 0.15})[0] == "acb"
    assert ranked([0.3, 0.2, 0.1], evidence, {2: 1e6})[0] == "acb"


def test_a_picture_without_a_vote_of_its_own_can_be_added() -> None:
    order, scores = ranked([0.3, 0.2, 0.0], {0: Evidence(0.3, 0.95)}, {2: 0.25})
    assert order == "acb"
    assert scores[1] == Evidence(0.25, None).score


def test_a_little_added_lifts_over_nothing_better() -> None:
    """Pictures that were not verified: what expansion adds to the last does not lift it above the others."""
    evidence = {0: Evidence(0.9, 0.95), 1: Evidence(0.5, 0.0)}
    order, scores = ranked([0.9, 0.5, 0.4, 0.3, 0.2, 0.1], evidence, {5: 0.01, 4: 0.15})
    assert order == "abcedf"
    assert scores[1:] == sorted(scores[1:], reverse=True)


def test_ties_break_by_name() -> None:
    evidence = {i: Evidence(0.5, 0.0) for i in (3, 1, 2)}
    assert ranked([0.9, 0.5, 0.5, 0.5], {0: Evidence(0.9, 0.95), **evidence}, {})[0] == "abcd"
