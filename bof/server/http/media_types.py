"""Media types of files that hold pictures, by their first bytes: what a browser shows or plays without scripts."""

from __future__ import annotations

import re

from bof.images.documents import kind_of_document
from bof.images.documents.films import FILMS
from bof.images.documents.pdf import PDF

_OTHER = "application/octet-stream"

_FILMS = (
    (re.compile(rb".{4}ftypqt  ", re.DOTALL), "video/quicktime"),
    (re.compile(rb".{4}ftyp", re.DOTALL), "video/mp4"),
    (re.compile(rb"\x1aE\xdf\xa3.{0,56}webm", re.DOTALL), "video/webm"),
    (re.compile(rb"\x1aE\xdf\xa3"), "video/x-matroska"),
    (re.compile(rb"RIFF"), "video/x-msvideo"),
    (re.compile(rb"OggS"), "video/ogg"),
    (re.compile(rb"\0\0\x01"), "video/mpeg"),
)


def media_type_of(head: bytes) -> str:
    """The media type of a PDF or a film with these first bytes; that of any bytes for everything else."""
    kind = kind_of_document(head)
    if kind is PDF:
        return "application/pdf"
    if kind is not FILMS:
        return _OTHER
    return next((media_type for magic, media_type in _FILMS if magic.match(head)), _OTHER)
