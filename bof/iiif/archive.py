"""Manifests and pictures as archives give them, within one event loop: what is remembered is not sent again."""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.errors import BofError, ImageError, reason_of
from bof.iiif.answers import Answers, Remembered
from bof.iiif.canvases import CanvasPicture, ManifestPart
from bof.iiif.hosts import Hosts, UnansweredError
from bof.iiif.image_service import FULL, Size
from bof.iiif.json_values import MOST_BYTES, Json, parse
from bof.iiif.manifest import Manifest, ManifestList, read_presentation
from bof.images.listing import Skipped
from bof.system.files import read_regular

MOST_PICTURE_BYTES = 64 << 20
_MOST_DOCUMENTS = 20_000
_MOST_DEPTH = 16

_JSON = (
    'application/ld+json;profile="http://iiif.io/api/presentation/3/context.json", '
    "application/ld+json;q=0.9, application/json;q=0.8, */*;q=0.1"
)
_PICTURE = "image/jpeg, image/*;q=0.8"
_NO_SUCH_SIZE = frozenset({400, 404, 501})


@dataclass(frozen=True, slots=True)
class Walked:
    """The manifests that were read, in order, and what could not be."""

    manifests: Sequence[Manifest]
    problems: Sequence[ManifestPart]


@dataclass(frozen=True, slots=True)
class CanvasToFetch:
    """A picture to fetch: path and name of its row; sha256: of the content that the index has of it, "" for none."""

    path: str
    name: str
    picture: CanvasPicture
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The bytes of a picture; frame: width and height of the whole of it, 0 where nobody says; seen_ns: when."""

    canvas: CanvasToFetch
    data: bytes
    sha256: str
    frame: Size
    seen_ns: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A picture that is what the index has of it."""

    canvas: CanvasToFetch


class Archive:
    """Asks hosts; answers: what is remembered of them, None: nothing is."""

    def __init__(self, hosts: Hosts, answers: Answers | None) -> None:
        self._hosts, self._answers = hosts, answers

    async def walk(self, sources: Sequence[str]) -> Walked:
        """Every manifest that these URLs and files are or lead to, each once. What fails is named, the rest goes on."""
        manifests: list[Manifest] = []
        problems: list[ManifestPart] = []
        waiting = deque((source, 0) for source in sources)
        seen = set(sources)
        while waiting:
            place, depth = waiting.popleft()
            try:
                found = read_presentation(await self._presentation(place, is_named=depth == 0), place)
            except BofError as error:
                problems.append(ManifestPart(place, reason_of(error)))
                continue
            problems += found.problems
            if isinstance(found, Manifest):
                manifests.append(found)
                continue
            members = [one for one in _members(found) if one not in seen]
            if depth >= _MOST_DEPTH or len(seen) + len(members) > _MOST_DOCUMENTS:
                reason = f"expected at most {_MOST_DOCUMENTS} manifests, and collections {_MOST_DEPTH} deep, found more"
                problems.append(ManifestPart(place, reason))
                continue
            seen.update(members)
            waiting.extendleft((one, depth + 1) for one in reversed(members))
        return Walked(_each_once(manifests), problems)

    async def fetch(self, canvas: CanvasToFetch, side: int) -> Fetched | Unchanged | Skipped:
        """A picture with a long side of about so many pixels, unless it is what the index has."""
        try:
            return await self._fetch(canvas, side)
        except BofError as error:
            place = f"{error.path}: " if error.path and error.path != canvas.picture.canvas else ""
            return Skipped(canvas.picture.canvas, f"{place}{reason_of(error)}")

    async def _presentation(self, place: str, *, is_named: bool) -> Json:
        """A document that the user has named, which may be a file, or one that another document names."""
        if "://" in place or not is_named:
            return await self._document(place, is_lasting=False)
        try:
            return parse(read_regular(Path(place), MOST_BYTES), place)
        except (OSError, ValueError) as error:
            raise ImageError(f"cannot be read: {reason_of(error)}", path=os.path.abspath(place)) from error

    async def _document(self, url: str, *, is_lasting: bool) -> Json:
        """A document at a URL. is_lasting: one that was remembered without ETag or date is good for ever."""
        known = self._answers.find(url) if self._answers else None
        body = known.body if known else None
        if known and body is not None and is_lasting and not known.headers:
            return parse(body, url)
        answer = await self._hosts.get(url, MOST_BYTES, _JSON, known.headers if known and body is not None else ())
        if answer.status == 200:
            found = parse(answer.data, url)
            self._remember(url, Remembered(answer.etag, answer.modified, _sha256(answer.data), answer.data))
            return found
        if body is None:
            raise ImageError(path=url, expected="status 200", found=answer.status)
        return parse(body, url)

    async def _fetch(self, canvas: CanvasToFetch, side: int) -> Fetched | Unchanged:
        urls, frame = await self._urls(canvas.picture, side)
        for url in urls:
            known = self._answers.find(url) if self._answers else None
            is_known = known is not None and known.sha256 == canvas.sha256
            if known and is_known and not known.headers:
                return Unchanged(canvas)
            try:
                answer = await self._hosts.get(
                    url, MOST_PICTURE_BYTES, _PICTURE, known.headers if known and is_known else ()
                )
            except UnansweredError as error:
                if url == urls[-1] or error.status not in _NO_SUCH_SIZE:
                    raise
                continue
            if answer.status == 304:
                return Unchanged(canvas)
            found = Fetched(canvas, answer.data, _sha256(answer.data), frame, time.time_ns())
            self._remember(url, Remembered(answer.etag, answer.modified, found.sha256))
            return Unchanged(canvas) if found.sha256 == canvas.sha256 else found
        raise AssertionError

    async def _urls(self, picture: CanvasPicture, side: int) -> tuple[list[str], Size]:
        """Where the picture is in the size that is needed, and the size of the whole of it."""
        whole = picture.width, picture.height
        service = picture.service
        if service is None:
            return [picture.resource], whole
        if service.needs_info(whole):
            service = service.described(await self._document(service.info_url, is_lasting=True))
        frame = service.width or whole[0], service.height or whole[1]
        return service.picture_urls(side, picture.region, whole), frame if picture.region == FULL else (0, 0)

    def _remember(self, url: str, answer: Remembered) -> None:
        if self._answers:
            self._answers.remember(url, answer)


def _members(collection: ManifestList) -> list[str]:
    return list(dict.fromkeys([*collection.manifests, *collection.collections]))


def _each_once(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Of manifests that were found at several places, the first."""
    return list({manifest.url: manifest for manifest in reversed(manifests)}.values())[::-1]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
