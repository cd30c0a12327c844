"""The command `bof serve [--index DIR]`: search by image in a browser, and over HTTP for programs."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import sys
from pathlib import Path

from bof.cli.arguments import add_option, add_options, add_readable_index, options_from, readable_index
from bof.cli.command import run
from bof.cli.on_dask import add_search_workers, search_workers
from bof.cli.parser import CommandParser
from bof.errors import OptionError, ServerError
from bof.options.serving import MAPPED_MEMORY, PORT, ServeOptions
from bof.server.pairing import pairing_line
from bof.system.locking import is_read_only
from bof.system.memory import hide_memory

READ_TOKEN, WRITE_TOKEN = "BOF_READ_TOKEN", "BOF_WRITE_TOKEN"
"""Environment variables: a command line can be read by everybody on the machine."""


def _parser() -> argparse.ArgumentParser:
    description = "Search by image, in a browser and over HTTP."
    parser = CommandParser("serve", "[--index DIR] [--port N] [options]", description)
    add = parser.add_argument
    add_readable_index(parser)
    add("--host", default="127.0.0.1", help="address to listen on; any but this machine's own needs a token")
    add_option(parser, PORT)
    add("--token", default="", metavar="TOKEN", help=f"who has it may search and change (better: ${WRITE_TOKEN})")
    add("--read-token", default="", metavar="TOKEN", help=f"who has it may search (better: ${READ_TOKEN})")
    add("--read-only", action="store_true", help="nobody may change the index here")
    add("--uploads", type=Path, metavar="DIR", help="where pictures are kept that clients add (default INDEX-uploads)")
    add("--allow-host", action="append", default=[], metavar="NAME", help="a name to answer to; may be repeated")
    add("--allow-origin", action="append", default=[], metavar="URL", help="a site whose pages may ask; repeatable")
    urls = "fetch pictures by URL for clients, from these hosts alone: NAME, *.NAME or ADDRESS, with :PORT or without"
    add("--allow-urls", action="extend", nargs="+", default=[], metavar="HOST", help=urls)
    moves = "let those who may change the index move duplicates from its folders to DIR, or into the trash, and back"
    add("--allow-moves", type=Path, metavar="DIR", help=moves)
    meaning = "write the browser extension into this folder, and show a code to pair it with this server"
    add("--extension", type=Path, metavar="DIR", help=meaning)
    add("--behind-proxy", action="store_true", help="believe X-Forwarded-For and -Proto of a proxy on this machine")
    add("--access-log", action="store_true", help="print a line for each request")
    add_option(parser, MAPPED_MEMORY)
    add_options(parser, ServeOptions)
    add_search_workers(parser)
    return parser


def _command(arguments: argparse.Namespace) -> int:
    missing = [
        name for name in ("h11", "python_multipart", "starlette", "uvicorn") if not importlib.util.find_spec(name)
    ]
    if missing:
        advice = 'install with: pip install "bof-search[serve]"'
        raise ServerError(expected=", ".join(missing), found="none", advice=advice)
    from bof.server.app import Application
    from bof.server.running import make_server
    from bof.server.service import Settings
    from bof.web.addresses import Source

    hide_memory()  # a decoder that a hostile picture has taken over would find the tokens in /proc
    write_token = arguments.token or os.environ.get(WRITE_TOKEN, "")
    read_token = arguments.read_token or os.environ.get(READ_TOKEN, "")
    hosts = _hosts(arguments, read_token, write_token)
    folder = readable_index(arguments)
    read_only = arguments.read_only or is_read_only(folder)
    with search_workers(arguments, folder) as workers:
        settings = Settings(
            folder, arguments.vocabulary, arguments.uploads, read_token, write_token, read_only, hosts,
            frozenset(arguments.allow_origin), arguments.memory, frozenset(map(Source.of, arguments.allow_urls)),
            arguments.allow_moves, workers,
        )  # fmt: skip
        application = Application(settings, options_from(arguments, ServeOptions), reload=arguments.debug)
        logging.getLogger("uvicorn.error").setLevel(logging.INFO)
        server = make_server(
            application, arguments.host, arguments.port, access_log=arguments.access_log,
            proxy_headers=arguments.behind_proxy,
        )  # fmt: skip
        if arguments.extension:
            _offer_extension(arguments.extension, folder)
        server.run()
    return 0


def _offer_extension(target: Path, index: Path) -> None:
    """Write the browser extension, and say how to load it and the code to pair it with."""
    from bof.server.extension_files import HOW_TO_LOAD, write_extension

    write_extension(target)
    print(f"extension: {target.absolute()}; {HOW_TO_LOAD}")
    print(pairing_line(index), flush=True)


def _hosts(arguments: argparse.Namespace, read_token: str, write_token: str) -> frozenset[str]:
    """The names to answer to. Raises OptionError where others could come in without a token."""
    from bof.server.http.auth import MIN_TOKEN
    from bof.server.http.gate import LOOPBACK_NAMES
    from bof.server.running import is_loopback

    for token in (read_token, write_token):
        if token and len(token) < MIN_TOKEN:
            raise OptionError(option="token", expected=f"{MIN_TOKEN} characters or more", found=len(token))
    named = frozenset(name.lower() for name in arguments.allow_host)
    is_local = is_loopback(arguments.host)
    if not (is_local and not named and not arguments.behind_proxy) and not read_token and not write_token:
        raise OptionError(
            option="host",
            expected=f"a token, because other machines can reach {arguments.host}",
            found="none",
            advice=f"set ${WRITE_TOKEN} (to search and change) or ${READ_TOKEN} (to search)",
        )
    return LOOPBACK_NAMES | named if is_local else named


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
