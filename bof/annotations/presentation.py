"""Canvases, manifests and collections of the IIIF Presentation API 3.0, as values for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bof.annotations.places import Fields, Place
from bof.iiif.naming import LABEL, MANIFEST, VERSION

PRESENTATION = "http://iiif.io/api/presentation/3/context.json"
MEDIA_TYPE = f'application/ld+json;profile="{PRESENTATION}"'
THUMBNAIL_PX = 320

_PRIVATE = ("iiif_",)
"""How fields begin that are no metadata for people."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture of the index on a canvas of the server.

    server: where the server shows it, origin: where its pixels come from, which is an archive for a harvested picture;
    label: what people call it; fields: what the index says of it.
    """

    server: Place
    origin: Place
    label: str
    fields: Fields = field(default_factory=dict)


def in_english(text: str) -> Mapping[str, list[str]]:
    """Words of bof's own."""
    return {"en": [text]}


def in_no_language(*texts: str) -> Mapping[str, list[str]]:
    """Names and values, of which nobody has said in which language they are."""
    return {"none": list(texts)}


def canvas(shown: ShownPicture, more: Json | None = None) -> Json:
    """The canvas of a picture, in the picture's own size; more: properties besides."""
    url, (width, height) = shown.server.source, shown.server.size
    painting = {"id": f"{url}/painting", "type": "Annotation", "motivation": "painting", "body": _body(shown)}
    found: Json = {
        "id": url,
        "type": "Canvas",
        "label": in_no_language(shown.label),
        "width": width,
        "height": height,
        "thumbnail": [_thumbnail(shown)],
        "metadata": metadata_of(shown.fields),
        "items": [{"id": f"{url}/page", "type": "AnnotationPage", "items": [{**painting, "target": url}]}],
    }
    if manifests := shown.fields.get(MANIFEST):
        profile = {"format": "application/ld+json", "profile": "http://iiif.io/api/presentation"}
        found["seeAlso"] = [{"id": url, "type": "Dataset", **profile} for url in manifests]
    return {**found, **(more or {})}


def manifest(url: str, label: Mapping[str, list[str]], canvases: Sequence[Json], more: Json | None = None) -> Json:
    """A manifest with its context; more: properties besides."""
    head = {"@context": PRESENTATION, "id": url, "type": "Manifest", "label": label}
    return {**head, **(more or {}), "items": list(canvases)}


def collection(url: str, label: Mapping[str, list[str]], items: Sequence[Json], more: Json | None = None) -> Json:
    """A collection with its context."""
    head = {"@context": PRESENTATION, "id": url, "type": "Collection", "label": label}
    return {**head, **(more or {}), "items": list(items)}


def reference(url: str, kind: str, label: Mapping[str, list[str]]) -> Json:
    """A manifest or a collection, as a collection names it."""
    return {"id": url, "type": kind, "label": label}


def pair(label: str, *values: str) -> Json:
    """A label and its values, as metadata has them."""
    return {"label": in_english(label), "value": in_no_language(*values)}


def metadata_of(fields: Fields) -> list[Json]:
    """What the index says of a picture, for people."""
    shown = {key: values for key, values in fields.items() if values and not key.startswith(_PRIVATE) and key != LABEL}
    return [{"label": in_no_language(key), "value": in_no_language(*values)} for key, values in sorted(shown.items())]


def _body(shown: ShownPicture) -> Json:
    has_picture = shown.origin.service or shown.origin.image
    origin, (width, height) = shown.origin if has_picture else shown.server, shown.origin.size
    if not origin.service:  # an archive's picture without a service
        return {"id": origin.image, "type": "Image", "width": width, "height": height}
    is_own = origin.service == shown.server.service
    url = f"{origin.service}/full/max/0/default.jpg" if is_own else origin.picture_of(None)
    body: Json = {"id": url, "type": "Image", "format": "image/jpeg"}
    if services := [_own_service(origin.service)] if is_own else _service_of_archive(shown):
        body["service"] = services
    return {**body, "width": width, "height": height}


def _own_service(url: str) -> Json:
    return {"id": url, "type": "ImageService3", "profile": "level1"}


def _service_of_archive(shown: ShownPicture) -> list[Json]:
    """The archive's image service, if the index knows which Image API it speaks."""
    url, version = shown.origin.service, next(iter(shown.fields.get(VERSION, ())), "")
    if version == "3":
        return [_own_service(url)]
    profile = f"http://iiif.io/api/image/{version}/level1.json"
    return [{"@id": url, "@type": f"ImageService{version}", "profile": profile}] if version in ("1", "2") else []


def _thumbnail(shown: ShownPicture) -> Json:
    """Of the server: it has a small picture of every one, also of those that lie in archives."""
    width, height = shown.server.size
    scale = min(1.0, THUMBNAIL_PX / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    url = f"{shown.server.service}/full/!{THUMBNAIL_PX},{THUMBNAIL_PX}/0/default.jpg"
    picture = {"id": url, "type": "Image", "format": "image/jpeg", "width": size[0], "height": size[1]}
    return {**picture, "service": [_own_service(shown.server.service)]}
