"""Readers: the table of formats, hostile drawings, RAW files and their previews, plug-ins, sizes before decoding."""

from __future__ import annotations

import io
import logging
import re
import struct
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rawpy
from PIL import Image

from bof.errors import ImageError
from bof.images import listing
from bof.images.decode import decode, kind_of, read_image
from bof.images.limited import LimitedReader
from bof.images.readers import READERS, plug_ins
from bof.images.readers.formats import FORMATS, Format, describe_formats, formats_of_bof
from bof.images.readers.jpeg_xl import read_size
from bof.images.readers.others import advice_for, is_known_other
from bof.images.readers.probe import Probe
from bof.images.readers.reader import PillowPicture
from bof.images.readers.svg import parse
from scripts.common.camera_raw import make_dng
from tests.support.picture_files import as_svg, fixture, photograph, saved, whole_files
from tests.support.scenes import ROOT, draw_scene

SVG_START = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="50">'
)


# -- The table --------------------------------------------------------------------------------------------------------


def test_each_format_has_one_reader_and_suffixes_of_its_own() -> None:
    assert sorted(reader.format.kind for reader in READERS) == sorted(each.kind for each in FORMATS)
    suffixes = [suffix for each in FORMATS for suffix in each.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(re.fullmatch(r"\.[a-z0-9]+", suffix) and not is_known_other(suffix) for suffix in suffixes)
    assert all(each.advice for each in FORMATS if each.modules)


def test_readme_docs_and_extras_say_what_the_table_says() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    chinese = "".join((ROOT / "README.zh-CN.md").read_text(encoding="utf-8").split())
    assert describe_formats(formats_of_bof()) in readme
    assert "、".join(each.kind.replace(" ", "") for each in formats_of_bof()[:-1]) in chinese
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    for each in FORMATS:
        row = f"| {each.kind} | {' '.join(f'`{suffix}`' for suffix in each.suffixes)} |"
        assert row in page
        line = next(line for line in page.splitlines() if line.startswith(row))
        assert f"| {each.library} | {each.licence} |" in line
        assert f"`[{each.extra}]`" in line if each.extra else "`[" not in line
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in {each.extra for each in FORMATS} - {""}:
        assert re.search(rf"^{extra} = \[", extras, re.MULTILINE)
    assert f"pictures ({describe_formats()})" == listing.PICTURES


def test_the_page_offers_every_suffix() -> None:
    script = (ROOT / "bof" / "server" / "static" / "uploading.js").read_text(encoding="utf-8")
    pattern = re.search(r"const SUFFIXES =\s*/(.*?)/i;", script, re.DOTALL)
    assert pattern is not None
    offered = re.compile(pattern[1])
    assert [suffix for each in FORMATS for suffix in each.suffixes if not offered.search(f"a{suffix}")] == []


def test_advice() -> None:
    assert advice_for(".mp4") == 'pip install "bof-search[video]"'
    assert advice_for(".mp3") == "sound is not read"
    assert advice_for(".txt") == advice_for("hidden") == advice_for(".strange") == ""


# -- SVG --------------------------------------------------------------------------------------------------------------


def drawn(inside: str, start: str = SVG_START) -> Image.Image:
    return Image.fromarray(decode(f"{start}{inside}</svg>".encode()).pixels)


@pytest.mark.parametrize("element", ["image", "feImage"])
@pytest.mark.parametrize("attribute", ["href", "xlink:href"])
def test_a_drawing_reads_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, element: str, attribute: str) -> None:
    Image.new("RGB", (50, 50), "red").save(tmp_path / "canary.png")
    monkeypatch.chdir(tmp_path)
    for link in ("canary.png", str(tmp_path / "canary.png"), (tmp_path / "canary.png").as_uri()):
        shape = f'<{element} {attribute}="{link}" width="100" height="50"/>'
        if element == "feImage":
            shape = f'<filter id="f">{shape}</filter><rect width="100" height="50" fill="white" filter="url(#f)"/>'
        assert np.asarray(drawn(shape)).min() == 255
        assert (
            b"canary" not in str([each.attrib for each in parse(f"{SVG_START}{shape}</svg>".encode()).iter()]).encode()
        )


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<use href="other.svg#part"/>',
        '<image href="http://127.0.0.1:1/x.png" width="9" height="9"/>',
        '<image href="data:image/svg+xml;base64,PHN2Zy8+" width="9" height="9"/>',
        "<foreignObject><b>words</b></foreignObject>",
    ],
)
def test_what_leads_out_of_a_drawing_is_left_out(inside: str) -> None:
    root = parse(f'{SVG_START}<rect width="9" height="9"/>{inside}</svg>'.encode())
    assert [each.tag.rpartition("}")[2] for each in root.iter()] == ["svg", "rect"]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (f'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>{SVG_START}<text>&a;</text></svg>', "entities of"),
        (f'<!DOCTYPE svg [<!ENTITY % a "b"> %a;]>{SVG_START}</svg>', "entities of"),
        (f'<!DOCTYPE svg [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>{SVG_START}&c;</svg>', "entities of"),
        (SVG_START + "<g>" * 300 + "</g>" * 300 + "</svg>", "200 deep"),
        (SVG_START + "<g/>" * 200_001 + "</svg>", "200000 elements"),
        (SVG_START + "<g>", "a broken, truncated"),
        ('<svg xmlns="http://www.w3.org/2000/svg" width="0" height="-4"/>', "a width and a height"),
        ('<svg xmlns="http://www.w3.org/2000/svg" width="nan" height="1e999"/>', "a width and a height"),
        (SVG_START + "<!--" + "x" * (16 << 20) + "--></svg>", "bytes of SVG"),
    ],
)
def test_hostile_drawings_are_refused(document: str, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        decode(document.encode())


def test_common_entities_and_namespaces_are_fine() -> None:
    document = (
        '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd" '
        '[<!ENTITY ns "http://www.w3.org/2000/svg">]><s:svg xmlns:s="&ns;" viewBox="0 0 20 10">'
        '<s:rect width="10" height="10" fill="#f00"/></s:svg>'
    )
    picture = decode(document.encode())
    assert (picture.width, picture.height) == (1024, 512)
    assert picture.pixels[100, 100].tolist() == [255, 0, 0]
    assert picture.pixels[100, 900].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="100" height="50"', (1024, 512)),
        ('width="2000px" height="1500"', (2000, 1500)),
        ('width="1in" height="48pt"', (1024, 683)),
        ('viewBox="0 0 90000 45000"', (4096, 2048)),
        ('width="100%" height="100%" viewBox="0,0,30,60"', (512, 1024)),
        ('width="3000" viewBox="0 0 10 20"', (2048, 4096)),
        ('width="1e8" height="1"', (4096, 1)),
    ],
)
def test_a_drawing_has_the_size_that_it_says_within_limits(attributes: str, size: tuple[int, int]) -> None:
    data = f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}><rect width="9" height="9"/></svg>'.encode()
    picture = decode(data, max_side=200)
    assert (picture.width, picture.height) == size
    assert max(picture.pixels.shape) == 200


def test_a_picture_in_a_drawing_is_bounded() -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + bytes(4)
    assert [each.tag for each in parse(as_svg(bomb)).iter() if each.tag.endswith("image")] == []
    assert [each.tag for each in parse(as_svg(saved(photograph(), "PNG"))).iter() if each.tag.endswith("image")]


# -- RAW --------------------------------------------------------------------------------------------------------------

SCENE = draw_scene(3, 640, 480)


def jpeg_of(pixels: np.ndarray) -> bytes:
    return saved(np.ascontiguousarray(pixels), "JPEG", quality=95)


def is_preview(data: bytes, max_side: int | None = None) -> bool:
    """Red previews of a scene: which of the two was read?"""
    return bool(decode(data, max_side=max_side).pixels[..., 1:].max() < 60)


def red(width: int, height: int) -> bytes:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = SCENE[0, 0, 0]
    return jpeg_of(pixels)


@pytest.mark.parametrize(
    ("preview", "is_taken"),
    [((640, 480), True), ((648, 484), True), ((320, 240), False), ((640, 360), False), ((1600, 1200), False)],
)
def test_a_preview_is_taken_where_it_is_large_and_has_the_shape(preview: tuple[int, int], is_taken: bool) -> None:
    data = make_dng(SCENE, red(*preview))
    assert is_preview(data) is is_taken
    assert (decode(data).width, decode(data).height) == (640, 480)


def test_a_preview_of_1024_pixels_is_enough_for_a_larger_sensor() -> None:
    scene = draw_scene(3, 2400, 1800)
    assert is_preview(make_dng(scene, red(1024, 768)))
    assert not is_preview(make_dng(scene, red(1000, 750)))


def test_a_broken_preview_is_none() -> None:
    assert not is_preview(make_dng(SCENE, red(640, 480)[:1500]))


def test_what_cannot_be_developed_gives_its_small_preview_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(rawpy.RawPy):
        def postprocess(self, *_: Any, **__: Any) -> Any:
            raise rawpy.LibRawDataError(b"broken")

    monkeypatch.setattr(rawpy, "RawPy", Broken)
    picture = decode(make_dng(SCENE, red(160, 120)))
    assert (picture.width, picture.height) == (640, 480)
    assert "cannot be developed (LibRawDataError); its preview was read: 160 x 120 pixels" in picture.note
    with pytest.raises(ImageError, match="a whole RAW picture"):
        decode(make_dng(SCENE))


