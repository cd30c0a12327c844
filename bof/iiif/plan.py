"""What manifests and an index together ask for: canvases that are new, known, or gone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bof.iiif.archive import CanvasToFetch, Walked
from bof.iiif.manifest import Manifest
from bof.iiif.naming import MANIFEST, fields_for, name_for
from bof.images.address import is_remote, path_of_remote
from bof.images.listing import Skipped
from bof.store.catalog import Fields, ImageRecord
from bof.store.index import Index


@dataclass(frozen=True, slots=True)
class HarvestPlan:
    """What manifests and index together ask for.

    canvases: every picture of the manifests; fields: of each, by path, what is said of it; gone: known pictures that
    have left all their manifests; problems: what of the manifests cannot be used; others: what else they hold.
    """

    canvases: Sequence[CanvasToFetch]
    fields: Mapping[str, Fields]
    gone: Sequence[ImageRecord]
    problems: Sequence[Skipped]
    others: Mapping[str, int]
    n_manifests: int
    known: Mapping[str, ImageRecord]

    @property
    def new(self) -> list[CanvasToFetch]:
        """Those that the index does not know."""
        return [canvas for canvas in self.canvases if canvas.path not in self.known]


def compare(walked: Walked, index: Index | None) -> HarvestPlan:
    """Manifests as they are now, and what an index has of them; None: there is no index yet."""
    records = index.records() if index else []
    known = {record.path: record for record in records if is_remote(record.path)}
    taken = {record.name: record.path for record in records}
    showing: dict[str, list[Manifest]] = defaultdict(list)
    canvases: dict[str, CanvasToFetch] = {}
    for manifest in walked.manifests:
        for picture in manifest.pictures:
            path = path_of_remote(picture.canvas)
            showing[path].append(manifest)
            if path in canvases:
                continue
            row = known.get(path)
            name = row.name if row else name_for(manifest, picture, taken, path)
            taken[name] = path
            canvases[path] = CanvasToFetch(path, name, picture, row.sha256 if row else "")
    problems = [Skipped(part.place, part.reason) for part in walked.problems]
    problems += [Skipped(part.place, part.reason) for manifest in walked.manifests for part in manifest.problems]
    others = sum((Counter(manifest.others) for manifest in walked.manifests), Counter[str]())
    fields = {path: fields_for(showing[path], canvas.picture) for path, canvas in canvases.items()}
    gone = _gone(walked.manifests, known, index.metadata() if index else {})
    return HarvestPlan(list(canvases.values()), fields, gone, problems, others, len(walked.manifests), known)


def _gone(
    manifests: Sequence[Manifest], known: Mapping[str, ImageRecord], metadata: Mapping[str, Fields]
) -> list[ImageRecord]:
    """Known pictures all of whose manifests were read and show them no more; a canvas with a problem is still there."""
    read = {manifest.url for manifest in manifests if manifest.pictures}
    there = {path_of_remote(picture.canvas) for manifest in manifests for picture in manifest.pictures}
    there |= {path_of_remote(part.place) for manifest in manifests for part in manifest.problems}
    gone = []
    for path, record in known.items():
        shown_by = metadata.get(path, {}).get(MANIFEST, [])
        if path not in there and shown_by and read.issuperset(shown_by):
            gone.append(record)
    return gone
