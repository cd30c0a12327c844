"""The catalogue of an index: a SQLite file that alone says which images and which segment files exist.

Its tables and its SQL are known to this package alone. `schema` has the tables, `connection` the one opener, `records`
what a row may hold, `checksums` how a changed bit is found, `commits` what a reader opens, `select` what is looked up,
`changes` and `metadata` what a commit can change, `filters` conditions as SQL.
"""

from bof.store.catalog.additions import LAST as LAST_ID
from bof.store.catalog.catalogue_columns import CatalogueColumns, ImageRow
from bof.store.catalog.changes import Move
from bof.store.catalog.commits import (
    Commit,
    Seal,
    facts_in,
    generation_in,
    has_parts,
    read_commit,
    read_generation,
    read_meta,
    read_segments,
)
from bof.store.catalog.connection import FILE_NAME, connect, create, exists, reading, replace, require_none, transaction
from bof.store.catalog.filters import BUILT_IN, compile_where
from bof.store.catalog.metadata import TAG, TITLE, Fields, is_named_by_content
from bof.store.catalog.records import FileStamp, ImageRecord, SegmentRecord, has_file, is_in_memory, path_in_memory
from bof.store.catalog.schema import FORMAT, FORMAT_IN_PARTS
from bof.store.catalog.select import (
    GROUPING,
    Order,
    Selection,
    count_annotated,
    count_images,
    count_live,
    count_values,
    ids_of_content,
    ids_of_contents,
    read_keys,
    read_last_id,
    read_metadata,
    read_records,
    select,
    select_ids,
    values_of,
)

__all__ = [
    "BUILT_IN",
    "FILE_NAME",
    "FORMAT",
    "FORMAT_IN_PARTS",
    "GROUPING",
    "LAST_ID",
    "TAG",
    "TITLE",
    "CatalogueColumns",
    "Commit",
    "Fields",
    "FileStamp",
    "ImageRecord",
    "ImageRow",
    "Move",
    "Order",
    "Seal",
    "SegmentRecord",
    "Selection",
    "compile_where",
    "connect",
    "count_annotated",
    "count_images",
    "count_live",
    "count_values",
    "create",
    "exists",
    "facts_in",
    "generation_in",
    "has_file",
    "has_parts",
    "ids_of_content",
    "ids_of_contents",
    "is_in_memory",
    "is_named_by_content",
    "path_in_memory",
    "read_commit",
    "read_generation",
    "read_keys",
    "read_last_id",
    "read_meta",
    "read_metadata",
    "read_records",
    "read_segments",
    "reading",
    "replace",
    "require_none",
    "select",
    "select_ids",
    "transaction",
    "values_of",
]  # fmt: skip
