"""Does a restructuring change an answer? Record what one version of bof answers, then compare it with another version.

    python -m scripts.same_answers record --data DATA --out BEFORE.json.gz [--only PART ...] [--small] [--cache DIR]
    python -m scripts.same_answers compare BEFORE.json.gz AFTER.json.gz [--only PART ...]

DATA holds ukbench1000/, dvd_covers/ and train/. `record` asks the bof that Python imports: name another version with
PYTHONPATH. Floats are recorded to the last bit, as `float.hex` writes them. `compare` prints `identical` for each part
and exits with 0, or names the first differences and exits with 1. Only names of `bof.__all__` and the commands are
used, so that the same script asks a version whose modules lie elsewhere.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import hashlib
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from bof import (
    BofError,
    Engine,
    FeatureOptions,
    Features,
    Hit,
    Picture,
    Ranking,
    SearchOptions,
    evaluate_ranker,
    load_benchmark,
    read_image,
)
from scripts.same_answers.parts import (
    Answers,
    CommandError,
    Record,
    Workplace,
    exact,
    golden_folders,
    group_record,
    hits_record,
    index_record,
    make_benchmark,
    make_duplicates,
    neighbours_record,
    package,
    picked,
    search_record,
    write_model,
)

NOTHING = "nothing"
"""Stands for what only the other record has."""

SHOWN = 5
"""So many differences of each part are named."""

# -- What is asked ----------------------------------------------------------------------------------------------------


def search(engine: Engine, path: Path, options: SearchOptions, *, grey: bool = True) -> list[Hit]:
    """Everything that a picture finds, at the working size of the vocabulary that bof brings."""
    picture = read_image(path, grey=grey, max_side=FeatureOptions().max_side)
    return engine.search(picture, options, top=max(1, len(engine)))


def golden(work: Workplace) -> Answers:
    """The stored query of every golden index by each ranker, as the index is and after merging."""
    found: Answers = {}
    for source in golden_folders():
        stored = dict(np.load(source / "query.npz"))
        with work.copy(source / "index") as folder:
            for state in ("as it is", "merged"):
                if state == "merged":
                    Engine.open(folder, source / "vocabulary").merge()
                engine = Engine.open(folder, source / "vocabulary")
                for ranker in rankers_of(folder):
                    found[f"{source.name}, {state}, {ranker}"] = hits_record(search_stored(engine, stored, ranker))
                found[f"{source.name}, {state}, neighbours"] = neighbours_record(engine)
    return found


def rankers_of(index: Path) -> list[str]:
    """The rankers that an index can answer: those of features, and of each of its optional columns, alone and fused."""
    columns = {path.stem for path in index.rglob("*.*.npy")}
    whole = sorted(column.split(".")[1] for column in columns if not column.endswith(".known"))
    return ["bof", "votes", "tfidf", *whole, *(f"bof+{name}" for name in whole)]


def search_stored(engine: Engine, stored: Mapping[str, Any], ranker: str) -> list[Hit]:
    """Everything that stored features and columns find: they take the place of those of an empty picture."""
    query = engine.prepare(Picture(np.zeros((240, 320), np.uint8), 320, 240))
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(query):  # versions may call the fields differently
        value = getattr(query, field.name)
        if isinstance(value, Features):
            where = {"xy_px": stored["xy"], "scale_px": stored["scale"], "angle_deg": stored["angle"]}
            changes[field.name] = Features(dataclasses.replace(value.geometry, **where), stored["descriptors"])
        if isinstance(value, Mapping):
            changes[field.name] = {name: column for name, column in stored.items() if "." in name}
    query = dataclasses.replace(query, **changes)
    options = SearchOptions(ranker=ranker)
    return engine.hits(query, engine.answer(query, options), options, top=len(engine))


class RecordingRanker:
    """The engine as evaluations ask it; keeps the whole answer to each query."""

    name, description = "bof", dict[str, object]()

    def __init__(self, engine: Engine, root: Path) -> None:
        self.engine, self.root = engine, root
        self.answers: Answers = {}

    def rank(self, path: Path, box: tuple[float, float, float, float] | None = None) -> Ranking:
        """The collection's pictures for the picture in a file; no benchmark here has boxes."""
        hits = search(self.engine, path, SearchOptions())
        self.answers[path.relative_to(self.root).as_posix()] = hits_record(hits)
        scores = np.array([hit.score for hit in hits], np.float64)
        return Ranking([hit.path for hit in hits], scores, [hit.verdict for hit in hits], {})


