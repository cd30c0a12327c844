"""errors: a message is built from its fields, options are spelled as the reader writes them, errors travel whole."""

from __future__ import annotations

import pickle

from bof.errors import BofError, IndexStoreError, OptionError


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def test_a_message_says_where_expected_found_and_what_to_do() -> None:
    error = IndexStoreError(path="ix/images.npy", expected="12 bytes", found="10", advice="restore it from a copy")
    assert str(error) == "ix/images.npy: expected 12 bytes, found 10; restore it from a copy"
    assert error.reason() == "expected 12 bytes, found 10; restore it from a copy"
    assert str(BofError("no index here", path="ix", advice="build one")) == "ix: no index here; build one"


def test_an_option_is_spelled_as_the_reader_writes_it() -> None:
    error = OptionError(option="max_side", expected="16 to 99", found=7, advice="or drop {max_features}")
    assert str(error) == "max_side: expected 16 to 99, found 7; or drop max_features"
    assert error.text(flag) == "--max-side: expected 16 to 99, found 7; or drop --max-features"


def test_an_error_travels_between_processes_whole() -> None:
    error = pickle.loads(pickle.dumps(OptionError(option="top", expected="1 or more", found=0)))
    assert isinstance(error, OptionError)
    assert (error.option, error.expected, error.found, str(error)) == (
        "top",
        "1 or more",
        "0",
        "top: expected 1 or more, found 0",
    )
