"""Rows of pictures under their titles, with lines of text under each picture, drawn as one."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pellucid.pictures import Pixels

_FONT = 13  # pixels
_LINE = 17
_MARGIN = 8
_INK, _FAINT, _PAPER = (20, 20, 20), (110, 110, 110), (255, 255, 255)


@dataclass(frozen=True)
class Cell:
    """Square pictures above one another, drawn as wide as the widest, and the lines of text under them."""

    pictures: Sequence[Image.Image | Pixels]
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Line:
    """A row of cells with a title and a remark."""

    title: str
    cells: Sequence[Cell]
    note: str = ""


def contact_sheet(title: str, lines: Sequence[Line], *, gap: int = 4) -> Image.Image:
    """Draw rows of cells, all as wide as the widest picture; text that is longer than its cell is cut off."""
    font = ImageFont.load_default(_FONT)
    cells = [cell for line in lines for cell in line.cells]
    side = max((_width(one) for cell in cells for one in cell.pictures), default=1)
    across = max((len(line.cells) for line in lines), default=0) * (side + gap)
    width = max(across, *(_length(text, font) for text in (title, *(line.title for line in lines)))) + 2 * _MARGIN
    notes = [textwrap.wrap(line.note, max(12, int((width - 2 * _MARGIN) / font.getlength("n")))) for line in lines]
    heights = [_height(line, side, gap) + len(note) * _LINE for line, note in zip(lines, notes, strict=True)]
    drawn = Image.new("RGB", (width, 2 * _MARGIN + _LINE + sum(heights)), _PAPER)
    pen = ImageDraw.Draw(drawn)
    pen.text((_MARGIN, _MARGIN), title, _INK, font)
    top = _MARGIN + _LINE
    for line, note, height in zip(lines, notes, heights, strict=True):
        for number, text in enumerate([line.title, *note] if line.title else note):
            pen.text((_MARGIN, top + gap + number * _LINE), text, _FAINT if number or not line.title else _INK, font)
        below = top + gap + (bool(line.title) + len(note)) * _LINE
        for number, cell in enumerate(line.cells):
            _draw_cell(drawn, cell, (_MARGIN + number * (side + gap), below), side, gap, font)
        top += height
    return drawn


def stacked(sheets: Sequence[Image.Image]) -> Image.Image:
    """Sheets under one another."""
    drawn = Image.new("RGB", (max(sheet.width for sheet in sheets), sum(sheet.height for sheet in sheets)), _PAPER)
    top = 0
    for sheet in sheets:
        drawn.paste(sheet, (0, top))
        top += sheet.height
    return drawn


def _draw_cell(
    drawn: Image.Image,
    cell: Cell,
    at: tuple[int, int],
    side: int,
    gap: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    left, top = at
    for picture in cell.pictures:
        image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
        drawn.paste(image.resize((side, side), Image.Resampling.BICUBIC), (left, top))
        top += side + gap
    pen = ImageDraw.Draw(drawn)
    for number, text in enumerate(cell.lines):
        while text and font.getlength(text) > side:
            text = text[:-1]
        pen.text((left, top + number * _LINE - gap // 2), text, _FAINT if number else _INK, font)


def _height(line: Line, side: int, gap: int) -> int:
    pictures = max((len(cell.pictures) for cell in line.cells), default=0)
    texts = max((len(cell.lines) for cell in line.cells), default=0)
    return pictures * (side + gap) + (texts + bool(line.title)) * _LINE + 2 * gap


def _width(picture: Image.Image | Pixels) -> int:
    return picture.shape[1] if isinstance(picture, np.ndarray) else picture.width


def _length(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    return int(font.getlength(text)) + 1
