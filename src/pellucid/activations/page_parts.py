"""Examples and quilts as parts of a unit's page: sheets of pictures with their records, written and read again."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pellucid.activations.crops import GREY
from pellucid.activations.examples import Row, UnitExamples
from pellucid.activations.photographs import Shown
from pellucid.activations.quilt import Column, Quilt
from pellucid.errors import StudyError
from pellucid.pictures import Pixels, cut, encode, sheet
from pellucid.study import SheetRecord, Study, write_bytes
from pellucid.study.unit_record import (
    ExampleRecord,
    ExampleRow,
    ExamplesPart,
    QuiltColumn,
    QuiltExample,
    QuiltPart,
    UnitPage,
    page_name,
    unit_folder,
)

_WIDEST = 8192  # pixels of a sheet


def read_examples(study: Study, layer: str, unit: int) -> UnitExamples:
    """The examples that a unit's page holds. Raises `StudyError` if it has none."""
    folder, page = _page(study, layer, unit)
    if page.examples is None:
        raise StudyError(f"the page of {layer}:{unit} has no examples; make them with 'pellucid examples'")
    crops, contexts = (_pictures(folder, page.examples.sheets[name]) for name in ("crops", "contexts"))
    rows = []
    for row in page.examples.rows:
        shown = [
            Shown(one.image, one.label, one.value, one.place, None, crops[one.crop], contexts[one.context], one.outline)
            for one in row.examples
        ]
        rows.append(Row(row.name, row.title, row.note, tuple(shown)))
    return UnitExamples(layer, unit, tuple(rows))


def read_quilt(study: Study, layer: str, unit: int) -> Quilt:
    """The quilt that a unit's page holds. Raises `StudyError` if it has none."""
    folder, page = _page(study, layer, unit)
    if page.quilt is None:
        raise StudyError(f"the page of {layer}:{unit} has no quilt; make it with 'pellucid quilt'")
    crops = _pictures(folder, page.quilt.sheet)
    none = np.zeros((0, 0, 3), np.uint8)
    columns = []
    for column in page.quilt.columns:
        shown = [
            Shown(one.image, one.label, one.value, one.place, None, crops[one.crop], none) for one in column.examples
        ]
        columns.append(Column(column.low, column.high, column.count, tuple(shown)))
    return Quilt(layer, unit, page.quilt.tap, tuple(columns))


def _page(study: Study, layer: str, unit: int) -> tuple[Path, UnitPage]:
    folder = unit_folder(study, layer)
    return folder, UnitPage.read(folder / page_name(unit))


def _pictures(folder: Path, record: SheetRecord) -> Pixels:
    with Image.open(folder / record.file) as image:
        return cut(image, record.size, record.columns, (image.height // record.size) * record.columns)


def examples_page(study: Study, header: UnitPage, found: UnitExamples, stamp: str) -> UnitPage:
    """Write the sheets of examples, and give the page that names them: `header` with this part.

    `stamp` is the digest of their configuration. A page with photographs that could not be opened is not marked with
    it, and so is not finished.
    """
    flat = [one for row in found.rows for one in row.examples]
    longest = max((len(row.examples) for row in found.rows), default=0)
    columns = max(1, min(longest, _WIDEST // max([one.context.shape[0] for one in flat], default=1)))
    sheets = {
        name: _sheet(study, header, name, [getattr(one, name[:-1]) for one in flat], columns, stamp)
        for name in ("crops", "contexts")
    }
    number = iter(range(len(flat)))
    rows = tuple(
        ExampleRow(row.name, row.title, row.note, tuple(_example(one, next(number)) for one in row.examples))
        for row in found.rows
    )
    return _stamped(header, "examples", ExamplesPart(sheets, rows), flat, stamp)


def _example(one: Shown, number: int) -> ExampleRecord:
    left, top, right, bottom = (round(share, 5) for share in one.outline)
    shares = (left, top, right, bottom)
    return ExampleRecord(one.name, one.label, short(one.value), one.place, number, number, shares)


def quilt_page(study: Study, header: UnitPage, found: Quilt, stamp: str) -> UnitPage:
    """Write the sheet of a quilt, and give the page that names it, as `examples_page` does."""
    across = len(found.columns)
    flat = [one for column in found.columns for one in column.examples]
    empty = np.full(flat[0].crop.shape if flat else (64, 64, 3), GREY, np.uint8)
    pixels = [
        column.examples[row].crop if row < len(column.examples) else empty
        for row in range(found.rows)
        for column in found.columns
    ]
    record = _sheet(study, header, "quilt", pixels, max(1, across), stamp)
    columns = tuple(
        QuiltColumn(column.low, column.high, column.count, tuple(_patches(column, number, across)))
        for number, column in enumerate(found.columns)
    )
    return _stamped(header, "quilt", QuiltPart(found.tap, record, columns), flat, stamp)


def _patches(column: Column, number: int, across: int) -> Iterator[QuiltExample]:
    for row, one in enumerate(column.examples):
        yield QuiltExample(one.name, one.label, short(one.value), one.place, row * across + number)


def _sheet(
    study: Study, header: UnitPage, name: str, pixels: Sequence[Pixels], columns: int, stamp: str
) -> SheetRecord:
    """Write a sheet; its name tells its configuration, so that a page never shows pictures of another one."""
    file = f"{header.unit}-{name}-{stamp[:8]}.webp"
    shown = pixels or [np.full((64, 64, 3), GREY, np.uint8)]
    write_bytes(unit_folder(study, header.layer) / file, encode(sheet(shown, columns), ".webp"))
    return SheetRecord(file, shown[0].shape[0], columns)


def _stamped(header: UnitPage, part: str, record: Any, flat: Sequence[Shown], stamp: str) -> UnitPage:
    whole = not any(one.error for one in flat)
    return UnitPage(**{**vars(header), part: record, "stamps": {part: stamp} if whole else {}})


def short(value: float) -> float:
    """A number with six digits, as it stands in a page."""
    return float(f"{value:.6g}")
