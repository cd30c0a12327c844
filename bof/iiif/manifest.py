"""Manifests and collections of the Presentation API, versions 2 and 3, as plain values. No network, no trust.

Of each canvas one picture is taken: of several the one that covers most of the canvas, of a choice the default. What
else a canvas holds is counted by kind, and what cannot be used is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bof.errors import ImageError
from bof.iiif.canvases import CanvasPicture, ManifestPart, read_canvas
from bof.iiif.json_values import Json, id_of, objects, plain, several, texts, type_of

MOST_CANVASES = 100_000
_MOST_PAIRS, _MOST_VALUES, _MOST_KEY = 60, 20, 80

Pairs = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of an archive: its pictures in order, what is said of it, and what of it cannot be used."""

    url: str
    label: str
    metadata: Pairs
    pictures: Sequence[CanvasPicture]
    problems: Sequence[ManifestPart] = ()
    others: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ManifestList:
    """A list of manifests and of other collections, by URL."""

    url: str
    label: str
    manifests: Sequence[str]
    collections: Sequence[str]
    problems: Sequence[ManifestPart] = ()


def read_presentation(document: Json, url: str) -> Manifest | ManifestList:
    """What a document of the Presentation API holds. Raises ImageError where it is neither manifest nor collection.

    url: where it was found; where that is a file, its own id counts.
    """
    place = url if "://" in url else id_of(document) or url
    kind = type_of(document)
    if kind in ("Collection", "Layer"):
        return _collection(document, place)
    if kind == "Manifest":
        return _manifest(document, place)
    expected = "a manifest or a collection of the IIIF Presentation API 2 or 3"
    raise ImageError(path=url, expected=expected, found=kind or "no type")


def metadata_of(resource: Json) -> Pairs:
    """What is said of a manifest or a canvas, as pairs of a key and values; limited, and in one language."""
    found: dict[str, list[str]] = {}
    for pair in list(objects(resource.get("metadata")))[:_MOST_PAIRS]:
        key = plain(" ".join(texts(pair.get("label"))), _MOST_KEY)
        if key:
            values = found.setdefault(key, [])
            values += [value for value in texts(pair.get("value")) if value not in values]
    return {key: values[:_MOST_VALUES] for key, values in found.items() if values}


def label_of(resource: Json) -> str:
    """What a person calls it."""
    return plain(" ".join(texts(resource.get("label"))), 200)


def _collection(document: Json, url: str) -> ManifestList:
    manifests: list[str] = []
    collections: list[str] = []
    problems: list[ManifestPart] = []
    for kind, member in _members(document):
        link = id_of(member)
        if kind not in ("Manifest", "Collection") or not link:
            found = (kind or "no type") if link else "no id that can be used"
            problems.append(ManifestPart(link or url, f"expected a manifest or a collection, found {found}"))
        else:
            (manifests if kind == "Manifest" else collections).append(link)
    return ManifestList(url, label_of(document), manifests, collections, problems)


def _members(document: Json) -> Iterator[tuple[str, object]]:
    """What a collection lists: `items` of version 3; `manifests`, `collections`, `members` and pages of version 2."""
    for key, kind in (("manifests", "Manifest"), ("collections", "Collection"), ("first", "Collection")):
        yield from ((kind, one) for one in several(document.get(key)))
    yield from (("Collection", one) for one in several(document.get("next")))
    for key in ("members", "items"):
        yield from ((type_of(one), one) for one in several(document.get(key)))


def _manifest(document: Json, url: str) -> Manifest:
    pictures: dict[str, CanvasPicture] = {}
    problems: list[ManifestPart] = []
    others: Counter[str] = Counter()
    canvases = list(_canvases(document))
    for place, canvas in enumerate(canvases[:MOST_CANVASES], 1):
        found = read_canvas(canvas, f"{url} canvas {place}", label_of(canvas), metadata_of(canvas), others)
        if isinstance(found, ManifestPart):
            problems.append(found)
        elif found.canvas in pictures:
            problems.append(ManifestPart(found.canvas, f"canvas {place} has the id of another canvas of {url}"))
        else:
            pictures[found.canvas] = found
    if len(canvases) > MOST_CANVASES:
        problems.append(ManifestPart(url, f"expected at most {MOST_CANVASES} canvases, found {len(canvases)}"))
    if not canvases:
        problems.append(ManifestPart(url, "expected canvases, found none"))
    return Manifest(url, label_of(document), metadata_of(document), list(pictures.values()), problems, dict(others))


def _canvases(document: Json) -> Iterator[Json]:
    """In order: `items` of version 3, or those of the first sequence of version 2; the others are other orders."""
    if "items" in document:
        yield from (one for one in objects(document["items"]) if type_of(one) in ("Canvas", ""))
        return
    for sequence in list(objects(document.get("sequences")))[:1]:
        yield from objects(sequence.get("canvases"))
