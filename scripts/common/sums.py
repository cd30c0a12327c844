"""Figures of parts become those of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def sum_fields(parts: Sequence[T]) -> T:
    """The sum of each field of some dataclasses of numbers, all of one class, one at least."""
    return type(parts[0])(*(sum(values) for values in zip(*map(astuple, parts), strict=True)))
