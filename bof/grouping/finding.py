"""Groups of duplicates in a whole collection: who is like whom, of which kind, and which represents each group.

Every picture is a query to the collection, by what the index holds of it; what it finds is compared by its pixels. Both
are stored as they come (see pairs): a run that was ended goes on, a collection that has grown searches only with its
new pictures.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

import numpy as np

from bof.engine import Engine
from bof.errors import display_name
from bof.global_descriptors.sketch import LEVELS
from bof.grouping.batches import in_batches
from bof.grouping.candidates import VerifiedCandidate, find_all_candidates, search_options
from bof.grouping.flat import flat_proofs
from bof.grouping.groups import Grouping
from bof.grouping.kinds import Proof, prove
from bof.grouping.memory import no_duplicates
from bof.grouping.pairs import Pair, PairStore
from bof.grouping.reading import Pairs, Unread, compare_pairs
from bof.grouping.types import GROUP_KIND, KINDS, Group, Groups, Kind, Member
from bof.images.address import Address, is_remote
from bof.images.opening import stamp_of
from bof.ingest.work import reading_work
from bof.native.mapped_file import reading
from bof.options import DuplicateOptions
from bof.retrieval.pair_join import most_views
from bof.store.catalog import FileStamp, is_in_memory
from bof.store.pictures import StoredPictures
from bof.system.steps import Progress, Stage
from bof.system.threads import even_shares, in_threads, n_threads
from bof.types import U8
from bof.vocabulary.reconstruction import Reconstruction

T = TypeVar("T")

_MOST_JOINED = 64
"""Pictures that a thread joins with the collection at once, before what they found is committed."""

_SEARCH_WORK, _PAIR_WORK = 20.0, 50_000.0
"""Work, in pixels that SIFT is given (see ingest.work): of a feature that is searched with, of a pair of pictures."""

log = logging.getLogger("bof")


def find_groups(
    engine: Engine, kind: Kind, options: DuplicateOptions | None = None, progress: Progress | None = None
) -> list[Group]:
    """Groups of pictures that are alike, up to a kind, by the names of their representatives; none is in two.

    exact reads no picture, the other kinds those that geometry proposes. A picture that cannot be read is named in a
    warning; it may be the same scene, but a copy is proved by pixels alone. Pairs that were rejected are never linked.
    The same collection gives the same groups in whatever order it was indexed. Raises OptionError for a kind that is
    none, IndexStoreError where the index contradicts itself or what is found cannot be kept. progress: receives the
    steps of each stage.
    KeyboardInterrupt is raised again, saying what is kept for the next run.
    """
    GROUP_KIND.check(kind)
    options = options or DuplicateOptions()
    grouping = Grouping(_pictures(engine), no_duplicates(engine.folder))
    if kind == "exact":
        return grouping.groups([])
    facts = {"fingerprint": engine.vocabulary.fingerprint, "candidates": options.candidates}
    facts["features"] = str(engine.features)
    with PairStore(engine.folder, facts) as store, _interrupted_with_words(store, set(grouping.by_content)):
        Stage(progress, "searching", len(grouping.by_content.keys() - store.searched().keys()))
        search = _Search(engine, kind, grouping.by_content, options, progress)
        search.complete(store)
        found = store.pairs(set(grouping.by_content))
        contents = search.readable(grouping.by_content)
        whole = flat_proofs(contents, search.sketches(), engine.features, options, progress)
    loosest = KINDS.index(kind)
    proofs = [proof for proof in _proofs(found, options) if KINDS.index(proof.kind) <= loosest]
    known = {frozenset({proof.one, proof.other}) for proof in proofs}
    proofs += [proof for proof in whole if frozenset({proof.one, proof.other}) not in known]
    return grouping.groups(proofs)


def _pictures(engine: Engine) -> list[Member]:
    """What may be a duplicate: no frames of films, which are alike by nature; `bof.clips` compares films."""
    return [member for member in engine.records() if not Address.parse(member.path).is_frame]


def find_duplicates(
    engine: Engine | str | os.PathLike[str],
    kind: Kind = "crop",
    options: DuplicateOptions | None = None,
    progress: Progress | None = None,
) -> Groups:
    """Groups of duplicates in an index, which is open or lies in a folder; no file is touched.

    kind: what counts as a duplicate, "exact" (the same bytes), "copy", "crop" or "scene". See `find_groups`.
    """
    if isinstance(engine, Engine):
        return Groups(find_groups(engine, kind, options, progress))
    with Engine.open(engine) as opened:
        return Groups(find_groups(opened, kind, options, progress))


@contextmanager
def _interrupted_with_words(store: PairStore, contents: set[str]) -> Iterator[None]:
    """Ctrl-C says what is kept of the work on these contents."""
    try:
        yield
    except KeyboardInterrupt:
        searched = {content: is_compared for content, is_compared in store.searched().items() if content in contents}
        if not searched:
            raise KeyboardInterrupt(f"none of {len(contents)} pictures is searched with yet") from None
        done = f"{len(searched)} of {len(contents)} pictures are searched with, {sum(searched.values())} compared"
        advice = "this is kept, and the same command goes on from here" if store.is_on_disk else "nothing can be kept"
        raise KeyboardInterrupt(f"{done}; {advice}") from None


def _proofs(pairs: Iterable[Pair], options: DuplicateOptions) -> list[Proof]:
    """What the pairs prove, the better direction of each, in order."""
    best: dict[frozenset[str], Proof] = {}
    for pair in pairs:
        proof = prove(pair, options)
        contents = frozenset({pair.query, pair.found})
        if proof and (contents not in best or _order(proof) < _order(best[contents])):
            best[contents] = proof
    return sorted(best.values(), key=lambda proof: (proof.one, proof.other))


def _order(proof: Proof) -> tuple[int, int, str]:
    return KINDS.index(proof.kind), -proof.n_inliers, proof.one


class _Search:
    """Asks and compares whatever has not been, for one index."""

    def __init__(
        self,
        engine: Engine,
        kind: Kind,
        by_content: Mapping[str, Sequence[Member]],
        options: DuplicateOptions,
        progress: Progress | None,
    ) -> None:
        self._progress, self._kind = progress, kind
        self._first = {content: members[0] for content, members in by_content.items()}
        self._engine = engine
        self._options = options
        stored = StoredPictures(engine.folder)
        self._sources = {content: _source(members, stored) for content, members in by_content.items()}
        firsts = {members[0].id: content for content, members in by_content.items()}
        self._searcher = engine.searcher(search_options(options.candidates)).restricted(set(firsts))
        numbers = zip(engine.images.id.tolist(), range(len(engine.images)), strict=True)
        self._content_of = {image: firsts[number] for number, image in numbers if number in firsts}
        self._image_of = {content: image for image, content in self._content_of.items()}
        self._by_name = [content for content in by_content if content in self._image_of]

    def readable(self, by_content: Mapping[str, Sequence[Member]]) -> dict[str, tuple[Member, FileStamp]]:
        """Each content with its first member and the file to read."""
        return {content: (members[0], self._sources[content]) for content, members in by_content.items()}

    def sketches(self) -> dict[str, U8]:
        """The sketch u8 (8, 8) of each content that the index holds one of."""
        found: dict[str, U8] = {}
        collection = self._searcher.collection
        with reading(collection):
            for images, rows, known in collection.column(LEVELS):
                for place in np.flatnonzero(known).tolist():
                    content = self._content_of.get(images.start + place)
                    found |= {} if content is None else {content: np.array(rows[place])}
        return found

    def complete(self, store: PairStore) -> None:
        """Search with all that were not searched with, then compare all that may be one photograph and was not."""
        self._warn_of_files()
        searched = store.searched()
        self._search_with([content for content in self._by_name if content not in searched], store)
        self._compare(store)

    def _warn_of_files(self) -> None:
        """Name what cannot be compared; pictures that were given in memory are named by their number alone."""
        sources = [self._sources[content] for content in self._by_name]
        if n_in_memory := sum(is_in_memory(source.path) for source in sources):
            words = "given in memory: they are grouped by equal pixels alone, or as scenes"
            log.warning("%d pictures were %s", n_in_memory, words)
        for source in sources:
            if not is_in_memory(source.path) and not source.is_current():
                log.warning("%s: is gone or has changed since it was indexed", display_name(source.path))

    def _search_with(self, contents: Sequence[str], store: PairStore) -> None:
        """Search with what the index holds of some pictures, a commit at a time."""
        work = [_SEARCH_WORK * self._first[content].n_features for content in contents]
        stage = Stage(self._progress, "searching", len(contents), sum(work))
        if not contents:
            return
        reconstruction = Reconstruction.of(self._engine.vocabulary)
        size = min(_MOST_JOINED, most_views(self._searcher.collection))
        for batch in _batches(iter(enumerate(contents)), n_threads() * size):
            store.add(self._search_batch([content for _, content in batch], reconstruction))
            stage.advance(len(batch), sum(work[place] for place, _ in batch))

    def _search_batch(self, batch: Sequence[str], reconstruction: Reconstruction) -> list[tuple[str, list[Pair]]]:
        max_side = self._engine.features.extent

        def some(numbers: range) -> list[list[VerifiedCandidate]]:
            images = [self._image_of[batch[number]] for number in numbers]
            return find_all_candidates(self._searcher, reconstruction, images, max_side)

        found = [candidates for part in in_threads(some, even_shares(len(batch), 2)) for candidates in part]
        self._searcher.give_back()
        return [
            (content, [self._pair(content, candidate) for candidate in candidates])
            for content, candidates in zip(batch, found, strict=True)
        ]

    def _pair(self, content: str, candidate: VerifiedCandidate) -> Pair:
        numbers = candidate.n_inliers, candidate.probability, candidate.n_exact
        return Pair(content, self._content_of[candidate.image], *numbers, candidate.found_from_query, candidate.exact)

    def _compare(self, store: PairStore) -> None:
        """Compare pictures with what may be the same photograph, a commit at a time."""
        pairs = _better_ways(store.pairs(set(self._by_name)))
        left = {c: [pair for pair in pairs.get(c, []) if self._is_left(pair)] for c in self._by_name}
        is_compared = store.searched()
        store.compare((content, {}) for content, found in left.items() if not found and not is_compared[content])
        work = [found for found in left.values() if found]
        named = [[found[0].query, *(pair.found for pair in found)] for found in work]
        batches = [[work[number] for number in batch] for batch in in_batches(named)]
        comparing = [sum(self._comparing_work(found) for found in batch) for batch in batches]
        stage = Stage(self._progress, "comparing", sum(map(len, batches)), sum(comparing))
        items = [[self._files(found) for found in batch] for batch in batches]
        reading_as = self._engine.features, self._options.workers
        for place, results in compare_pairs(items, *reading_as, copies_only=self._kind != "scene"):
            compared = []
            for found_pairs, found in zip(batches[place], results, strict=True):
                names = [pair.found for pair in found_pairs]
                likenesses = [None] * len(names) if isinstance(found, Unread) else found
                compared.append((found_pairs[0].query, dict(zip(names, likenesses, strict=True))))
            store.compare(compared)
            stage.advance(len(compared), comparing[place])

    def _is_left(self, pair: Pair) -> bool:
        """Do the pixels of a pair matter, and are not known? Of scenes always: filled-in forms look like them."""
        if pair.likeness is not None or (pair.is_unlike and self._kind != "scene"):
            return False
        return pair.exact is not None and (self._kind == "scene" or pair.fit.may_be_copy)

    def _files(self, pairs: Sequence[Pair]) -> Pairs:
        """The file of a picture and of what it found, with the transforms."""
        located = [(self._sources[pair.found], pair.exact) for pair in pairs if pair.exact is not None]
        return self._sources[pairs[0].query], located

    def _comparing_work(self, found: Sequence[Pair]) -> float:
        members = [self._first[found[0].query], *(self._first[pair.found] for pair in found)]
        return len(found) * _PAIR_WORK + sum(reading_work(m.path, m.width * m.height) for m in members)


def _source(members: Sequence[Member], stored: StoredPictures) -> FileStamp:
    """The first of the files of one content that is current, or that the index stores; the first, where none is."""
    files = [_file(member, stored) for member in members]
    return next((file for file in files if file.is_current()), files[0])


def _file(member: Member, stored: StoredPictures) -> FileStamp:
    """The file to read of a picture; of one on another machine the copy or the thumbnail that the index stores."""
    found = stored.find(member.sha256) if is_remote(member.path) else None
    if found is None or found.read() is None:
        return member.file
    return FileStamp(str(found.path), *stamp_of(found.path), (member.width, member.height))


def _better_ways(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """By the content of the query: of two pictures that found each other the way on which more agrees is compared."""
    ways = {(pair.query, pair.found): pair for pair in pairs}
    chosen: dict[str, list[Pair]] = {}
    for pair in ways.values():
        back = ways.get((pair.found, pair.query))
        if back is None or (-pair.n_inliers, pair.query) <= (-back.n_inliers, back.query):
            chosen.setdefault(pair.query, []).append(pair)
    return chosen


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch
