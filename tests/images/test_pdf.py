"""Pictures in PDFs: which there are, what each shows, what is refused and how."""

from __future__ import annotations

import re
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib import pdfencrypt
from reportlab.pdfgen.canvas import Canvas

from bof.errors import ImageError
from bof.images.decode import PictureTooLargeError, decode, kind_of
from bof.images.documents import base, open_document, pdf
from bof.images.documents.base import missing_extra
from bof.images.documents.figures import find_figures
from bof.images.opening import read_content, read_shown, require_one_picture
from bof.types import U8
from tests.support.pdfs import PAGE, both, jpeg, nothing, placed, text, write_pdf
from tests.support.scenes import draw_scene

WIDTH, HEIGHT = PAGE


def scene(seed: int = 0) -> U8:
    return draw_scene(seed)


def look(path: Path) -> tuple[list[str], dict[str, int]]:
    document = open_document(str(path))
    try:
        return list(document.parts), dict(document.others)
    finally:
        document.close()


def read(path: Path, part: str, max_pixels: int = 10**8) -> bytes:
    document = open_document(str(path))
    try:
        return document.read(part, max_pixels)
    finally:
        document.close()


def difference(one: U8, other: U8) -> float:
    return float(np.abs(one.astype(np.float64) - other).mean())


# -- What becomes a picture -------------------------------------------------------------------------------------------


def test_an_embedded_jpeg_is_the_file_that_was_embedded(tmp_path: Path) -> None:
    data = jpeg(scene())
    path = write_pdf(tmp_path / "a.pdf", both(placed(tmp_path, data, 100, 400, 320, 240), text("Figure 1", y=300)))
    assert look(path) == (["page=1&image=1"], {})
    assert read(path, "page=1&image=1") == data


