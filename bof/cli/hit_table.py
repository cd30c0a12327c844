"""The hits of a query as a table for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from bof.cli.finding import FoundHits
from bof.cli.on_dask import missing_note
from bof.cli.terminal import Column, table_lines
from bof.errors import display_name
from bof.global_descriptors.hashes import bits_of
from bof.global_descriptors.sketch import FEW_FEATURES
from bof.options import AUTO, HASHES, SearchOptions
from bof.retrieval.answer import shared_percent
from bof.retrieval.hits import bounds_of
from bof.system.units import counted
from bof.types import Box, FilmPlace, Hit, Overlay


def hit_lines(found: FoundHits, options: SearchOptions) -> Iterator[str]:
    """What was searched with, what there is to say of it, and a line a hit."""
    spent = 1e3 * sum(found.answer.seconds.values())
    n_features = f"{len(found.query.features)} features, " if options.local else ""
    picture = found.picture
    yield f"{found.shown}: {picture.width} x {picture.height}, {n_features}{spent:.0f} ms after extraction"
    yield from (f"  {note}" for note in notes_of(found, options))
    if found.answer.overlay:
        yield f"  {_reported_of(found.answer.overlay)}"
    if found.hits:
        yield from table_lines(*_columns(found.hits, found.names, options), [hit.verdict for hit in found.hits])
    if found.chosen_box == AUTO:
        subject = as_flag(found.box) if found.box else "nothing stands out; the whole picture was searched with"
        yield f"  subject: {subject}"


def notes_of(found: FoundHits, options: SearchOptions) -> Iterator[str]:
    """Why there are few hits, or none."""
    if missing := missing_note(found.answer.missing):
        yield missing
    n_features = len(found.query.features)
    if options.local and n_features < FEW_FEATURES:
        yield _note_on_few(n_features, options)
    if found.filtered_out:
        yield found.filtered_out
    elif not found.hits:
        yield "no picture shares a visual word with it" if options.local else "no picture is like it"


def _note_on_few(n: int, options: SearchOptions) -> str:
    """What is done with a picture of few features."""
    counted = f"few features ({n})" if n else "no features"
    if not options.verify.pixels:
        return f"{counted}: with --pixels above 0 it is compared as a whole too"
    return f"{counted}: compared as a whole with the pictures that look like it"


def _columns(hits: Sequence[Hit], names: Mapping[int, str], options: SearchOptions) -> tuple[list[Column], Column]:
    inliers = ["" if hit.verification is None else str(hit.verification.n_inliers) for hit in hits]
    columns = [
        *_group_columns(hits),
        Column("rank", [str(rank) for rank in range(1, len(hits) + 1)], 4, True),
        Column("score", [f"{hit.score:.2f}" for hit in hits], 6, True, 2),
        Column("inliers", inliers, 7, True, 1),
        Column("bits", [_bits(hit, options) for hit in hits], 0, True, 5),
        Column("sure", [_sure(hit) for hit in hits], 5, True, 4),
        Column("verdict", [hit.verdict for hit in hits], 10),
        Column("box in the hit", [_bounds(hit) for hit in hits], 23, importance=0),
    ]
    return columns, Column("name", [names[hit.image] for hit in hits], tails=[_remark(hit) for hit in hits])


def _group_columns(hits: Sequence[Hit]) -> list[Column]:
    """Where hits are groups: which value, how many of its pictures agree, and how far it leads or is behind."""
    groups = [hit.group for hit in hits]
    if not any(groups):
        return []
    names = [display_name(group.value) if group and group.value is not None else "-" for group in groups]
    agree = ["" if group is None else f"{group.n_agree} of {group.n_pictures}" for group in groups]
    margins = ["" if group is None or group.margin is None else f"{group.margin:+.2f}" for group in groups]
    title = next(group.field for group in groups if group)
    return [
        Column(display_name(title), names, 10),
        Column("agree", agree, 8, True),
        Column("margin", margins, 6, True),
    ]


def bits_of_hit(hit: Hit, options: SearchOptions) -> tuple[int | None, int | None]:
    """How many bits of a hash differ from the query's, and of how many; None where no hash alone ranks."""
    return bits_of(options.ranker, hit.score) if options.ranker in HASHES else (None, None)


def _bits(hit: Hit, options: SearchOptions) -> str:
    bits, n_bits = bits_of_hit(hit, options)
    return "" if bits is None else f"{bits} of {n_bits}"


def _reported_of(overlay: Overlay) -> str:
    n, box = len(overlay.features), as_flag(overlay.box)
    return f"an overlay of {n} features in {box} that {overlay.n_images} pictures share was left out"


def _remark(hit: Hit) -> str:
    """What else there is to say of a hit, behind its name."""
    remarks = hit.verification.remarks if hit.verification else []
    if hit.film:
        remarks.append(_of_film(hit.film))
    if hit.basis == "content":
        remarks.append("the same file")
    if hit.basis == "whole":
        remarks.append("compared as a whole")
    if hit.basis == "person":
        remarks.append(f"{'confirmed' if hit.verdict == 'same' else 'judged not the same'} by a person")
    if hit.basis == "points":
        remarks.append("pixels not compared")
    if hit.verdict == "part" and hit.agreement:
        shares = (shared_percent(share) for share in (hit.agreement.query_overlap, hit.agreement.hit_overlap))
        remarks.append("{}% of the query and {}% of it agree, the rest differs".format(*shares))
    return f" ({'; '.join(remarks)})" if remarks else ""


def _of_film(film: FilmPlace) -> str:
    """Which shot of a film, and that there are others."""
    others = f", {film.n_shots} shots found" if film.n_shots > 1 else ""
    return f"shot {film.start:.3f} to {film.stop:.3f} s{others}"


def as_flag(box: Box) -> str:
    """A box as --box takes it."""
    return ",".join(f"{value:.0f}" for value in box)


def _sure(hit: Hit) -> str:
    """The probability behind a verdict; nothing of a part, which is certain, whatever else it shows."""
    return "" if hit.verdict == "part" else as_percent(hit.probability)


def as_percent(probability: float | None) -> str:
    """A probability rounded down, so that 100 % is never claimed."""
    return "" if probability is None else f"{math.floor(1000 * probability) / 10:.1f}%"


def _bounds(hit: Hit) -> str:
    """What bounds the query, or for a part what agrees, inside the hit's picture, as --box takes it."""
    box = bounds_of(hit)
    return "" if box is None else as_flag(box)


def comparison_lines(hit: Hit, n_features: tuple[int, int]) -> Iterator[str]:
    """What is known of two pictures, a fact a line."""
    n_inliers = hit.verification.n_inliers if hit.verification else 0
    yield f"features   {n_features[0]} and {n_features[1]}, {counted(n_inliers, 'inlier')}"
    if _sure(hit):
        yield f"sure       {_sure(hit)}"
    if hit.agreement:
        overlaps = 100 * hit.agreement.query_overlap, 100 * hit.agreement.hit_overlap
        yield "overlap    {:.0f}% of the first and {:.0f}% of the second agree".format(*overlaps)
    if _bounds(hit):
        yield f"place      {_bounds(hit)} in {display_name(hit.name)}"
    remark = _remark(hit).strip(" ()")
    if remark:
        yield f"remark     {remark}"