def benchmark_answers(work: Workplace, kind: str, root: Path, index: Path) -> Answers:
    """Every query's whole ranking, and the figures of merit."""
    benchmark = load_benchmark(kind, root)
    benchmark = dataclasses.replace(benchmark, queries=work.sample(benchmark.queries))
    engine = Engine.open(index)
    ranker = RecordingRanker(engine, root)
    report = evaluate_ranker(ranker, benchmark, len(engine))
    figures = ("n_database", "n_queries", "map", "recall_at_1", "recall_at_10", "recall_at_1_by_group", "ns")
    return {**ranker.answers, "figures": {name: exact(getattr(report, name)) for name in figures}}


def ukbench(work: Workplace) -> Answers:
    """Every picture of UKBench among all of them."""
    root = work.data / "ukbench1000"
    return benchmark_answers(work, "ukbench", root, work.index("ukbench", [root]))


def dvd(work: Workplace) -> Answers:
    """Photographs of DVD covers among the covers and other pictures."""
    root = work.data / "dvd_covers"
    others = work.sample([*work.ukbench(), *sorted((work.data / "train").rglob("*.jpg"))])
    return benchmark_answers(work, "dvd", root, work.index(f"dvd-{len(others)}", [root / "Reference", *others]))


def index_with_columns(work: Workplace) -> Path:
    """300 pictures of UKBench with all optional columns."""
    model = write_model(work.folder / "sets" / "model.onnx")
    columns = ("--columns", "hash", "color", "embedding", "--model", model)
    return work.index("described", work.ukbench()[:300], *columns)


WHOLE = ("ahash", "dhash", "phash", "blockmean", "radial", "moments", "color", "histogram", "embedding")
FUSED = ("bof+histogram", "bof+color", "bof+embedding", "bof+phash+color", "votes+dhash", "tfidf+histogram")
METRICS = ("chi-square", "euclidean", "correlation", "intersection", "bhattacharyya")


def rankers(work: Workplace) -> Answers:
    """A sample of pictures, in the collection and not, by every ranker."""
    engine = Engine.open(index_with_columns(work))
    requested = [SearchOptions(ranker=ranker) for ranker in ("tfidf", "votes", *WHOLE, *FUSED)]
    requested += [
        SearchOptions(ranker=ranker, metric=metric) for ranker in ("color", "histogram") for metric in METRICS
    ]
    requested += [SearchOptions(ranker=ranker, fusion="rrf") for ranker in ("bof+color", "tfidf+phash")]
    return {
        f"{path.name}, {options.ranker}, {options.metric}, {options.fusion}": hits_record(
            search(engine, path, options, grey=options.ranker in ("tfidf", "votes"))
        )
        for path in work.sample(work.ukbench()[:400:20])
        for options in requested
    }


OPTIONS: dict[str, Sequence[str]] = {
    "default": [],
    "mirror always": ["--mirror", "always"],
    "mirror never": ["--mirror", "never"],
    "depth": ["--depth", "20"],
    "no expansion": ["--expand", "0"],
    "words": ["--words-per-feature", "5"],
    "hamming": ["--max-hamming", "16"],
    "tolerance": ["--tolerance", "0.01"],
    "verdicts": ["--same", "0.9", "--maybe", "0.2"],
    "box": ["--box", "20,20,140,110"],
    "subject": ["--box", "auto"],
    "where": ["--where", "name ~ ukbench000 and not (name ~ 4 or features < 300)"],
    "text": ["--text", "ukbench00013"],
    "no geometry": ["--no-verify"],
    "color": ["--ranker", "color"],
    "fused": ["--ranker", "bof+color", "--mirror", "always"],
}
"""Flags of the command search."""