def test_a_picture_without_loss_is_the_same_pixels(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", placed(tmp_path, scene(), 100, 400, 320, 240))
    assert np.array_equal(decode(read(path, "page=1&image=1")).pixels, scene())
    grey = scene()[:, :, 0]
    path = write_pdf(tmp_path / "grey.pdf", placed(tmp_path, grey, 100, 400, 320, 240))
    data = read(path, "page=1&image=1")
    assert data.startswith(b"P5")
    assert np.array_equal(decode(data, grey=True).pixels, grey)


@pytest.mark.parametrize(("turn", "quarters"), [(90, 1), (180, 2), (270, 3)])
def test_a_turned_picture_is_turned_as_the_page_shows_it(tmp_path: Path, turn: int, quarters: int) -> None:
    path = write_pdf(tmp_path / "a.pdf", placed(tmp_path, jpeg(scene()), 300, 400, 200, 150, turn=turn))
    pixels = decode(read(path, "page=1&image=1")).pixels
    expected = np.rot90(scene(), quarters)
    assert pixels.shape == expected.shape
    assert difference(pixels, expected) < 6


def test_the_rotation_of_the_page_counts(tmp_path: Path) -> None:
    def turned(canvas: Canvas) -> None:
        placed(tmp_path, jpeg(scene()), 100, 100, 200, 150)(canvas)
        canvas.setPageRotation(90)

    path = write_pdf(tmp_path / "a.pdf", turned)
    pixels = decode(read(path, "page=1&image=1")).pixels
    assert difference(pixels, np.rot90(scene(), -1)) < 6


def test_a_jpeg_whose_exif_turns_it_is_shown_as_the_page_shows_it(tmp_path: Path) -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\3\0\0\0\0\0\0\0"
    path = write_pdf(tmp_path / "a.pdf", placed(tmp_path, jpeg(scene(), exif=exif), 100, 400, 320, 240))
    assert difference(decode(read(path, "page=1&image=1")).pixels, scene()) < 6


def test_a_mask_is_applied(tmp_path: Path) -> None:
    alpha = np.full((*scene().shape[:2], 1), 255, np.uint8)
    alpha[:, :100] = 0
    path = write_pdf(tmp_path / "a.pdf", placed(tmp_path, np.concatenate([scene(), alpha], axis=2), 50, 50, 320, 240))
    pixels = decode(read(path, "page=1&image=1")).pixels
    assert (pixels[:, :95] == 255).all()
    assert difference(pixels[:, 105:], scene()[:, 105:]) < 2


def test_a_scan_is_the_page_and_has_the_pixels_of_the_scanner(tmp_path: Path) -> None:
    data, picture = jpeg(scene()), scene(1)
    lone = placed(tmp_path, data, 0, 0, WIDTH, WIDTH * 3 / 4)

    def short(canvas: Canvas) -> None:
        canvas.setPageSize((WIDTH, WIDTH * 3 / 4))
        lone(canvas)

    def with_words(canvas: Canvas) -> None:
        short(canvas)
        invisible = canvas.beginText(50, 50)
        invisible.setTextRenderMode(3)
        invisible.textLine("what an OCR has read")
        canvas.drawText(invisible)

    def stamped(canvas: Canvas) -> None:
        canvas.setPageSize((WIDTH, WIDTH * 3 / 4))
        placed(tmp_path, picture, 0, 0, WIDTH, WIDTH * 3 / 4)(canvas)
        canvas.setFontSize(200)
        text("COPY", 20, 100)(canvas)

    path = write_pdf(tmp_path / "a.pdf", short, with_words, stamped)
    assert look(path) == (["page=1", "page=2", "page=3"], {})
    assert read(path, "page=1") == read(path, "page=2") == data
    shown = decode(read(path, "page=3"))
    assert (shown.width, shown.height) == (1250, 938)


def scanned(n_lines: int = 60) -> U8:
    """A raster of a page at 150 dots an inch: lines of print, and a scene among them."""
    page = Image.new("RGB", (1250, 1666), (246, 243, 232))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(20)
    for number in range(n_lines):
        draw.text((75, 75 + 25 * number), "the picture of a river in the light of winter " * 2, (40, 36, 30), font=font)
    page.paste(Image.fromarray(scene(5)).resize((640, 480)), (300, 500))
    return np.array(page)


def test_a_picture_among_the_print_of_a_scan_is_a_part_of_its_own(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", placed(tmp_path, scanned(), 0, 0, WIDTH, HEIGHT))
    (page, figure), others = look(path)
    assert (page, others) == ("page=1", {})
    box = [int(number) for number in figure.removeprefix("page=1&xywh=").split(",")]
    assert np.abs(np.array(box) - [300, 500, 640, 480]).max() <= 64  # lines beside it
    left, top, width, height = box
    expected = decode(read(path, "page=1")).pixels[top : top + height, left : left + width]
    assert np.array_equal(decode(read(path, figure)).pixels, expected)
    with pytest.raises(ImageError, match="a box x0 < x1"):
        read(path, "page=1&xywh=1200,1600,100,100")


def test_print_alone_has_no_figures_and_neither_has_a_plate() -> None:
    blank = scanned()
    blank[480:1000, 280:960] = (246, 243, 232)
    assert find_figures(np.asarray(Image.fromarray(blank).resize((600, 800)))) == []
    assert find_figures(np.asarray(Image.fromarray(scene(5)).resize((600, 800)))) == []


def test_strips_of_a_scan_are_one_page(tmp_path: Path) -> None:
    strips = [scene(7)[60 * n : 60 * n + 60] for n in range(4)]
    step = HEIGHT / 4
    draws = [placed(tmp_path, strip, 0, HEIGHT - step * (n + 1), WIDTH, step) for n, strip in enumerate(strips)]
    path = write_pdf(tmp_path / "a.pdf", both(*draws))
    assert look(path)[0] == ["page=1"]
    assert decode(read(path, "page=1")).width == 1250


def test_pages_without_pictures_are_rendered_and_blank_ones_are_left_out(tmp_path: Path) -> None:
    path = write_pdf(
        tmp_path / "a.pdf",
        text("only words"),
        nothing,
        placed(tmp_path, np.zeros((20, 20, 3), np.uint8), 0, 0, 9, 9),
        text("   "),
    )
    parts, others = look(path)
    assert parts == ["page=1", "page=3"]
    assert others == {"blank page of a PDF": 2, "picture in a PDF of less than 100 pixels": 1}
    shown = decode(read(path, "page=1"))
    assert (shown.width, shown.height) == (round(WIDTH / 72 * 150), 1667)


def test_any_page_can_be_read_as_it_is_shown(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", both(placed(tmp_path, scene(), 100, 400, 320, 240), text("words")), nothing)
    assert look(path)[0] == ["page=1&image=1"]
    assert decode(read(path, "page=1")).width == 1250
    assert decode(read(path, "page=2")).pixels.min() == 255


def test_what_every_page_repeats_is_a_picture_once(tmp_path: Path) -> None:
    logo, data = placed(tmp_path, jpeg(scene(1)), 20, 740, 60, 45), [jpeg(scene(n)) for n in (2, 3)]
    figures = [placed(tmp_path, one, 100, 100, 320, 240) for one in data]
    path = write_pdf(tmp_path / "a.pdf", logo, *(both(logo, one) for one in figures), both(logo, text("words")))
    assert look(path) == (
        ["page=1", "page=1&image=1", "page=2&image=2", "page=3&image=2", "page=4"],
        {"picture in a PDF that is shown again": 3},
    )


def test_letters_cut_out_of_one_black_square_are_different_pictures(tmp_path: Path) -> None:
    def cut(seed: int) -> U8:
        black = np.zeros((240, 320, 4), np.uint8)
        black[:, :, 3] = scene(seed)[:, :, 0] // 128 * 255
        return black

    path = write_pdf(tmp_path / "a.pdf", *(placed(tmp_path, cut(seed), 100, 100, 320, 240) for seed in (1, 2)))
    assert look(path)[0] == ["page=1&image=1", "page=2&image=1"]


def test_pictures_in_forms_and_of_half_pages(tmp_path: Path) -> None:
    def form(canvas: Canvas) -> None:
        canvas.beginForm("around")
        placed(tmp_path, jpeg(scene(4)), 0, 0, 320, 240)(canvas)
        canvas.endForm()
        canvas.translate(100, 300)
        canvas.scale(0.5, 0.5)
        canvas.doForm("around")

    path = write_pdf(tmp_path / "a.pdf", form)
    assert look(path)[0] == ["page=1&image=1"]
    assert read(path, "page=1&image=1") == jpeg(scene(4))


def test_a_picture_that_lies_beside_the_page_is_none(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", both(placed(tmp_path, scene(), 2000, 0, 320, 240), text("words")))
    assert look(path)[0] == ["page=1"]


def test_parts_beyond_the_limits_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_pdf(tmp_path / "a.pdf", *(text(f"page {n}") for n in range(5)))
    monkeypatch.setattr(pdf, "MAX_PARTS", 2)
    assert look(path) == (["page=1", "page=2"], {"picture of a PDF beyond the first 2": 3})
    monkeypatch.setattr(pdf, "_MAX_PAGES", 1)
    assert look(path) == (["page=1"], {"page of a PDF beyond the first 1": 4})


# -- What is refused --------------------------------------------------------------------------------------------------


def test_a_picture_is_refused_before_it_is_decoded_when_it_is_too_large(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", placed(tmp_path, scene(), 0, 0, WIDTH, HEIGHT))
    for part in ("page=1", "page=1&image=1"):
        with pytest.raises(PictureTooLargeError) as raised:
            read(path, part, max_pixels=320 * 240 - 1)
        assert raised.value.n_pixels == 320 * 240
        assert raised.value.path == str(path)


def huge_picture(width: int, height: int, page: str = "0 0 600 800") -> bytes:
    """A PDF that says it holds a picture of this size, in few bytes."""
    data = zlib.compress(bytes(1 << 16))
    content = b"q 500 0 0 500 50 50 cm /P Do Q"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<</XObject<</P 5 0 R>>>>>>" % page.encode(),
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/FlateDecode"
        b"/Length %d>>stream\n%s\nendstream" % (width, height, len(data), data),
    ]
    body = b"%PDF-1.7\n" + b"".join(b"%d 0 obj%s endobj\n" % (n, one) for n, one in enumerate(objects, 1))
    return body + b"trailer<</Root 1 0 R/Size 6>>\n%%EOF"


def test_a_small_file_that_holds_a_very_large_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(huge_picture(60_000, 60_000))
    assert look(path)[0] == ["page=1&image=1"]
    with pytest.raises(PictureTooLargeError, match="60000 x 60000"):
        read(path, "page=1&image=1")


@pytest.mark.parametrize("page", ["0 0 1000000000 1000000000", "0 0 1000000000 1", "0 0 0 0", "-1e30 0 1e38 1e38"])
def test_a_page_of_any_size_is_rendered_in_few_pixels(tmp_path: Path, page: str) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(huge_picture(120, 120, page))
    for part in (*look(path)[0], "page=1"):
        shown = decode(read(path, part))
        assert shown.width * shown.height <= 16_000_000


def test_a_password_is_named(tmp_path: Path) -> None:
    encryption = pdfencrypt.StandardEncryption("secret", canPrint=0)
    path = write_pdf(tmp_path / "a.pdf", text("words"), encrypt=encryption)
    with pytest.raises(ImageError, match=r"one with a password; save it without one"):
        open_document(str(path))


def test_a_document_that_opens_without_a_password_is_read(tmp_path: Path) -> None:
    encryption = pdfencrypt.StandardEncryption("", ownerPassword="owner", canPrint=0)
    assert look(write_pdf(tmp_path / "a.pdf", text("words"), encrypt=encryption))[0] == ["page=1"]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"%PDF-1.7\nnothing", "a broken, truncated or empty one"),
        (b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
         b"trailer<</Root 1 0 R/Size 3>>\n%%EOF", "PDFium finds no page"),
    ],
)  # fmt: skip
def test_a_broken_document_is_named(tmp_path: Path, data: bytes, found: str) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=found) as raised:
        open_document(str(path))
    assert raised.value.path == str(path)


