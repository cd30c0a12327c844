"""First hits are compared by content and pixels: the same file first, the thing itself, and what only shares a part."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.images.decode import read_image
from bof.options import SearchOptions, VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.thing import QUANTITIES, thing_model
from bof.types import U8
from tests.support.scenes import draw_scene, write_picture

SIZE = 640, 480
N_CARDS = 5


def card(content: int) -> U8:
    """Cards of one form: a frame that all share, and a scene of their own."""
    pixels = draw_scene(100, *SIZE)
    pixels[140:340, 200:440] = draw_scene(200 + content, *SIZE)[140:340, 200:440]
    return pixels


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Engine:
    folder = tmp_path_factory.mktemp("cards")
    for number in range(N_CARDS):
        write_picture(folder / f"card-{number}.png", card(number))
    write_picture(folder / "flat.png", np.full((90, 160, 3), 200, np.uint8))
    engine = Engine.create(tmp_path_factory.mktemp("index") / "index", vocabulary_folder)
    engine.add([folder])
    return engine


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Engine:
    folder = tmp_path_factory.mktemp("scenes")
    for number in range(300, 308):
        write_picture(folder / f"{number}.png", photograph(number))
    engine = Engine.create(tmp_path_factory.mktemp("index of scenes") / "index", vocabulary_folder)
    engine.add([folder])
    return engine


def ask(engine: Engine, path: Path, options: SearchOptions | None = None) -> Answer:
    """As the command asks: in grey for features, in colour for pixels."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    grey = read_image(path, grey=True, max_side=engine.features.max_side)
    return engine.answer(engine.prepare(grey, None, options, colours=read_image(path), sha256=sha256), options)


def verdicts(engine: Engine, answer: Answer) -> dict[str, str]:
    return {engine.images[i].name: answer.verdict(i, VerifyOptions()) for i in answer.images.tolist()}


def test_the_file_itself_is_first_and_the_same(cards: Engine) -> None:
    (path,) = [Path(row.path) for row in cards.images if row.name == "card-2.png"]
    answer = ask(cards, path)
    assert cards.images[int(answer.images[0])].name == "card-2.png"
    assert answer.basis[int(answer.images[0])] == "content"
    found = verdicts(cards, answer)
    assert found.pop("card-2.png") == "same"
    assert "same" not in found.values()


def test_cards_of_one_form_share_a_part(cards: Engine, tmp_path: Path) -> None:
    """A card that is not in the collection: nothing is the same."""
    answer = ask(cards, write_picture(tmp_path / "unseen.png", card(9)))
    assert set(verdicts(cards, answer).values()) <= {"part", "maybe", "no"}
    assert "part" in verdicts(cards, answer).values()
    for image, agreement in answer.agreements.items():
        assert answer.basis[image] == "pixels"
        assert 0.2 < agreement.query_overlap < 0.98
        assert agreement.query_region is not None
        assert len(agreement.query_region) >= 3


def test_a_card_stored_again_is_the_same_and_first(cards: Engine, tmp_path: Path) -> None:
    answer = ask(cards, write_picture(tmp_path / "again.jpg", card(3)))
    found = verdicts(cards, answer)
    assert next(iter(found)) == "card-3.png"
    assert [name for name, verdict in found.items() if verdict == "same"] == ["card-3.png"]


def photograph(number: int) -> U8:
    """A scene with the noise of a camera: writing on it is told from what was photographed."""
    noise = np.random.default_rng(number).normal(0, 5, (SIZE[1], SIZE[0], 1))
    return np.clip(draw_scene(number, *SIZE) + noise, 0, 255).astype(np.uint8)


def darkened(pixels: U8) -> U8:
    return np.clip(pixels * 0.45 - 10, 0, 255).astype(np.uint8)


def captioned(pixels: U8) -> U8:
    drawn = np.array(pixels)
    cv2.putText(drawn, "NOT FOR SALE", (40, 250), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (255, 255, 255), 9)
    return drawn


def turned(pixels: U8) -> U8:
    turn = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), 13, 1.1)
    return np.asarray(cv2.warpAffine(pixels, turn, SIZE), np.uint8)


def compressed(pixels: U8) -> U8:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 12])[1], 1), np.uint8)


@pytest.mark.parametrize("attack", [darkened, captioned, turned, compressed])
@pytest.mark.parametrize("number", [300, 301, 302])
def test_a_copy_is_the_same_whatever_was_done_to_it(
    scenes: Engine, tmp_path: Path, attack: Callable[[U8], U8], number: int
) -> None:
    answer = ask(scenes, write_picture(tmp_path / "copy.png", attack(photograph(number))))
    found = verdicts(scenes, answer)
    assert next(iter(found.items())) == (f"{number}.png", "same")
    probability = answer.probability(int(answer.images[0]))
    assert probability is not None
    assert probability >= 0.99


def test_without_pixels_points_alone_decide(cards: Engine, tmp_path: Path) -> None:
    options = SearchOptions(verify=VerifyOptions(pixels=0))
    answer = ask(cards, write_picture(tmp_path / "unseen.png", card(9)), options)
    assert not answer.agreements
    assert not answer.basis
    assert "same" in verdicts(cards, answer).values()


def test_a_file_that_changed_is_not_compared(cards: Engine, tmp_path: Path) -> None:
    (path,) = [Path(row.path) for row in cards.images if row.name == "card-1.png"]
    before = path.read_bytes()
    try:
        write_picture(path, draw_scene(7, *SIZE))
        answer = ask(cards, write_picture(tmp_path / "again.jpg", card(1)))
        (changed,) = [i for i in answer.images.tolist() if cards.images[i].name == "card-1.png"]
        assert changed not in answer.agreements
        assert answer.basis[changed] == "points"
    finally:
        path.write_bytes(before)


def test_a_file_without_features_is_found_by_its_content(cards: Engine) -> None:
    (path,) = [Path(row.path) for row in cards.images if row.name == "flat.png"]
    answer = ask(cards, path)
    assert verdicts(cards, answer) == {"flat.png": "same"}
    assert verdicts(cards, ask(cards, path, SearchOptions(where="name ~ card"))) == {}


def test_search_and_match_give_one_pair_one_score(cards: Engine, tmp_path: Path) -> None:
    """Also of cards that share the form: what the others explain counts against them in both."""
    path = write_picture(tmp_path / "again.jpg", card(3))
    query = cards.prepare(read_image(path, grey=True, max_side=cards.features.max_side), colours=read_image(path))
    searched = cards.hits(query, cards.answer(query))
    assert len(searched) == N_CARDS
    for hit in searched:
        matched, _ = cards.match(query, hit.image)
        assert (matched.name, matched.verdict, matched.basis) == (hit.name, hit.verdict, hit.basis)
        assert (matched.score, matched.probability) == (hit.score, hit.probability)


def test_the_model_takes_what_is_measured() -> None:
    model = thing_model()
    for trees in (model.among, model.alone):
        assert trees.feature.max() < len(QUANTITIES)
        assert np.isfinite(trees.leaf).all()
    likely = model.probability(np.zeros((2, len(QUANTITIES))))
    assert likely.shape == (2,)
    assert np.all((likely > 0) & (likely < 1))
