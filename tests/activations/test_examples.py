"""Examples: the crops that units see, near duplicates once, and pages that hold the same."""

import io
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harvests import FIELD, INPUT, LAYER, PLAN, UNITS, harvested, photographs, renewed
from pellucid.activations import examples as examples_module
from pellucid.activations import pages as pages_module
from pellucid.activations.crops import GREY
from pellucid.activations.examples import UnitExamples, examples
from pellucid.activations.fingerprints import NEAR, Fingerprint
from pellucid.activations.items import image_of, view_of
from pellucid.activations.page_parts import read_examples
from pellucid.activations.pages import write_examples
from pellucid.activations.sources import open_source
from pellucid.activations.summary.store import read_summary
from pellucid.activations.views import Box
from pellucid.errors import ImagesError, ObjectiveError, StudyError, SummaryError
from pellucid.study import Study
from pellucid.study.unit_record import LayerPages, UnitPage, unit_folder
from photographs import real_photographs
from trees import tree


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return photographs(tmp_path / "images", 12)


@pytest.fixture
def study(tmp_path: Path, images: Path) -> Study:
    return harvested(tmp_path / "study", images)


def same(first: UnitExamples, second: UnitExamples) -> None:
    """Equal but for what a lossy sheet changes in pixels."""
    assert [(row.name, row.title, row.note) for row in first.rows] == [
        (row.name, row.title, row.note) for row in second.rows
    ]
    for ours, theirs in zip(first.rows, second.rows, strict=True):
        for one, other in zip(ours.examples, theirs.examples, strict=True):
            assert (one.name, one.label, one.place) == (other.name, other.label, other.place)
            assert one.value == pytest.approx(other.value, rel=1e-5)
            assert one.outline == pytest.approx(other.outline, abs=1e-5)
            assert difference(one.crop, other.crop) < 4
            assert difference(one.context, other.context) < 4


def difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(float) - second.astype(float)).mean())


@pytest.mark.parametrize("tap", ["pre", "post"])
@pytest.mark.parametrize("row", ["highest", "lowest"])
def test_an_example_is_the_photographs_pixels_of_its_field(study: Study, images: Path, tap: str, row: str):
    found = examples(study, LAYER, [3], tap=tap, rows=[row], count=5, near=None)[3].rows[0]
    ranking = getattr(read_summary(study, LAYER, tap), row)
    source = open_source(images)
    assert len(found.examples) == 5
    for rank, shown in enumerate(found.examples):
        item, place = int(ranking.items[3, rank]), int(ranking.places[3, rank])
        name = source.name(image_of(item))
        with Image.open(images / name) as opened:
            photograph = opened.convert("RGB")
        view = PLAN.boxes(photograph.size, name)[view_of(item)]
        assert (shown.name, shown.value) == (name, ranking.values[3, rank])
        assert shown.label == Path(name).parent.name
        assert shown.place == divmod(place, 4)
        box = by_hand(shown.place, view)
        assert shown.field == box
        np.testing.assert_array_equal(shown.crop, fitted(photograph.crop(box), 96))
        # The outline, in the context's pixels, holds the field.
        assert difference(inside(shown.context, shown.outline, 96), shown.crop) < 12


def by_hand(place: tuple[int, int], view: Box) -> tuple[int, int, int, int]:
    """The field in the photograph: edges in the input, clipped, then through the view, rounded outwards."""
    edges = []
    for axis, (low, high) in enumerate(((view.top, view.bottom), (view.left, view.right))):
        start = FIELD["offset"][axis] + place[axis] * FIELD["stride"][axis]
        scale = (high - low) / INPUT[axis]
        first, last = max(0, start), min(INPUT[axis], start + FIELD["size"][axis])
        edges.append((math.floor(low + first * scale + 1e-6), math.ceil(low + last * scale - 1e-6)))
    (top, bottom), (left, right) = edges
    return left, top, right, bottom