@pytest.mark.parametrize(
    "part", ["page=0", "page=3", "page=1&image=2", "page=1&image=0", "page=x", "frame=1", "page=²"]
)
def test_a_part_that_is_not_there_is_named(tmp_path: Path, part: str) -> None:
    path = write_pdf(tmp_path / "a.pdf", placed(tmp_path, scene(), 50, 50, 320, 240), nothing)
    with pytest.raises(ImageError, match=re.escape(part)):
        read(path, part)


def test_without_the_extra_it_is_named_and_its_suffix_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_pdf(tmp_path / "a.pdf", text("words"))
    assert missing_extra(".pdf") == ""
    assert ".pdf" in base.DOCUMENT_SUFFIXES
    monkeypatch.setattr(base, "find_spec", lambda _name: None)
    assert missing_extra(".pdf") == "pdf"
    assert missing_extra(".zip") == ""
    with pytest.raises(ImageError, match=r'pip install "bof-search\[pdf\]"'):
        open_document(str(path))
    code = "import sys; sys.modules['pypdfium2'] = None; from bof.images.documents.base import DOCUMENT_SUFFIXES as s; "
    ended = subprocess.run(
        [sys.executable, "-c", code + "print('.pdf' in s, '.zip' in s)"], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "False True\n"


# -- How it is read ---------------------------------------------------------------------------------------------------


def test_this_pdfium_runs_no_scripts() -> None:
    assert not {"V8", "XFA"} & set(pypdfium2.PDFIUM_INFO.flags)


def test_a_page_is_read_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_pdf(tmp_path / "a.pdf", placed(tmp_path, scene(), 50, 50, 320, 240))
    monkeypatch.setattr(pdf.PdfKind, "open", lambda *_: pytest.fail("it was opened here"))
    data = read_content(f"{path}/#page=1&image=1")
    assert np.array_equal(decode(data).pixels, scene())
    with pytest.raises(PictureTooLargeError):
        read_content(f"{path}/#page=1&image=1", max_pixels=100)
    with pytest.raises(ImageError, match="page=1 to page=1"):
        read_content(f"{path}/#page=9")


def test_what_people_get_of_a_page_is_a_png(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", placed(tmp_path, scene(), 50, 50, 320, 240))
    data = read_shown(f"{path}/#page=1&image=1")
    assert kind_of(data) == "PNG"
    assert np.array_equal(decode(data).pixels, scene())


def test_a_document_as_a_picture_is_refused_with_the_way_to_name_one(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", placed(tmp_path, scene(), 50, 50, 320, 240), text("words"))
    with pytest.raises(ImageError, match=re.escape(f"a PDF with 2 pictures; name one of them: {path}#page=1&image=1")):
        require_one_picture(str(path))


def test_a_name_that_is_no_text_is_opened(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", text("words"))
    odd = tmp_path / "b\udcff.pdf"
    path.rename(odd)
    assert look(odd)[0] == ["page=1"]


def test_the_limit_of_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_pdf(tmp_path / "a.pdf", both(text("one"), text("two"), text("three")), text("four"))
    monkeypatch.setattr("bof.images.documents.pdf_layout._MAX_OBJECTS", 2)
    assert look(path) == (["page=2"], {"broken page of a PDF": 1})
