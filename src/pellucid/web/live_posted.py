"""What the page asks to have computed, and whether it can be asked at all."""

import math
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException

Cells = tuple[tuple[int, int, int, float], ...]
"""Cells of an atlas with their weights: (grid, row, column, weight)."""

STEPS, SIZE = 512, 320
"""The most steps and pixels a side of a painting."""
_SMALLEST = 32
_STROKES, _MIXED, _CELLS, _IMAGES = 4096, 16, 64, 100
_GRID, _WEIGHT = 4096, 1000.0
_LARGEST = 2**31 - 1


def refusal(status: int, code: str, detail: str) -> HTTPException:
    """A request that is refused: a sentence for people, and a word for the page."""
    return HTTPException(status, {"detail": detail, "code": code})


@dataclass(frozen=True)
class PaintingAsked:
    """A picture to paint: at (row, column) of the canvas the cells that are mixed there."""

    atlas: str
    strokes: tuple[tuple[int, int, Cells], ...]
    steps: int
    size: int
    seed: int

    @classmethod
    def of(cls, content: dict[str, Any]) -> "PaintingAsked":
        """Read a posted object. Refuses all that is no painting with 422."""
        _fields(content, {"atlas", "strokes"}, {"steps", "size", "seed"})
        strokes = []
        for stroke in _listed(content["strokes"], "strokes", _STROKES):
            _fields(_object(stroke, "a stroke"), {"row", "column", "cells"})
            row, column = (_whole(stroke[name], name, 0, _GRID) for name in ("row", "column"))
            strokes.append((row, column, _cells(stroke["cells"], _MIXED)))
        if len({stroke[:2] for stroke in strokes}) < len(strokes):
            raise _invalid("a place of the canvas is painted twice")
        return cls(
            _text(content["atlas"], "atlas"),
            tuple(strokes),
            _whole(content.get("steps", 128), "steps", 1, STEPS),
            _whole(content.get("size", 224), "size", _SMALLEST, SIZE),
            _whole(content.get("seed", 0), "seed", 0, _LARGEST),
        )

    def check_inside(self, rows: int, columns: int) -> None:
        """Refuse strokes that lie outside the canvas."""
        for row, column, _ in self.strokes:
            if row >= rows or column >= columns:
                raise _invalid(f"a stroke lies at {row},{column}, outside the canvas of {rows} x {columns}")


@dataclass(frozen=True)
class PatchAsked:
    """A patch to try on an image: `size` is its share of the side, `corner` counts 0 to 3 row by row."""

    image: int
    patch: str
    size: float
    corner: int

    @classmethod
    def of(cls, content: dict[str, Any]) -> "PatchAsked":
        """Read a posted object. Refuses all that asks for no patch with 422."""
        _fields(content, {"image", "patch", "size", "corner"})
        size = _real(content["size"], "size", 1.0)
        if size <= 0:
            raise _invalid("size is a share of the side, above 0 and at most 1")
        image, corner = _whole(content["image"], "image", 0, _LARGEST), _whole(content["corner"], "corner", 0, 3)
        return cls(image, _text(content["patch"], "patch"), size, corner)


@dataclass(frozen=True)
class QueryAsked:
    """Images to find: those that the weighted sum of cells is in."""

    atlas: str
    cells: Cells
    limit: int

    @classmethod
    def of(cls, content: dict[str, Any]) -> "QueryAsked":
        """Read a posted object. Refuses all that asks for no images with 422."""
        _fields(content, {"atlas", "cells"}, {"limit"})
        limit = _whole(content.get("limit", 20), "limit", 1, _IMAGES)
        return cls(_text(content["atlas"], "atlas"), _cells(content["cells"], _CELLS), limit)


def count_asked(text: str, most: int) -> int:
    """How many things an address asks for. Refuses what is no number from 1 to `most`."""
    number = number_named(text)
    if number is None or not 1 <= number <= most:
        raise _invalid(f"limit is a whole number from 1 to {most}")
    return number


def number_named(text: str) -> int | None:
    """The number that a part of an address is, None if it is none."""
    plain = text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if plain and str(int(text)) == text else None


def _cells(content: Any, most: int) -> Cells:
    cells = []
    for cell in _listed(content, "cells", most):
        _fields(_object(cell, "a cell"), {"grid", "row", "column"}, {"weight"})
        grid = _whole(cell["grid"], "grid", 1, _GRID)
        row, column = (_whole(cell[name], name, 0, grid - 1) for name in ("row", "column"))
        cells.append((grid, row, column, _real(cell.get("weight", 1.0), "weight", _WEIGHT)))
    if not any(cell[3] for cell in cells):
        raise _invalid("some weight of the cells must not be 0")
    return tuple(cells)


def _fields(content: dict[str, Any], needed: set[str], optional: set[str] | None = None) -> None:
    unknown, missing = content.keys() - needed - (optional or set()), needed - content.keys()
    if missing or unknown:
        raise _invalid(f"what is asked for is an object of {', '.join(sorted(needed | (optional or set())))}")


def _object(content: Any, what: str) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise _invalid(f"{what} is an object")
    return content


def _listed(content: Any, what: str, most: int) -> list[Any]:
    if not isinstance(content, list) or not 1 <= len(content) <= most:
        raise _invalid(f"{what} are a list of 1 to {most}")
    return content


def _text(content: Any, what: str) -> str:
    if not isinstance(content, str) or len(content) > 500:
        raise _invalid(f"{what} must be text")
    return content


def _whole(content: Any, what: str, low: int, high: int) -> int:
    if isinstance(content, bool) or not isinstance(content, int) or not low <= content <= high:
        raise _invalid(f"{what} is a whole number from {low} to {high}")
    return content


def _real(content: Any, what: str, most: float) -> float:
    number = isinstance(content, int | float) and not isinstance(content, bool)
    if not number or (isinstance(content, float) and math.isnan(content)) or not -most <= content <= most:
        raise _invalid(f"{what} is a number from {-most:g} to {most:g}")
    return float(content)


def _invalid(detail: str) -> HTTPException:
    return refusal(422, "invalid", detail)
