"""errors: a message is built from its fields, options are spelled as the reader writes them, errors travel whole."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import bof.errors
from bof.cli.arguments import flag
from bof.errors import BofError, ImageError, IndexStoreError, OptionError, display_name, reason_of
from bof.images.decode import PictureTooLargeError
from tests.support.scenes import ROOT


def test_a_message_says_where_expected_found_and_what_to_do() -> None:
    error = IndexStoreError(path="ix/images.npy", expected="12 bytes", found="10", advice="restore it from a copy")
    assert str(error) == "ix/images.npy: expected 12 bytes, found 10; restore it from a copy"
    assert error.reason() == "expected 12 bytes, found 10; restore it from a copy"
    assert str(BofError("no index here", path="ix", advice="build one")) == "ix: no index here; build one"
    assert str(BofError("line 3", path="a.csv", expected="two fields", found=3)) == (
        "a.csv: line 3: expected two fields, found 3"
    )
    assert str(OptionError(option="move_to", path="x", expected="a folder")) == "move_to x: expected a folder"
    assert repr(BofError("no", path="ix")) == "BofError('ix: no')"


def test_an_option_is_spelled_as_the_reader_writes_it() -> None:
    error = OptionError(option="max_side", expected="16 to 99", found=7, advice="or drop {max_features}")
    assert str(error) == "max_side: expected 16 to 99, found 7; or drop max_features"
    assert error.text(flag) == "--max-side: expected 16 to 99, found 7; or drop --max-features"
    assert OptionError(option="size", expected="less").text(flag) == "--model-size: expected less"


def test_what_was_found_is_nobody_s_option() -> None:
    assert OptionError(option="text", expected="a word", found="'{max_side}'").text(flag).endswith("found '{max_side}'")


def test_a_path_is_one_line_of_text_and_stays_what_it_is() -> None:
    error = ImageError("cannot read", path="caf\udce9\n.jpg")
    assert str(error) == "caf\\udce9\\n.jpg: cannot read"
    assert error.path == "caf\udce9\n.jpg"
    assert display_name(Path("照片.jpg")) == "照片.jpg"


def test_a_reason_leaves_the_path_out() -> None:
    assert reason_of(ImageError("cannot read", path="a.jpg")) == "cannot read"
    assert reason_of(FileNotFoundError(2, "No such file or directory", "a.jpg")) == "No such file or directory"
    assert reason_of(OSError("odd")) == "odd"
    assert reason_of(MemoryError()) == "MemoryError"


def test_an_error_travels_between_processes_whole() -> None:
    error = pickle.loads(pickle.dumps(OptionError(option="top", expected="1 or more", found=0)))
    assert isinstance(error, OptionError)
    assert (error.option, error.expected, error.found, str(error)) == (
        "top",
        "1 or more",
        "0",
        "top: expected 1 or more, found 0",
    )
    large = pickle.loads(pickle.dumps(PictureTooLargeError("a.png", 30, 20, 100)))
    assert (large.n_pixels, str(large)) == (
        600,
        "a.png: too large: expected at most 100 pixels, found 30 x 20 = 600",
    )


# -- The source -------------------------------------------------------------------------------------------------------

ERRORS = {name for name, kind in vars(bof.errors).items() if isinstance(kind, type) and issubclass(kind, BofError)}
FOREIGN = {"bof/onnx_models/session.py", "bof/images/readers/jpeg.py"}
"""Read the errors of onnxruntime and of Pillow, which have neither types nor codes."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "bof").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def says_too_much(call: ast.Call) -> bool:
    """Does the positional text of an error hold what one of its fields should?"""
    constants = (part.value for part in ast.walk(call.args[0]) if isinstance(part, ast.Constant))
    text = "".join(value for value in constants if isinstance(value, str))
    begins_with_a_value = (
        isinstance(call.args[0], ast.JoinedStr)
        and isinstance(call.args[0].values[0], ast.FormattedValue)
        and ": " in text
    )
    return "expected" in text or "--" in text or "; " in text or begins_with_a_value


def test_errors_are_raised_by_fields() -> None:
    found = {
        file
        for file, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and name_of(node) in ERRORS and node.args and says_too_much(node)
    }
    assert not found


def caught_names(tree: ast.Module) -> set[str]:
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name}


def is_message(node: ast.expr, names: set[str]) -> bool:
    """Is it the text of an exception?"""
    if not isinstance(node, ast.Call) or name_of(node) not in ("str", "text", "reason"):
        return False
    of = node.args[0] if name_of(node) == "str" and node.args else getattr(node.func, "value", None)
    return isinstance(of, ast.Name) and of.id in names


def test_nobody_parses_a_message() -> None:
    found = set()
    for file, tree in sources():
        names = caught_names(tree)
        for node in ast.walk(tree):
            looked_into = (
                [node.value]
                if isinstance(node, ast.Attribute)
                else node.comparators
                if isinstance(node, ast.Compare)
                else []
            )
            if any(is_message(each, names) for each in looked_into):
                found.add(file)
    assert found <= FOREIGN


@pytest.mark.parametrize(
    "text", ['str(error).startswith("box ")', '"bad_alloc" in str(error)', "error.reason().split()"]
)
def test_parsing_is_recognised(text: str) -> None:
    tree = ast.parse(f"try:\n    pass\nexcept ValueError as error:\n    {text}\n")
    expressions = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
    assert any(is_message(node, caught_names(tree)) for node in expressions)
