import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from oracles_atlas_cells import card, cosine, first_of_each_half, lifts, members
from pellucid.activations import HarvestConfig, Samples, harvest, read_samples
from pellucid.activations.store import read_shards, write_shard
from pellucid.atlas import AtlasConfig, build, tables
from pellucid.atlas.classes import neighbour_correlation, read_class_means
from pellucid.atlas.gathered import take
from pellucid.atlas.grid import make_grid
from pellucid.atlas.icons import IconConfig
from pellucid.atlas.labels import class_statistics, half_of
from pellucid.errors import StudyError
from pellucid.networks import Network
from pellucid.study import AtlasRecord, LevelRecord, Study
from photographs import drawn_photographs
from small import small_network
from trees import tree

CONFIG = AtlasConfig(
    grids=(2, 4), min_count=4, layout="pca", labels=3, patches=2, patch_size=16,
    icons=IconConfig(size=16, steps=2, batch=8),
)  # fmt: skip


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network(size=24)


@pytest.fixture(scope="module")
def study(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study with an atlas of the rectifier relu1 (24 x 24) and one of act3 (12 x 12), which comes after it."""
    folder = tmp_path_factory.mktemp("cards")
    images = drawn_photographs(folder / "images", 16)
    made = harvest(network, images, ["relu1", "act3"], folder / "study", config=HarvestConfig(positions=40, shard=5))
    for layer in ("relu1", "act3"):
        build(network, made, layer, config=CONFIG)
    return made


def atlas(study: Study, layer: str) -> tuple[Path, AtlasRecord, Samples, np.ndarray]:
    folder = study.path / "atlas" / layer
    samples = read_samples(study, layer, attribution=True)
    return folder, AtlasRecord.read(folder), samples, tables.read_layout(folder / "layout.parquet")


def cards(folder: Path, level: LevelRecord) -> list[dict]:
    assert level.cards is not None
    return [card for name in level.cards.files() for card in json.loads((folder / name).read_text())["cards"]]


def test_cards_hold_what_the_samples_say(study: Study) -> None:
    folder, record, samples, points = atlas(study, "act3")
    for level in record.levels:
        found = members(points, level.grid, CONFIG.min_count)
        truths = [card(samples.activation[some], samples.attribution[some]) for some in found.values()]
        written = cards(folder, level)
        assert len(written) == level.cells == len(found)
        for truth, said in zip(truths, written, strict=True):
            assert said["spread"] == pytest.approx(truth["spread"], abs=1e-4)
            assert said["norm"] == pytest.approx(truth["norm"], abs=1e-4)
            for name, ranked in (
                ("labels", sorted(truth["classes"], key=lambda entry: -entry[1])),
                ("against", sorted(truth["classes"], key=lambda entry: entry[1])),
            ):
                assert [entry[0] for entry in said[name]] == [entry[0] for entry in ranked[:3]]
                np.testing.assert_allclose(
                    [entry[1:] for entry in said[name]], [entry[1:] for entry in ranked[:3]], atol=2e-5
                )
        places = list(found)
        for own, said in enumerate(written):
            cosines = {
                place: cosine(truths[own]["mean"], truth["mean"])
                for other, (place, truth) in enumerate(zip(places, truths, strict=True))
                if other != own
            }
            best = sorted(cosines.values(), reverse=True)[:6]
            assert [entry[2] for entry in said["nearest"]] == pytest.approx(best, abs=1e-4)
            assert all(cosines[row, column] == pytest.approx(value, abs=1e-4) for row, column, value in said["nearest"])


def test_class_files_hold_every_class_of_every_cell(study: Study) -> None:
    folder, record, samples, points = atlas(study, "act3")
    level = record.levels[1]
    found = members(points, level.grid, CONFIG.min_count)
    truth = np.stack([samples.attribution[some].astype(np.float64).mean(axis=0) for some in found.values()])
    assert level.classes is not None
    content = b"".join((folder / name).read_bytes() for name in level.classes.files())
    np.testing.assert_allclose(np.frombuffer(content, "<f4").reshape(7, len(found)), truth.T, atol=1e-6)
    np.testing.assert_array_equal(read_class_means(folder, level), np.frombuffer(content, "<f4").reshape(7, -1).T)


def test_class_files_that_were_cut_short_are_refused(study: Study) -> None:
    folder, record, *_ = atlas(study, "act3")
    level = record.levels[1]
    assert level.classes is not None
    path = folder / level.classes.files()[0]
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-4])
        with pytest.raises(StudyError, match=r"bytes, not 7 classes of \d+ cells; build the atlas again"):
            read_class_means(folder, level)
        path.unlink()
        with pytest.raises(StudyError, match="cannot be read: No such file"):
            read_class_means(folder, level)
    finally:
        path.write_bytes(content)


def test_a_label_is_stable_if_both_halves_of_the_photographs_give_it(study: Study) -> None:
    folder, record, samples, points = atlas(study, "act3")
    level = record.levels[0]
    found = members(points, level.grid, CONFIG.min_count)
    halves = half_of(samples.image)
    table = json.loads((folder / level.table).read_text())["cells"]
    for some, cell in zip(found.values(), table, strict=True):
        first, second = first_of_each_half(samples.attribution[some], halves[some].tolist())
        assert cell["stable"] == (first is not None and first == second)


def test_halves_are_of_photographs_and_do_not_follow_their_order() -> None:
    images = np.repeat(np.arange(1000, dtype=np.int32), 3)
    halves = half_of(images).reshape(1000, 3)
    assert (halves == halves[:, :1]).all()
    assert abs(halves.mean() - 0.5) < 0.05
    assert all(abs(halves[start::step].mean() - 0.5) < 0.1 for step in (2, 3, 5) for start in range(step))


def test_activations_of_one_photograph_alone_make_no_stable_label() -> None:
    grid = make_grid(np.full((40, 2), 0.5), 1, 1)
    attributions = np.tile([0.0, 1.0, 0.0], (40, 1))
    one = np.zeros(40, dtype=np.int32)
    assert class_statistics([grid], [attributions], one)[0].stable.tolist() == [False]
    many = np.arange(40, dtype=np.int32)
    assert class_statistics([grid], [attributions], many)[0].stable.tolist() == [True]
    attributions[half_of(many) == 1] = [0.0, 0.0, 1.0]
    assert class_statistics([grid], [attributions], many)[0].stable.tolist() == [False]
    assert class_statistics([grid], [np.zeros((40, 0))], many)[0].stable.tolist() == [False]


def test_cells_are_linked_with_those_of_the_next_layer_that_hold_the_same_places(study: Study) -> None:
    keys, cells, places = [], [], []
    for layer, size in (("relu1", 24), ("act3", 12)):
        folder, record, samples, points = atlas(study, layer)
        found = members(points, 4, CONFIG.min_count)
        of = {sample: cell for cell, some in found.items() for sample in some}
        unit = (samples.place.astype(int) * 12 // size).tolist()
        keys.append([(*key, *at) for key, at in zip(zip(samples.image.tolist(), strict=True), unit, strict=True)])
        cells.append([of.get(sample) for sample in range(len(samples))])
        places.append(list(found))
    truth = lifts(keys[0], keys[1], cells[0], cells[1])
    folder, record, *_ = atlas(study, "relu1")
    linked = 0
    for place, said in zip(places[0], cards(folder, record.levels[1]), strict=True):
        strong = {b: lift for (a, b), (count, lift) in truth.items() if a == place and count >= 2 and lift > 1}
        for entry in said["next"]:
            assert (entry["atlas"], entry["grid"]) == ("act3", 4)
            assert len(entry["cells"]) == min(4, len(strong))
            for row, column, lift in entry["cells"]:
                assert lift == pytest.approx(strong[row, column], abs=0.006)
                linked += 1
            scores = [truth[place, (row, column)] for row, column, _ in entry["cells"]]
            order = [count * math.log(lift) for count, lift in scores]
            assert order == sorted(order, reverse=True)
        assert bool(said["next"]) == bool(strong)
    assert linked > 5
    last = atlas(study, "act3")
    assert all(not said["next"] for said in cards(last[0], last[1].levels[1]))


def test_links_are_the_same_whichever_atlas_is_built_last(network: Network, study: Study) -> None:
    before = tree(study.path)
    build(network, study, "act3", config=CONFIG)
    build(network, study, "relu1", config=CONFIG)
    assert tree(study.path) == before


def test_an_atlas_whose_harvest_is_gone_is_passed_over_and_one_of_another_is_refused(
    network: Network, study: Study, tmp_path: Path
) -> None:
    shutil.copytree(study.path, tmp_path / "study")
    copy = Study.open(tmp_path / "study")
    shards = copy.path / "activations" / "relu1"
    for path in shards.glob("part-*.parquet"):
        write_shard(path, take(next(iter(read_shards(study, "relu1"))), np.arange(1)))
    with pytest.raises(StudyError, match="places 640 activations, and the harvest of 'relu1' has 4; build that atlas"):
        build(network, copy, "act3", config=CONFIG)
    shutil.rmtree(shards)
    before = tree(copy.path)
    build(network, copy, "act3", config=CONFIG)
    assert tree(copy.path) == before


def test_neighbours_are_correlated_on_a_smooth_map_and_not_on_a_shuffled_one() -> None:
    row, column = (part.ravel() for part in np.indices((8, 8)))
    random = np.random.default_rng(0)
    waves = random.normal(size=(3, 30))
    smooth = np.sin((row[:, None] * waves[0] + column[:, None] * waves[1]) / 2 + waves[2])
    smooth = smooth.astype(np.float32)
    touching, chance = neighbour_correlation(row, column, smooth)
    pairs = [
        (one, other) for one in range(64) for other in range(64)
        if (row[other] - row[one], column[other] - column[one]) in ((0, 1), (1, 0))
    ]  # fmt: skip
    table = np.corrcoef(smooth.astype(np.float64))
    assert touching == pytest.approx(np.mean([table[pair] for pair in pairs]), abs=1e-5)
    assert chance == pytest.approx((table.sum() - 64) / (64 * 63), abs=1e-5)
    shuffled, _ = neighbour_correlation(row, column, smooth[random.permutation(64)])
    assert touching > 0.6 > 0.3 > abs(shuffled)
    assert math.isnan(neighbour_correlation(row[:1], column[:1], smooth[:1])[0])
