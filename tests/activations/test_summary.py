"""Summaries: that they form a monoid, and that they are what a list of all activations says."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles_summaries as oracles
from pellucid.activations.device_tally import DeviceTally
from pellucid.activations.items import image_of, item_of, view_of
from pellucid.activations.summary import Bins, Covariance, Ranking, Summary, priorities
from pellucid.activations.tally import Tally
from pellucid.errors import SummaryError

UNITS, PLACES, SEED, EXAMPLES, SAMPLES = 3, 5, 7, 4, 3
DISCRETE = (
    "images", "items", "count", "histogram", "under", "over", "minimum", "maximum", "fires", "invalid",
    "sample_counts", "sample_values", "sample_items", "sample_places", "sample_priorities", "highest_values",
    "highest_items", "highest_places", "lowest_values", "lowest_items", "lowest_places", "class_ids", "class_images",
    "class_count",
)  # fmt: skip


def bins_for(units: int = UNITS) -> Bins:
    low = np.array([-2.0, -1.5, 0.0])[:units]
    return Bins(low, np.array([0.25, 0.5, 0.125])[:units], np.array([0.5, 0.0, 0.25])[:units], 12, 4)


def summary_of(maps: np.ndarray, items: np.ndarray, labels: np.ndarray, *, batch: int = 2) -> Summary:
    tally = Tally(bins_for(maps.shape[1]), examples=EXAMPLES, samples=SAMPLES, seed=SEED)
    for at in range(0, len(maps), batch):
        tally.add(maps[at : at + batch], items[at : at + batch], labels[at : at + batch])
    flat = np.where(np.isfinite(maps), maps, 0).astype(np.float64).transpose(1, 0, 2).reshape(maps.shape[1], -1)
    return tally.finish(Covariance(flat.shape[1], flat.sum(1), flat @ flat.T))


def drawn(number: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    # Few different values, so that there are ties and values on edges.
    maps = (random.integers(-12, 12, (number, UNITS, PLACES)) / 8).astype(np.float32)
    items = np.array([item_of(index // 2, index % 2) for index in range(number)])
    return maps, items, random.integers(-1, 3, number)


def same(first: Summary, second: Summary) -> None:
    ours, theirs = first.arrays(), second.arrays()
    assert ours.keys() == theirs.keys()
    for name in ours:
        if name in DISCRETE:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
        else:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-12, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 3), min_size=0, max_size=24))
def test_joining_is_associative_and_commutative_and_nothing_changes_nothing(seed: int, owner: list[int]) -> None:
    maps, items, labels = drawn(len(owner), seed)
    groups = np.array(owner, int)
    a, b, c = (summary_of(maps[groups == part], items[groups == part], labels[groups == part]) for part in range(3))
    rest = groups < 3
    same((a + b) + c, a + (b + c))
    same(a + b, b + a)
    whole = summary_of(maps[rest], items[rest], labels[rest])
    joined = a + b + c
    # Views of one image may lie in several parts, which count it each.
    assert joined.images >= whole.images
    ours, theirs = joined.arrays(), whole.arrays()
    for name in set(DISCRETE) - {"images"}:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    nothing = Summary.empty(bins_for(), examples=EXAMPLES, samples=SAMPLES)
    for name, array in (a + nothing).arrays().items():
        np.testing.assert_array_equal(array, a.arrays()[name], err_msg=name)
        np.testing.assert_array_equal(array, (nothing + a).arrays()[name], err_msg=name)


def test_a_summary_is_what_a_list_of_all_activations_says() -> None:
    maps, items, labels = drawn(20, seed=3)
    maps[4, 1, 2], maps[5, 0, 0], maps[6] = np.nan, -np.inf, np.inf
    summary = summary_of(maps, items, labels, batch=7)
    for unit in range(UNITS):
        activations = oracles.seen(maps, items.tolist(), labels.tolist(), unit)
        values = [one.value for one in activations]
        mean, variance, skewness, kurtosis = oracles.moments(values)
        assert summary.moments.count[unit] == len(values)
        assert summary.invalid[unit] == 20 * PLACES - len(values)
        np.testing.assert_allclose(summary.moments.mean[unit], mean, rtol=1e-12)
        np.testing.assert_allclose(summary.moments.variance[unit], variance, rtol=1e-12)
        np.testing.assert_allclose(summary.moments.skewness[unit], skewness, rtol=1e-9)
        np.testing.assert_allclose(summary.moments.kurtosis[unit], kurtosis, rtol=1e-9)
        np.testing.assert_allclose(summary.moments.m4[unit], (kurtosis + 3) * variance**2 * len(values), rtol=1e-9)
        counts, under, over = oracles.histogram(values, bins_for().edges[unit].tolist())
        assert summary.histogram.counts[unit].tolist() == counts
        assert (summary.histogram.under[unit], summary.histogram.over[unit]) == (under, over)
        assert (summary.minimum[unit], summary.maximum[unit]) == (min(values), max(values))
        assert summary.fires[unit] == sum(value > 0 for value in values)
        for ranking, lowest in ((summary.highest, False), (summary.lowest, True)):
            expected = oracles.best(activations, EXAMPLES, lowest=lowest)
            assert ranking.values[unit].tolist() == [one.value for one in expected]
            assert ranking.items[unit].tolist() == [one.item for one in expected]
            assert ranking.places[unit].tolist() == [one.place for one in expected]
        edges = bins_for().group_edges[unit].tolist()
        for group, expected in enumerate(oracles.sample(activations, edges, SAMPLES, SEED)):
            padding = [-1] * (SAMPLES - len(expected))
            assert summary.samples.items[unit, group].tolist() == [one.item for one in expected] + padding
            assert summary.samples.places[unit, group].tolist() == [one.place for one in expected] + padding
            assert summary.samples.values[unit, group, : len(expected)].tolist() == [one.value for one in expected]
        for row, label in enumerate(summary.classes.ids.tolist()):
            own = [one.value for one in activations if one.label == label]
            np.testing.assert_allclose(summary.classes.sums[row, unit], sum(own), rtol=1e-12)
            assert summary.classes.images[row] == (labels == label).sum()


@pytest.mark.parametrize("places", [1, 2, 49, 601])
@pytest.mark.parametrize("bad", [0.0, 0.02, 1.0])
@pytest.mark.parametrize(
    "bins",
    [
        Bins.around(np.array([-3.1, 0.0]), np.array([2.2, 6.0]), np.array([0.1, 0.7]), count=24, groups=6),
        Bins.fixed(2, -1.1, 2.7, count=30, groups=5),
        Bins.fixed(2, -2, 2, count=3, groups=1),
        Bins.fixed(2, -(2.0**-130), 2.0**-130, count=4, groups=2),
        Bins.fixed(2, -3e38, 2e38, count=8, groups=4),
    ],
    ids=["short", "not in single precision", "one group", "smallest", "largest"],
)
def test_maps_of_any_size_with_values_about_the_edges_are_counted_exactly(bins: Bins, places: int, bad: float) -> None:
    random = np.random.default_rng(places)
    edges = np.concatenate([bins.edges.ravel(), bins.group_edges.ravel(), np.zeros(bins.count), [3.4e38]])
    maps = np.clip(random.choice(edges, (5, 2, places)), -3.4e38, 3.4e38).astype(np.float32)
    maps = np.nextafter(maps, random.choice(np.array([-1e38, 1e38], np.float32), maps.shape))
    maps[:2], maps[2:4] = abs(maps[:2]), -abs(maps[2:4])
    for zero in (0.0, -0.0):
        maps[random.random(maps.shape) < 0.2] = zero
    broken = random.random(maps.shape) < bad
    maps[broken] = random.choice(np.array([np.nan, np.inf, -np.inf], np.float32), broken.sum())
    items, labels = np.arange(5) << 16, np.arange(5) % 2
    tally = Tally(bins, examples=5, samples=SAMPLES, seed=SEED)
    for at in (0, 3):
        tally.add(maps[at : at + 3], items[at : at + 3], labels[at : at + 3])
    summary = tally.finish()
    for unit in range(2):
        activations = oracles.seen(maps, items.tolist(), labels.tolist(), unit)
        values = [one.value for one in activations]
        assert (summary.moments.count[unit], summary.invalid[unit]) == (len(values), 5 * places - len(values))
        assert summary.fires[unit] == sum(value > 0 for value in values)
        counts, under, over = oracles.histogram(values, bins.edges[unit].tolist())
        assert summary.histogram.counts[unit].tolist() == counts
        assert (summary.histogram.under[unit], summary.histogram.over[unit]) == (under, over)
        for ranking, lowest in ((summary.highest, False), (summary.lowest, True)):
            expected = oracles.best(activations, 5, lowest=lowest)
            found = [ranking.values[unit], ranking.items[unit], ranking.places[unit]]
            assert [array[: len(expected)].tolist() for array in found] == [
                [getattr(one, name) for one in expected] for name in ("value", "item", "place")
            ]
        group_edges = bins.group_edges[unit].tolist()
        groups = oracles.sample(activations, group_edges, 10 * places, SEED)
        assert summary.samples.counts[unit].tolist() == [len(group) for group in groups]
        for group, drawn in enumerate(groups):
            for name in ("item", "place", "value"):
                held = getattr(summary.samples, f"{name}s")[unit, group, : len(drawn)].tolist()
                assert held == [getattr(one, name) for one in drawn[:SAMPLES]]


def test_priorities_are_those_of_the_plain_formula() -> None:
    items = np.array([0, 5, item_of(1281166, 3)])
    found = priorities(11, items, 4)
    for row, item in zip(found.tolist(), items.tolist(), strict=True):
        assert row == [oracles.priority(11, item, place) for place in range(4)]


def test_samples_of_a_bin_are_uniform_over_its_positions() -> None:
    # One bin holds everything: each of 50 items must be drawn about as often, over many seeds.
    drawn_items = np.zeros(50)
    maps = np.full((50, 1, 4), 0.1, np.float32)
    for seed in range(400):
        tally = Tally(Bins.fixed(1, 0, 1, count=4, groups=2), examples=1, samples=10, seed=seed)
        tally.add(maps, np.arange(50) << 16, np.full(50, -1))
        chosen = tally.finish().samples.items[0, 0] >> 16
        np.add.at(drawn_items, chosen, 1)
    expected = 400 * 10 / 50
    assert abs(drawn_items - expected).max() < 5 * np.sqrt(expected)


def test_an_image_stands_in_a_ranking_once_however_rankings_are_joined() -> None:
    values = np.array([[5.0, 4.0, 3.0, 2.0, 1.0]], np.float32)
    items = np.array([item_of(0, 0), item_of(0, 1), item_of(1, 0), item_of(0, 2), item_of(2, 0)])
    places = np.arange(5, dtype=np.int32)[None]
    whole = Ranking.of(values, items, places, 3)
    assert whole.values.tolist() == [[5.0, 3.0, 1.0]]
    left, right = (Ranking.of(values[:, part], items[part], places[:, part], 3) for part in ([1, 2], [0, 3, 4]))
    assert left.merge(right).items.tolist() == whole.items.tolist() == [[0, item_of(1, 0), item_of(2, 0)]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 30), st.booleans())
def test_rankings_of_any_values_are_those_of_a_plain_sort(seed: int, number: int, lowest: bool) -> None:
    random = np.random.default_rng(seed)
    # Ties, zeros of both signs, several views of an image, and items that count for nothing.
    few = np.array([-np.finfo(np.float32).max, -2.5, -0.0, 0.0, 1e-45, 2.5, np.finfo(np.float32).max], np.float32)
    values = random.choice(few, (2, number))
    items = random.permutation([item_of(index // 3, index % 3) for index in range(number)]).astype(np.int64)
    places = random.integers(-1, 4, (2, number)).astype(np.int32)
    whole = Ranking.of(values, items, places, 4, lowest=lowest)
    half = random.random(number) < 0.5
    parts = [Ranking.of(values[:, some], items[some], places[:, some], 4, lowest=lowest) for some in (half, ~half)]
    for found in (whole, parts[0].merge(parts[1]), parts[1].merge(parts[0])):
        for unit in range(2):
            known = [
                oracles.Seen(float(value), item, place, -1)
                for value, item, place in zip(values[unit], items.tolist(), places[unit].tolist(), strict=True)
                if place >= 0
            ]
            expected = oracles.best(known, 4, lowest=lowest)
            padding = [-1] * (4 - len(expected))
            assert found.values[unit, : len(expected)].tolist() == [one.value for one in expected]
            assert found.items[unit].tolist() == [one.item for one in expected] + padding
            assert found.places[unit].tolist() == [one.place for one in expected] + padding


def test_items_hold_image_and_view() -> None:
    item = item_of(2**40, 65535)
    assert (image_of(item), view_of(item), image_of(-1)) == (2**40, 65535, -1)


def test_bins_around_a_first_look_have_zero_as_an_edge_and_reach_beyond_it() -> None:
    low, high, mean = np.array([-3.1, 0.0, -2.0, 1.0, 0.0]), np.array([7.7, 6.0, -1.0, 1.0, 0.0]), np.zeros(5) + 0.3
    bins = Bins.around(low, high, mean)
    for unit in range(5):
        edges = bins.group_edges[unit]
        assert 0.0 in edges
        assert edges[0] <= low[unit]
        assert edges[-1] >= high[unit]
    assert bins.low[1] == 0  # nothing under a rectifier's floor
    assert bins.edges[0, -1] > 9


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.937, 1.0])
def test_quantiles_are_right_within_a_bin(share: float) -> None:
    random = np.random.default_rng(1)
    maps = random.normal(size=(200, 2, 30)).astype(np.float32)
    bins = Bins.fixed(2, -2.5, 2.5, count=200, groups=10)
    tally = Tally(bins, examples=1, samples=1, seed=0)
    tally.add(maps, np.arange(200) << 16, np.full(200, -1))
    found = tally.finish().quantile(share)
    exact = np.quantile(maps.transpose(1, 0, 2).reshape(2, -1), share, axis=1)
    outside = np.abs(exact) > 2.5
    assert (np.abs(found - exact)[~outside] < bins.width[0]).all()
    assert (np.abs(found) >= 2.5)[outside].all()


def test_whitening_makes_covariances_one() -> None:
    random = np.random.default_rng(0)
    flat = random.normal(size=(4, 4)) @ random.normal(size=(4, 1000)) + 3
    second = Covariance(1000, flat.sum(1), flat @ flat.T)
    np.testing.assert_allclose(second.covariance, np.cov(flat, bias=True), rtol=1e-9)
    np.testing.assert_allclose(second.coactivation, flat @ flat.T / 1000, rtol=1e-12)
    white = second.whitening(0)
    np.testing.assert_allclose(white @ second.covariance @ white.T, np.eye(4), atol=1e-8)


def test_constants_have_no_shape_and_nothing_has_no_mean() -> None:
    maps = np.full((3, 1, 4), 0.3, np.float32)
    tally = Tally(bins_for(1), examples=1, samples=1, seed=0)
    tally.add(maps, np.arange(3) << 16, np.full(3, -1))
    summary = tally.finish()
    np.testing.assert_allclose(summary.moments.mean, np.float32(0.3), rtol=1e-12)
    assert np.isnan(summary.moments.kurtosis).all()
    assert summary.moments.sd[0] < 1e-7
    nothing = Summary.empty(bins_for(1))
    assert np.isnan(nothing.moments.mean).all()
    assert np.isnan(nothing.firing).all()
    assert np.isnan(nothing.quantile(0.5)).all()


def test_summaries_of_different_kinds_are_not_joined() -> None:
    one = Summary.empty(Bins.fixed(2, 0, 1))
    with pytest.raises(SummaryError, match="histograms over different bins cannot be joined"):
        one.merge(Summary.empty(Bins.fixed(2, 0, 2)))
    with pytest.raises(SummaryError, match="one summary has a covariance and the other has none"):
        one.merge(Summary.empty(Bins.fixed(2, 0, 1), covariance=False))
    with pytest.raises(SummaryError, match=r"rankings of \(2, 100\) and \(2, 5\)"):
        one.merge(Summary.empty(Bins.fixed(2, 0, 1), examples=5))
    with pytest.raises(SummaryError, match="it lacks"):
        Summary.from_arrays({"images": np.array(1)})
    with pytest.raises(SummaryError, match="cannot be divided into 5 groups"):
        Bins.fixed(1, 0, 1, count=12, groups=5)


def test_counting_on_a_device_gives_the_same() -> None:
    maps, items, labels = drawn(20, seed=3)
    maps[4, 1, 2], maps[5, 0, 0], maps[6], maps[7, 2, 1] = np.nan, -np.inf, np.inf, 100
    plain = summary_of(maps, items, labels, batch=7)
    tally = DeviceTally(bins_for(), examples=EXAMPLES, samples=SAMPLES, seed=SEED, device=torch.device("cpu"))
    for at in range(0, 20, 6):
        tally.add(torch.from_numpy(maps[at : at + 6]), items[at : at + 6], labels[at : at + 6])
    same(tally.finish(plain.second), plain)
    nothing = DeviceTally(bins_for(), examples=EXAMPLES, samples=SAMPLES, seed=SEED, device=torch.device("cpu"))
    same(nothing.finish(Covariance.empty(UNITS)), Summary.empty(bins_for(), examples=EXAMPLES, samples=SAMPLES))
