"""The figures of a report in one view: headline, settings, groups, costs, options, and what to know about the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bof.evaluation.report.cases import has_verified_wrong
from bof.evaluation.report.html import cell, facts, figure, folded, items, row, section, text
from bof.evaluation.run import MAIN, Report, SettingReport
from bof.system.units import human_bytes

N_GROUPS = 40


def summary(report: Report, whole: Mapping[str, Any]) -> str:
    """Headline figures, a table of settings, one of costs, the notes, the skipped files and the options, as HTML."""
    return (
        _head(report, whole)
        + _headline(report)
        + _settings(report.settings)
        + items(report.notes)
        + section("Costs and vocabulary", _costs(report, whole))
        + _skipped(whole.get("skipped", []))
        + folded("All options", facts((name, text(value)) for name, value in _flat(report.options)))
        + section("Recall@1 by group, lowest first", _groups(report.recall_at_1_by_group))
    )


def _head(report: Report, whole: Mapping[str, Any]) -> str:
    distractors = f", {whole['n_distractors']} of them distractors" if whole.get("n_distractors") else ""
    seen = whole.get("evaluated_images_trained_on")
    warning = (
        f'<p class="alert">The vocabulary was trained on {seen} of the {whole.get("n_evaluated_images")} evaluated '
        "pictures: the figures flatter it.</p>\n"
    )
    return (
        f"<header>\n<h1>{text(report.benchmark)}</h1>\n"
        f'<p class="soft">{report.n_queries} queries, {report.n_database} pictures{distractors}; '
        f"ranked by {text(report.ranker)}</p>\n{warning if seen else ''}</header>\n"
    )


def _headline(report: Report) -> str:
    wrong = sum(map(has_verified_wrong, report.queries))
    tiles = [
        ("N-S (of 4)", figure(report.ns, 3)),
        ("mAP", figure(report.map) if set(report.settings) <= {MAIN} else ""),
        ("recall@1", figure(report.recall_at_1)),
        ("recall@10", figure(report.recall_at_10)),
        ("micro-AP", figure(report.micro_ap)),
        ("recall at precision 0.9", figure(report.recall_at_precision_90)),
        ("false accepts", figure(report.false_accept_rate)),
        ("queries with a wrong “same”", str(wrong)),
    ]
    shown = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>\n" for name, value in tiles if value)
    return f'<dl class="tiles">\n{shown}</dl>\n'


def _settings(settings: Mapping[str, SettingReport]) -> str:
    """mAP and mP@k by setting."""
    if not settings:
        return ""
    depths = sorted({k for setting in settings.values() for k in setting.precision_at})
    names = ["setting", "queries", "mAP", *(f"mP@{k}" for k in depths)]
    head = row(f'<th scope="col" class="{"number" if place else ""}">{name}</th>' for place, name in enumerate(names))
    rows = (row(_setting_cells(name, setting, depths)) for name, setting in settings.items())
    return f"<table>\n<thead>{head}</thead>\n<tbody>{''.join(rows)}</tbody>\n</table>\n"


def _setting_cells(name: str, setting: SettingReport, depths: Sequence[int]) -> Iterator[str]:
    yield cell("all queries" if name == MAIN else text(name))
    yield cell(str(setting.n_queries), "number")
    yield cell(figure(setting.map), "number")
    for k in depths:
        yield cell(figure(setting.precision_at.get(k)), "number")


def _costs(report: Report, whole: Mapping[str, Any]) -> str:
    after = report.query_milliseconds.get("after_extract")
    stages = [f"{stage} {ms:.1f}" for stage, ms in report.query_milliseconds.items() if stage != "after_extract"]
    return facts(
        [
            ("vocabulary", _vocabulary(report.options.get("vocabulary"))),
            ("of the evaluated pictures, seen in training", _seen(whole)),
            ("query, median ms by stage", text(", ".join(stages))),
            ("query, median ms without extraction", figure(after, 1)),
            ("whole run of queries, s", figure(report.seconds, 1)),
            ("indexing, s an image", figure(whole.get("index_seconds_per_image"))),
            ("index size", human_bytes(whole["index_bytes"]) if "index_bytes" in whole else ""),
            ("features", f"{whole['n_features']:,}" if "n_features" in whole else ""),
            ("peak memory", human_bytes(whole["peak_memory_bytes"]) if "peak_memory_bytes" in whole else ""),
        ]
    )


def _vocabulary(vocabulary: object) -> str:
    if not isinstance(vocabulary, Mapping):
        return ""
    trained_on = vocabulary.get("trained_on")
    source = trained_on.get("source") if isinstance(trained_on, Mapping) else trained_on
    words = vocabulary.get("n_words")
    return text(f"{words:,} words, trained on {source}" if isinstance(words, int) else f"trained on {source}")


def _seen(whole: Mapping[str, Any]) -> str:
    if "evaluated_images_trained_on" not in whole:
        return ""
    return f"{whole['evaluated_images_trained_on']} of {whole.get('n_evaluated_images')}"


def _skipped(skipped: Sequence[Mapping[str, str]]) -> str:
    lines = [f"{item['path']}: {item['reason']}" for item in skipped]
    return folded(f"Files that could not be read and were skipped: {len(lines)}", items(lines))


def _flat(options: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Nested options as dotted names and values."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _groups(recalls: Mapping[str, float]) -> str:
    """A bar for each group; of many, the lowest N_GROUPS."""
    lowest = sorted(recalls.items(), key=lambda item: item[1])[:N_GROUPS]
    left_out = f'<p class="soft">The lowest {N_GROUPS} of {len(recalls)} groups.</p>\n'
    return (left_out if len(recalls) > N_GROUPS else "") + _bars(lowest) if recalls else ""


def _bars(values: Iterable[tuple[str, float]]) -> str:
    rows = (
        f'<tr><th scope="row">{text(name)}</th>{cell(figure(value), "number")}'
        f'<td class="track"><span class="bar" style="width:{100 * value:.1f}%"></span></td></tr>\n'
        for name, value in values
    )
    return f'<table class="facts groups">\n{"".join(rows)}</table>\n'
