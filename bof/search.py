"""The command `python -m bof.search query.jpg [--index DIR]`: which pictures show the same thing?"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

from bof.alignment.agreement import DECODED_SIDE_PX
from bof.cli.arguments import add_index, add_option, add_search_options, index_folder, search_options
from bof.cli.command import message_of, run
from bof.cli.proof import PROOF_SIDE, write_matches
from bof.engine import Engine, Query
from bof.errors import BofError, OptionError, display_name
from bof.global_descriptors.sketch import FEW_FEATURES
from bof.images.decode import Picture
from bof.images.limited import LimitedReader, content_of
from bof.options import AUTO, BOX, QUERY_MEMORY, TOP, SearchOptions
from bof.retrieval.answer import Answer, shared_percent
from bof.retrieval.hits import bounds_of
from bof.retrieval.query import subject_of
from bof.types import Box, Hit, Overlay


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bof.search", description="Find pictures that show the same thing.")
    parser.add_argument("queries", nargs="+", metavar="query", help="picture files, or - for one on standard input")
    add_index(parser)
    add_option(parser, TOP)
    add_option(parser, BOX)
    parser.add_argument("--matches", type=Path, metavar="DIR", help="write a picture of the proof for each hit here")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--timings", action="store_true", help="say on stderr where the time went")
    add_option(parser, QUERY_MEMORY)
    add_search_options(parser)
    return parser


def _command(arguments: argparse.Namespace) -> int:
    timings = {"start_up": time.process_time()}
    options = search_options(arguments)
    if arguments.queries.count("-") > 1:
        raise OptionError("standard input holds one picture", path="-", found="it named more than once")
    start = time.perf_counter()
    results, n_failed = [], 0
    with Engine.open(index_folder(arguments.index), arguments.vocabulary) as engine:
        timings["open"] = time.perf_counter() - start
        for name, label in zip(arguments.queries, _labels(arguments.queries), strict=True):
            try:
                results.append(_search_one(engine, name, label, arguments, options, timings))
            except BofError as error:
                if arguments.debug or len(arguments.queries) == 1:
                    raise
                n_failed += 1
                print(f"error: {message_of(error)}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(results, indent=2))
    if arguments.timings:
        print("; ".join(f"{stage} {1e3 * seconds:.0f} ms" for stage, seconds in timings.items()), file=sys.stderr)
    return 1 if n_failed else 0


def _labels(queries: list[str]) -> list[str]:
    """What the match pictures of each query are called: its name without suffix, numbered where two share it."""
    stems = ["standard input" if name == "-" else Path(name).stem for name in queries]
    return [s if stems.count(s) == 1 else f"{s}-{number}" for number, s in enumerate(stems, 1)]


def _search_one(
    engine: Engine,
    name: str,
    label: str,
    arguments: argparse.Namespace,
    options: SearchOptions,
    timings: dict[str, float],
) -> dict[str, Any]:
    """Search with one picture, print the table unless JSON is wanted, and return what JSON prints."""
    shown = "standard input" if name == "-" else display_name(name)
    start = time.perf_counter()
    reader = LimitedReader.of(arguments.memory)
    source = reader.load_stream(sys.stdin.buffer, shown) if name == "-" else reader.load(Path(name))
    in_grey = not options.whole and arguments.box != AUTO
    picture = reader.decode(source, grey=in_grey, max_side=engine.features.max_side, name=shown)
    box = subject_of(picture) if arguments.box == AUTO else arguments.box
    colours = _colours(reader, source, shown) if in_grey and options.verify.pixels else None
    query = engine.prepare(picture, box, options, colours=colours, sha256=content_of(source))
    seconds = {"extract": time.perf_counter() - start}
    answer = engine.answer(query, options)
    hits = engine.hits(query, answer, options, arguments.top)
    seconds.update(answer.seconds)
    for stage, spent in seconds.items():
        timings[stage] = timings.get(stage, 0.0) + spent
    if not arguments.json:
        _print_table(shown, picture, query, answer, hits, options)
        if arguments.box == AUTO:
            print(f"  subject: {_as_flag(box) if box else 'nothing stands out; the whole picture was searched with'}")
    if arguments.matches:
        colours = reader.decode(source, grey=False, max_side=PROOF_SIDE, name=shown)
        written = write_matches(arguments.matches, label, colours, engine, query, hits, box)
        print(f"{len(written)} match pictures in {display_name(arguments.matches)}", file=sys.stderr)
    reported = {"query": shown, "box": box, "n_features": len(query.features)}
    return {**reported, "overlay": _overlay_as_json(answer.overlay), "hits": _as_json(hits), "seconds": seconds}


def _colours(reader: LimitedReader, source: bytes | Path, shown: str) -> Picture:
    """The picture as its pixels are compared."""
    return reader.decode(source, grey=False, max_side=DECODED_SIDE_PX, name=shown)


def _print_table(
    shown: str, picture: Picture, query: Query, answer: Answer, hits: list[Hit], options: SearchOptions
) -> None:
    spent = 1e3 * sum(answer.seconds.values())
    counted = f"{len(query.features)} features, " if options.local else ""
    print(f"{shown}: {picture.width} x {picture.height}, {counted}{spent:.0f} ms after extraction")
    if options.local and len(query.features) < FEW_FEATURES:
        print("  " + _note_on_few(len(query.features), options))
    if not hits:
        print("  no picture shares a visual word with it" if options.local else "  no picture is like it")
    if answer.overlay:
        print(f"  {_reported_of(answer.overlay)}")
    if hits:
        print(f"{'rank':>4}  {'score':>6}  {'inliers':>7}  {'sure':>5}  {'verdict':<10}  {'box in the hit':<23}  name")
    for rank, hit in enumerate(hits, 1):
        inliers = "" if hit.verification is None else str(hit.verification.n_inliers)
        name = display_name(hit.name) + _remark(hit)
        columns = (
            f"{hit.score:>6.2f}  {inliers:>7}  {_percent(hit.probability):>5}  {hit.verdict:<10}  {_bounds(hit):<23}"
        )
        print(f"{rank:>4}  {columns}  {name}")


def _note_on_few(n: int, options: SearchOptions) -> str:
    """What is done with a picture of few features."""
    counted = f"few features ({n})" if n else "no features"
    if not options.verify.pixels:
        return f"{counted}: with --pixels above 0 it is compared as a whole too"
    return f"{counted}: compared as a whole with the pictures that look like it"


def _reported_of(overlay: Overlay) -> str:
    n, box = len(overlay.features), _as_flag(overlay.box)
    return f"an overlay of {n} features in {box} that {overlay.n_images} pictures share was left out"


def _overlay_as_json(overlay: Overlay | None) -> dict[str, Any] | None:
    if overlay is None:
        return None
    return {"n_features": len(overlay.features), "n_images": overlay.n_images, "box": overlay.box}


def _remark(hit: Hit) -> str:
    """What else there is to say of a hit, behind its name."""
    remarks = ["mirrored"] if hit.verification and hit.verification.mirrored else []
    if hit.basis == "content":
        remarks.append("the same file")
    if hit.basis == "whole":
        remarks.append("compared as a whole")
    if hit.basis == "points":
        remarks.append("pixels not compared")
    if hit.verdict == "part" and hit.agreement:
        shares = (shared_percent(share) for share in (hit.agreement.query_overlap, hit.agreement.hit_overlap))
        remarks.append("{}% of the query and {}% of it agree, the rest differs".format(*shares))
    return f" ({'; '.join(remarks)})" if remarks else ""


def _as_flag(box: Box) -> str:
    """A box as --box takes it."""
    return ",".join(f"{value:.0f}" for value in box)


def _percent(probability: float | None) -> str:
    """A probability rounded down, so that 100 % is never claimed."""
    return "" if probability is None else f"{math.floor(1000 * probability) / 10:.1f}%"


def _bounds(hit: Hit) -> str:
    """What bounds the query, or for a part what agrees, inside the hit's picture, as --box takes it."""
    box = bounds_of(hit)
    return "" if box is None else _as_flag(box)