def fitted(part: Image.Image, size: int) -> np.ndarray:
    """A part of a photograph, as large as it fits into a grey square."""
    scale = size / max(part.size)
    left, top = ((1 - length * scale / size) / 2 * size for length in part.size)
    right, bottom = round(size - left), round(size - top)
    pixels = np.full((size, size, 3), GREY, np.uint8)
    shape = (right - round(left), bottom - round(top))
    pixels[round(top) : bottom, round(left) : right] = np.asarray(part.resize(shape, Image.Resampling.BICUBIC))
    return pixels


def inside(context: np.ndarray, outline: tuple[float, ...], size: int) -> np.ndarray:
    """What of a context lies in the outline, as a crop shows it."""
    left, top, right, bottom = (round(share * context.shape[0]) for share in outline)
    return fitted(Image.fromarray(context[top:bottom, left:right]), size)


def test_rows_are_ordered_and_show_no_photograph_twice(study: Study):
    for found in examples(study, LAYER, range(UNITS), tap="pre", quantiles=(0.25, 0.9)).values():
        highest, lowest, quarter, _ = found.rows
        values = [one.value for one in highest.examples]
        assert values == sorted(values, reverse=True)
        values = [one.value for one in lowest.examples]
        assert values == sorted(values)
        for row in found.rows:
            names = [one.name for one in row.examples]
            assert len(names) == len(set(names)) > 0
        assert quarter.name == "0.25"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_examples_at_a_quantile_are_the_sampled_positions_nearest_to_its_value(study: Study, share: float):
    summary = read_summary(study, LAYER, "pre")
    value = float(summary.quantile(share)[2])
    row = examples(study, LAYER, [2], tap="pre", rows=[f"{share}"], count=4, near=None)[2].rows[0]
    sampled: dict[int, float] = {}  # the nearest of each photograph
    items, values = summary.samples.items[2].ravel(), summary.samples.values[2].ravel()
    for item, sample in zip(items, values, strict=True):
        if item >= 0:
            distance = abs(float(sample) - value)
            sampled[image_of(int(item))] = min(distance, sampled.get(image_of(int(item)), np.inf))
    expected = sorted(sampled.values())[:4]
    assert [abs(one.value - value) for one in row.examples] == pytest.approx(expected)
    assert f"nearest to {value:.4g}" in row.note


def test_a_quantile_among_the_silent_positions_of_an_output_is_0(study: Study):
    summary = read_summary(study, LAYER)
    silent = float(1 - summary.firing[2])
    below, above = examples(study, LAYER, [2], tap="post", rows=[f"{silent - 0.01}", f"{silent + 0.05}"])[2].rows
    assert below.note == "sampled positions nearest to 0"
    assert below.examples[0].value == 0
    assert float(above.note.rpartition(" ")[2]) > 0


def test_the_tap_is_before_rectification_where_that_is_known(study: Study, tmp_path: Path, images: Path):
    highest, lowest = examples(study, LAYER, [2])[2].rows
    assert (highest.title, lowest.title) == ("Highest, before rectification", "Lowest, before rectification")
    assert lowest.examples[0].value == read_summary(study, LAYER, "pre").minimum[2] < 0
    linear = harvested(tmp_path / "linear", images, rectified=False)
    assert examples(linear, LAYER, [2])[2].rows[1].title == "Lowest"


def test_a_row_of_equal_values_says_so(study: Study):
    row = examples(study, LAYER, [0], tap="post", rows=["lowest"])[0].rows[0]
    assert "all of them are 0, with nothing to choose between" in row.note


def test_a_row_with_too_few_photographs_says_so(study: Study):
    row = examples(study, LAYER, [0], rows=["highest"], count=20, near=None)[0].rows[0]
    assert len(row.examples) == 8
    assert row.note == "the harvest kept only 8 photographs for this"


# Near duplicates


def copy(path: Path, target: Path, scale: float, quality: int) -> None:
    with Image.open(path) as image:
        size = (round(image.width * scale), round(image.height * scale))
        image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(target, quality=quality)


