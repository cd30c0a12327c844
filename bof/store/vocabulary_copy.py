"""The vocabulary that an index carries, so that it outlives upgrades and travels: a copy of the files, named by a fact.

The copy is written whole before a commit names it. It is a vocabulary like any other: checked before it is used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bof.errors import IndexStoreError, MismatchError, VocabularyError, reason_of
from bof.system.directory import Directory
from bof.system.files import FileFact, sha256_in, write_folder
from bof.vocabulary.vocabulary import Vocabulary, copy_vocabulary, load_vocabulary

FOLDER = "vocabulary"
FACT = "vocabulary_files"
"""The fact of the catalogue that names the copy; older indexes have neither."""

RESTORE = "{bof index} --repair restores it from {vocabulary} DIR, or from where it was copied"
_MOST_FILES = 8


def write_copy(folder: Path, source: Path, fingerprint: str) -> dict[str, FileFact]:
    """Give the index in a folder a copy of its vocabulary, whole and on disk; returns what its files are.

    Raises IndexStoreError where it cannot be written, VocabularyError or MismatchError for a source that is damaged or
    another vocabulary.
    """
    files: dict[str, FileFact] = {}
    try:
        write_folder(folder / FOLDER, lambda fresh: files.update(copy_vocabulary(source, fresh, fingerprint)))
    except OSError as error:
        problem = f"cannot copy the vocabulary {source} here: {reason_of(error)}"
        raise IndexStoreError(problem, path=folder / FOLDER, advice="the index is as it was") from error
    return files


def as_fact(files: Mapping[str, FileFact]) -> dict[str, dict[str, Any]]:
    """What the catalogue says of the copy."""
    return {name: dataclasses.asdict(fact) for name, fact in files.items()}


def is_fact(value: object) -> bool:
    """Is this what the catalogue may say of the copy?"""
    if not isinstance(value, dict) or len(value) > _MOST_FILES:
        return False
    facts = [fact for fact in value.values() if isinstance(fact, dict) and fact.keys() == {"n_bytes", "sha256"}]
    are_typed = all(type(fact["n_bytes"]) is int and isinstance(fact["sha256"], str) for fact in facts)
    return len(facts) == len(value) and are_typed and all(isinstance(name, str) for name in value)


def files_of(meta: Mapping[str, Any]) -> dict[str, FileFact]:
    """What the files of the copy must be, as an index's facts have it; none where it carries no copy."""
    return {name: FileFact(**fact) for name, fact in meta.get(FACT, {}).items()}


def load_copy(folder: Path) -> Vocabulary:
    """The copy that an index carries. Raises IndexStoreError where it is damaged or no longer there."""
    try:
        Directory.open_below(folder, FOLDER).close()  # it is no link
        return load_vocabulary(folder / FOLDER)
    except OSError as error:
        reason = reason_of(error)
    except (VocabularyError, MismatchError) as error:
        reason = str(error)
    raise IndexStoreError(f"its vocabulary cannot be used: {reason}", path=folder, advice=RESTORE)


def wrong_copy(folder: Path, files: Mapping[str, FileFact]) -> str:
    """Why the copy is not what was written, "" where it is."""
    try:
        with Directory.open_below(folder, FOLDER) as here:
            for name, expected in files.items():
                try:
                    reason = _wrong_file(here, name, expected)
                except OSError as error:
                    reason = f"cannot be read: {reason_of(error)}"
                if reason:
                    return f"{folder / FOLDER / name}: {reason}"
    except OSError as error:
        return f"{folder / FOLDER}: cannot be read: {reason_of(error)}"
    return ""


def _wrong_file(folder: Directory, name: str, expected: FileFact) -> str:
    n_bytes = folder.size_of(name)
    if n_bytes != expected.n_bytes:
        return f"expected {expected.n_bytes} bytes, found {n_bytes}"
    with folder.open_file(name) as stream:
        return "" if sha256_in(stream) == expected.sha256 else "its content has changed (checksum)"


def strays_of(here: Directory) -> list[str]:
    """What a copy that was cut short has left in an index's folder."""
    return [name for name in here.names() if name.startswith(f".{FOLDER}.") and name.endswith((".partial", ".old"))]


def restore(folder: Path, sources: Sequence[Path], fingerprint: str) -> dict[str, FileFact]:
    """Write the copy again, from the first of some places that holds the same vocabulary.

    Raises IndexStoreError where none does.
    """
    for source in sources:
        try:
            return write_copy(folder, source, fingerprint)
        except (VocabularyError, MismatchError):
            continue
    expected = f"vocabulary {fingerprint[:12]}"
    found = f"another or none in {', '.join(map(str, sources))}"
    raise IndexStoreError(path=folder / FOLDER, expected=expected, found=found, advice="name it with {vocabulary} DIR")