def test_raw_is_told_from_tiff_by_its_directories() -> None:
    raw = make_dng(SCENE, red(640, 480))
    assert kind_of(raw) == kind_of(make_dng(SCENE)) == "RAW"
    assert kind_of(raw[:64]) == "TIFF"  # the directories lie behind
    assert kind_of(saved(SCENE, "TIFF")) == "TIFF"
    assert kind_of(b"II*\0\x10\0\0\0CR\2\0") == "RAW"
    loop = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 330, 4, 1, 8, 8)
    assert kind_of(loop) == "TIFF"


# -- HEIC, JPEG XL ----------------------------------------------------------------------------------------------------


def test_a_telephones_picture_is_upright() -> None:
    upright, turned = decode(fixture("drawn.heic")), decode(fixture("turned.heic"))
    assert b"irot" in fixture("turned.heic")
    assert (upright.width, upright.height) == (turned.width, turned.height) == (1024, 768)
    assert np.abs(upright.pixels.astype(int) - turned.pixels).mean() < 3


def test_a_jpeg_xl_tells_its_size_without_a_decoder() -> None:
    data = fixture("drawn.jxl")
    with pytest.raises(ImageError, match=r"which needs a plug-in of Pillow|too large: .* found 1024 x 768"):
        decode(data, max_pixels=1)
    assert read_size(b"\xff\x0a" + (1 | 4 << 1 | 1 << 6).to_bytes(10, "little")) == (40, 40)  # 8 * (4 + 1), 1 to 1
    with pytest.raises(ValueError, match="codestream"):
        read_size(b"\xff\x0a")


def test_a_plug_in_of_pillow_reads_jpeg_xl(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in: what a plug-in registers is asked, once the size is judged."""
    monkeypatch.setattr(Format, "is_readable", property(lambda each: True))
    Image.init()
    monkeypatch.setitem(Image.OPEN, "JXL", (lambda stream, name: Image.fromarray(photograph()), None))
    assert np.array_equal(decode(fixture("drawn.jxl")).pixels, photograph())


# -- Plug-ins ---------------------------------------------------------------------------------------------------------


class WordReader:
    """Reads files that begin with a word: a stand-in for another package's reader."""

    format = Format("WORD", (".word",), "image/x-word")

    def matches(self, probe: Probe) -> bool:
        return probe.head.startswith(b"a word")

    def open(self, stream: io.BytesIO) -> PillowPicture:
        return PillowPicture(Image.new("RGB", (8, 6), "blue"))


class Failing(WordReader):
    def matches(self, probe: Probe) -> bool:
        raise RuntimeError("it fails")


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    here = __name__
    points = [
        EntryPoint("a-broken", "no_such_module:Reader", plug_ins.GROUP),
        EntryPoint("b-failing", f"{here}:Failing", plug_ins.GROUP),
        EntryPoint("c-word", f"{here}:WordReader", plug_ins.GROUP),
    ]
    monkeypatch.setattr(plug_ins, "entry_points", lambda group: points)
    plug_ins.load_plug_ins.cache_clear()
    yield
    plug_ins.load_plug_ins.cache_clear()


def test_plug_ins_are_found_and_broken_ones_are_named(
    registered: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "one.word").write_bytes(b"a word")
    with caplog.at_level(logging.WARNING, logger="bof"):
        assert list(listing.walk_images(tmp_path)) == [tmp_path / "one.word"]
        assert read_image(tmp_path / "one.word").pixels.shape == (6, 8, 3)
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [
        "the plug-in a-broken = no_such_module:Reader is left out: No module named 'no_such_module'",
        "the plug-in for WORD is left out: it fails",
    ]
    assert kind_of(whole_files()["plain.png"]) == "PNG"


# -- Processes --------------------------------------------------------------------------------------------------------


def test_less_tried_decoders_run_in_a_process_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = LimitedReader.of(1000)

    def refuse(*_: object) -> None:
        raise AssertionError("decoded here")

    monkeypatch.setattr(LimitedReader, "decode_here", refuse)
    with pytest.raises(AssertionError, match="decoded here"):
        reader.decode(jpeg_of(SCENE), max_side=100, grey=True, name="x")
    for data in (fixture("drawn.heic"), make_dng(SCENE), as_svg(saved(SCENE, "PNG"))):
        assert reader.decode(data, max_side=100, grey=True, name="x").pixels.shape == (75, 100)


def test_a_truncated_query_is_named(caplog: pytest.LogCaptureFixture) -> None:
    data = saved(photograph(), "JPEG")
    with caplog.at_level(logging.WARNING, logger="bof"):
        LimitedReader.of(1000).decode(data[: len(data) // 2], max_side=100, grey=True, name="half.jpg")
    assert "half.jpg: truncated: the end of the file is missing" in caplog.text