def test_a_near_duplicate_gives_its_place_to_the_next(tmp_path: Path, images: Path):
    first = sorted((images / "cats").glob("*.png"))
    for number, path in enumerate(first):
        copy(path, images / "cats" / f"copy{number}.jpg", 0.8, 60)
    study = harvested(tmp_path / "study", images, examples=18)
    row = examples(study, LAYER, [1], tap="pre", rows=["highest"], count=12)[1].rows[0]
    names = [one.name for one in row.examples]
    everything = examples(study, LAYER, [1], tap="pre", rows=["highest"], count=18, near=None)[1].rows[0].examples
    expected, seen = [], set()
    for one in everything:
        original = f"{2 * int(Path(one.name).stem[4:]):03d}" if "copy" in one.name else Path(one.name).stem
        if original not in seen:
            expected.append(one.name)
        seen.add(original)
    assert names == expected == list(dict.fromkeys(names))
    assert len(names) == 12
    passed = [one.name for one in everything].index(names[-1]) + 1 - 12
    assert passed > 0
    assert row.note == f"{passed} near duplicates left out"


def test_copies_are_near_and_other_photographs_are_not(tmp_path: Path):
    prints = []
    for path in sorted(real_photographs(tmp_path).glob("*.jpg")):
        with Image.open(path) as image:
            prints.append(Fingerprint.of(image))
            for scale, quality in ((1.0, 30), (0.5, 75), (0.25, 60)):
                content = io.BytesIO()
                image.resize((round(image.width * scale), round(image.height * scale))).save(
                    content, "JPEG", quality=quality
                )
                with Image.open(content) as small:
                    assert prints[-1].near(Fingerprint.of(small))
    assert not prints[0].near(prints[1])
    assert prints[0].distance(prints[1]) > 2 * NEAR


def test_the_hash_is_the_differences_between_neighbours():
    random = np.random.default_rng(0)
    grey = random.integers(0, 256, (9, 9), dtype=np.uint8)
    expected = 0
    for row in range(9):
        for column in range(8):
            expected = 2 * expected + int(grey[row, column] > grey[row, column + 1])
    for row in range(8):
        for column in range(9):
            expected = 2 * expected + int(grey[row, column] > grey[row + 1, column])
    assert Fingerprint.of(Image.fromarray(grey)).bits == expected


def test_flat_photographs_of_other_brightness_are_not_near():
    black, white, dark = (Fingerprint.of(Image.new("L", (30, 20), grey)) for grey in (0, 255, 10))
    assert not black.near(white)
    assert black.near(dark)


# Photographs that are gone


def test_a_photograph_that_can_no_longer_be_opened_is_grey_and_noted(study: Study, images: Path):
    before = examples(study, LAYER, [1], rows=["highest"], count=4)[1].rows[0]
    gone = before.examples[1].name
    size = (images / gone).stat().st_size
    (images / gone).write_bytes(b"\0" * size)
    row = examples(study, LAYER, [1], rows=["highest"], count=4)[1].rows[0]
    assert [one.name for one in row.examples] == [one.name for one in before.examples]
    assert (row.examples[1].crop == GREY).all()
    assert (row.examples[1].context == GREY).all()
    assert "1 could not be opened" in row.note
    np.testing.assert_array_equal(row.examples[0].crop, before.examples[0].crop)


def test_such_a_unit_is_done_again_when_the_photograph_is_back(study: Study, images: Path):
    gone = images / examples(study, LAYER, [1], rows=["highest"], count=4)[1].rows[0].examples[1].name
    content = gone.read_bytes()
    gone.write_bytes(b"\0" * len(content))
    write_examples(study, LAYER, [1], rows=["highest"], count=4)
    assert difference(read_examples(study, LAYER, 1).rows[0].examples[1].crop, np.array(GREY)) < 4
    gone.write_bytes(content)
    write_examples(study, LAYER, [1], rows=["highest"], count=4)
    assert read_examples(study, LAYER, 1).rows[0].note == ""


