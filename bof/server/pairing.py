"""Which browser extensions are paired with the server of an index: a small file beside the index, of the user alone.

`bof pair` and the server change it, each under a lock, so that a code is good for one pairing whoever is faster. It
holds SHA-256 digests: of tokens, which cannot be guessed, and of a code, which is worth nothing after some minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from bof.errors import ServerError, reason_of
from bof.system.files import read_regular, require_no_link, writing_file

CODE_SECONDS = 600
CODE_TRIES = 5
"""Wrong codes after which the code is void: 1 in 10^11 guesses is right."""
MAX_PAIRED = 20
MAX_NAME = 100

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0 and O, 1, I and L."""
_CODE_LETTERS = 8
_MAX_BYTES = 1 << 16
_LOCK_SECONDS = 5.0
_EXTENSION = re.compile(r"(chrome-extension://[a-p]{32}|moz-extension://[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})")

R = TypeVar("R")


def is_extension(origin: str) -> bool:
    """Is this the origin of a browser extension? Pages of the web cannot send such a one."""
    return _EXTENSION.fullmatch(origin) is not None


def pairing_path(index: Path) -> Path:
    """Where the pairings of an index's server are: beside the index."""
    folder = Path(os.path.abspath(index))
    return folder.with_name(f"{folder.name}-paired.json")


@dataclass(frozen=True, slots=True)
class PairingCode:
    """A code that was shown. until: seconds since 1970; tries: wrong ones that are left."""

    digest: str = field(repr=False)
    until: float
    tries: int


@dataclass(frozen=True, slots=True)
class Pairing:
    """A paired extension. digest: of its token; created: seconds since 1970."""

    id: str
    name: str
    origin: str
    digest: str = field(repr=False)
    created: float


@dataclass(frozen=True, slots=True)
class PairingState:
    """What the file holds."""

    code: PairingCode | None = None
    paired: tuple[Pairing, ...] = ()


class PairingFile:
    """The pairings of one index. Reading raises ServerError where the file is damaged, and so does every change."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path, self._clock = path, clock
        self._known: tuple[tuple[int, int, int], PairingState] | None = None

    def state(self) -> PairingState:
        """What the file holds now; it is read again only where it has changed."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return PairingState()
        stamp = found.st_mtime_ns, found.st_size, found.st_ino
        if self._known is None or self._known[0] != stamp:
            self._known = stamp, _read(self.path)
        return self._known[1]

    def new_code(self) -> str:
        """A code for one pairing within CODE_SECONDS; the one before is void."""
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LETTERS))
        shown = PairingCode(_digest(code), self._clock() + CODE_SECONDS, CODE_TRIES)
        self._change(lambda state: (replace(state, code=shown), None))
        return f"{code[: _CODE_LETTERS // 2]}-{code[_CODE_LETTERS // 2 :]}"

    def redeem(self, code: str, origin: str, name: str) -> tuple[Pairing, str] | None:
        """A pairing and its token for the code that was shown; None for any other, which costs the code one try."""
        given = _digest(re.sub(r"[\s-]", "", code).upper())
        token = secrets.token_urlsafe(32)

        def change(state: PairingState) -> tuple[PairingState, tuple[Pairing, str] | None]:
            shown = state.code
            if shown is None or shown.tries < 1 or self._clock() >= shown.until:
                return replace(state, code=None), None
            if not hmac.compare_digest(given, shown.digest):
                return replace(state, code=replace(shown, tries=shown.tries - 1)), None
            _require_room(state, self.path)
            fresh = Pairing(secrets.token_hex(4), name, origin, _digest(token), self._clock())
            return PairingState(None, (*state.paired, fresh)), (fresh, token)

        return self._change(change)

    def revoke(self, ids: frozenset[str]) -> tuple[Pairing, ...]:
        """End pairings; those that there were."""

        def change(state: PairingState) -> tuple[PairingState, tuple[Pairing, ...]]:
            left = tuple(each for each in state.paired if each.id not in ids)
            gone = tuple(each for each in state.paired if each.id in ids)
            return replace(state, paired=left), gone

        return self._change(change)

    def pairing_of(self, token: str) -> Pairing | None:
        """The pairing that a token belongs to; every one is compared, in constant time."""
        given = _digest(token)
        found = [each for each in self.state().paired if hmac.compare_digest(given, each.digest)]
        return found[0] if found else None

    def _change(self, change: Callable[[PairingState], tuple[PairingState, R]]) -> R:
        """Read, change and write under the lock; nothing is written where nothing changes."""
        with self._locked():
            before = _read(self.path) if os.path.lexists(self.path) else PairingState()
            after, result = change(before)
            if after != before:
                self._write(after)
        return result

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock_path = self.path.with_suffix(".lock")
        lock = FileLock(lock_path, timeout=_LOCK_SECONDS, thread_local=False, mode=0o600)
        try:
            require_no_link(lock_path)
            lock.acquire()
        except Timeout as error:
            raise ServerError("another process changes it", path=self.path, advice="try again") from error
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            lock.release()

    def _write(self, state: PairingState) -> None:
        content = json.dumps(asdict(state), indent=2, ensure_ascii=False).encode()
        try:
            with writing_file(self.path) as stream:
                if hasattr(os, "fchmod"):
                    os.fchmod(stream.fileno(), 0o600)
                stream.write(content + b"\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ServerError:
        advice = "pairings are kept beside the index: its folder must be writable"
        return ServerError(f"cannot be written: {reason_of(error)}", path=self.path, advice=advice)


def pairing_line(index: Path) -> str:
    """A new code for the server of an index, in words for a terminal."""
    code = PairingFile(pairing_path(index)).new_code()
    return f"code to pair a browser extension: {code} (for {CODE_SECONDS // 60} minutes, once)"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _require_room(state: PairingState, path: Path) -> None:
    if len(state.paired) >= MAX_PAIRED:
        expected, advice = f"at most {MAX_PAIRED} paired extensions", "end some with {bof pair} --revoke ID"
        raise ServerError(path=path, expected=expected, found="as many", advice=advice)


def _read(path: Path) -> PairingState:
    """The content of the file. Raises ServerError where it is not what `_write` writes."""
    try:
        value = json.loads(read_regular(path, _MAX_BYTES))
        return PairingState(_code(value["code"]), tuple(map(_pairing, value["paired"][: MAX_PAIRED + 1])))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ServerError(
            f"cannot be read: {reason_of(error)}", path=path, advice="delete it to end all pairings"
        ) from error


def _code(value: Mapping[str, Any] | None) -> PairingCode | None:
    if value is None:
        return None
    return PairingCode(_hex(value["digest"]), float(value["until"]), int(value["tries"]))


def _pairing(value: Mapping[str, Any]) -> Pairing:
    name, origin = value["name"], value["origin"]
    if not isinstance(name, str) or not isinstance(origin, str) or not is_extension(origin):
        raise ValueError("an entry is no pairing")
    return Pairing(_hex(value["id"], 8), name[:MAX_NAME], origin, _hex(value["digest"]), float(value["created"]))


def _hex(value: Any, length: int = 64) -> str:
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{length}}}", value):
        raise ValueError("an entry is no pairing")
    return value
