"""What was harvested from an archive on loopback goes out again with its places in that archive."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from bof.annotations.pages import WEB_ANNOTATION
from bof.annotations.places import PREFIX
from bof.engine import Engine
from bof.options import IndexOptions
from tests.support.iiif_server import serving
from tests.support.serving import API, served


def test_hits_stand_on_the_canvases_of_the_archive(vocabulary_folder: Path, tmp_path: Path) -> None:
    with serving() as archive, Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        new = archive.manifest("/new", [archive.draw(i) for i in range(3)])
        old = archive.manifest("/old", [archive.draw(i) for i in (3, 4)], version=2, service="2")
        cut = archive.manifest("/level0", [archive.draw(5)], service="0")
        engine.harvest([new, old, cut], archive.host, IndexOptions(workers=1))
        with served(tmp_path / "index", read_only=True) as client:
            images = {one["name"]: one["id"] for one in client.get(f"{API}/images").json()["images"]}
            for name, url, page in (
                ("Book book/f. 2", new, 1),
                ("Book old/f. 2", old, 4),
                ("Book level0/f. 1", cut, 5),
            ):
                number = images[name.replace("Book book", "Book new")]
                found = client.get(f"{PREFIX}/search/{number}/annotations", params={"top": 1, "box": "80,60,400,300"})
                assert found.status_code == 200, found.text
                (item,) = found.json()["items"]
                assert found.json()["@context"][0] == WEB_ANNOTATION
                source = item["target"]["source"]
                assert source["partOf"] == [{"id": url, "type": "Manifest"}]
                (box,) = [one["value"] for one in item["target"]["selector"] if one["type"] == "FragmentSelector"]
                x, y, width, height = map(int, box.removeprefix("xywh=").split(","))
                # Of the archive's canvases those of version 3 are twice as large as their pictures.
                scale = 1 if page == 4 else 2
                expected = [160 * scale, 120 * scale, 640 * scale, 480 * scale]
                assert max(abs(a - b) for a, b in zip((x, y, width, height), expected, strict=True)) <= 8, name
                info = client.get(f"{PREFIX}/images/{number}/info.json").json()
                sent = client.get(f"{PREFIX}/images/{number}/full/max/0/default.jpg")
                assert Image.open(io.BytesIO(sent.content)).size == (info["width"], info["height"])
                (canvas,) = client.get(f"{PREFIX}/images/{number}/manifest").json()["items"]
                (service,) = canvas["items"][0]["items"][0]["body"]["service"]
                if name.startswith("Book level0"):
                    assert item["bof:picture"] is None
                    assert service["id"].endswith(f"{PREFIX}/images/{number}")
                else:
                    kind = "@type" if page == 4 else "type"
                    assert service[kind] == ("ImageService2" if page == 4 else "ImageService3")
                    assert item["bof:picture"]["id"].startswith(archive.url(f"/iiif/{3 if page == 1 else 2}/p{page}/"))
