"""An answer as an Annotation Page: of the Web Annotation model, or of IIIF Content Search 2, which builds on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bof.annotations.matches import CONTEXT, AnnotatedQuery, PlacedHit, annotations_of

Profile = Literal["http://www.w3.org/ns/anno.jsonld", "http://iiif.io/api/search/2/context.json"]
WEB_ANNOTATION: Profile = "http://www.w3.org/ns/anno.jsonld"
CONTENT_SEARCH: Profile = "http://iiif.io/api/search/2/context.json"

MEDIA_TYPE = "application/ld+json"


@dataclass(frozen=True, slots=True)
class PageLinks:
    """Ids: url of this page, collection of the whole answer; the pages before and after it, "" for none; marked: what
    stands between the page's id and the number of a hit in the hit's id; context: where bof's own context is, "" to
    write it into the page.
    """

    url: str
    collection: str
    previous: str = ""
    next: str = ""
    marked: str = "#"
    context: str = ""


def annotation_page(
    found: Sequence[PlacedHit], query: AnnotatedQuery, links: PageLinks, total: int, offset: int, profile: Profile
) -> dict[str, Any]:
    """Hits in order. total: of all pages; offset: how many hits come before this page."""
    own = links.context or CONTEXT
    # A context of IIIF comes last, that of the Web Annotation model first.
    context = [profile, own] if profile == WEB_ANNOTATION else [own, profile]
    page: dict[str, Any] = {"@context": context, "id": links.url, "type": "AnnotationPage"}
    page["partOf"] = {"id": links.collection, "type": "AnnotationCollection", "total": total}
    page["startIndex"] = offset
    for name, url in (("prev", links.previous), ("next", links.next)):
        if url:
            page[name] = url if profile == WEB_ANNOTATION else {"id": url, "type": "AnnotationPage"}
    page["items"] = annotations_of(found, query, links.url, links.marked)
    return page
