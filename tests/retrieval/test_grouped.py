"""Hits grouped by a field, against a dict of lists; the best picture of each product, and what speaks for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bof import Engine, IndexOptions, SearchOptions
from bof.errors import OptionError
from bof.options import VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.evidence import Evidence
from bof.retrieval.grouped import FieldValues, grouped
from bof.retrieval.pages import HitRange, page_of
from bof.types import ValueGroup
from tests.support.scenes import draw_scene, write_picture

ALONE = IndexOptions(workers=1)
OPTIONS = VerifyOptions()
NAMES = [f"value {number}" for number in range(6)]
PROBABILITIES = {"same": 0.999, "maybe": 0.7, "no": 0.1}


def answer_of(rng: np.random.Generator, n_images: int) -> Answer:
    """Some of the images in any order, the first of them verified."""
    images = rng.permutation(n_images)[: rng.integers(0, n_images + 1)]
    verdicts = rng.choice(list(PROBABILITIES), min(len(images), 8))
    pairs = zip(images.tolist(), verdicts, strict=False)
    evidence = {image: Evidence(0.1, PROBABILITIES[verdict]) for image, verdict in pairs}
    return Answer(images, np.sort(rng.normal(5, 2, len(images)).round(1))[::-1], {}, evidence, {})


def brute_force(answer: Answer, found: FieldValues) -> list[tuple[int, float, ValueGroup]]:
    members: dict[str, list[int]] = {}
    lonely: list[list[int]] = []
    for rank, image in enumerate(answer.images.tolist()):
        values = [NAMES[v] for i, v in zip(found.images.tolist(), found.values.tolist(), strict=True) if i == image]
        for value in values:
            members.setdefault(value, []).append(rank)
        lonely += [] if values else [[rank]]
    groups: list[tuple[str | None, list[int]]] = [*sorted(members.items()), *((None, ranks) for ranks in lonely)]
    groups.sort(key=lambda one: (one[1][0], one[0] or ""))
    best = [float(answer.scores[ranks[0]]) for _, ranks in groups]
    expected = []
    for number, (value, ranks) in enumerate(groups):
        others = best[:number] + best[number + 1 :]
        agree = [answer.verdict(int(answer.images[rank]), OPTIONS) == "same" for rank in ranks]
        n_images = 1 if value is None else int(found.n_images[NAMES.index(value)])
        margin = best[number] - max(others) if others else None
        group = ValueGroup("product", value, sum(agree), len(ranks), n_images, margin)
        expected.append((int(answer.images[ranks[0]]), best[number], group))
    return expected


@pytest.mark.parametrize("seed", range(200))
def test_groups_are_those_of_a_dict(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_images = int(rng.integers(1, 30))
    pairs = sorted({(int(rng.integers(n_images)), int(rng.integers(6))) for _ in range(rng.integers(0, 30))})
    images, values = (np.array([pair[k] for pair in pairs], np.int64) for k in (0, 1))
    found = FieldValues("product", images, values.astype(np.int32), NAMES, np.bincount(values, minlength=6))
    answer = answer_of(rng, n_images)
    expected = brute_force(answer, found)
    groups = grouped(answer, found, OPTIONS)
    placed = groups.placed(np.arange(len(groups.images)))
    assert [(one.image, one.score, one.group) for one in placed] == expected
    page, total = page_of(answer, found, None, SearchOptions(verify=OPTIONS), HitRange(3, 2))
    assert (total, page) == (len(expected), placed[2:5])
    page, total = page_of(answer, found, None, SearchOptions(verify=OPTIONS), HitRange(99, 0, {"same", "unverified"}))
    fitting = [one for one in placed if answer.verdict(one.image, OPTIONS) in ("same", "unverified")]
    assert (total, page) == (len(fitting), fitting)


# -- In an index --------------------------------------------------------------------------------------------------

SIZE = 640, 480


def box_of(product: int, view: int) -> np.ndarray:
    """A shop's picture: every product has the same form and a print of its own; a view is a little cut."""
    pixels = draw_scene(300, *SIZE)
    pixels[140:340, 200:440] = draw_scene(400 + product, *SIZE)[140:340, 200:440]
    return pixels[view * 6 :, view * 8 :]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Engine:
    folder = tmp_path_factory.mktemp("shop")
    for product in range(3):
        for view in range(3):
            write_picture(folder / f"p{product}" / f"{view}.png", box_of(product, view))
    write_picture(folder / "loose.png", draw_scene(5, *SIZE))
    engine = Engine.create(tmp_path_factory.mktemp("index") / "index", vocabulary_folder)
    engine.add([folder], ALONE)
    for product in range(3):
        engine.annotate(f"p{product}/*", {"product": [f"no. {product}"]})
    engine.annotate("p2/0.png", {"product": ["set"]})
    return engine


