import json
import sys
from pathlib import Path

import numpy as np
import pytest

from oracles_paint import image_scores, mixed
from palettes import LAYER, palette_network, palette_study
from pellucid.activations import read_samples
from pellucid.activations.store import layer_folder
from pellucid.atlas import nearest
from pellucid.atlas.nearest import Nearest
from pellucid.atlas.palette import Palette, parse_cell
from pellucid.atlas.query import INDEX, ImageIndex
from pellucid.errors import AtlasError, StudyError
from pellucid.study import Study
from pellucid.study.records import AtlasRecord

usearch = pytest.importorskip("usearch.index", reason="the index is an extra: pip install 'pellucid[search]'")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return palette_study(tmp_path_factory.mktemp("query"), palette_network())


@pytest.fixture(scope="module")
def palette(study: Study) -> Palette:
    return Palette.open(study)


def vectors(count: int, channels: int = 24, seed: int = 0) -> np.ndarray:
    """Vectors around a few centres, as activations lie."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(20, channels))
    return (centres[random.integers(0, 20, count)] + 0.5 * random.normal(size=(count, channels))).astype(np.float32)


def test_the_index_finds_what_comparing_with_each_finds() -> None:
    values, asked = vectors(4000), vectors(50, seed=1)
    numbers, cosines = Nearest.of(values, threads=1).search(asked, 20)
    true = values.astype(np.float64) / np.linalg.norm(values, axis=1, keepdims=True)
    true = true @ (asked / np.linalg.norm(asked, axis=1, keepdims=True)).T
    best = np.argsort(-true, axis=0)[:20].T
    recall = np.mean([len({*found} & {*wanted}) / 20 for found, wanted in zip(numbers, best, strict=True)])
    assert recall >= 0.98
    np.testing.assert_allclose(cosines, np.take_along_axis(true.T, numbers, axis=1), atol=2e-3)
    assert (np.diff(cosines, axis=1) <= 0).all()


def test_one_vector_finds_the_same_alone_and_among_others() -> None:
    values, asked = vectors(2000), vectors(30, seed=1)
    for searched in (Nearest.of(values, threads=1), Nearest.of(values, exact=True)):
        numbers, _ = searched.search(asked, 5)
        for row, vector in enumerate(asked):
            assert searched.search(vector[None], 5)[0].tolist() == [numbers[row].tolist()]


def test_without_usearch_all_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    values, asked = vectors(300), vectors(7, seed=1)
    indexed = Nearest.of(values, threads=1).search(asked, 4)  # several threads make another index each time
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    plain = Nearest.of(values)
    monkeypatch.setattr(nearest, "_BLOCK", 64)
    assert plain._index is None
    assert plain.search(asked, 4)[0].tolist() == indexed[0].tolist()
    assert plain.search(asked[:0], 4)[0].shape == (0, 4)
    assert plain.search(asked, 1000)[0].shape == (7, 300)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (np.ones((2, 5)), r"vectors \(2, 5\) cannot be searched among activations of 24 channels"),
        (np.ones(24), r"vectors \(24,\) cannot be searched"),
        (np.zeros((1, 24)), "a vector that is zero or no number"),
        (np.full((1, 24), np.nan), "a vector that is zero or no number"),
    ],
)
def test_what_cannot_be_searched_is_refused(asked: np.ndarray, message: str) -> None:
    with pytest.raises(AtlasError, match=message):
        Nearest.of(vectors(40)).search(asked, 3)


def test_nothing_cannot_be_searched() -> None:
    with pytest.raises(AtlasError, match="there are no activations to search"):
        Nearest.joined([])


def test_each_image_is_found_by_its_best_activation(study: Study, palette: Palette) -> None:
    samples = read_samples(study, LAYER)
    asked = np.stack([palette.mix([(2, 0, 0, 1.0)]), palette.mix([(2, 1, 1, 1.0), (3, 0, 0, -0.5)])])
    scores = image_scores(samples.activation, samples.image, asked)
    wanted = sorted(scores, key=lambda image: -scores[image])
    for index in (ImageIndex.open(study, LAYER), ImageIndex.open(study, LAYER, exact=True)):
        found = index.images(asked, 16)
        assert len(found) == 16
        assert [one.score for one in found] == pytest.approx([scores[image] for image in wanted], abs=2e-3)
        assert {one.image for one in found[:8]} >= {*wanted[:6]}
        for one in found:
            assert samples.image[one.sample] == one.image
            assert one.name == index.names[one.image]
            assert (one.box, one.place) == (tuple(samples.box[one.sample]), tuple(samples.place[one.sample]))


def test_an_image_with_all_the_nearest_activations_does_not_hide_the_others(tmp_path: Path) -> None:
    values = np.repeat(np.eye(4, dtype=np.float32), [500, 3, 2, 1], axis=0) + 0.01
    image = np.repeat(np.arange(4, dtype=np.int32), [500, 3, 2, 1])
    place = np.zeros((506, 2), dtype=np.int16)
    box = np.zeros((506, 4), dtype=np.int32)
    index = ImageIndex(["a", "b", "c", "d"], image, box, place, Nearest.of(values, exact=True))
    asked = np.array([1.0, 0.1, 0.05, 0.01])
    assert [one.name for one in index.images(asked, 4)] == ["a", "b", "c", "d"]
    assert [one.name for one in index.images(asked, 2)] == ["a", "b"]
    with pytest.raises(AtlasError, match="limit = 0 must be at least 1"):
        index.images(asked, 0)


def test_the_index_is_kept_and_made_anew_where_it_is_damaged(
    study: Study, palette: Palette, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = layer_folder(study, LAYER) / INDEX
    asked = palette.mix([(2, 0, 0, 1.0)])
    first = [one.sample for one in ImageIndex.open(study, LAYER).images(asked, 5)]
    written = path.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(nearest, "_new_index", lambda _: pytest.fail("the index was made again"))
        assert [one.sample for one in ImageIndex.open(study, LAYER).images(asked, 5)] == first
    for damage in (written[:-100], written[:10], b"", b"\xff" * len(written)):
        path.write_bytes(damage)
        assert [one.sample for one in ImageIndex.open(study, LAYER).images(asked, 5)] == first
    about = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**about, "stamp": "of another harvest"}))
    assert Nearest.kept(path, about["stamp"], [vectors(9)]).count == 9


def test_a_layer_that_is_not_harvested_has_no_index(study: Study) -> None:
    with pytest.raises(StudyError, match="no finished harvest of layer 'conv2'; it has act3"):
        ImageIndex.open(study, "conv2")


def test_a_mixture_is_a_weighted_sum(palette: Palette) -> None:
    table = palette.level(3)
    cells = [(3, int(table.row[i]), int(table.column[i]), weight) for i, weight in ((0, 0.5), (4, 2.0), (2, -1.0))]
    wanted = mixed([table.mean[i].astype(float).tolist() for i in (0, 4, 2)], [0.5, 2.0, -1.0])
    np.testing.assert_allclose(palette.mix(cells), wanted, rtol=1e-5, atol=1e-6)
    weights = palette.level(2).count / palette.level(2).count.sum()
    np.testing.assert_allclose(palette.mean, weights @ palette.level(2).mean, rtol=1e-5)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([(4, 0, 0, 1.0)], "the atlas act3 has no grid of 4 cells a side; it has 2, 3"),
        ([(2, 0, 2, 1.0)], "the 2x2 grid of act3 has no cell in row 0, column 2"),
        ([(2, 0, 0, 1.0), (2, 0, 0, -1.0)], "nothing is left of the mixture of cells"),
        ([], "nothing is left of the mixture of cells"),
    ],
)
def test_a_mixture_of_what_is_not_there_is_refused(palette: Palette, cells: list, message: str) -> None:
    with pytest.raises(AtlasError, match=message):
        palette.mix(cells)


def test_a_path_comes_by_the_cells_in_their_order(palette: Palette) -> None:
    table = palette.level(3)
    centres = (np.stack([table.column, table.row], axis=1) + 0.5) / 3
    corners = [(0.0, 0.5), (1.0, 0.5), (1.0, 0.0)]
    cells = palette.along(corners, 3, 50)
    assert len({*cells}) == len(cells) >= 3
    # The plain way: many small steps, each to the nearest cell.
    steps = [(x / 200, 0.5) for x in range(200)] + [(1.0, 0.5 - y / 400) for y in range(201)]
    walked = [int(((centres - np.array(step)) ** 2).sum(axis=1).argmin()) for step in steps]
    order = list(dict.fromkeys(walked))
    assert cells == [(3, int(table.row[i]), int(table.column[i]), 1.0) for i in order]
    with pytest.raises(AtlasError, match="a path has two points at least"):
        palette.along([(0.5, 0.5)], 3)
    with pytest.raises(AtlasError, match="a path has two points at least"):
        palette.along([(0.5, 0.5), (np.nan, 0.5)], 3)


def test_cells_are_written_with_points() -> None:
    assert parse_cell("20.3.11") == (20, 3, 11, 1.0)
    assert parse_cell(" 5.0.4*-0.5 ") == (5, 0, 4, -0.5)
    for text in ("", "20.3", "20.3.x", "20.3.1*", "1.2.3.4"):
        with pytest.raises(AtlasError, match=r"is no cell; write GRID\.ROW\.COLUMN"):
            parse_cell(text)
    with pytest.raises(AtlasError, match="must be a finite number"):
        parse_cell("5.0.4*inf")


def test_a_palette_is_chosen_by_its_name(study: Study, palette: Palette, tmp_path: Path) -> None:
    assert Palette.open(study, LAYER).folder == palette.folder
    with pytest.raises(StudyError, match="has no atlas 'conv2'; it has act3"):
        Palette.open(study, "conv2")
    second = study.path / "atlas" / "second"
    try:
        AtlasRecord.read(palette.folder).write(second)
        with pytest.raises(StudyError, match="has several atlases; choose one of act3, second"):
            Palette.open(study)
    finally:
        (second / "atlas.json").unlink()