def _as_json(hits: list[Hit]) -> list[dict[str, Any]]:
    return [{"rank": rank, **_hit_as_json(hit)} for rank, hit in enumerate(hits, 1)]


def _hit_as_json(hit: Hit) -> dict[str, Any]:
    transform = hit.verification.database_from_query if hit.verification else None
    return {
        "name": hit.name,
        "path": str(hit.path),
        "score": hit.score,
        "verdict": hit.verdict,
        "probability": hit.probability,
        "mirrored": hit.verification.mirrored if hit.verification else None,
        "n_inliers": hit.verification.n_inliers if hit.verification else None,
        "database_from_query": transform.tolist() if transform is not None else None,
        "outline": hit.outline.tolist() if hit.outline is not None else None,
        **_agreement_as_json(hit),
        "width": hit.width,
        "height": hit.height,
    }


def _agreement_as_json(hit: Hit) -> dict[str, Any]:
    """What pixels say; null where they were not compared."""
    found = hit.agreement
    regions = (None, None) if found is None else (found.query_region, found.hit_region)
    in_query, in_hit = (None if region is None else region.tolist() for region in regions)
    return {
        "basis": hit.basis,
        "query_overlap": found.query_overlap if found else None,
        "hit_overlap": found.hit_overlap if found else None,
        "query_region": in_query,
        "hit_region": in_hit,
    }


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
