"""A film is a file with many pictures, each named by its time: known by content, read in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bof.errors import ImageError
from bof.images.decode import PictureTooLargeError, decode
from bof.images.documents import find_kind
from bof.images.documents.base import FILM_SUFFIXES, missing_extra
from bof.images.documents.films import FILMS
from bof.images.films import film as film_module
from bof.images.listing import list_everything, reason_for
from bof.images.opening import read_content, read_picture, read_shown, require_one_picture
from bof.images.readers.others import is_known_other
from bof.search import main as search
from tests.support.films import number_of, numbered, pan, write_film
from tests.support.scenes import draw_scene, write_picture

N = 30


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("films") / "film.mp4", numbered(N))


CONTAINERS = {
    "a.mp4": {}, "a.mov": {}, "a.mkv": {}, "a.ts": {}, "a.m2ts": {}, "a.flv": {}, "a.avi": {"codec": "mpeg4"},
    "a.webm": {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "deadline": "realtime"}},
    "a.mpg": {"codec": "mpeg2video"}, "a.wmv": {"codec": "wmv2"}, "a.3gp": {"codec": "mpeg4"},
    "a.mxf": {"codec": "mpeg2video"}, "a.ogv": {"codec": "libvpx", "muxer": "ogg"},
}  # fmt: skip


@pytest.mark.parametrize("name", CONTAINERS)
def test_films_are_known_by_their_content(tmp_path: Path, name: str) -> None:
    path = write_film(tmp_path / name, numbered(4), **CONTAINERS[name])
    unnamed = path.rename(tmp_path / "film")
    assert find_kind(str(unnamed)) is FILMS
    assert number_of(read_picture(f"{unnamed}/#t=0.09").pixels) == 2


def test_what_is_no_film_is_not_taken_for_one(tmp_path: Path) -> None:
    scene = draw_scene(1)
    for name in ("a.avif", "a.webp", "a.gif", "a.jpg", "a.jp2"):
        assert find_kind(str(write_picture(tmp_path / name, scene))) is not FILMS
    (tmp_path / "a.ts").write_text("G" * 5 + "const x = 1;\n" * 99)
    (tmp_path / "a.ogg").write_bytes(b"OggS" + bytes(24) + b"\x01vorbis" + bytes(300))
    for name in ("a.ts", "a.ogg"):
        assert find_kind(str(tmp_path / name)) is None


def test_a_frame_is_read_as_a_picture(film: Path) -> None:
    for part in ("t=0.400", "t=0.400&shot=0.000,1.000"):
        assert number_of(decode(read_content(f"{film}/#{part}")).pixels) == 10
    assert read_shown(f"{film}/#t=0.4").startswith(b"\x89PNG")


@pytest.mark.parametrize("part", ["t=soon", "t=-1", "t=1&shot=2", "t=1,5"])
def test_what_is_no_time_says_so(film: Path, part: str) -> None:
    with pytest.raises(ImageError, match=r"expected t=SECONDS, a time before 1\.200 s"):
        read_content(f"{film}/#{part}")


def test_a_time_beyond_the_end_says_how_long_the_film_is(film: Path) -> None:
    with pytest.raises(ImageError, match=r"expected a time before 1\.200 s, the length of the film, found 99\.000 s"):
        read_content(f"{film}/#t=99")


def test_too_large_frames_are_refused(film: Path) -> None:
    with pytest.raises(PictureTooLargeError):
        read_content(f"{film}/#t=0", max_pixels=1000)


def test_a_film_is_no_picture_and_says_how_to_name_one(film: Path) -> None:
    with pytest.raises(ImageError) as error:
        require_one_picture(str(film))
    assert str(error.value).endswith(f"found a film; name a time in it, in seconds: {film}#t=1.5")


def test_a_frame_is_a_query(
    index_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    path = write_film(tmp_path / "film.mp4", [draw_scene(3)] * 5 + [draw_scene(7)] * 5)
    assert search([f"{path}#t=0.3", "--index", str(index_folder)]) == 0
    assert "scene-07.png" in capsys.readouterr().out


def test_suffixes_of_films_are_known(tmp_path: Path) -> None:
    assert all(is_known_other(suffix) for suffix in FILM_SUFFIXES)
    film = write_film(tmp_path / "film.ts", pan(1, 4), codec="mpeg2video")
    (tmp_path / "program.ts").write_text("const x = 1;\n" * 99)
    listing = list_everything([tmp_path])
    assert list(listing.names) == [str(film)]
    assert list(listing.passed_over.values()) == [".ts"]


def test_without_the_extra_films_are_passed_over_with_its_command(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(film_module, "find_spec", lambda name: None)
    command = 'pip install "bof-search[video]"'
    assert missing_extra(".mp4") == "video"
    assert reason_for(".mp4") == f"passed over, .mp4: {command}"
    with pytest.raises(ImageError, match="PyAV reads: it is not installed") as error:
        film_module.Film(str(film))
    assert error.value.advice == command


def test_bof_works_without_pyav(film: Path) -> None:
    code = (
        "import sys; sys.modules['av'] = None\n"
        "import bof.index, bof.search, bof.duplicates, bof.serve, bof.clips.finding, bof.video.extraction\n"
        "from pathlib import Path\n"
        "from bof.images.listing import list_everything\n"
        f"print(list_everything([Path({str(film.parent)!r})]).passed_over)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ".mp4" in done.stdout
