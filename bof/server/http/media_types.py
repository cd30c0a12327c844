"""Media types of files that hold pictures, by their first bytes: what a browser shows or plays without scripts."""

from __future__ import annotations

import re

_OTHER = "application/octet-stream"

_KINDS = (
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*%PDF-"), "application/pdf"),
    (re.compile(rb".{4}ftypqt  ", re.DOTALL), "video/quicktime"),
    (re.compile(rb".{4}ftyp(?!avif|avis|heic|heix|mif1|msf1|crx |jxl )", re.DOTALL), "video/mp4"),
    (re.compile(rb"\x1aE\xdf\xa3.{0,56}webm", re.DOTALL), "video/webm"),
    (re.compile(rb"\x1aE\xdf\xa3"), "video/x-matroska"),
    (re.compile(rb"RIFF.{4}AVI ", re.DOTALL), "video/x-msvideo"),
    (re.compile(rb"OggS"), "video/ogg"),
    (re.compile(rb"\0\0\x01[\xb3\xba]"), "video/mpeg"),
)


def media_type_of(head: bytes) -> str:
    """The media type of a PDF or a film with these first bytes; that of any bytes for everything else."""
    return next((kind for magic, kind in _KINDS if magic.match(head)), _OTHER)