def options(work: Workplace) -> Answers:
    """What the command search answers with other options than the default's, to photographs and to altered copies."""
    copies = sorted((duplicate_pictures(work) / "copies").glob("*.jpg"))
    queries = work.sample([*copies[:18], *work.ukbench()[1:21:4], *work.ukbench()[-4:]])
    found: Answers = {}
    for name, flags in OPTIONS.items():
        printed = work.run("search", "--json", "--top", "40", "--index", index_with_columns(work), *flags, *queries)
        found |= {f"{Path(one['query']).name}, {name}": search_record(one) for one in json.loads(printed)}
    return found


def neighbours(work: Workplace) -> Answers:
    """What all pictures of a collection find in each other, and the pairs that the command index writes."""
    index = index_with_columns(work)
    with work.scratch() as folder:
        work.run("index", "--index", index, "--pairs", folder / "pairs.txt", "--partners", 8)
        pairs = (folder / "pairs.txt").read_text(encoding="utf-8").splitlines()
    return {"pairs": pairs, **neighbours_record(Engine.open(index))}


def duplicate_pictures(work: Workplace) -> Path:
    """Originals and altered copies."""
    return work.cached("duplicates", lambda folder: make_duplicates(work.ukbench(), folder))


def duplicates(work: Workplace) -> Answers:
    """Groups of each kind and what to keep, found without what an earlier run has left."""
    pictures, found = duplicate_pictures(work), dict[str, Record]()
    index = work.index("duplicates", [pictures])
    for kind in work.sample(["crop", "scene", "copy", "exact"]):
        with work.copy(index) as folder:
            report = folder.parent / "groups.json"
            work.run("duplicates", "--index", folder, "--kind", kind, "--json-file", report)
            groups = json.loads(report.read_text(encoding="utf-8"))["groups"]
        found |= {f"{kind}, group {group['number']}": group_record(group) for group in groups}
        found[kind] = {"groups": len(groups)}
    return found


def index(work: Workplace) -> Answers:
    """Every file of the segments and the catalogue's rows: one commit, several, columns, removal, merging."""
    pictures, one_worker = work.ukbench()[: 60 if work.small else 200], ("--workers", 1)
    with work.scratch() as folder:
        whole = work.make_index(folder / "whole", pictures, *one_worker)
        found = {"one commit": index_record(whole)}
        parts = work.make_index(folder / "parts", pictures[:110], *one_worker, "--commit-images", 30)
        found["several commits"] = index_record(parts)
        work.run("index", "--index", parts, "--remove", *[path.name for path in pictures[:110:4]])
        found["removed"] = index_record(parts)
        work.run("index", "--index", parts, "--merge")
        found["merged"] = index_record(parts)
        columns = work.make_index(folder / "columns", pictures[:30], *one_worker, "--columns", "hash", "color")
        found["columns"] = index_record(columns)
    return found


def copies(work: Workplace) -> Answers:
    """A copies benchmark, made and measured by the command evaluate."""
    n_sources = 12 if work.small else 60
    root = work.cached(f"copies-{n_sources}", lambda folder: make_benchmark(work.ukbench(), folder, n_sources))
    with work.scratch() as folder:
        flags = ("--index", folder / "index", "--commit-seconds", 86400)
        work.run("evaluate", "copies", "--root", root, *flags, "--json-file", folder / "report.json")
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    figures = ("n_database", "n_queries", "map", "recall_at_1", "recall_at_10", "recall_at_1_by_group", "micro_ap")
    found = {"figures": picked(report, *figures, "recall_at_precision_90", "false_accept_rate", "n_features")}
    names = ("group", "average_precision", "recall_at_1", "recall_at_10", "accepted", "hits")
    return found | {Path(query["image"]).name: picked(query, *names) for query in report["queries"]}


def vocabulary(work: Workplace) -> Answers:
    """Every file of a vocabulary trained on 20 pictures."""
    found: Answers = {}
    for levels in (1, 2):
        with work.scratch() as folder:
            flags = ("--words", 200, "--levels", levels, "--source", "UKBench", "--output", folder / "words")
            work.run("train_vocab", *work.ukbench()[::50], *flags)
            files = sorted((folder / "words").iterdir())
            found[f"{levels} levels"] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return found


PARTS: dict[str, Callable[[Workplace], Answers]] = {
    part.__name__: part
    for part in (golden, index, ukbench, dvd, rankers, options, neighbours, duplicates, copies, vocabulary)
}

