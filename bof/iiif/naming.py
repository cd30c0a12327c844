"""What the picture of a canvas is called in an index, and what is said of it there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote, urlsplit

from bof.iiif.canvases import CanvasPicture
from bof.iiif.image_service import FULL
from bof.iiif.json_values import plain
from bof.iiif.manifest import Manifest
from bof.store.catalog import BUILT_IN, TAG, TITLE, Fields

MANIFEST, CANVAS, SERVICE, IMAGE, BOX = "iiif_manifest", "iiif_canvas", "iiif_service", "iiif_image", "iiif_box"
VERSION, LEVEL, REGION = "iiif_version", "iiif_level", "iiif_region"
"""Which Image API the service speaks, at which level; which part of its picture is shown, if that is not all of it."""

LABEL = "label"

_RESERVED = frozenset({*BUILT_IN, TAG, TITLE, LABEL, MANIFEST, CANVAS, SERVICE, IMAGE, BOX, VERSION, LEVEL, REGION})
_SAYS_NOTHING = frozenset({"manifest", "manifest.json", "canvas", "canvas.json", "info.json", "index.json", "full"})
_MOST_LETTERS = 100


def name_for(manifest: Manifest, picture: CanvasPicture, taken: Mapping[str, str], path: str) -> str:
    """Manifest and canvas by their labels, or the ends of their URLs; what tells it apart is added where that is taken.

    taken: path by name.
    """
    first = manifest.label or _end_of(manifest.url)
    name = f"{_part(first)}/{_part(picture.label or _end_of(picture.canvas))}"
    return next(one for one in _candidates(name, picture.canvas) if taken.get(one, path) == path)


def fields_for(manifests: Sequence[Manifest], picture: CanvasPicture) -> Fields:
    """What the index says of a picture. manifests: all that show its canvas, the first being that of its name."""
    fields = {
        MANIFEST: [manifest.url for manifest in manifests],
        CANVAS: [picture.canvas],
        (SERVICE if picture.service else IMAGE): [picture.source],
        VERSION: [str(picture.service.version)] if picture.service else [],
        LEVEL: [str(picture.service.level)] if picture.service and picture.service.level is not None else [],
        REGION: [picture.region] if picture.region != FULL else [],
        LABEL: [picture.label] if picture.label else [],
        BOX: [",".join(map(str, picture.box))] if all(picture.box[2:]) else [],
    }
    for pairs in (*(manifest.metadata for manifest in manifests), picture.metadata):
        for key, values in pairs.items():
            given = fields.setdefault(_key(key), [])
            given += [value for value in values if value not in given]
    return fields


def _key(key: str) -> str:
    """A key of a manifest, unless the index means something else by it."""
    return f"iiif {key}" if key.lower() in _RESERVED else key


def _candidates(name: str, canvas: str) -> Iterator[str]:
    yield name
    yield f"{name} ({_part(_end_of(canvas))})"
    digest = hashlib.sha256(canvas.encode("utf-8", "surrogateescape")).hexdigest()
    for n_digits in (8, 64):
        yield f"{name} ({digest[:n_digits]})"


def _part(text: str) -> str:
    """Text as one part of a path."""
    return plain(text, _MOST_LETTERS).replace("/", "-").strip(". ") or "untitled"


def _end_of(url: str) -> str:
    """The last part of a URL that says something."""
    parts = [unquote(part) for part in _path_of(url).split("/") if part]
    return next((part for part in reversed(parts) if part.lower() not in _SAYS_NOTHING), url)


def _path_of(url: str) -> str:
    try:
        found = urlsplit(url)
    except ValueError:
        return url
    return f"{found.path}/{found.fragment}"
