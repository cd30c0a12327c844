"""The command `bof mcp [--index DIR] [--allow DIR]`: an index as tools of an assistant, over standard input, output."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from bof.cli.arguments import add_option, add_readable_index, readable_index
from bof.cli.command import run
from bof.cli.parser import CommandParser
from bof.errors import ServerError
from bof.options.serving import MAPPED_MEMORY


def _parser() -> argparse.ArgumentParser:
    description = "Offer an index to an assistant as tools of the Model Context Protocol. The assistant starts this."
    parser = CommandParser("mcp", "[--index DIR] [--allow DIR] [--write]", description)
    add_readable_index(parser)
    meaning = "a folder whose files the assistant may search with and, with --write, add; may be repeated"
    parser.add_argument("--allow", type=Path, action="append", default=[], metavar="DIR", help=meaning)
    parser.add_argument("--write", action="store_true", help="let the assistant add, tag and remove pictures")
    add_option(parser, MAPPED_MEMORY)
    return parser


def _command(arguments: argparse.Namespace) -> int:
    if not importlib.util.find_spec("mcp"):
        raise ServerError(
            expected="the package mcp", found="none", advice='install with: pip install "bof-search[mcp]"'
        )
    from bof.assistants.server import make_server
    from bof.assistants.sources import Sources
    from bof.assistants.tools import Tools
    from bof.engine import Engine

    folder = readable_index(arguments)
    with Engine.open(folder, arguments.vocabulary, memory=arguments.memory) as engine:
        tools = Tools(Sources.of(engine, arguments.allow), arguments.write)
        make_server(tools).run("stdio")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
