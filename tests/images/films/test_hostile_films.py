"""Films that lie, that are broken, cut off or encrypted, and such as name other files."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bof.errors import ImageError
from bof.images.decode import PictureTooLargeError
from bof.images.films import containers
from bof.images.films.containers import OwnBytes
from bof.images.films.decoding import DAMAGED
from bof.images.films.film import Film
from bof.images.films.measuring import CUT_OFF
from bof.system.workers import Limits, LostItem, run_in_workers
from bof.types import U8
from scripts.torture.hostile_films import make_hostile, sound_films
from tests.support.films import number_of, numbered, write_film, write_sound
from tests.support.scenes import draw_scene, write_picture

N = 48


@pytest.fixture(scope="module")
def frames() -> list[U8]:
    return numbered(N)


@pytest.fixture
def mp4(tmp_path: Path, frames: list[U8]) -> Path:
    return write_film(tmp_path / "film.mp4", frames, muxing={"movflags": "faststart"})


def refused(path: Path) -> str:
    with pytest.raises(ImageError) as error:
        Film(str(path))
    return str(error.value)


# -- Other files are never opened -------------------------------------------------------------------------------------


def names_of_others(folder: Path, film: Path) -> dict[str, bytes]:
    """Files that name a film, or an address, in every way that FFmpeg knows."""
    url = "http://127.0.0.1:9/film.mp4"
    return {
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{film}\n#EXT-X-ENDLIST\n".encode(),
        "far.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n".encode(),
        "list.ffconcat": f"ffconcat version 1.0\nfile '{film}'\n".encode(),
        "list.mpd": f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
        f"<Period><BaseURL>{film}</BaseURL></Period></MPD>".encode(),
        "list.sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 9 RTP/AVP 96\nc=IN IP4 127.0.0.1\n",
        "list.pls": f"[playlist]\nFile1={film}\nNumberOfEntries=1\n".encode(),
        "list.asx": f'<asx version="3.0"><entry><ref href="{film}"/></entry></asx>'.encode(),
        "list.ram": f"{film}\n".encode(),
        "frames%03d.png": b"\x89PNG\r\n\x1a\n",
        "img.ffmeta": b";FFMETADATA1\ntitle=x\n",
    }


@pytest.mark.parametrize("suffix", ["", ".mp4", ".ts"])
def test_no_other_file_and_no_address_is_opened(tmp_path: Path, mp4: Path, suffix: str) -> None:
    for name, content in names_of_others(tmp_path, mp4).items():
        path = tmp_path / (name + suffix)
        path.write_bytes(content)
        assert str(path) in refused(path)


@pytest.mark.parametrize("name", ["concat:film.mp4", "file:film.mp4", "subfile,,start,0,end,0,,:film.mp4", "pipe:0"])
def test_a_name_that_is_a_protocol_is_a_name(mp4: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(mp4.parent)
    assert "cannot read" in refused(Path(name)) or "No such file" in refused(Path(name))
    Path(name).write_bytes(mp4.read_bytes())
    with Film(name) as film:
        assert film.facts.duration == Fraction(N, 25)


@pytest.mark.parametrize("wall", ["_CONTAINERS", "_PROTOCOLS"])
def test_each_of_the_two_walls_stands_alone(
    tmp_path: Path, mp4: Path, monkeypatch: pytest.MonkeyPatch, wall: str
) -> None:  # fmt: skip
    weak = {"_CONTAINERS": containers._CONTAINERS + ",hls,concat,dash,image2,sdp", "_PROTOCOLS": "file,http,tcp,udp"}
    monkeypatch.chdir(tmp_path)
    names = {**names_of_others(tmp_path, mp4), "near.ffconcat": f"ffconcat version 1.0\nfile {mp4.name}\n".encode()}
    both = {"format_whitelist": weak["_CONTAINERS"], "protocol_whitelist": weak["_PROTOCOLS"]}
    with av.open(io.BytesIO(names["near.ffconcat"]), "r", options=both) as container:  # without walls it is read
        assert container.streams.video
    monkeypatch.setattr(containers, wall, weak[wall])
    for name, content in names.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def test_a_film_whose_pictures_lie_in_another_file_is_refused(tmp_path: Path, mp4: Path) -> None:
    """A data reference of QuickTime names the other file: FFmpeg would open it, where it is allowed."""
    data = mp4.read_bytes()
    found = data.index(b"dref") - 4
    (size,) = struct.unpack_from(">I", data, found)
    alias = struct.pack(">IHH", 0, 150, 2) + bytes(142) + struct.pack(">hH", 18, len(str(mp4))) + str(mp4).encode()
    alias += bytes(len(str(mp4)) % 2) + struct.pack(">hh", -1, 0)
    other = box(b"dref", struct.pack(">II", 0, 1) + box(b"alis", struct.pack(">I", 0) + alias))
    path = tmp_path / "outside.mov"
    grown = grow(data[:found] + other + data[found + size :], found, len(other) - size)
    path.write_bytes(grown[: grown.index(b"mdat") - 4])
    assert path.name in refused(path)


def grow(data: bytes, at: int, by: int) -> bytes:
    """Add to the sizes of all boxes around a place."""
    changed = bytearray(data)
    start, end = 0, len(data)
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if start <= at < start + size and kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
            struct.pack_into(">I", changed, start, size + by)
            start, end = start + 8, start + size
        else:
            start += max(size, 8)
    return bytes(changed)


# -- What is no film, or cannot be read -------------------------------------------------------------------------------


def test_what_is_no_film_says_so(tmp_path: Path) -> None:
    for name, content in {"a.mp4": b"", "b.mp4": b"no film at all" * 99, "c.mkv": bytes(5000)}.items():
        (tmp_path / name).write_bytes(content)
        assert "expected a whole film" in refused(tmp_path / name)
    assert "expected a film" in refused(write_sound(tmp_path / "sound.m4a"))


def test_a_cover_is_no_film(tmp_path: Path, frames: list[U8]) -> None:
    path = write_sound(tmp_path / "song.m4a", cover=frames[0])
    assert "found a file without moving pictures (1 cover, 1 sound)" in refused(path)


def test_a_film_without_frames_says_so(tmp_path: Path, mp4: Path) -> None:
    path = tmp_path / "empty.mkv"
    data = write_film(tmp_path / "one.mkv", numbered(1)).read_bytes()
    path.write_bytes(data[: data.index(b"\x1f\x43\xb6\x75")])  # a cluster's mark
    assert refused(path).endswith("expected a whole film, found one that ends before its first frame")


def test_an_encrypted_film_says_so(tmp_path: Path, frames: list[U8]) -> None:
    key = "00112233445566778899aabbccddeeff"
    cenc = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": key, "encryption_kid": key}
    path = write_film(tmp_path / "drm.mp4", frames[:5], muxing=cenc)
    assert refused(path).endswith("the film is encrypted (DRM), and nothing but its own player reads it")


def test_a_codec_without_a_decoder_is_named(tmp_path: Path, mp4: Path) -> None:
    path = tmp_path / "odd.mp4"
    for code in ("zqx9", "evc1"):
        path.write_bytes(mp4.read_bytes().replace(b"avc1", code.encode()))
        assert f"{code}, for which FFmpeg has no decoder here" in refused(path)


def test_huge_frames_are_refused_before_they_are_decoded(tmp_path: Path, mp4: Path) -> None:
    with pytest.raises(PictureTooLargeError, match="320 x 240"):
        Film(str(mp4), max_pixels=320 * 240 - 1)
    data = write_film(tmp_path / "a.avi", numbered(2), codec="ffv1").read_bytes()
    path = tmp_path / "huge.avi"
    place = data.index(b"strf") + 12
    path.write_bytes(data[:place] + struct.pack("<ii", 60_000, 60_000) + data[place + 8 :])
    assert "of more than" in refused(path)


# -- Broken films are read as far as they go --------------------------------------------------------------------------


def numbers_in(path: Path) -> tuple[list[int], Film]:
    with Film(str(path)) as film:
        return [number_of(frame.grey()) for frame in film.decoded()], film


@pytest.mark.parametrize(("codec", "is_noticed"), [("libx264", True), ("mpeg4", True), ("libx265", False)])
def test_a_film_goes_on_behind_what_is_damaged(
    tmp_path: Path, frames: list[U8], codec: str, is_noticed: bool
) -> None:  # fmt: skip
    """Of HEVC FFmpeg fills the holes and says nothing."""
    options = {"x265-params": "log-level=none:pools=1"} if codec == "libx265" else {}
    path = write_film(tmp_path / "a.mkv", frames, codec=codec, options=options)
    data = bytearray(path.read_bytes())
    start = data.index(b"\x1f\x43\xb6\x75")
    place = start + (len(data) - start) // 3
    data[place : place + 400] = bytes(np.random.default_rng(1).integers(0, 256, 400).astype(np.uint8))
    path.write_bytes(data)
    found, film = numbers_in(path)
    assert found[:3] == [0, 1, 2]
    assert set(range(36, N)) <= set(found)
    assert bool(film.flaws[DAMAGED]) is is_noticed


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.flv"])
def test_a_film_that_is_cut_off_is_read_to_where_it_goes(tmp_path: Path, frames: list[U8], name: str) -> None:
    options = {"muxing": {"movflags": "faststart"}} if name == "a.mp4" else {}
    codec = "mpeg4" if name == "a.avi" else "libx264"
    path = write_film(tmp_path / name, numbered(100), codec=codec, **options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    found, _ = numbers_in(path)
    assert found == list(range(len(found)))
    assert 20 <= len(found) < 90
    with Film(str(path)) as film:
        duration = float(film.facts.duration)
        assert len(found) / 25 - 0.5 <= duration <= len(found) / 25 + 0.5
        if name in ("a.mp4", "a.flv"):  # the header says how long it was
            assert film.facts.others[CUT_OFF] == int(100 / 25 - duration)


def test_a_header_that_lies_about_the_length_is_not_believed(tmp_path: Path, mp4: Path) -> None:
    data = bytearray(mp4.read_bytes())
    for kind in (b"mvhd", b"mdhd", b"tkhd"):
        at = data.index(kind) + 4
        scale = at + (12 if kind != b"tkhd" else 0)
        length = at + (16 if kind != b"tkhd" else 20)
        (units,) = struct.unpack_from(">I", data, scale) if kind != b"tkhd" else (1000,)
        struct.pack_into(">I", data, length, min(units * 36_000, 2**32 - 1))
    path = tmp_path / "lie.mp4"
    path.write_bytes(data)
    with Film(str(path)) as film:
        assert film.facts.duration == Fraction(N, 25)
        with pytest.raises(ImageError, match=r"a time before 1\.920 s"):
            film.frame_at(Fraction(3600))


def test_a_clock_that_is_set_back_ends_nothing(tmp_path: Path, frames: list[U8]) -> None:
    """Two recordings in one file: what has times of the past is counted, not shown in another order."""
    path = write_film(tmp_path / "a.ts", frames)
    path.write_bytes(path.read_bytes() * 2)
    with Film(str(path)) as film:
        times = [frame.time for frame in film.decoded()]
        assert times == sorted(set(times))
        assert times[: N - 1] == [Fraction(i, 25) for i in range(N - 1)]


def test_a_jump_to_nowhere_is_no_exception(mp4: Path) -> None:
    """PyAV would print the exception."""
    with mp4.open("rb") as file:
        stream = OwnBytes(file)
        assert stream.seek(-5) < 0
        assert stream.seek(2**80) < 0
        assert stream.seek(4) == 4
        assert stream.read(4) == b"ftyp"


@pytest.mark.filterwarnings("ignore")
def test_broken_films_are_read_or_named(tmp_path: Path) -> None:
    """A sample of `python -m scripts.torture --only films`, in processes of their own."""
    picture = write_picture(tmp_path / "scene.png", draw_scene(1))
    sound, paths = sound_films(picture), []
    for number in range(28):
        _, suffix, data = make_hostile(number, 3, sound)
        paths.append(str(tmp_path / f"{number}{suffix}"))
        Path(paths[-1]).write_bytes(data)
    outcomes = list(run_in_workers("scripts.torture.films:read_whole", None, paths, 2, Limits(60.0, 1 << 30)))
    assert all(outcome or isinstance(outcome, int) for outcome in outcomes)
    assert sum(isinstance(outcome, int) and outcome > 10 for outcome in outcomes) >= 7  # most damage is small
    assert not [
        outcome for outcome in outcomes if isinstance(outcome, LostItem) and "more memory" not in outcome.reason
    ]