def test_the_best_picture_of_each_product_and_its_margin(shop: Engine) -> None:
    query = np.ascontiguousarray(box_of(1, 0)[3:, 5:, ::-1])
    plain = shop.search(query, top=50)
    hits = shop.search(query, SearchOptions(group_by="product"), top=50)
    values = [hit.group.value for hit in hits if hit.group]
    assert values[0] == "no. 1"
    assert sorted(value for value in values if value) == ["no. 0", "no. 1", "no. 2", "set"]
    first, second = hits[0].group, hits[1].group
    assert first is not None
    assert second is not None
    assert first.n_agree == sum(hit.verdict == "same" for hit in plain if hit.name.startswith("p1/")) >= 2
    assert first.n_pictures == 3
    assert first.margin == pytest.approx(hits[0].score - hits[1].score)
    assert first.margin > 5, "a sibling is not the product"
    assert second.margin is not None
    assert second.margin < 0
    assert second.n_agree == 0
    assert hits[0].name == plain[0].name
    assert hits[0].fields["product"] == ["no. 1"]


def test_groups_are_paged_and_filtered(shop: Engine) -> None:
    picture = np.ascontiguousarray(box_of(0, 1)[:, :, ::-1])
    options = SearchOptions(group_by="product")
    query = shop.query(picture, options)
    answer = shop.answer(query, options)
    whole = shop.page(query, answer, options, 50)
    assert len(whole.hits) == whole.total
    pages = [shop.page(query, answer, options, 2, offset) for offset in range(0, whole.total, 2)]
    assert [(h.name, h.group) for page in pages for h in page.hits] == [(h.name, h.group) for h in whole.hits]
    same = shop.page(query, answer, options, 50, verdicts=["same"])
    assert [hit.group for hit in same.hits] == [hit.group for hit in whole.hits if hit.verdict == "same"]
    only = SearchOptions(group_by="product", where="product = set")
    assert {hit.group.value for hit in shop.search(picture, only) if hit.group} == {"set", "no. 2"}
    assert [hit.group.margin for hit in shop.search(picture, only) if hit.group] == [0.0, 0.0]


def test_folders_and_names_group_too(shop: Engine) -> None:
    picture = np.ascontiguousarray(box_of(0, 1)[:, :, ::-1])
    values = [hit.group.value for hit in shop.search(picture, SearchOptions(group_by="folder")) if hit.group]
    assert values[0] == "p0"
    assert len(values) == len(set(values))
    names = shop.search(picture, SearchOptions(group_by="name"))
    assert [hit.group.value for hit in names if hit.group] == [hit.name for hit in names]


def test_a_field_that_nobody_has_is_an_error(shop: Engine) -> None:
    with pytest.raises(OptionError, match="did you mean product"):
        shop.search(draw_scene(1), SearchOptions(group_by="prodct"))
    with pytest.raises(OptionError, match="width"):
        shop.search(draw_scene(1), SearchOptions(group_by="width"))


def test_values_follow_what_is_annotated(shop: Engine) -> None:
    assert list(shop.field_values("product").names) == ["no. 0", "no. 1", "no. 2", "set"]
    shop.annotate("loose.png", {"product": ["another"]})
    shop.refresh()
    assert shop.field_values("product").names[0] == "another"
