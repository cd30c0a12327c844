"""benchmarks and run: loaders on small sets of the same layout, figures of a fake ranker by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.errors import BenchmarkError, ImageError
from bof.evaluation.benchmarks import Benchmark, BenchmarkQuery, Judgement, load_benchmark
from bof.evaluation.run import MAIN, RankedImage, SettingReport, evaluate_ranker, without_images
from bof.types import Box, Ranking, Verdict


def touch(root: Path, *names: str) -> list[Path]:
    paths = [root / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return paths


def refused(kind: str | Path, root: Path) -> str:
    with pytest.raises(BenchmarkError) as caught:
        load_benchmark(str(kind), root)
    return str(caught.value)


# -- UKBench ----------------------------------------------------------------------------------------------------------


def test_ukbench_groups_four_by_four(tmp_path: Path) -> None:
    paths = touch(tmp_path, *(f"ukbench{i:05d}.jpg" for i in range(8)))
    touch(tmp_path, "readme.txt", "ukbench1.jpg", "thumbs/ukbench00009.jpg")
    benchmark = load_benchmark("ukbench", tmp_path)
    assert (benchmark.name, benchmark.counts_top_four) == ("ukbench-8", True)
    assert list(benchmark.database) == paths
    assert [query.image for query in benchmark.queries] == paths
    assert benchmark.queries[5].positives == {paths[4], paths[6], paths[7]}
    assert benchmark.queries[5].junk == {paths[5]}


@pytest.mark.parametrize("suffix", ["jpg", "JPG"])
def test_ukbench_takes_any_case(tmp_path: Path, suffix: str) -> None:
    touch(tmp_path, *(f"ukbench{i:05d}.{suffix}" for i in range(4)))
    assert len(load_benchmark("ukbench", tmp_path).queries) == 4


def test_ukbench_names_the_first_incomplete_object(tmp_path: Path) -> None:
    touch(tmp_path, *(f"ukbench{i:05d}.jpg" for i in (0, 1, 2, 3, 8, 9, 10, 12)))
    message = refused("ukbench", tmp_path)
    assert message.startswith(f"{tmp_path}: expected four pictures of each object")
    assert "incomplete object at ukbench00008.jpg" in message
    assert "data/README.md" in message


def test_ukbench_without_pictures(tmp_path: Path) -> None:
    assert "found no ukbenchNNNNN.jpg; see data/README.md" in refused("ukbench", tmp_path)


# -- DVD covers -------------------------------------------------------------------------------------------------------


def dvd_layout(root: Path, numbers: tuple[str, ...] = ("001", "002")) -> None:
    for folder in ("Reference", "Canon", "Droid", "E63", "Palm"):
        touch(root, *(f"{folder}/{number}.jpg" for number in numbers))


def test_dvd_photographs_find_the_cover_of_their_number(tmp_path: Path) -> None:
    dvd_layout(tmp_path)
    benchmark = load_benchmark("dvd", tmp_path)
    assert benchmark.name == "dvd-2"
    assert list(benchmark.database) == [tmp_path / "Reference" / name for name in ("001.jpg", "002.jpg")]
    assert [(q.group, q.image.name) for q in benchmark.queries][:3] == [
        ("Canon", "001.jpg"),
        ("Canon", "002.jpg"),
        ("Droid", "001.jpg"),
    ]
    assert len(benchmark.queries) == 8
    for query in benchmark.queries:
        assert query.positives == {tmp_path / "Reference" / query.image.name}
        assert not query.junk


def test_a_dvd_photograph_without_cover_is_named(tmp_path: Path) -> None:
    dvd_layout(tmp_path)
    touch(tmp_path, "E63/077.jpg")
    message = refused("dvd", tmp_path)
    assert message.startswith(f"{tmp_path / 'E63' / '077.jpg'}: expected a cover of the same number in Reference/")


@pytest.mark.parametrize("folder", ["Reference", "Palm"])
def test_a_missing_dvd_folder_is_named(tmp_path: Path, folder: str) -> None:
    dvd_layout(tmp_path)
    (tmp_path / folder).rename(tmp_path / "elsewhere")
    message = refused("dvd", tmp_path)
    assert message.startswith(f"{tmp_path / folder}: expected photographs NNN.jpg, found none")
    assert "data/README.md" in message


# -- Any folder -------------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    touch(tmp_path, "a.jpg", "b.jpg", "sub/c.jpg", "q.jpg")
    return tmp_path


def content(**changes: Any) -> dict[str, Any]:
    queries = [{"image": "q.jpg", "positives": ["a.jpg"]}]
    return {"name": "mine", "database": ["a.jpg", "b.jpg", "sub/c.jpg"], "queries": queries, **changes}


def write(root: Path, value: object) -> Path:
    file = root / "benchmark.json"
    file.write_text(json.dumps(value), encoding="utf-8")
    return file


def one_query(root: Path, **query: Any) -> BenchmarkQuery:
    benchmark = load_benchmark(str(write(root, content(queries=[{"image": "q.jpg", "positives": [], **query}]))), root)
    return benchmark.queries[0]


def test_a_file_names_database_and_queries(root: Path) -> None:
    benchmark = load_benchmark(str(write(root, content())), root)
    assert (benchmark.name, benchmark.counts_top_four) == ("mine", False)
    assert list(benchmark.database) == [root / "a.jpg", root / "b.jpg", root / "sub" / "c.jpg"]
    assert list(benchmark.queries) == [
        BenchmarkQuery(root / "q.jpg", frozenset({root / "a.jpg"}), frozenset({root / "q.jpg"}))
    ]


def test_a_query_s_own_picture_is_junk_unless_it_is_wanted(root: Path) -> None:
    assert one_query(root, image="a.jpg", positives=["b.jpg"]).junk == {root / "a.jpg"}
    query = one_query(root, image="a.jpg", positives=["a.jpg", "b.jpg"])
    assert query.positives == {root / "a.jpg", root / "b.jpg"}
    assert query.junk == frozenset()


def test_junk_and_box_are_read(root: Path) -> None:
    query = one_query(root, positives=["a.jpg"], junk=["b.jpg", "a.jpg"], box=[1, 2.5, 30, 40])
    assert query.junk == {root / "b.jpg", root / "q.jpg"}
    assert query.box == (1.0, 2.5, 30.0, 40.0)
    assert one_query(root, box=None).box is None


def test_a_query_without_positives_is_allowed(root: Path) -> None:
    assert one_query(root).positives == frozenset()


def test_groups_and_pooled_are_read(root: Path) -> None:
    assert one_query(root, group="crops").group == "crops"
    assert one_query(root).group == ""
    assert [load_benchmark(str(write(root, content(**more))), root).pooled for more in ({}, {"pooled": True})] == [
        False,
        True,
    ]


def test_paths_are_absolute_whatever_the_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(root, content())
    monkeypatch.chdir(root)
    benchmark = load_benchmark(str(file), Path())
    assert list(benchmark.database) == list(load_benchmark(str(file), root).database)


def test_detours_in_paths_lead_to_the_same_pictures(root: Path) -> None:
    """The collection knows its pictures by their shortest absolute paths, so ground truth must too."""
    detours = content(database=["sub/../a.jpg", "b.jpg"], queries=[{"image": "./q.jpg", "positives": ["sub/../a.jpg"]}])
    benchmark = load_benchmark(str(write(root, detours)), root)
    assert list(benchmark.database) == [root / "a.jpg", root / "b.jpg"]
    assert benchmark.queries[0].positives == {root / "a.jpg"}


@pytest.mark.parametrize("missing", ["name", "database", "queries"])
def test_a_missing_field_is_named(root: Path, missing: str) -> None:
    value = content()
    del value[missing]
    file = write(root, value)
    assert refused(file, root) == f"{file}: expected a field {missing!r}, found none; see data/README.md"


@pytest.mark.parametrize("missing", ["image", "positives"])
def test_a_missing_field_of_a_query_is_named(root: Path, missing: str) -> None:
    query = {"image": "q.jpg", "positives": []}
    del query[missing]
    assert f"expected a field {missing!r}" in refused(write(root, content(queries=[query])), root)


MALFORMED = {
    "a list": [],
    "a number": 7,
    "name is a number": content(name=7),
    "database is a number": content(database=7),
    "database is text": content(database="a.jpg"),
    "database of numbers": content(database=[7]),
    "queries are text": content(queries=["q.jpg"]),
    "queries are nothing": content(queries=None),
    "image is a list": content(queries=[{"image": ["q.jpg"], "positives": []}]),
    "positives are text": content(queries=[{"image": "q.jpg", "positives": "a.jpg"}]),
    "positives are nothing": content(queries=[{"image": "q.jpg", "positives": None}]),
    "junk is a number": content(queries=[{"image": "q.jpg", "positives": [], "junk": 7}]),
    "box of three": content(queries=[{"image": "q.jpg", "positives": [], "box": [1, 2, 3]}]),
    "box of words": content(queries=[{"image": "q.jpg", "positives": [], "box": ["left", 2, 3, 4]}]),
    "box is text": content(queries=[{"image": "q.jpg", "positives": [], "box": "1,2,3,4"}]),
    "group is a number": content(queries=[{"image": "q.jpg", "positives": [], "group": 7}]),
    "pooled is a number": content(pooled=1),
    "box of lists": content(queries=[{"image": "q.jpg", "positives": [], "box": [[], 2, 3, 4]}]),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_file_is_named(root: Path, case: str) -> None:
    file = write(root, MALFORMED[case])
    message = refused(file, root)
    assert message.startswith(f"{file}: not a benchmark file: ")
    assert message.endswith("; see data/README.md")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"not json"])
def test_a_file_that_is_no_json_is_named(root: Path, data: bytes) -> None:
    (root / "broken.json").write_bytes(data)
    assert refused(root / "broken.json", root).startswith(f"{root / 'broken.json'}: not a benchmark file: ")


def test_no_queries_is_refused(root: Path) -> None:
    file = write(root, content(queries=[]))
    assert refused(file, root) == f"{file}: expected at least one query, found none"


def test_a_positive_outside_the_database_is_named(root: Path) -> None:
    file = write(root, content(database=["b.jpg"]))
    assert refused(file, root) == f"{file}: positive {root / 'a.jpg'} of q.jpg is not in the database"


def test_missing_photographs_are_counted_and_the_first_is_named(root: Path) -> None:
    file = write(root, content(database=["a.jpg", "z.jpg", "y.jpg"]))
    message = refused(file, root)
    assert message.startswith(f"mine: 2 of 4 photographs are missing, the first is {root / 'y.jpg'}")
    assert "data/README.md" in message


def test_a_missing_query_is_missed(root: Path) -> None:
    (root / "q.jpg").unlink()
    assert "1 of 4 photographs are missing" in refused(write(root, content()), root)


def test_an_unknown_kind_is_refused(root: Path) -> None:
    message = refused("oxford", root)
    assert message.startswith("oxford: expected ukbench, dvd, ")
    assert "or a JSON file, found no such file; see data/README.md" in message


def test_a_missing_root_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "file")
    for place in ("nowhere", "file"):
        message = refused("ukbench", tmp_path / place)
        assert message.startswith(f"{tmp_path / place}: expected the folder of photographs, found no such folder")


def test_the_shared_sets_load(shared: Path) -> None:
    ukbench, dvd = load_benchmark("ukbench", shared / "ukbench1000"), load_benchmark("dvd", shared / "dvd_covers")
    assert (len(ukbench.database), len(ukbench.queries)) == (1000, 1000)
    assert (len(dvd.database), len(dvd.queries)) == (100, 400)


# -- Evaluation -------------------------------------------------------------------------------------------------------

A, B, C, D, E = (Path("/photos") / name for name in "abcde")


@dataclass
class FakeRanker:
    """Gives the rankings that it was told, with verdicts and seconds."""

    answers: Mapping[Path, tuple[list[Path], list[Verdict], dict[str, float]]]
    requested: list[tuple[Path, Box | None]] = field(default_factory=list)
    name: str = "fake"

    @property
    def description(self) -> Mapping[str, object]:
        return {"depth": 3}

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        self.requested.append((path, box))
        if path not in self.answers:
            raise ImageError(f"{path}: cannot read")
        paths, verdicts, seconds = self.answers[path]
        return Ranking(paths, np.linspace(1, 0.5, len(paths)), verdicts, seconds)


def unverified(*paths: Path, **seconds: float) -> tuple[list[Path], list[Verdict], dict[str, float]]:
    return list(paths), ["unverified"] * len(paths), seconds


def benchmark_of(*queries: BenchmarkQuery, counts_top_four: bool = False) -> Benchmark:
    return Benchmark("small", [A, B, C, D], list(queries), counts_top_four)


def test_figures_by_hand() -> None:
    queries = [
        BenchmarkQuery(A, frozenset({B, C}), frozenset({A}), group="left"),
        BenchmarkQuery(B, frozenset({C}), frozenset({B}), group="left"),
        BenchmarkQuery(C, frozenset({D}), frozenset({C}), group="right"),
    ]
    answers = {
        A: unverified(A, B, D, C),  # without A: found, not, found
        B: unverified(B, D, A, C),  # without B: not, not, found
        C: unverified(C, A),  # never found
    }
    report = evaluate_ranker(FakeRanker(answers), benchmark_of(*queries), 4)
    first = (1 + 1) / 2 / 2 + (1 / 2 + 2 / 3) / 2 / 2
    second = (0 + 1 / 3) / 2
    assert [result.average_precision for result in report.queries] == pytest.approx([first, second, 0])
    assert report.map == pytest.approx((first + second) / 3)
    assert report.recall_at_1 == pytest.approx(1 / 3)
    assert report.recall_at_10 == pytest.approx(2 / 3)
    assert report.recall_at_1_by_group == {"left": 0.5, "right": 0.0}
    assert (report.ns, report.false_accept_rate) == (None, None)
    assert (report.benchmark, report.ranker, report.options) == ("small", "fake", {"depth": 3})
    assert (report.n_database, report.n_queries) == (4, 3)


def test_ns_counts_the_query_itself() -> None:
    group = frozenset({A, B, C, D})
    queries = [BenchmarkQuery(path, group - {path}, frozenset({path})) for path in (A, B)]
    answers = {A: unverified(A, B, C, D), B: unverified(B, E, A)}
    report = evaluate_ranker(FakeRanker(answers), benchmark_of(*queries, counts_top_four=True), 5)
    assert [result.top_four for result in report.queries] == [4, 2]
    assert report.ns == 3


def verified(*pairs: tuple[Path, Verdict]) -> tuple[list[Path], list[Verdict], dict[str, float]]:
    return [path for path, _ in pairs], [verdict for _, verdict in pairs], {}


def test_false_accepts_are_verified_hits_where_there_is_nothing_to_find() -> None:
    nothing = frozenset[Path]()
    queries = [
        BenchmarkQuery(A, nothing, frozenset({A})),
        BenchmarkQuery(B, nothing, frozenset({B})),
        BenchmarkQuery(C, nothing, frozenset({C})),
        BenchmarkQuery(D, nothing, frozenset({D})),
        BenchmarkQuery(E, frozenset({A})),
    ]
    answers = {
        A: verified((A, "same"), (B, "maybe"), (C, "no")),  # only itself, which is junk
        B: verified((C, "no"), (A, "same")),  # accepted, though not first
        C: verified(),
        D: verified((A, "maybe"), (B, "unverified")),
        E: verified((B, "same"), (A, "same")),  # has something to find: not counted
    }
    report = evaluate_ranker(FakeRanker(answers), benchmark_of(*queries), 4)
    assert [result.accepted for result in report.queries] == [False, True, False, False, True]
    assert report.false_accept_rate == 0.25
    assert report.map == pytest.approx((0 + 1 / 2) / 2)
    assert [result.average_precision is None for result in report.queries] == [True] * 4 + [False]


def test_rejection_tests_alone_have_no_map() -> None:
    report = evaluate_ranker(FakeRanker({A: verified()}), benchmark_of(BenchmarkQuery(A, frozenset())), 4)
    assert (report.map, report.recall_at_1, report.recall_at_10, report.ns) == (None, None, None, None)
    assert report.false_accept_rate == 0


def test_milliseconds_are_medians_by_stage() -> None:
    queries = [BenchmarkQuery(path, frozenset({D})) for path in (A, B, C)]
    answers = {
        A: unverified(D, extract=0.1, vote=0.001, verify=0.004),
        B: unverified(D, extract=0.3, vote=0.003),
        C: unverified(D, extract=0.2, vote=0.008, verify=0.002),
    }
    report = evaluate_ranker(FakeRanker(answers), benchmark_of(*queries), 4)
    expected = {"extract": 200, "vote": 3, "verify": 2, "after_extract": 5}
    assert dict(report.query_milliseconds) == pytest.approx(expected)
    assert report.seconds >= 0


def test_boxes_reach_the_ranker_and_progress_is_told() -> None:
    ranker = FakeRanker({A: unverified(D), B: unverified(D)})
    queries = [BenchmarkQuery(A, frozenset({D}), box=(1, 2, 3, 4)), BenchmarkQuery(B, frozenset({D}))]
    steps: list[tuple[int, int]] = []
    evaluate_ranker(ranker, benchmark_of(*queries), 4, lambda done, total: steps.append((done, total)))
    assert ranker.requested == [(A, (1, 2, 3, 4)), (B, None)]
    assert steps == [(1, 2), (2, 2)]


# -- Settings, hits, pools, broken queries ----------------------------------------------------------------------------


def test_each_setting_has_its_own_figures() -> None:
    settings = {"easy": Judgement(frozenset({B}), frozenset({C})), "hard": Judgement(frozenset({C}), frozenset({B}))}
    first = BenchmarkQuery(A, frozenset({B, C}), frozenset({A}), settings=settings)
    second = BenchmarkQuery(
        B, frozenset({C}), settings={"easy": Judgement(frozenset()), "hard": Judgement(frozenset({C}))}
    )
    report = evaluate_ranker(
        FakeRanker({A: unverified(A, B, D, C), B: unverified(A, C)}), benchmark_of(first, second), 4
    )
    figures = report.queries[0].settings
    about: Any = pytest.approx
    assert {name: (f.positive_ranks, f.n_positives) for name, f in figures.items()} == {
        MAIN: ([1, 3], 2),
        "easy": ([2], 1),  # the query itself is junk in the main setting alone
        "hard": ([3], 1),
    }
    assert set(report.queries[1].settings) == {MAIN, "hard"}
    assert report.settings == {
        "easy": SettingReport(1, 1 / 4, {1: 0, 5: 1 / 2, 10: 1 / 2}),
        "hard": SettingReport(2, about((1 / 6 + 1 / 4) / 2), {1: 0, 5: about(5 / 12), 10: about(5 / 12)}),
    }
    assert report.map == pytest.approx((report.queries[0].average_precision or 0) / 2 + 1 / 8)


def test_without_named_settings_there_is_the_main_one() -> None:
    queries = [BenchmarkQuery(A, frozenset({B})), BenchmarkQuery(C, frozenset())]
    report = evaluate_ranker(FakeRanker({A: unverified(D, B), C: unverified(A)}), benchmark_of(*queries), 4)
    assert report.settings == {MAIN: SettingReport(1, 1 / 4, {1: 0, 5: 1 / 2, 10: 1 / 2})}
    assert report.queries[1].settings == {}
    nothing = evaluate_ranker(FakeRanker({C: unverified(A)}), benchmark_of(queries[1]), 4)
    assert nothing.settings == {}


def test_a_query_with_positives_in_another_setting_is_no_rejection_test() -> None:
    query = BenchmarkQuery(A, frozenset(), settings={"easy": Judgement(frozenset({B}))})
    report = evaluate_ranker(FakeRanker({A: verified((C, "same"))}), benchmark_of(query), 4)
    assert (report.map, report.false_accept_rate) == (None, None)
    assert report.settings["easy"].map == 0


def test_the_first_ten_hits_are_kept_with_what_they_are() -> None:
    query = BenchmarkQuery(A, frozenset({B, D}), frozenset({A, D}))
    report = evaluate_ranker(FakeRanker({A: verified((A, "same"), (D, "maybe"), (C, "no"))}), benchmark_of(query), 4)
    assert report.queries[0].hits == [
        RankedImage(str(A), 1.0, "same", "junk"),
        RankedImage(str(D), 0.75, "maybe", "positive"),
        RankedImage(str(C), 0.5, "no", "negative"),
    ]
    many = unverified(*(Path(f"/photos/{i}") for i in range(30)))
    report = evaluate_ranker(FakeRanker({A: many}), benchmark_of(query), 4)
    assert [hit.path for hit in report.queries[0].hits] == [f"/photos/{i}" for i in range(10)]


def pooled(*queries: BenchmarkQuery) -> Benchmark:
    return Benchmark("pool", [A, B, C, D], list(queries), pooled=True)


def test_a_pool_compares_scores_between_queries() -> None:
    queries = [BenchmarkQuery(A, frozenset({B}), frozenset({C})), BenchmarkQuery(D, frozenset())]
    answers = {A: unverified(C, B, A), D: unverified(E)}  # scores 1, 0.75, 0.5; 1
    report = evaluate_ranker(FakeRanker(answers), pooled(*queries), 4)
    assert report.micro_ap == 1 / 2  # the rejection test's 1 comes before 0.75; junk does not
    assert report.recall_at_precision_90 == 0
    alone = evaluate_ranker(FakeRanker(answers), pooled(queries[0]), 4)
    assert (alone.micro_ap, alone.recall_at_precision_90) == (1, 1)


def test_only_positive_scores_join_the_pool() -> None:
    @dataclass
    class Doubtful(FakeRanker):
        def rank(self, path: Path, box: Box | None = None) -> Ranking:
            return Ranking([B, C], np.array([0.0, -1.0]), ["no", "no"], {})

    report = evaluate_ranker(Doubtful({}), pooled(BenchmarkQuery(A, frozenset({B}))), 4)
    assert (report.micro_ap, report.map) == (0, 1)


def test_a_pool_needs_positives_and_a_benchmark_that_asks_for_it() -> None:
    answers = {A: unverified(B)}
    for benchmark in (pooled(BenchmarkQuery(A, frozenset())), benchmark_of(BenchmarkQuery(A, frozenset({B})))):
        report = evaluate_ranker(FakeRanker(answers), benchmark, 4)
        assert (report.micro_ap, report.recall_at_precision_90) == (None, None)


def test_a_query_that_cannot_be_read_ends_the_run() -> None:
    with pytest.raises(BenchmarkError, match=r"^small: query /photos/a cannot be searched: /photos/a: cannot read; "):
        evaluate_ranker(FakeRanker({}), benchmark_of(BenchmarkQuery(A, frozenset({B}))), 4)


def test_where_the_published_set_is_broken_the_query_finds_nothing() -> None:
    queries = [BenchmarkQuery(A, frozenset({B})), BenchmarkQuery(C, frozenset({B}))]
    benchmark = Benchmark("paris", [A, B, C, D], queries, notes=["as published"], may_be_unreadable=True)
    report = evaluate_ranker(FakeRanker({C: unverified(B, vote=0.5)}), benchmark, 4)
    assert [result.average_precision for result in report.queries] == [0, 1]
    assert report.notes == ["as published", "query counted as not found: /photos/a: cannot read"]


def test_pictures_can_be_taken_out_of_a_benchmark() -> None:
    settings = {"easy": Judgement(frozenset({B, C}), frozenset({D}))}
    queries = [
        BenchmarkQuery(A, frozenset({B, C}), frozenset({D}), settings=settings),
        BenchmarkQuery(B, frozenset({C, D})),  # nothing is left to find: not a rejection test, but none
        BenchmarkQuery(C, frozenset()),
    ]
    left = without_images(benchmark_of(*queries), [C, D])
    assert left.database == [A, B]
    assert left.queries == [
        BenchmarkQuery(A, frozenset({B}), settings={"easy": Judgement(frozenset({B}))}),
        BenchmarkQuery(C, frozenset()),
    ]
