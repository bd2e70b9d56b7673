"""What a unit sees of a photograph: its receptive field in the photograph's own pixels, and pictures of it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pellucid.activations.views import Box
from pellucid.pictures import Pixels

GREY = 128
_WHOLE = 2.0  # a photograph at most so many times as long as the view is shown entirely
_ROUNDING = 1e-6  # of a pixel


@dataclass(frozen=True)
class Field:
    """The receptive field of a layer's units in a network's input of (height, width), pairs (vertical, horizontal).

    The unit at row i and column j of the map sees `size[0]` rows from `offset[0] + i·stride[0]`, columns likewise, or
    every row and column along an axis that is `whole`.
    """

    size: tuple[float, float]
    offset: tuple[float, float]
    stride: tuple[float, float]
    whole: tuple[bool, bool]
    input: tuple[int, int]
    columns: int  # of the layer's map

    @classmethod
    def of(cls, record: Any) -> "Field":
        """The field that a harvested layer's record holds; units that have no place see everything."""
        height, width = record.input
        field = record.field
        if field is None:
            return cls((height, width), (0, 0), (0, 0), (True, True), (height, width), record.columns)
        size, offset, stride, whole = (tuple(field[name]) for name in ("size", "offset", "stride", "whole"))
        return cls(size, offset, stride, whole, (height, width), record.columns)

    def place(self, flat: int) -> tuple[int, int]:
        """Row and column of a place in the map, which is counted row by row."""
        return flat // self.columns, flat % self.columns

    def seen(self, place: tuple[int, int]) -> tuple[float, float, float, float]:
        """What the unit at (row, column) sees of the input: left, top, right, bottom, without the padding.

        A field that lies in the padding alone is one pixel at the input's edge.
        """
        (top, bottom), (left, right) = (self._along(axis, place[axis]) for axis in (0, 1))
        return left, top, right, bottom

    def box(self, place: tuple[int, int], view: Box) -> Box:
        """The same in the photograph that the view was cut from: all pixels that the field touches, one at least."""
        height, width = self.input
        across, down = (view.right - view.left) / width, (view.bottom - view.top) / height
        left, top, right, bottom = self.seen(place)
        x0, y0 = math.floor(view.left + left * across + _ROUNDING), math.floor(view.top + top * down + _ROUNDING)
        x1, y1 = math.ceil(view.left + right * across - _ROUNDING), math.ceil(view.top + bottom * down - _ROUNDING)
        return Box(x0, y0, max(x1, x0 + 1), max(y1, y0 + 1))

    def _along(self, axis: int, index: int) -> tuple[float, float]:
        length = self.input[axis]
        if self.whole[axis]:
            return 0, length
        start = self.offset[axis] + index * self.stride[axis]
        first = min(max(0, start), length - 1)
        return first, max(min(start + self.size[axis], length), first + 1)


def context_box(view: Box, size: tuple[int, int]) -> Box:
    """What is shown around a field: the photograph of (width, height) if it is at most twice the view, or the view."""
    longest = max(view.right - view.left, view.bottom - view.top)
    return Box(0, 0, *size) if max(size) <= _WHOLE * longest else view


def placed(box: Box) -> tuple[float, float, float, float]:
    """Where a box of a photograph lies in a square picture of it: left, top, right and bottom as shares of its sides.

    It is as large as it fits, its pixels square, and in the middle.
    """
    width, height = box.right - box.left, box.bottom - box.top
    across, down = width / max(width, height), height / max(width, height)
    return (1 - across) / 2, (1 - down) / 2, (1 + across) / 2, (1 + down) / 2


def picture(photograph: Image.Image, box: Box, size: int) -> Pixels:
    """A square picture of a box of a photograph, (size, size, 3), grey where a longer box leaves room."""
    left, top, right, bottom = (round(share * size) for share in placed(box))
    pixels = np.full((size, size, 3), GREY, np.uint8)
    shape = (max(1, right - left), max(1, bottom - top))
    if size:
        # Cut before it is scaled, or pixels beyond the box would shine in. The gap makes large ones quick to shrink.
        shown = photograph.crop(box).convert("RGB").resize(shape, Image.Resampling.BICUBIC, reducing_gap=3.0)
        left, top = min(left, size - shape[0]), min(top, size - shape[1])
        pixels[top : top + shape[1], left : left + shape[0]] = np.asarray(shown)
    return pixels


def outline(field: Box, context: Box) -> tuple[float, float, float, float]:
    """Where a field lies in the square picture of its context: left, top, right, bottom as shares of the sides.

    Both boxes are in the photograph's pixels.
    """
    left, top, right, bottom = placed(context)
    across = (right - left) / (context.right - context.left)
    down = (bottom - top) / (context.bottom - context.top)
    x0, x1 = (left + (x - context.left) * across for x in (field.left, field.right))
    y0, y1 = (top + (y - context.top) * down for y in (field.top, field.bottom))
    return x0, y0, x1, y1


def outlined(context: Pixels, shares: tuple[float, float, float, float]) -> Image.Image:
    """The picture of a context with the field drawn into it, white on black."""
    drawn = Image.fromarray(context)
    left, top, right, bottom = (round(share * context.shape[0]) for share in shares)
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((left - 1, top - 1, max(right, left + 1), max(bottom, top + 1)), outline=(0, 0, 0), width=3)
    pen.rectangle((left, top, max(right, left + 1) - 1, max(bottom, top + 1) - 1), outline=(255, 255, 255))
    return drawn
