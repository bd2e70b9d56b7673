from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import oracles_alignment as oracle
from pellucid.activations import HarvestConfig, harvest, read_samples
from pellucid.atlas import tables
from pellucid.atlas.class_atlas import ClassFilter, choose, class_atlas, class_config, gather
from pellucid.atlas.comparison import comparison_atlas, difference, line
from pellucid.atlas.icons import IconConfig
from pellucid.errors import AtlasError, StudyError
from pellucid.networks import Network
from pellucid.study import AtlasRecord, Study, read_catalog
from photographs import drawn_photographs
from small import small_network
from trees import tree

CONFIG = class_config(
    grids=(3,), min_count=2, patches=2, patch_size=16, layout="pca", icons=IconConfig(size=16, steps=4, batch=4)
)
FILTER = ClassFilter("both", 30)
ATTRIBUTIONS = arrays(np.float16, st.tuples(st.integers(1, 25), st.just(4)), elements=st.floats(-2, 2, width=16))


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network(size=24)


@pytest.fixture(scope="module")
def study(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("classes")
    images = drawn_photographs(folder / "images", 20)
    return harvest(network, images, "act3", folder / "study", config=HarvestConfig(positions=12, shard=8))


@given(ATTRIBUTIONS, st.integers(0, 3), st.sampled_from(["rank", "magnitude", "both"]), st.integers(1, 9))
def test_what_matters_to_a_class_is_chosen_as_the_article_has_it(
    values: np.ndarray, index: int, how: str, most: int
) -> None:
    found = choose([values[:7], values[7:]], [index], ClassFilter(how, most))
    truth = oracle.chosen(values.astype(float), index, how, most)
    if how == "rank":
        assert found.tolist() == truth
    else:  # of equal attributions either may be among the most
        assert len(found) == len(set(found.tolist()))
        assert sorted(values[found, index].tolist()) == sorted(values[truth, index].tolist())


def test_the_union_counts_nothing_twice_and_takes_both_classes() -> None:
    values = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float16)
    both = choose([values], [1, 3], ClassFilter("both", 20))
    parts = [choose([values], [index], ClassFilter("both", 20)) for index in (1, 3)]
    assert both.tolist() == sorted({*parts[0].tolist(), *parts[1].tolist()})
    assert np.all(np.diff(both) > 0)


def test_of_few_activations_fewer_are_taken_by_magnitude() -> None:
    assert [ClassFilter().limit(count) for count in (100, 6000, 18_000, 10**6)] == [200, 300, 900, 2000]
    assert ClassFilter(most=3000).limit(18_000) == 3000
    values = np.random.default_rng(0).uniform(0.1, 1, (5000, 2))
    assert len(choose([values], [1], ClassFilter("magnitude"))) == 250


def test_an_atlas_of_a_class_holds_what_matters_to_it(network: Network, study: Study) -> None:
    record = class_atlas(network, study, "act3", 4, wanted=FILTER, config=CONFIG)
    samples = read_samples(study, "act3", attribution=True)
    rows = oracle.chosen(samples.attribution.astype(float), 4, "both", 30)
    folder = study.path / "atlas" / "act3@c4"
    assert AtlasRecord.read(folder) == record
    assert (record.kind, record.title, record.layer, record.samples) == ("class", "class 4", "act3", len(rows))
    assert record.about == {"class": 4, "filter": "both", "most": 30}
    assert tables.read_chosen(folder / "layout.parquet").tolist() == rows
    cells = tables.read_cells(folder / "cells-3.parquet")
    points = tables.read_layout(folder / "layout.parquet")
    for row, column, mean in zip(cells.row, cells.column, cells.mean, strict=True):
        inside = (np.minimum((points * 3).astype(int), 2) == [column, row]).all(axis=1)
        np.testing.assert_allclose(mean, samples.activation[rows][inside].astype(float).mean(axis=0), rtol=1e-4)
    entry = next(each for each in read_catalog(study.path).atlases if each["name"] == "act3@c4")
    assert (entry["kind"], entry["title"], entry["about"]["class"]) == ("class", "class 4", 4)
    before = tree(study.path)
    class_atlas(network, study, "act3", 4, wanted=FILTER, config=CONFIG)
    assert tree(study.path) == before
    class_atlas(network, study, "act3", 4, wanted=ClassFilter("magnitude", 25), config=CONFIG)
    assert AtlasRecord.read(study.path / "atlas" / "act3@c4-magnitude").samples == 25


