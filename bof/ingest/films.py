"""Films come into the index chunk by chunk, each by a process of its own, in order; a killed run goes on where it was.

Pictures of a film that is not read to its end have a time that no file has (UNFINISHED_NS), as those of a document. A
chunk's pictures are committed together, so that the last shot that is there says which chunks are. A chunk that its
process does not survive is left out and named; the film counts as read without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bof.images.address import Address
from bof.images.listing import Skipped
from bof.images.opening import sha256_of_part
from bof.ingest.batches import Batches
from bof.ingest.documents import Documents
from bof.ingest.extract import Extracted
from bof.ingest.film_chunks import FilmSpec
from bof.ingest.film_files import OpenedFilm, common_fields, part_of
from bof.ingest.film_reading import FilmReading, read_chunks
from bof.ingest.reuse import reuse_features
from bof.ingest.sync import UNFINISHED_NS, KnownContent, KnownFile, by_file
from bof.options import IndexOptions
from bof.scheduling.connection import Cluster
from bof.store.catalog import ImageRecord, Move
from bof.store.index import Index
from bof.store.writer import Writer
from bof.system.steps import Progress

NOTHING_TO_FIND = "no picture of it has anything to find: it is black, or of one colour"


class Films:
    """The films of one run. documents: gives pictures names that are free."""

    def __init__(
        self, index: Index, writer: Writer, batches: Batches, documents: Documents, spec: FilmSpec,
        options: IndexOptions, progress: Progress | None, cluster: Cluster | None = None,
    ) -> None:  # fmt: skip
        self._index, self._writer, self._batches, self._documents = index, writer, batches, documents
        self._spec, self._options, self._progress, self._cluster = spec, options, progress, cluster
        self._opened: list[OpenedFilm] = []
        self._complete: list[FilmReading] = []
        self.n_changed = self.n_reused = self.n_removed = self.n_unchanged = 0

    def take_opened(self, film: OpenedFilm) -> None:
        """A film was opened: it is to be read."""
        self._opened.append(film)

    def read(self) -> None:
        """Read all of them, those of one content once."""
        once = list({film.sha256: film for film in reversed(self._opened)}.values())[::-1]
        for films in (once, [film for film in self._opened if film not in once]):
            if films:
                self._read(films)
                self.finish()
        self._opened = []

    def finish(self) -> None:
        """Commit what waits; films that were read to their ends get their files' times, what is none of them leaves."""
        self._batches.commit()
        for reading in self._complete:
            self._finish(reading)
        self._complete = []

    def _read(self, films: Sequence[OpenedFilm]) -> None:
        known = by_file(self._index.records())
        to_read = []
        for film in films:
            reading = self._begin(film, known[film.path].records if film.path in known else ())
            source = (
                None if not reading.chunks else next((k for k in known.values() if k.has_content(film.sha256)), None)
            )
            if not reading.chunks or (source and self._reuse(reading, source)):
                self._complete.append(reading)
            else:
                to_read.append(reading)
        for reading, found in read_chunks(to_read, self._spec, self._options, self._progress, self._cluster):
            self._take(reading, found)

    def _begin(self, film: OpenedFilm, records: Sequence[ImageRecord]) -> FilmReading:
        """What is to be read of a film of which the index has these pictures."""
        annotated = self._index.select(paths=[one.path for one in records]).fields.values() if records else ()
        fields = {**common_fields(list(annotated)), **film.fields}
        reading = FilmReading(film, records, film.chunks, fields)
        self.n_unchanged += len(reading.paths)
        return replace(reading, chunks=film.chunks_after(map(part_of, reading.paths)))

    def _reuse(self, reading: FilmReading, source: KnownFile) -> bool:
        """Take over what the index has of another film of the same content; False: it must be read after all."""
        for found in reuse_features(self._index, self._writer, _contents(reading.film, source)):
            if isinstance(found, KnownContent):
                return False
            self._add(reading, [found])
            self.n_reused += 1
        reading.n_taken = len(reading.chunks)
        return True

    def _take(self, reading: FilmReading, found: Sequence[Extracted] | Skipped) -> None:
        """What became of a chunk."""
        if isinstance(found, Skipped):
            self._batches.take(found)
        else:
            self._add(reading, found)
        if reading.is_complete:
            self._complete.append(reading)
            if not reading.paths:
                self._batches.take(Skipped(reading.film.path, NOTHING_TO_FIND))
        if self._complete and not self._batches.n_waiting:
            self.finish()

    def _add(self, reading: FilmReading, pictures: Sequence[Extracted]) -> None:
        """Pictures that are committed together."""
        named = []
        for record, columns in pictures:
            name = self._documents.free_name(record.path, record.name)
            named.append((replace(record, name=name, mtime_ns=UNFINISHED_NS), columns))
            reading.paths.add(record.path)
            self.n_changed += self._documents.had(record.path)
        self._batches.take_together(named, reading.fields)

    def _finish(self, reading: FilmReading) -> None:
        """Everything was committed before."""
        paths = reading.paths | {one.path for one in reading.records}
        rows = self._index.select(paths=paths).records
        gone = [row.id for row in rows if not reading.has_content(row)]
        moves = [Move(row.id, row.name, row.path, *reading.film.stamp) for row in rows if reading.has_content(row)]
        self._writer.rearrange(moves, gone, list(map(str, self._index.roots)))
        self.n_removed += len(gone)


def _contents(film: OpenedFilm, source: KnownFile) -> list[KnownContent]:
    """The pictures of a film, as the index has them of another one of the same content."""
    addresses = [Address(film.path, part_of(record.path)) for record in source.records]
    return [
        KnownContent(str(one), one.name(film.name), sha256_of_part(film.sha256, one.part), film.stamp[0], UNFINISHED_NS)
        for one in addresses
    ]