# -- The commands -----------------------------------------------------------------------------------------------------


def record(arguments: argparse.Namespace) -> int:
    """Ask everything and write the answers."""
    start, parts = time.perf_counter(), dict[str, Record]()
    with ExitStack() as stack:
        cache = arguments.cache or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="same-answers-")))
        work = Workplace.of(arguments.data, cache, small=arguments.small)
        print(f"bof in {package()}, working in {work.folder}", flush=True)
        for name in arguments.only or PARTS:
            begin = time.perf_counter()
            text = json.dumps(PARTS[name](work)).replace(str(work.folder), "WORK").replace(str(work.data), "DATA")
            parts[name] = json.loads(text)
            print(f"{name:<12}{len(parts[name]):>5} answers  {time.perf_counter() - begin:6.1f} s", flush=True)
    whole = {"bof": str(package()), "small": arguments.small, "parts": parts}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(gzip.compress(json.dumps(whole).encode(), 6, mtime=0))
    print(f"wrote {arguments.out} in {time.perf_counter() - start:.0f} s")
    return 0


def compare(arguments: argparse.Namespace) -> int:
    """Say of every part whether the answers are the same; 1 where any is not."""
    before, after = (json.loads(gzip.decompress(path.read_bytes())) for path in (arguments.before, arguments.after))
    if before["small"] != after["small"]:
        print("error: expected two whole runs or two small ones, found one of each", file=sys.stderr)
        return 2
    parts = arguments.only or [name for name in PARTS if name in before["parts"] or name in after["parts"]]
    return max(compare_part(name, before["parts"].get(name), after["parts"].get(name)) for name in parts)


def compare_part(name: str, before: Record, after: Record) -> int:
    """Say whether one part is the same; 1 where it is not."""
    found = list(differences(before, after, (name,)))
    if before is None and after is None:
        print(f"{name}: in neither record")
        return 1
    noun = "difference" if len(found) == 1 else "differences"
    print(f"{name}: {len(found)} {noun}" if found else f"{name}: identical")
    for (_, *where), expected, other in found[:SHOWN]:
        place = f"{name}, {' > '.join(where)}" if where else name
        print(f"  {place}: expected {shown(expected)}, found {shown(other)}")
    return 1 if found else 0


Difference = tuple[tuple[str, ...], Record, Record]


def differences(expected: Record, found: Record, where: tuple[str, ...]) -> Iterator[Difference]:
    """Where two records differ: the way there, and both values."""
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        expected, found = (dict(enumerate(value)) for value in (expected, found))
    if not (isinstance(expected, dict) and isinstance(found, dict)):
        if expected != found or type(expected) is not type(found):
            yield where, expected, found
        return
    for key in [*expected, *(key for key in found if key not in expected)]:
        yield from differences(expected.get(key, NOTHING), found.get(key, NOTHING), (*where, str(key)))


def shown(value: Record) -> str:
    """A value on a line; a float as people write it too."""
    if isinstance(value, str) and value.lstrip("-").startswith("0x"):
        return f"{float.fromhex(value)!r} ({value})"
    text = NOTHING if value in (None, NOTHING) else json.dumps(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def main(argv: list[str] | None = None) -> int:
    """Record or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    recording = commands.add_parser("record", help="write what bof answers")
    recording.add_argument("--data", type=Path, required=True, metavar="DIR", help="the photographs")
    recording.add_argument("--out", type=Path, required=True, metavar="FILE.json.gz", help="write the answers here")
    recording.add_argument("--small", action="store_true", help="every 10th query, and fewer distractors")
    recording.add_argument("--cache", type=Path, metavar="DIR", help="keep indexes here for the same version of bof")
    recording.set_defaults(run=record)
    comparing = commands.add_parser("compare", help="say what differs")
    comparing.add_argument("before", type=Path, help="what `record` wrote of one version")
    comparing.add_argument("after", type=Path, help="what it wrote of the other")
    comparing.set_defaults(run=compare)
    for command in (recording, comparing):
        command.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (BofError, CommandError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    logging.getLogger("bof").setLevel(logging.ERROR)  # one golden picture has no columns
    sys.exit(main())