def test_a_comparison_lies_between_its_classes(network: Network, study: Study) -> None:
    record = comparison_atlas(network, study, "act3", 6, 4, wanted=FILTER, config=replace(CONFIG, grids=(2,)))
    folder = study.path / "atlas" / "act3@c6-c4"
    rows = tables.read_chosen(folder / "layout.parquet")
    points = tables.read_layout(folder / "layout.parquet")
    samples = read_samples(study, "act3", attribution=True)
    values = samples.attribution[rows].astype(float)
    apart = values[:, 4] - values[:, 6]
    scale = np.percentile(np.abs(apart), 99)
    assert (record.kind, record.title) == ("comparison", "class 6 | class 4")
    assert (record.about["left"], record.about["right"]) == (6, 4)
    assert record.about["scale"] == pytest.approx(scale)
    np.testing.assert_allclose(points[:, 0], (np.clip(apart / scale, -1, 1) + 1) / 2, atol=1e-6)
    # What speaks for the right class more than for the left one stands right of the middle.
    clear = np.abs(apart) > 1e-3 * scale
    assert np.array_equal(points[clear, 0] > 0.5, apart[clear] > 0)
    assert points.min() >= 0
    assert points.max() <= 1


@pytest.mark.parametrize("name", ["pca", "umap", "tsne"])
def test_alike_lies_together_on_the_line(name: str) -> None:
    random = np.random.default_rng(0)
    values = np.concatenate([center + 0.1 * random.normal(size=(30, 6)) for center in (np.eye(6)[0], np.eye(6)[3])])
    places = line(values, name, neighbors=10)
    assert places.shape == (60,)
    assert places.min() >= 0
    assert places.max() <= 1
    first, second = places[:30], places[30:]
    assert first.max() < second.min() or second.max() < first.min()
    assert np.array_equal(line(values, name, neighbors=10), places)


def test_some_rows_are_gathered_across_shards(study: Study) -> None:
    every = read_samples(study, "act3", attribution=True)
    rows = np.array([0, 5, 95, 96, 97, 239])
    some = gather(study, "act3", rows)
    for name in ("image", "box", "place", "activation", "attribution"):
        assert np.array_equal(getattr(some, name), getattr(every, name)[rows])


def test_what_cannot_be_drawn_of_classes_is_refused(network: Network, study: Study) -> None:
    before = tree(study.path)
    with pytest.raises(AtlasError, match="there is no class 7: there are classes 0 to 6"):
        class_atlas(network, study, "act3", 7, config=CONFIG)
    with pytest.raises(AtlasError, match="a comparison is of two classes, and both are 3"):
        comparison_atlas(network, study, "act3", 3, 3, config=CONFIG)
    with pytest.raises(AtlasError, match="there is no filter 'best'; filters are rank, magnitude, both"):
        ClassFilter("best")
    with pytest.raises(AtlasError, match="most = 0 activations must be at least 1"):
        ClassFilter("both", 0)
    with pytest.raises(AtlasError, match="3 activations are too few to lay out"):
        class_atlas(network, study, "act3", 4, wanted=ClassFilter("magnitude", 3), config=CONFIG)
    with pytest.raises(AtlasError, match="cannot be laid out on a line by 'pacmap'; choose one of tsne, umap, pca"):
        comparison_atlas(network, study, "act3", 6, 4, config=replace(CONFIG, layout="pacmap"))
    with pytest.raises(AtlasError, match="classes 0 and 1 have the same attribution"):
        difference(np.ones((20, 2)), 0, 1)
    with pytest.raises(StudyError, match="no finished harvest of layer 'conv2'"):
        class_atlas(network, study, "conv2", 2, config=CONFIG)
    with pytest.raises(StudyError, match="made with other weights than those of Small"):
        class_atlas(small_network(size=24, seed=1), study, "act3", 2, config=CONFIG)
    assert tree(study.path) == before


def test_a_class_that_nothing_speaks_for_is_told(network: Network, study: Study) -> None:
    samples = read_samples(study, "act3", attribution=True)
    assert not (samples.attribution[:, 2] > 0).any()
    with pytest.raises(AtlasError, match=r"no activation of 'act3' matters to class 2 \(class 2\) by both"):
        class_atlas(network, study, "act3", 2, config=CONFIG)