def test_photographs_may_have_been_moved(study: Study, images: Path):
    before = examples(study, LAYER, [1])
    moved = images.rename(images.with_name("elsewhere"))
    with pytest.raises(ImagesError, match=r"no folder .*images"):
        examples(study, LAYER, [1])
    same(examples(study, LAYER, [1], source=moved)[1], before[1])
    copy(next(moved.rglob("*.png")), moved / "another.jpg", 1, 90)
    with pytest.raises(ImagesError, match="holds other photographs than the study"):
        examples(study, LAYER, [1], source=moved)


# Pages


def test_a_page_holds_the_examples_by_the_numbers_of_their_pictures(study: Study):
    made = examples(study, LAYER, [2], count=4)[2]
    pages = write_examples(study, LAYER, [2], count=4)
    same(read_examples(study, LAYER, 2), made)
    page = UnitPage.read(unit_folder(study, LAYER) / "2.json")
    assert page.examples is not None
    sheet = page.examples.sheets["crops"]
    with Image.open(unit_folder(study, LAYER) / sheet.file) as image:
        pixels = np.asarray(image.convert("RGB"))
    for row, shown in zip(page.examples.rows, made.rows, strict=True):
        for record, one in zip(row.examples, shown.examples, strict=True):
            top, left = (sheet.size * part for part in divmod(record.crop, sheet.columns))
            assert difference(pixels[top : top + sheet.size, left : left + sheet.size], one.crop) < 4
    summary = read_summary(study, LAYER)
    assert pages.units[0].max == pytest.approx(float(summary.maximum[2]), rel=1e-5)
    assert pages.units[0].fires == pytest.approx(float(summary.firing[2]), rel=1e-5)
    assert (page.images, page.positions, page.network) == (12, int(summary.moments.count[2]), "made_up")


def test_all_units_at_once_are_those_one_by_one(tmp_path: Path, images: Path):
    together, alone = (harvested(tmp_path / name, images) for name in ("together", "alone"))
    write_examples(together, LAYER, range(UNITS), rows=["highest", "0.5"], count=3)
    for unit in (3, 0, 4, 1, 2):
        write_examples(alone, LAYER, [unit], rows=["highest", "0.5"], count=3)
    assert tree(unit_folder(together, LAYER)) == tree(unit_folder(alone, LAYER))


def test_memory_bounds_how_many_units_are_done_together(tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch):
    whole, parts = (harvested(tmp_path / name, images) for name in ("whole", "parts"))
    write_examples(whole, LAYER, range(UNITS), count=3)
    sizes: list[int] = []
    choose = examples_module.choose
    monkeypatch.setattr(pages_module, "choose", lambda *some: (sizes.append(len(some[3])), choose(*some))[1])
    monkeypatch.setattr(pages_module, "_MEMORY", 2 * 3 * 6 * (96**2 + 160**2))
    write_examples(parts, LAYER, range(UNITS), count=3)
    assert sizes == [2, 2, 1]
    assert tree(unit_folder(whole, LAYER)) == tree(unit_folder(parts, LAYER))


def test_each_photograph_is_opened_once_for_all_units(study: Study, monkeypatch: pytest.MonkeyPatch):
    opened: list[int] = []
    source = open_source(study.manifest.images["source"])
    open_ = type(source).open
    monkeypatch.setattr(type(source), "open", lambda self, index, n=3: (opened.append(index), open_(self, index, n))[1])
    write_examples(study, LAYER, range(UNITS), near=None)
    assert opened == sorted(set(opened))  # in order: a tar is read from front to back
    opened.clear()
    write_examples(study, LAYER, range(UNITS), near=None)
    assert opened == []


