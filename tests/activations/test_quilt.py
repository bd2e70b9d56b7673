"""Quilts: columns are bins of activation, rows random positions of each."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import oracles_summaries as oracles
from harvests import LAYER, UNITS, activations, harvested, photographs
from pellucid.activations.page_parts import read_quilt
from pellucid.activations.pages import write_examples, write_quilts
from pellucid.activations.quilt import Quilt, quilt
from pellucid.activations.summary.store import read_summary
from pellucid.errors import ObjectiveError, StudyError, SummaryError
from pellucid.study import Study
from pellucid.study.unit_record import UnitPage, unit_folder
from trees import tree


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return harvested(tmp_path / "study", photographs(tmp_path / "images", 12))


def bounds(column_low: float | None, column_high: float | None) -> tuple[float, float]:
    return -math.inf if column_low is None else column_low, math.inf if column_high is None else column_high


@pytest.mark.parametrize("columns", [None, 12, 4, 1])
def test_columns_are_bins_that_meet_and_hold_their_examples(study: Study, columns: int | None):
    for unit, sewn in quilt(study, LAYER, range(UNITS), columns=columns).items():
        assert 1 <= len(sewn.columns) <= (18 if columns is None else columns)
        for column in sewn.columns:
            low, high = bounds(column.low, column.high)
            assert all(low <= one.value < high for one in column.examples)
            assert len(column.examples) == min(6, column.count)
        for left, right in zip(sewn.columns[:-1], sewn.columns[1:], strict=True):
            assert left.high == right.low
        summary = read_summary(study, LAYER, "pre")
        assert sum(column.count for column in sewn.columns) == summary.moments.count[unit]


def test_the_tap_is_before_rectification_where_that_is_known(study: Study, tmp_path: Path):
    assert quilt(study, LAYER, [0])[0].tap == "pre"
    assert quilt(study, LAYER, [0], tap="post")[0].tap == "post"
    linear = harvested(tmp_path / "linear", tmp_path / "images", rectified=False)
    assert quilt(linear, LAYER, [0])[0].tap == "post"


@pytest.mark.parametrize("columns", [18, 9, 4, 1])
def test_rows_are_those_of_all_positions_in_the_column_with_the_least_priority(
    study: Study, tmp_path: Path, columns: int
):
    # Also where bins are joined: what the harvest kept of each is enough for their union.
    items, maps = activations(tmp_path / "images")
    chances = [[oracles.priority(0, int(item), place) for place in range(maps.shape[2])] for item in items]
    for column in quilt(study, LAYER, [2], columns=columns)[2].columns:
        low, high = bounds(column.low, column.high)
        inside = np.argwhere((maps[:, 2] >= low) & (maps[:, 2] < high)).tolist()
        drawn = sorted(inside, key=lambda where: chances[where[0]][where[1]])[:6]
        assert column.count == len(inside)
        assert [one.value for one in column.examples] == [float(maps[item, 2, place]) for item, place in drawn]
        assert [one.place for one in column.examples] == [divmod(place, 4) for _, place in drawn]


def test_columns_may_be_given_by_their_edges(study: Study):
    sewn = quilt(study, LAYER, [0], columns=[-math.inf, -1.0, 0.0, 2.0])[0]
    assert [(column.low, column.high) for column in sewn.columns] == [(None, -1.0), (-1.0, 0.0), (0.0, 2.0)]
    with pytest.raises(SummaryError, match=r"0.3 is no edge of a bin of unit 0; the nearest is 0.5, and they lie 0.5"):
        quilt(study, LAYER, [0], columns=[-1.0, 0.3])
    with pytest.raises(SummaryError, match="edges of columns must grow"):
        quilt(study, LAYER, [0], columns=[0.0, -1.0])


def test_the_outermost_columns_are_open_where_the_bins_are(study: Study):
    sewn = quilt(study, LAYER, [0], columns=[-math.inf, 0.0, math.inf])[0]
    assert [column.label for column in sewn.columns] == [("< 0", ""), (">= 0", "")]
    assert quilt(study, LAYER, [0], columns=[-math.inf, math.inf])[0].columns[0].label == ("all", "")
    assert quilt(study, LAYER, [0], columns=[-1.0, 0.5])[0].columns[0].label == ("-1", "to 0.5")


def same(first: Quilt, second: Quilt) -> None:
    assert (first.layer, first.unit, first.tap) == (second.layer, second.unit, second.tap)
    for ours, theirs in zip(first.columns, second.columns, strict=True):
        assert (ours.low, ours.high, ours.count) == (theirs.low, theirs.high, theirs.count)
        for one, other in zip(ours.examples, theirs.examples, strict=True):
            assert (one.name, one.label, one.place) == (other.name, other.label, other.place)
            assert one.value == pytest.approx(other.value, rel=1e-5)
            assert np.abs(one.crop.astype(float) - other.crop).mean() < 4


def test_a_page_holds_the_quilt_and_its_sheet_is_one(study: Study):
    made = quilt(study, LAYER, [1], rows=3)[1]
    write_quilts(study, LAYER, [1], rows=3)
    same(read_quilt(study, LAYER, 1), made)
    page = UnitPage.read(unit_folder(study, LAYER) / "1.json")
    assert page.quilt is not None
    sheet = page.quilt.sheet
    assert sheet.columns == len(made.columns)
    with Image.open(unit_folder(study, LAYER) / sheet.file) as image:
        assert image.size == (64 * len(made.columns), 64 * made.rows)
    for number, column in enumerate(page.quilt.columns):
        assert [one.crop % sheet.columns for one in column.examples] == [number] * len(column.examples)
        assert [one.crop // sheet.columns for one in column.examples] == list(range(len(column.examples)))


def test_all_units_at_once_are_those_one_by_one_beside_other_parts(tmp_path: Path):
    images = photographs(tmp_path / "images", 12)
    together, alone = (harvested(tmp_path / name, images) for name in ("together", "alone"))
    write_quilts(together, LAYER, range(UNITS), rows=2, columns=5)
    write_examples(together, LAYER, range(UNITS), count=2)
    for unit in (3, 0, 4, 1, 2):
        write_examples(alone, LAYER, [unit], count=2)
        write_quilts(alone, LAYER, [unit], rows=2, columns=5)
    files = tree(unit_folder(together, LAYER))
    assert set(files) >= {"index.json", *(f"{unit}.json" for unit in range(UNITS))}
    for name in set(files) - {"index.json"}:
        if name.endswith(".webp"):
            assert files[name] == tree(unit_folder(alone, LAYER))[name]
    for unit in range(UNITS):
        ours, theirs = (UnitPage.read(unit_folder(study, LAYER) / f"{unit}.json") for study in (together, alone))
        assert ours == theirs
        assert ours.parts == ("examples", "quilt")


def test_the_sheet_has_a_label_under_each_column(study: Study, tmp_path: Path):
    sewn = quilt(study, LAYER, [0], columns=4, rows=2)[0]
    sewn.save(tmp_path / "quilt.png")
    with Image.open(tmp_path / "quilt.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape[1] >= 64 * len(sewn.columns)
    crop = sewn.columns[1].examples[1].crop
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (8, 8, 3))[:, :, 0]
    rows, columns = np.nonzero((windows == crop[:8, :8]).all(axis=(2, 3, 4)))
    assert len(rows) >= 1
    below = pixels[rows[0] + 64 :, columns[0] : columns[0] + 64]
    assert (below < 128).any()  # ink


def test_what_is_no_quilt_is_refused(study: Study):
    with pytest.raises(SummaryError, match="one row and one column at least, not 0 rows"):
        quilt(study, LAYER, [0], rows=0)
    with pytest.raises(SummaryError, match="columns = 0"):
        write_quilts(study, LAYER, [0], columns=0)
    with pytest.raises(ObjectiveError, match="no unit 9"):
        quilt(study, LAYER, [9])
    with pytest.raises(StudyError, match="no finished summary"):
        quilt(study, "other", [0])
