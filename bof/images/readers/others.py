"""Files that are no pictures for bof: what they are, by suffix and by content, and what to do about them."""

from __future__ import annotations

import functools
import re

from bof.images.readers.formats import format_of

_FILMS = 'pip install "bof-search[video]"'
_SOUND = "sound is not read"
_DOCUMENTS = "documents are not read; export their pages or pictures"
_PDF = 'pip install "bof-search[pdf]"'
_ARCHIVES = "archives are not read; unpack them"
_EDITORS = "documents of picture editors are not read; export them as PNG or TIFF"
_PICTURES = "bof has no reader of this format; convert the pictures to PNG or TIFF"
_NOTHING = ""

_SUFFIXES = {
    _FILMS: "mp4 m4v mov qt avi divx mkv webm wmv asf mpg mpeg mts m2ts 3gp 3g2 flv f4v ogv ogm vob mxf insv lrv",
    _SOUND: "mp3 wav flac m4a aac ogg oga opus wma aiff aif mid midi",
    _PDF: "pdf",
    _DOCUMENTS: "doc docx odt rtf ppt pptx odp xls xlsx ods epub mobi azw3 djvu ps eps pages",
    _ARCHIVES: "cbr rar 7z tar gz tgz bz2 xz zst iso dmg",
    _EDITORS: "psd psb xcf kra clip afphoto afdesign ai indd cdr sketch fig svgz",
    _PICTURES: "exr hdr dds dcm fits fit jxr wdp hdp bpg flif pcx wmf emf pict heics avifs cur jpm jph",
    _NOTHING: "txt md rst csv tsv json jsonl xml yaml yml toml ini cfg conf log htm html css js mjs ts py pyc pyi c h"
    " cpp hpp rs go java class rb sh bat ps1 exe dll so dylib o a lib msi apk whl db sqlite sqlite3 lock npy npz h5"
    " parquet pkl pt onnx bin dat tmp bak part crdownload xmp aae thm pp3 dop on1 lrcat lrdata picasa nfo srt vtt sub"
    " ass url lnk torrent ttf otf woff woff2 pem crt ics vcf eml msg tex bib ipynb gpx kml stl obj",
}
_ADVICE = {f".{suffix}": words for words, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}

_CONTENTS = (
    ("a PDF document", re.compile(rb"%PDF-")),
    ("a ZIP archive, or a document in one", re.compile(rb"PK\x03\x04|PK\x05\x06")),
    ("an archive", re.compile(rb"Rar!|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ")),
    (
        "a film",
        re.compile(rb".{4}(?:ftyp|moov|mdat|wide)|RIFF.{4}AVI |\x1aE\xdf\xa3|\0\0\x01[\xb3\xba]|FLV", re.DOTALL),
    ),
    ("sound", re.compile(rb"ID3|RIFF.{4}WAVE|fLaC|OggS|\xff[\xf1\xf3\xf9\xfb]", re.DOTALL)),
    ("a document of Photoshop", re.compile(rb"8BPS")),
    ("a PostScript document", re.compile(rb"%!PS")),
    ("a program", re.compile(rb"MZ|\x7fELF|\xcf\xfa\xed\xfe")),
    ("a web page", re.compile(rb"\s*<(?:!doctype html|html|head|body)", re.IGNORECASE)),
    ("XML", re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml")),
    ("nothing but zeros", re.compile(rb"\0{32}")),
    ("text", re.compile(rb"[\t\n\r\x20-\x7e]{8}")),
)


def is_known_other(suffix: str) -> bool:
    """Does this suffix, in lower case, say that a file is no picture for bof? Then nobody looks into it."""
    return suffix in _ADVICE


def describe_content(head: bytes) -> str:
    """What a file is by its first bytes: `a PDF document`; `unknown` where nothing here tells."""
    return next((words for words, magic in _CONTENTS if magic.match(head)), "unknown")


@functools.cache
def advice_for(kind: str) -> str:
    """What to do about files of this kind, a suffix or other words: a command, a reason, or nothing."""
    known = format_of(kind)
    if known is not None and not known.is_readable:
        return known.advice
    return _ADVICE.get(kind, "")