@pytest.mark.parametrize("pages", [0, 1, 3])
def test_a_run_that_is_killed_goes_on(tmp_path: Path, images: Path, pages: int, monkeypatch: pytest.MonkeyPatch):
    unbroken, broken = (harvested(tmp_path / name, images) for name in ("unbroken", "broken"))
    write_examples(unbroken, LAYER, range(UNITS), count=3)
    write = UnitPage.write
    written: list[int] = []

    def killed(page: UnitPage, folder: Path) -> None:
        if len(written) == pages:
            raise KeyboardInterrupt
        written.append(page.unit)
        write(page, folder)

    with monkeypatch.context() as patch:
        patch.setattr(UnitPage, "write", killed)
        patch.setattr(LayerPages, "write", lambda *_: None)  # nothing runs after kill -9
        with pytest.raises(KeyboardInterrupt):
            write_examples(broken, LAYER, range(UNITS), count=3)
    again: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(UnitPage, "write", lambda page, folder: (again.append(page.unit), write(page, folder))[1])
        write_examples(broken, LAYER, range(UNITS), count=3)
    assert sorted(written + again) == list(range(UNITS))
    assert tree(unit_folder(broken, LAYER)) == tree(unit_folder(unbroken, LAYER))


def test_another_configuration_or_harvest_is_made_anew(study: Study):
    def files() -> set[str]:
        return set(tree(unit_folder(study, LAYER)))

    write_examples(study, LAYER, [0], count=2)
    first = files()
    write_examples(study, LAYER, [0], count=3)
    second = files()
    assert first != second
    assert len(first) == len(second)
    renewed(study, images=13)
    write_examples(study, LAYER, [0], count=3)
    assert files() != second


# What is refused


def test_what_is_not_there_is_refused_by_name(study: Study):
    with pytest.raises(ObjectiveError, match=r"no unit 5 in 'made.up': it has units 0 to 4"):
        examples(study, LAYER, [5])
    with pytest.raises(ObjectiveError, match=r"no unit 5 in 'made.up'"):
        write_examples(study, LAYER, [5])
    with pytest.raises(StudyError, match="no finished summary of layer 'other'"):
        examples(study, "other", [0])
    with pytest.raises(SummaryError, match="there is no row 'best'; rows are 'highest', 'lowest' and quantiles"):
        examples(study, LAYER, [0], rows=["best"])
    with pytest.raises(SummaryError, match=r"there is no row '1.5'"):
        examples(study, LAYER, [0], quantiles=[1.5])
    with pytest.raises(SummaryError, match="at least one row, each once, and a count of 1 or more"):
        examples(study, LAYER, [0], count=0)
    with pytest.raises(SummaryError, match="sides of 8 to 512 pixels, not 600 and 160"):
        examples(study, LAYER, [0], crop=600)
    with pytest.raises(StudyError, match=r"units/made.up/1.json is missing"):
        read_examples(study, LAYER, 1)


def test_a_layer_without_a_rectifier_has_no_activations_before_it(tmp_path: Path, images: Path):
    study = harvested(tmp_path / "linear", images, rectified=False)
    with pytest.raises(StudyError, match="no summary of 'pre'"):
        examples(study, LAYER, [0], tap="pre")


# Pictures for people


def test_the_sheet_shows_contexts_crops_and_values(study: Study, tmp_path: Path):
    found = examples(study, LAYER, [1], count=3, near=None)[1]
    found.save(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        assert '"made.up:1"' in image.text["pellucid"]  # pyright: ignore[reportAttributeAccessIssue]
        pixels = np.asarray(image)
    crop = found.rows[0].examples[2].crop
    enlarged = np.asarray(Image.fromarray(crop).resize((160, 160), Image.Resampling.BICUBIC))
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (160, 160, 3))[:, :, 0, :8, :8, 0]
    assert (windows == enlarged[:8, :8, 0]).all(axis=(2, 3)).any()


def test_nothing_of_this_imports_torch():
    modules = "pellucid.activations.pages, pellucid.cli.examples, pellucid.cli.quilt"
    found = f"import sys, {modules}; print('torch' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "False"
