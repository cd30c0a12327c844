"""A browser extension pairs with the server by a code, and no other extension or site gets in by that."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bof.errors import ServerError
from bof.pair import main as pair_command
from bof.server.extension_files import FOLDER, extension_files, write_extension
from bof.server.pairing import CODE_SECONDS, CODE_TRIES, MAX_PAIRED, PairingFile, is_extension, pairing_path
from tests.support.serving import API, PNG, X_BOF, TestClient, bearer, copied, refused, scene, served

CHROME = "chrome-extension://abcdefghijklmnopabcdefghijklmnop"
OTHER = "chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba"
FIREFOX = "moz-extension://0123abcd-0123-0123-0123-0123456789ab"
SITE = "https://evil.example"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def index(index_folder: Path, tmp_path: Path) -> Path:
    return copied(index_folder, tmp_path)


@pytest.fixture
def client(index: Path) -> Iterator[TestClient]:
    with served(index) as client:
        yield client


def codes(client: TestClient) -> PairingFile:
    return client.application.service.extensions.file


def pair(client: TestClient, code: str, origin: str = CHROME) -> Any:
    return client.post(f"{API}/pairing", json={"code": code, "name": "Chrome/1 Linux"}, headers={"Origin": origin})


def paired(client: TestClient, origin: str = CHROME) -> dict[str, str]:
    """The headers of an extension that has just been paired."""
    response = pair(client, codes(client).new_code(), origin)
    assert response.status_code == 201
    return {"Origin": origin, **bearer(response.json()["token"])}


def search_as(client: TestClient, headers: dict[str, str]) -> Any:
    return client.post(f"{API}/search", content=scene(5), headers={**PNG, **X_BOF, **headers})


def preflight(client: TestClient, origin: str, path: str = "/search") -> Any:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-bof"}
    return client.options(f"{API}{path}", headers={"Origin": origin, **asked})


def readable(response: Any) -> str | None:
    found = response.headers.get("access-control-allow-origin")
    return None if found is None else str(found)


# -- The door ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [CHROME, FIREFOX])
def test_a_paired_extension_searches_and_reads_the_answer(client: TestClient, origin: str) -> None:
    headers = paired(client, origin)
    response = search_as(client, headers)
    assert response.status_code == 200
    assert readable(response) == origin
    assert "Origin" in response.headers["vary"]
    found = preflight(client, origin)
    assert found.status_code == 204
    assert {"authorization", "content-type", "x-bof"} <= set(
        found.headers["access-control-allow-headers"].lower().split(", ")
    )
    assert client.get(f"{API}/pairing", headers=headers).json() == {"paired": True}


@pytest.mark.parametrize("origin", [OTHER, FIREFOX, SITE, "null", f"{CHROME}.example", "chrome-extension://x"])
def test_nobody_else_may_ask_even_with_the_token(client: TestClient, origin: str) -> None:
    headers = {**paired(client), "Origin": origin}
    refused(search_as(client, headers), 403)
    for response in (
        search_as(client, headers), preflight(client, origin), client.get(f"{API}/images", headers=headers),
    ):  # fmt: skip
        assert readable(response) is None


def test_an_extension_has_no_right_but_by_its_token_where_others_need_none(client: TestClient) -> None:
    headers = paired(client)
    for wrong in ({"Origin": CHROME}, {"Origin": CHROME, **bearer("another-token-0123456789")}):
        refused(client.get(f"{API}/images", headers=wrong), 401)
        refused(search_as(client, wrong), 401)
    assert client.get(f"{API}/images", headers=headers).status_code == 200
    assert client.get(f"{API}/images").status_code == 200, "the page on this machine is as free as ever"


def test_a_paired_extension_may_not_change_the_collection(client: TestClient) -> None:
    headers = {**paired(client), **X_BOF}
    refused(client.delete(f"{API}/images/1", headers=headers), 403)
    refused(client.post(f"{API}/images", files={"image": ("a.png", scene(3))}, headers=headers), 403)


def test_a_paired_extension_reads_where_the_server_needs_tokens(index: Path) -> None:
    with served(index, write_token="write-token-0123456789") as client:
        refused(search_as(client, {}), 401)
        assert search_as(client, paired(client)).status_code == 200


@pytest.mark.parametrize("tokens", [{}, {"write_token": "write-token-0123456789"}])
def test_what_an_extension_sends_is_there_for_the_page(index: Path, tokens: dict[str, str]) -> None:
    with served(index, **tokens) as client:
        sent = client.post(f"{API}/queries", content=scene(5), headers={**PNG, **X_BOF, **paired(client)})
        assert sent.status_code == 201
        page = bearer(tokens["write_token"]) if tokens else {}
        found = client.post(f"{API}/search/query/{sent.json()['id']}", headers=page)
        assert found.status_code == 200
        assert found.json()["hits"][0]["verdict"] == "same"


def test_another_name_of_this_machine_stays_refused(client: TestClient) -> None:
    code = codes(client).new_code()
    for path, extra in (("/pairing", {}), ("/search", paired(client))):
        headers = {"Origin": CHROME, **extra, "Host": "rebound.example"}
        refused(client.post(f"{API}{path}", json={"code": code, "name": "x"}, headers=headers), 421)


def test_an_origin_that_the_operator_names_goes_by_the_rules_of_named_sites(index: Path) -> None:
    with served(index, origins=frozenset({CHROME})) as client:
        response = search_as(client, {"Origin": CHROME})
        assert response.status_code == 200
        assert readable(response) == CHROME


@pytest.mark.parametrize("origin", [SITE, "", "http://127.0.0.1"])
def test_only_an_extension_can_be_paired(client: TestClient, origin: str) -> None:
    code = codes(client).new_code()
    headers = {"Origin": origin} if origin else {}
    refused(client.post(f"{API}/pairing", json={"code": code, "name": "x"}, headers=headers), 403)
    assert pair(client, code).status_code == 201, "the code is still good"


# -- Codes ------------------------------------------------------------------------------------------------------------


def test_a_code_is_good_once_and_may_be_typed_as_people_type(client: TestClient) -> None:
    code = codes(client).new_code()
    assert re.fullmatch("[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", code)
    assert pair(client, f" {code.lower().replace('-', ' ')} ").status_code == 201
    refused(pair(client, code), 401)


def test_a_code_is_too_old_after_some_minutes(tmp_path: Path) -> None:
    clock = Clock()
    file = PairingFile(tmp_path / "paired.json", clock)
    first, second = file.new_code(), file.new_code()
    assert file.redeem(first, CHROME, "x") is None, "a new code ends the one before"
    clock.now += CODE_SECONDS - 1
    third = file.new_code()
    clock.now += CODE_SECONDS
    assert file.redeem(third, CHROME, "x") is None
    assert file.redeem(second, CHROME, "x") is None


def test_wrong_codes_end_the_code_and_then_the_patience(client: TestClient) -> None:
    code = codes(client).new_code()
    for _ in range(CODE_TRIES):
        refused(pair(client, "AAAA-AAAA"), 401)
    refused(pair(client, code), 401)
    assert {pair(client, "AAAA-AAAA").status_code for _ in range(5)} == {401, 429}


def test_a_code_is_redeemed_by_one_of_many(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "paired.json"
    code = PairingFile(path).new_code()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: PairingFile(path).redeem(code, CHROME, "x"), range(8)))
    assert sum(each is not None for each in found) == 1


@pytest.mark.parametrize("body", [{}, {"code": 1, "name": "x"}, {"code": "x"}, {"code": "x", "name": "y", "z": 1}])
def test_a_request_that_is_none_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    refused(client.post(f"{API}/pairing", json=body, headers={"Origin": CHROME}), 400)


def test_no_more_extensions_than_anybody_has(client: TestClient) -> None:
    for _ in range(MAX_PAIRED):
        paired(client)
    refused(pair(client, codes(client).new_code()), 409)


# -- The file ---------------------------------------------------------------------------------------------------------


def test_a_pairing_outlives_the_server_and_its_secrets_are_not_in_the_file(index: Path) -> None:
    with served(index) as client:
        headers, code = paired(client), codes(client).new_code()
    path = pairing_path(index)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for secret in (headers["Authorization"].split()[1], code, code.replace("-", "")):
        assert secret not in path.read_text()
    with served(index) as client:
        assert search_as(client, headers).status_code == 200


def test_the_command_shows_codes_lists_and_revokes(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--index", str(index)]
    with served(index) as client:
        assert pair_command(where) == 0
        code = re.findall(r"[2-9A-Z]{4}-[2-9A-Z]{4}", capsys.readouterr().out)[0]
        token = pair(client, code).json()["token"]
        headers = {"Origin": CHROME, **bearer(token)}
        kept = paired(client, FIREFOX)
        assert pair_command([*where, "--list"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [CHROME in lines[0], FIREFOX in lines[1], "Chrome/1 Linux" in lines[0]] == [True] * 3
        assert pair_command([*where, "--revoke", "ffffffff"]) == 2
        assert pair_command([*where, "--revoke", lines[0].split()[0]]) == 0
        refused(search_as(client, headers), 403)
        assert client.get(f"{API}/pairing", headers=headers).json() == {"paired": False}
        assert readable(client.get(f"{API}/pairing", headers=headers)) == CHROME, "so that it can say so"
        assert search_as(client, kept).status_code == 200
        assert pair_command([*where, "--revoke-all"]) == 0
        refused(search_as(client, kept), 403)
    assert pair_command(["--index", str(index / "none")]) == 1


def test_an_extension_ends_its_own_pairing_and_no_other(client: TestClient) -> None:
    mine, other = paired(client), paired(client)
    refused(client.delete(f"{API}/pairing", headers={"Origin": CHROME, **X_BOF}), 401)
    assert client.delete(f"{API}/pairing", headers={**mine, **X_BOF}).json() == {"paired": False}
    refused(search_as(client, mine), 401)
    assert search_as(client, other).status_code == 200


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"code": 3, "paired": []}', b'{"code": null, "paired": [{}]}', b'{"code": null}', b"[" * 9999,
     b'{"code": null, "paired": [{"id": "00000000", "name": 1, "origin": "x", "digest": "", "created": 1}]}'],
)  # fmt: skip
def test_a_damaged_file_lets_nobody_in_and_says_what_to_do(client: TestClient, index: Path, content: bytes) -> None:
    headers = paired(client)
    pairing_path(index).write_bytes(content)
    refused(search_as(client, headers), 403)
    assert search_as(client, {}).status_code == 200
    detail = refused(pair(client, "AAAA-AAAA"), 409)
    assert "delete it" in detail
    with pytest.raises(ServerError, match="delete it to end all pairings"):
        codes(client).new_code()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ServerError, match="must be writable"):
        PairingFile(tmp_path / "paired.json").new_code()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "paired.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(ServerError):
        PairingFile(tmp_path / "paired.json").new_code()
    assert not (tmp_path / "elsewhere.json").exists()


@pytest.mark.parametrize(
    ("origin", "expected"),
    [(CHROME, True), (FIREFOX, True), (CHROME.upper(), False), (CHROME + "/", False), (CHROME + "\n", False),
     ("", False), ("null", False), ("safari-web-extension://x", False), ("http://a@" + CHROME, False)],
)  # fmt: skip
def test_origins_of_extensions_are_known(origin: str, expected: bool) -> None:
    assert is_extension(origin) is expected


# -- The extension's folder -------------------------------------------------------------------------------------------


def test_the_extension_is_written_whole_and_over_itself(tmp_path: Path) -> None:
    target = tmp_path / "new" / "extension"
    write_extension(target)
    written = {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert written == {name: (FOLDER / name).read_bytes() for name in extension_files()}
    (target / "take.js").write_text("of an earlier version")
    write_extension(target)
    assert (target / "take.js").read_bytes() == (FOLDER / "take.js").read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ["extension"]


@pytest.mark.parametrize("foreign", ["notes.txt", "icons/photo.jpg", ".git/HEAD", "take.js/inner"])
def test_a_folder_with_other_things_is_refused_untouched(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / "mine" / foreign
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ServerError, match="expected a new, an empty or the extension's folder"):
        write_extension(tmp_path / "mine")
    assert sorted(tmp_path.rglob("*")) == before
    assert path.read_text() == "mine"


def test_no_link_and_no_file_is_taken_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("mine")
    for name in ("link", "file"):
        with pytest.raises((ServerError, OSError)):
            write_extension(tmp_path / name)
    assert list((tmp_path / "real").iterdir()) == []


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "extension"
    write_extension(target)
    (target / "take.js").write_text("before")
    real, copies = __import__("shutil").copyfile, list[str]()

    def fail_late(source: Path, copy: Path) -> Any:
        copies.append(str(source))
        if len(copies) > 5:
            raise OSError(28, "No space left on device")
        return real(source, copy)

    monkeypatch.setattr("bof.server.extension_files.shutil.copyfile", fail_late)
    with pytest.raises(OSError, match="No space"):
        write_extension(target)
    assert (target / "take.js").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["extension"]


def test_the_extension_says_the_version_of_bof_and_has_every_word_in_both_languages() -> None:
    from bof import __version__

    manifest = json.loads((FOLDER / "manifest.json").read_text())
    assert manifest["version"] == __version__
    assert manifest["permissions"] == ["activeTab", "contextMenus", "scripting", "storage"]
    assert "host_permissions" not in manifest
    assert "web_accessible_resources" not in manifest, "a page could tell that the extension is there"
    english, chinese = (json.loads((FOLDER / f"_locales/{name}/messages.json").read_text()) for name in ("en", "zh_CN"))
    assert english.keys() == chinese.keys()
    code = "".join(
        (FOLDER / name).read_text() for name in extension_files() if name.endswith((".js", ".html", ".json"))
    )
    code = code.replace("".join((FOLDER / f"_locales/{n}/messages.json").read_text() for n in ("en", "zh_CN")), "")
    for key, entry in english.items():
        assert re.search(rf"['\"]{key}['\"]|__MSG_{key}__", code), key
        assert re.findall(r"\$\d", entry["message"]) == re.findall(r"\$\d", chinese[key]["message"]), key


def test_serve_writes_the_extension_and_shows_a_code_that_pairs(index: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bof.serve", "--index", str(index), "--port", "0"]
    with subprocess.Popen(
        [*command, "--extension", str(tmp_path / "extension")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        where, shown = process.stdout.readline(), process.stdout.readline()
        process.terminate()
    assert str(tmp_path / "extension") in where
    assert "Load unpacked" in where
    assert "about:debugging" in where
    assert (tmp_path / "extension" / "manifest.json").is_file()
    code = re.findall(r"[2-9A-Z]{4}-[2-9A-Z]{4}", shown)[0]
    assert PairingFile(pairing_path(index)).redeem(code, CHROME, "x")


def test_serve_refuses_a_folder_with_other_things_before_it_serves(index: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    command = [sys.executable, "-m", "bof.serve", "--index", str(index), "--port", "0"]
    done = subprocess.run(
        [*command, "--extension", str(tmp_path / "mine")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "expected a new, an empty or the extension's folder, found 'notes.txt'" in done.stderr
    assert "name a new folder with --extension" in done.stderr
    assert not pairing_path(index).exists()
