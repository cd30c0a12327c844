"""One canvas: which of its pictures is taken, where that lies on the canvas, and where it is fetched."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bof.iiif.image_service import FULL, ImageService, is_region, service_of
from bof.iiif.json_values import Json, id_of, mapping, number, objects, several, type_of

_BOX = re.compile(r"xywh=(?:pixel:)?(\d{1,9})(?:\.\d+)?,(\d{1,9})(?:\.\d+)?,(\d{1,9})(?:\.\d+)?,(\d{1,9})(?:\.\d+)?")
_MOST_ANNOTATIONS = 1000

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ManifestPart:
    """A part of a manifest that cannot be used: its URL, or where it stands, and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class CanvasPicture:
    """The picture of a canvas.

    canvas: its id; resource: the URL of the picture itself; width, height: of that, as the manifest has them, 0 where
    it does not say; region: of the service's picture; box: where the picture lies on the canvas, x, y, width, height.
    """

    canvas: str
    label: str
    resource: str
    width: int
    height: int
    service: ImageService | None
    region: str
    box: Box
    metadata: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """What is asked for the picture: the service, else the resource."""
        return self.service.url if self.service else self.resource


def read_canvas(
    canvas: Json, place: str, label: str, metadata: Mapping[str, Sequence[str]], others: Counter[str]
) -> CanvasPicture | ManifestPart:
    """The picture of a canvas, or why there is none. others: what else it holds is counted here, by kind."""
    url = id_of(canvas)
    if not url:
        return ManifestPart(place, "expected an id of the canvas, found none that can be used")
    whole = 0, 0, number(canvas.get("width")), number(canvas.get("height"))
    painted = []
    for annotation in _annotations(canvas, others):
        body, n_alternatives = _chosen(_body(annotation))
        others.update({"of a choice": n_alternatives} if n_alternatives else {})
        picture = _picture(body, _box(annotation) or whole, url, label, metadata)
        if picture is None:
            others[(type_of(body) or "resource without type").lower()] += 1
        else:
            painted.append(picture)
    if not painted:
        return ManifestPart(url, "expected a picture on the canvas, found none")
    others.update({"further on a canvas": len(painted) - 1} if len(painted) > 1 else {})
    return max(painted, key=lambda picture: picture.box[2] * picture.box[3])  # the first of equals


def _annotations(canvas: Json, others: Counter[str]) -> Iterator[Json]:
    """What is painted on a canvas: `images` of version 2, the pages in `items` of version 3."""
    found = list(objects(canvas.get("images")))
    for page in objects(canvas.get("items")):
        if "items" not in page:
            others["annotations elsewhere"] += 1
        found += objects(page.get("items"))
    for annotation in found[:_MOST_ANNOTATIONS]:
        motivations = [one for one in several(annotation.get("motivation")) if isinstance(one, str)]
        if not motivations or any(one.rpartition(":")[2] == "painting" for one in motivations):
            yield annotation


def _body(annotation: Json) -> object:
    body = annotation.get("body", annotation.get("resource"))
    return {"type": "Choice", "items": body} if isinstance(body, list) and len(body) > 1 else _first(body)


def _first(value: object) -> object:
    found = several(value)
    return found[0] if found else None


def _chosen(body: object) -> tuple[object, int]:
    """The default of a choice, and how many others it has."""
    if type_of(body) != "Choice":
        return body, 0
    choice = mapping(body)
    items = [one for key in ("default", "items", "item") for one in objects(choice.get(key))]
    return (items[0], len(items) - 1) if items else (body, 0)


def _picture(
    body: object, box: Box, canvas: str, label: str, metadata: Mapping[str, Sequence[str]]
) -> CanvasPicture | None:
    region = FULL
    if type_of(body) == "SpecificResource":
        region = _region(mapping(body).get("selector"))
        body = _first(mapping(body).get("source", mapping(body).get("full")))
    resource = mapping(body)
    service, url = service_of(resource.get("service")), id_of(body)
    form = resource.get("format")
    is_picture = type_of(body) == "Image" or service or (isinstance(form, str) and form.startswith("image/"))
    if not is_picture or not (service or url):
        return None
    size = number(resource.get("width")), number(resource.get("height"))
    return CanvasPicture(canvas, label, url, *size, service, region, box, metadata)


def _region(selector: object) -> str:
    found = next((one.get("region") for one in objects(selector) if one.get("region")), FULL)
    return found if isinstance(found, str) and is_region(found) else FULL


def _box(annotation: Json) -> Box | None:
    """Where on its canvas an annotation is, if it says."""
    target = _first(annotation.get("target", annotation.get("on")))
    selector = _first(mapping(target).get("selector"))
    for text in (mapping(selector).get("value"), id_of(target), id_of(mapping(target).get("full"))):
        if isinstance(text, str) and (found := _BOX.search(text[:4096])):
            x, y, width, height = map(int, found.groups())
            return (x, y, width, height) if width and height else None
    return None
