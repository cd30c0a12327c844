"""The facade: opening an index, and searching it with pictures or with features. No arithmetic here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self, overload

from bof.engine.asking import AskingIndex
from bof.engine.changing import ChangingIndex
from bof.errors import MismatchError, OptionError
from bof.geometry.transforms import corners
from bof.images.sources import Channels, Source, is_one, open_source
from bof.ingest.own_features import check_features, content_of_features, require_own
from bof.options import TOP, FeatureOptions, SearchOptions
from bof.options.published import CacheOptions
from bof.retrieval.hits import Hits
from bof.retrieval.pages import HitRange
from bof.retrieval.query import PictureViews, PreparedQuery, Query, QueryBox, QuerySpec, read_query, together
from bof.retrieval.remote.searching import SearchWorkers
from bof.store import catalog
from bof.store.index import Index
from bof.store.parts.layout import PartShare, Split
from bof.store.parts.making import create_index, require_split
from bof.store.published.copies import local_folder
from bof.system.ahead import run_ahead
from bof.types import Features
from bof.vocabulary.vocabulary import default_vocabulary_path, load_vocabulary

PathText = str | os.PathLike[str]

Many = list[Any] | tuple[Any, ...] | Iterator[Any]
"""Several pictures, each in any form."""


class Engine(ChangingIndex, AskingIndex):
    """An open index with its vocabulary: add, remove, search. Threads may share it.

    memory: megabytes of the index's files that searches may leave in this process' memory, 0: half of the machine's;
    workers: who votes and verifies, None: this process; decoder: decodes the pictures of first hits, so that their
    pixels are compared.
    """

    # -- Opening --------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        folder: PathText,
        vocabulary_folder: PathText | None = None,
        features: FeatureOptions | None = None,
        split: Split | PartShare | None = None,
    ) -> Self:
        """A new index. The vocabulary that ships with bof, and features as it was trained on, are the defaults.

        The index gets a copy of the vocabulary, so that it needs no other file. split: into parts, or which part of a
        collection it is to be.
        """
        source = Path(os.path.abspath(vocabulary_folder or default_vocabulary_path()))
        vocabulary = load_vocabulary(source)
        return cls(create_index(Path(folder), vocabulary, source, features or vocabulary.new_index_features, split))

    @classmethod
    def open(
        cls,
        folder: PathText,
        vocabulary_folder: PathText | None = None,
        *,
        memory: int = 0,
        workers: SearchWorkers | None = None,
        cache: CacheOptions | None = None,
    ) -> Self:
        """An existing index, with the vocabulary that it carries unless another place is named.

        folder: or where an index was published, `s3://BUCKET/PREFIX` or a folder: its files are fetched, and it is
        read-only; workers: who votes and verifies, None: this process; cache: where stays what was fetched.
        """
        vocabulary = Path(vocabulary_folder) if vocabulary_folder else None
        return cls(Index.open(local_folder(folder, cache)), vocabulary, memory, workers)

    @classmethod
    def open_or_create(
        cls,
        folder: PathText,
        vocabulary_folder: PathText | None = None,
        *,
        split: Split | PartShare | None = None,
        **feature_options: float | str,
    ) -> Self:
        """The index in a folder, made if there is none.

        feature_options: fields of FeatureOptions that must hold; split: how it must be split. Raises MismatchError
        where the index has others, or is split in another way.
        """
        folder = Path(folder)
        if not catalog.exists(folder):
            vocabulary_folder = Path(vocabulary_folder or default_vocabulary_path())
            features = load_vocabulary(vocabulary_folder).new_index_features.replaced(**feature_options)
            return cls.create(folder, vocabulary_folder, features, split)
        index = Index.open(folder)
        require_split(index, split)
        found = index.features
        if found != found.replaced(**feature_options):
            raise MismatchError(
                path=folder,
                expected=found.replaced(**feature_options),
                found=f"an index with {found}",
                advice="drop the option, or name another {index}",
            )
        return cls(index, Path(vocabulary_folder) if vocabulary_folder else None)

    # -- Searching -----------------------------------------------------------------------------------------------

    def query_of_features(self, features: Features) -> Query:
        """A query of features alone, extracted as those of the index were; there are no pixels to compare.

        Raises ImageError for arrays of other types or shapes, MismatchError for an index of pictures.
        """
        require_own(self.features, own=True, place=self.folder)
        geometry = check_features(features).geometry
        outline = corners((0, 0, geometry.width, geometry.height))
        return Query(features, outline, sha256=(content := content_of_features(features)), judged_as=content)

    def search_features(
        self, features: Features, options: SearchOptions | None = None, *, top: int = TOP.default
    ) -> Hits:
        """The pictures that show the same as these features: `search` without a picture."""
        TOP.check(top)
        query = self.query_of_features(features)
        return self.hits(query, self.answer(query, options), options, top)

    @overload
    def search(
        self,
        picture: Source,
        options: SearchOptions | None = None,
        *,
        top: int = TOP.default,
        box: QueryBox = None,
        channels: Channels = "RGB",
    ) -> Hits: ...

    @overload
    def search(
        self,
        picture: Many,
        options: SearchOptions | None = None,
        *,
        top: int = TOP.default,
        box: QueryBox = None,
        channels: Channels = "RGB",
    ) -> list[Hits]: ...

    def search(
        self,
        picture: Source | Many,
        options: SearchOptions | None = None,
        *,
        top: int = TOP.default,
        box: QueryBox = None,
        channels: Channels = "RGB",
    ) -> Hits | list[Hits]:
        """The pictures that show the same thing, best first; of a list of queries, the hits of each.

        picture: a path, the bytes of a file, a PIL image, a Picture, or an array u8 (h, w) grey or (h, w, 3) in colour,
        channels being the order of its colours; top: at most so many hits; box: search with a part of the picture, x0,
        y0, x1, y1 in its pixels, or with what stands out, "auto". Raises OptionError where `top` is no number of hits,
        ImageError for what is no picture and for a box outside it.
        """
        TOP.check(top)
        if options is not None and not isinstance(options, SearchOptions):
            advice = "top= says how many hits, box= which part"
            raise OptionError("options", expected="SearchOptions(...)", found=type(options).__name__, advice=advice)
        several: Any = picture
        if not is_one(picture):
            self._collection  # noqa: B018 - opened before several threads ask for it
            return list(run_ahead(lambda one: self._search(one, options, top, box, channels), several))
        return self._search(several, options, top, box, channels)

    def _search(
        self, source: Source, options: SearchOptions | None, top: int, box: QueryBox, channels: Channels
    ) -> Hits:
        query = self.query(source, options, box=box, channels=channels)
        collection, answer = self._answered(query, options or SearchOptions())
        return self._page(collection, query, answer, options or SearchOptions(), HitRange(top)).hits

    def query(
        self,
        source: Source,
        options: SearchOptions | None = None,
        *,
        box: QueryBox = None,
        channels: Channels = "RGB",
    ) -> Query:
        """A picture in any form that `search` takes, made ready for the rankers of `options`."""
        return self.read_query(open_source(source, channels), box, options).query

    def search_together(
        self,
        pictures: Many,
        options: SearchOptions | None = None,
        *,
        top: int = TOP.default,
        channels: Channels = "RGB",
    ) -> Hits:
        """The pictures that show the same thing as several pictures of it together, best first.

        pictures: each in any form that `search` takes; `query_number` of a hit says which of them proves it. Raises as
        `search` does, and OptionError where there is no picture.
        """
        TOP.check(top)
        parts = run_ahead(lambda one: self.query(one, options, channels=channels), pictures)
        query = together(list(parts))
        collection, answer = self._answered(query, options or SearchOptions())
        return self._page(collection, query, answer, options or SearchOptions(), HitRange(top)).hits

    def read_query(self, source: PictureViews, box: QueryBox, options: SearchOptions | None = None) -> PreparedQuery:
        """The same of a picture that is opened, with what its features were extracted from and the box."""
        options = options or SearchOptions()
        column_spec = self.require_columns(options.groups) if options.groups else None
        spec = QuerySpec(self.features, column_spec, bool(options.local), bool(options.verify.pixels))
        return read_query(source, box, spec)
