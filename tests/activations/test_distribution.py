"""Distributions: the published one of InceptionV1's 3b:379, and laws."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import kurtosis, skew

import oracles_distribution as oracle
from pellucid.activations.distribution import (
    CentralSums,
    Description,
    Distribution,
    TailFit,
    csv_text,
    describe,
    exponential_scale,
    figure,
    fit_tail,
    gini,
    mean_excess,
    numbers,
    read_histogram,
    record,
    rich_table,
    rows,
    save_figure,
    sparseness,
)
from pellucid.activations.distribution.densities import Place
from pellucid.activations.summary import Bins, Histogram, Moments, Summary
from pellucid.errors import PellucidError, StudyError, SummaryError

Values = NDArray[np.float64]


def counted(values: Values, edges: Values, *, exact: bool = True) -> Distribution:
    """The distribution of given values, with what a harvest knows beside the histogram if it is to be exact."""
    counts = np.array([((values >= a) & (values < b)).sum() for a, b in pairwise(edges)])
    found = Distribution(edges, counts, int((values < edges[0]).sum()), int((values >= edges[-1]).sum()))
    if not exact or len(values) == 0:
        return found
    mean = float(values.mean())
    sums = CentralSums(len(values), mean, *(float(((values - mean) ** k).sum()) for k in (2, 3, 4)))
    return replace(
        found, moments=sums, minimum=float(values.min()), maximum=float(values.max()), fires=int((values > 0).sum())
    )


def tail_of(distribution: Distribution, **options: Any) -> TailFit:
    """The fit, which there must be."""
    fit = fit_tail(distribution, **options)
    assert isinstance(fit, TailFit), fit
    return fit


@pytest.fixture
def published(shared_data: Path) -> Path:
    return shared_data / "curve-detectors" / "human-probabilities.json"


def test_the_published_histogram_is_counted_again(published: Path) -> None:
    found = read_histogram(published)
    assert found.total == 999_583
    assert found.unplaced == 22
    given = np.array(json.loads(published.read_text())["heights"]).sum(axis=0) / 1000
    np.testing.assert_allclose(found.density, given, rtol=1e-12, atol=0)


def test_the_published_numbers_come_out(published: Path) -> None:
    found = numbers(read_histogram(published), resamples=0)
    assert found.fires.value == pytest.approx(0.1082, abs=5e-5)
    assert found.mean.value == pytest.approx(-152.6, abs=0.05)
    assert found.sd.value == pytest.approx(137.7, abs=0.05)
    assert found.rectified_mean.value == pytest.approx(10.3, abs=0.05)
    assert found.rectified_sd.value == pytest.approx(44.2, abs=0.05)


def test_bins_read_as_centres_move_the_published_mean_by_half_a_bin(published: Path) -> None:
    found = read_histogram(published, at="centre")
    assert numbers(found, resamples=0).mean.value == pytest.approx(-165.1, abs=0.05)
    assert found.centres[found.counts.argmax()] == pytest.approx(-150)
    assert read_histogram(published).edges[found.counts.argmax()] == -150


@pytest.mark.parametrize(
    ("low", "high", "scale", "r2"),
    [(25, 400, 96.6, 0.9990), (25, 600, 103.6, 0.9969), (25, 800, 106.4, 0.9957), (-700, -400, 67.4, 0.9993)],
)
def test_the_published_tails_come_out(published: Path, low: float, high: float, scale: float, r2: float) -> None:
    fit = tail_of(read_histogram(published), low=low, high=high)
    assert (fit.low, fit.high) == (low, high)
    assert fit.scale == pytest.approx(scale, abs=0.05)
    assert fit.r2 == pytest.approx(r2, abs=5e-5)
    assert fit.rises == (high < 0)


def test_the_published_mean_excess_comes_out(published: Path) -> None:
    found = mean_excess(read_histogram(published), [0, 100, 200, 300, 400, 500, 600])
    assert found[0] == pytest.approx(95.6, abs=0.05)
    np.testing.assert_allclose(found[1:], [101, 106, 111, 109, 98, 95], atol=0.5)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 40), min_size=2, max_size=12), st.integers(0, 30), st.floats(0.01, 50))
def test_counts_are_recovered_from_densities(counts: list[int], outside: int, width: float) -> None:
    total = sum(counts) + outside
    if sum(counts) == 0:
        return
    density = np.array(counts) / (total * width)
    found = Distribution.from_density(width * np.arange(len(counts) + 1), density)
    assert found.total == oracle.number_of_values([count / total for count in counts], total)
    np.testing.assert_array_equal(found.counts * (total // found.total), counts)


def test_densities_that_are_no_counts_are_refused_and_rounded_by_a_total() -> None:
    density = np.array([0.3, 0.2, 0.1]) + np.pi * 1e-5
    with pytest.raises(SummaryError, match=r"below 10,000,000.*give the total"):
        Distribution.from_density([0, 1, 2, 3], density)
    found = Distribution.from_density([0, 1, 2, 3], density, total=1000)
    assert found.counts.tolist() == [300, 200, 100]
    assert found.unplaced == 400


def test_bins_are_edges_or_left_edges_or_centres() -> None:
    density = [0.25, 0.5, 0.25]
    cases: list[tuple[list[float], Place]] = [([0, 1, 2, 3], "left"), ([0, 1, 2], "left"), ([0.5, 1.5, 2.5], "centre")]
    for bins, at in cases:
        np.testing.assert_allclose(Distribution.from_density(bins, density, at=at).edges, [0, 1, 2, 3])
    with pytest.raises(SummaryError, match=r"not evenly spaced.*give edges"):
        Distribution.from_density([0, 1, 3], density)
    with pytest.raises(SummaryError, match="3 densities belong to 3 places or 4 edges"):
        Distribution.from_density([0, 1], density)
    with pytest.raises(SummaryError, match="has an integral of 2, and a density has 1 at most"):
        Distribution.from_density([0, 1, 2, 3], [0.5, 1, 0.5])
    with pytest.raises(SummaryError, match="nowhere negative"):
        Distribution.from_density([0, 1, 2, 3], [0.5, -0.5, 0.5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edges": np.array([0.0, 1.0])}, "2 bins need one edge more"),
        ({"edges": np.array([0.0, 1.0, 1.0])}, "finite and rise"),
        ({"counts": np.array([1, -1])}, "no negative counts"),
        ({"under": -1}, "no negative counts"),
        ({"fires": 9}, "9 of 3 values cannot be above 0"),
        ({"moments": CentralSums(4, 0.0, 1.0, 0.0, 1.0)}, "holds 3 values, the moments 4"),
    ],
)
def test_what_contradicts_itself_is_refused(options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"edges": np.array([0.0, 1.0, 2.0]), "counts": np.array([1, 2])}
    with pytest.raises(SummaryError, match=message):
        Distribution(**(given | options))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-6, 9), min_size=2, max_size=40), st.booleans())
def test_numbers_are_those_of_the_values(whole: list[int], exact: bool) -> None:
    # Values at the middles of bins of width 1, none of which holds 0: a histogram alone loses nothing of them. If the
    # extremes are known, the outermost bins end there, so that their middles are others.
    values = np.array(whole) + 0.5
    found = numbers(counted(values, np.arange(-6.0, 11.0), exact=exact), resamples=0)
    rectified = np.maximum(values, 0).tolist()
    assert found.mean.value == pytest.approx(values.mean())
    assert found.sd.value == pytest.approx(values.std())
    assert found.fires.value == pytest.approx((values > 0).mean())
    if not exact or values.min() > 0:
        assert found.rectified_mean.value == pytest.approx(np.mean(rectified))
        assert found.rectified_sd.value == pytest.approx(np.std(rectified), abs=1e-9)
    if values.std() > 0:
        assert found.skewness.value == pytest.approx(oracle.skewness(values.tolist()), abs=1e-9)
        assert found.kurtosis.value == pytest.approx(oracle.excess_kurtosis(values.tolist()), abs=1e-9)
    else:
        assert found.skewness.value is None
        assert found.kurtosis.value is None
    if sum(rectified) > 0 and not exact:
        assert found.gini.value == pytest.approx(oracle.gini(rectified), abs=1e-9)
        assert found.sparseness.value == pytest.approx(oracle.sparseness(rectified), abs=1e-9)
    elif sum(rectified) == 0:
        assert found.gini.value is None
        assert found.sparseness.value is None


def test_what_was_summed_goes_before_the_histogram() -> None:
    values = np.random.default_rng(0).normal(5, 1, 4000)
    coarse = numbers(counted(values, np.array([0.0, 20.0])), resamples=0)
    assert coarse.mean.value == pytest.approx(values.mean())
    assert coarse.rectified_sd.value == pytest.approx(values.std())
    assert coarse.skewness.value == pytest.approx(skew(values), abs=1e-9)
    assert coarse.kurtosis.value == pytest.approx(kurtosis(values), abs=1e-9)
    assert numbers(counted(values, np.array([0.0, 20.0]), exact=False), resamples=0).mean.value == 10


def test_the_zeros_behind_a_rectifier_stand_at_zero() -> None:
    values = np.maximum(np.random.default_rng(1).normal(-1, 1, 2000), 0)
    for edges in (np.arange(0, 6, 0.5), np.arange(-0.7, 6, 0.5), np.arange(-2, 6.5, 0.5), np.arange(0.5, 6, 0.5)):
        found = numbers(counted(values, edges), resamples=0)
        assert found.fires.value == (values > 0).mean()
        assert found.quantiles["p75"].value == 0
        assert found.gini.value == pytest.approx(oracle.gini(values.tolist()), abs=0.02)
        assert found.sparseness.value == pytest.approx(oracle.sparseness(values.tolist()))


def test_where_zero_lies_within_a_bin_its_values_are_shared_out_evenly() -> None:
    found = numbers(Distribution(np.array([-1.0, 3.0]), np.array([400])), resamples=0)
    assert found.fires.value == pytest.approx(0.75)
    assert found.rectified_mean.value == pytest.approx(0.75 * 1.5)
    assert found.mean.value == pytest.approx(1)


def test_gini_is_the_mean_difference_of_pairs() -> None:
    values = np.random.default_rng(2).exponential(size=60)
    assert gini(values) == pytest.approx(oracle.gini(values.tolist()))
    assert gini([3.0, 3.0, 3.0]) == pytest.approx(0)
    assert gini([0.0, 0.0, 0.0, 7.0]) == pytest.approx(1 - 1 / 4)
    assert gini([0.0, 7.0], [99, 1]) == pytest.approx(1 - 1 / 100)
    assert np.isnan(gini([0.0, 0.0]))
    np.testing.assert_allclose(gini([0.0, 1.0], [[1, 1], [3, 1]]), [1 / 2, 3 / 4])


def test_sparseness_of_a_constant_is_none_and_of_a_spike_nearly_all() -> None:
    assert sparseness(2.0, 4.0) == pytest.approx(0)
    assert sparseness(1 / 100, 1 / 100) == pytest.approx(1 - 1 / 100)
    assert np.isnan(sparseness(0.0, 0.0))


def test_kurtosis_of_a_normal_distribution_is_none() -> None:
    values = np.random.default_rng(3).normal(-3, 2, 40_000)
    found = numbers(counted(values, np.linspace(-12, 6, 181), exact=False), resamples=199)
    low, high = found.kurtosis.interval or (1.0, 0.0)
    assert low < 0 < high
    low, high = found.skewness.interval or (1.0, 0.0)
    assert low < 0 < high


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=60), st.booleans())
def test_quantiles_are_within_a_bin_of_those_of_the_values(drawn: list[float], exact: bool) -> None:
    values = np.array(drawn)
    found = numbers(counted(values, np.linspace(-6, 6, 121), exact=exact), resamples=0)
    for name, share in (("p5", 0.05), ("p50", 0.5), ("p75", 0.75), ("p99", 0.99)):
        below, above = (np.quantile(values, share, method=how) for how in ("inverted_cdf", "higher"))
        assert below - 0.1 <= (found.quantiles[name].value or 0) <= above + 0.1


def test_quantiles_are_linear_within_a_bin() -> None:
    found = numbers(Distribution(np.array([1.0, 2.0, 4.0]), np.array([50, 50])), resamples=0).quantiles
    assert [found[name].value for name in ("p1", "p25", "p50", "p75", "p99")] == pytest.approx([1.02, 1.5, 2, 3, 3.96])


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        (np.full(30, 2.5), np.linspace(0, 5, 11)),
        (np.full(30, -2.5), np.linspace(-5, 0, 11)),
        (np.zeros(30), np.linspace(0, 5, 11)),
        (np.zeros(30), np.linspace(-5, 5, 11)),
        (np.full(30, 7.0), np.linspace(0, 5, 11)),
        (np.full(30, 2.5), np.array([2.0, 3.0])),
        (np.zeros(0), np.linspace(0, 5, 11)),
    ],
    ids=["constant", "negative", "zero at an edge", "zero within", "outside", "one bin", "nothing"],
)
def test_units_that_do_nothing_have_a_description(values: Values, edges: Values) -> None:
    found = describe(counted(values, edges), resamples=19)
    assert found.numbers.count == len(values)
    assert found.tail is None
    assert "a line needs 3 bins" in found.note
    if len(values):
        value = float(values[0])
        assert found.numbers.mean.value == found.numbers.quantiles["p99"].value == value
        assert found.numbers.sd.value == 0
        assert found.numbers.fires.value == float(value > 0)
        assert found.numbers.gini.value == (pytest.approx(0, abs=1e-12) if value > 0 else None)
        assert found.numbers.kurtosis.value is None
    else:
        assert all(number.value is None for _, number in found.numbers.named())
    assert json.loads(json.dumps(record({"post": found}), allow_nan=False))["taps"]["post"]["tail"] is None
    figure({"a:0": found}).canvas.draw()


def test_exponential_values_have_their_scale_within_its_interval() -> None:
    inside = likely = 0
    for seed in range(40):
        values = np.random.default_rng(seed).exponential(3.0, 20_000)
        fit = tail_of(counted(values, np.arange(0, 60, 0.5)))
        low, high = fit.interval or (0.0, 0.0)
        inside += low <= 3 <= high
        likely += abs(fit.likelihood_scale - 3) < 1.96 * fit.likelihood_error
        assert fit.r2 > 0.98
    assert inside >= 33  # of 40, at 95 %
    assert likely >= 34


def test_the_line_is_that_of_least_squares() -> None:
    values = np.random.default_rng(4).exponential(2.0, 5000) - 1
    found = counted(values, np.arange(-2, 30, 0.25))
    chosen = [number for number in range(len(found.counts)) if 0.5 <= found.edges[number] <= 6 and found.counts[number]]
    x = [found.edges[number] + 0.125 for number in chosen]
    y = [float(np.log(found.counts[number] / 5000 / 0.25)) for number in chosen]
    for weighted in (False, True):
        fit = tail_of(found, low=0.5, high=6, weighted=weighted)
        slope, intercept, r2 = oracle.line(x, y, [float(found.counts[n]) if weighted else 1.0 for n in chosen])
        assert fit.slope == pytest.approx(slope)
        assert fit.intercept == pytest.approx(intercept)
        assert fit.r2 == pytest.approx(r2)
        assert fit.scale == pytest.approx(-1 / slope)
        np.testing.assert_allclose(fit.log_density([1.0]), intercept + slope)
    low, high = oracle.slope_interval(x, y, 0.95)
    assert tail_of(found, low=0.5, high=6).interval == pytest.approx((-1 / low, -1 / high))


def test_a_tail_goes_by_itself_from_the_first_bin_above_zero_to_the_first_of_few_values() -> None:
    counts = np.array([900, 800, 400, 200, 100, 50, 24, 30, 26])
    found = Distribution(np.arange(-1.0, 9.0), counts)
    fit = tail_of(found, merge=1)
    assert (fit.low, fit.high, fit.bins) == (1, 4, 4)
    assert tail_of(found, merge=1, least=24).high == 7
    assert tail_of(found, low=0).low == 0
    assert tail_of(found, high=7).bins == 7
    lower = Distribution(np.arange(-8.0, 2.0), counts[::-1].copy())
    fit = tail_of(lower, merge=1, high=-1)
    assert (fit.low, fit.high, fit.rises) == (-5, -1, True)


def test_bins_are_merged_as_far_as_twelve_are_left() -> None:
    values = np.random.default_rng(13).exponential(1.0, 20_000)
    fine = counted(values, np.arange(0, 16, 0.01))
    fit, single = tail_of(fine), tail_of(fine, merge=1)
    assert fit.merged > 1
    assert 12 <= fit.bins < 30
    assert fit.high > 2 * single.high  # where single bins run out of values, wider ones go on
    assert fit.scale == pytest.approx(1, abs=0.05)
    assert tail_of(fine.merged(fit.merged, 1), merge=1, low=0.01).scale == fit.scale
    assert (fit.low, single.low) == (0.01, 0.01)
    assert tail_of(fine, low=0.01, high=3).merged == 1
    few = tail_of(counted(values[:300], np.arange(0, 16, 0.01)))
    assert 3 <= few.bins < 12
    assert few.scale == pytest.approx(1, abs=0.3)
    lower = tail_of(counted(-values, np.arange(-16, 0.005, 0.01)), high=-0.02)
    assert lower.merged == fit.merged
    assert lower.scale == pytest.approx(1, abs=0.05)


def test_merged_bins_hold_what_was_in_them() -> None:
    found = Distribution(np.arange(0.0, 8.0), np.arange(7), under=1, over=2, fires=9).merged(2, 1)
    assert found.edges.tolist() == [1, 3, 5, 7]
    assert found.counts.tolist() == [3, 7, 11]
    assert (found.under, found.over, found.count, found.fires) == (1, 2, 24, 9)
    assert Distribution(np.arange(0.0, 8.0), np.arange(7)).merged(3).over == 6
    with pytest.raises(SummaryError, match="2 bins cannot be merged by 3"):
        found.merged(3, 1)


def test_the_two_ends_of_a_mirrored_distribution_have_the_same_tails() -> None:
    values = np.random.default_rng(5).laplace(0, 2, 20_000)
    edges = np.arange(-40, 40.5, 0.5)
    up = tail_of(counted(values, edges, exact=False), low=1, high=9, thresholds=[1, 3])
    down = tail_of(counted(-values, edges, exact=False), low=-9.5, high=-1.5, thresholds=[-1, -3])
    assert down.scale == pytest.approx(up.scale, rel=1e-9)
    assert down.slope == pytest.approx(-up.slope, rel=1e-9)
    assert down.interval == pytest.approx(up.interval)
    assert down.likelihood_scale == pytest.approx(up.likelihood_scale)
    assert [value for _, value in down.mean_excess] == pytest.approx([value for _, value in up.mean_excess])


def test_why_there_is_no_tail() -> None:
    found = Distribution(np.arange(0.0, 6.0), np.array([9, 40, 0, 50, 60]))
    assert fit_tail(found) == "a line needs 3 bins, and of those above 0 1 can be used"
    assert fit_tail(found, low=1, high=2) == "a line needs 3 bins, and of those from 1 to 2 1 can be used"
    assert fit_tail(found, low=8) == "a line needs 3 bins, and of those from 8 up none can be used"
    assert fit_tail(found, low=1, high=4) == "the density does not fall from 1 to 4"
    with pytest.raises(SummaryError, match="cannot begin at 4 and end at 1"):
        fit_tail(found, low=4, high=1)


def test_a_line_that_might_be_level_has_no_interval() -> None:
    assert tail_of(Distribution(np.arange(0.0, 6.0), np.array([9, 60, 40, 90, 45])), low=1).interval is None


@pytest.mark.parametrize("scale", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("edges", [np.linspace(2, 5, 13), np.array([2.0, 2.1, 2.5, 3.5, 5.0])], ids=["even", "uneven"])
def test_the_scale_of_greatest_likelihood_is_found(scale: float, edges: Values) -> None:
    draws = 2 + np.random.default_rng(6).exponential(scale, 4000)
    counts = np.histogram(draws[draws < 5], edges)[0]
    found, error = exponential_scale(edges, counts)
    expected, expected_error = oracle.exponential_fit(edges.tolist(), counts.tolist())
    assert found == pytest.approx(expected, rel=1e-5)
    assert error == pytest.approx(expected_error, rel=1e-3)


def test_the_scale_of_greatest_likelihood_at_its_limits() -> None:
    assert abs(exponential_scale([0, 1, 2, 3], [7, 7, 7])[0]) > 1e6  # level: no scale at all
    rising, falling = exponential_scale([0, 1, 2, 3], [1, 2, 4]), exponential_scale([0, 1, 2, 3], [4, 2, 1])
    assert rising[0] == pytest.approx(-falling[0])
    assert falling[0] == pytest.approx(1 / np.log(2))
    assert np.isnan(exponential_scale([0, 1, 2], [7, 0])).all()
    assert np.isnan(exponential_scale([0, 1, 2], [0, 0])).all()


def test_the_mean_excess_is_that_of_the_values() -> None:
    values = np.random.default_rng(7).gamma(2.0, 1.5, 20_000) - 2
    found = counted(values, np.arange(-2, 20, 0.05))
    for threshold in (-1.0, 0.0, 0.5, 0.51, 3.0):
        assert mean_excess(found, [threshold])[0] == pytest.approx(
            oracle.mean_excess(values.tolist(), threshold), abs=0.01
        )
        assert mean_excess(found, [threshold], lower=True)[0] == pytest.approx(
            oracle.mean_excess((-values).tolist(), -threshold), abs=0.01
        )
    assert np.isnan(mean_excess(found, [1000.0])[0])


def test_shares_have_wilsons_interval() -> None:
    found = numbers(Distribution(np.array([-1.0, 0.0, 1.0]), np.array([9, 1])))
    # Wilson (1927): centre (p + z²/2n)/(1 + z²/n), half width z·sqrt(p(1 - p)/n + z²/4n²)/(1 + z²/n)
    z, p, n = 1.959964, 0.1, 10
    centre, half = (p + z * z / 2 / n), z * np.sqrt(p * (1 - p) / n + z * z / 4 / n**2)
    assert found.fires.interval == pytest.approx(((centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)))


def test_intervals_over_positions_are_those_of_independent_values() -> None:
    values = np.random.default_rng(8).normal(1, 2, 10_000)
    found = numbers(counted(values, np.linspace(-10, 12, 221)), resamples=1999)
    low, high = found.mean.interval or (0.0, 0.0)
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=0.003)
    assert (high - low) / 2 == pytest.approx(1.96 * 2 / 100, rel=0.06)
    low, high = found.sd.interval or (0.0, 0.0)
    assert (high - low) / 2 == pytest.approx(1.96 * 2 / np.sqrt(2 * 10_000), rel=0.1)
    assert found.intervals == "positions"


def test_intervals_lie_about_what_was_summed_and_not_about_the_histogram() -> None:
    values = np.random.default_rng(14).exponential(1.0, 2000)
    edges = np.array([0.0, 2.0, 4.0, 20.0])
    found, coarse = numbers(counted(values, edges)), numbers(counted(values, edges, exact=False), resamples=0)
    for name in ("mean", "sd"):
        low, high = getattr(found, name).interval
        assert low < getattr(found, name).value < high
        assert not low < getattr(coarse, name).value < high
        assert low + high == pytest.approx(2 * getattr(found, name).value, rel=0.02)


def test_the_same_seed_gives_the_same_intervals() -> None:
    found = counted(np.random.default_rng(9).normal(size=500), np.linspace(-5, 5, 41))
    assert numbers(found, seed=3) == numbers(found, seed=3)
    assert numbers(found, seed=3) != numbers(found, seed=4)
    assert numbers(found, resamples=0).mean.interval is None


def test_the_jackknife_leaves_out_one_shard_at_a_time() -> None:
    shards = [np.random.default_rng(seed).laplace(seed % 3, 1, 40 + seed) for seed in range(6)]
    edges = np.linspace(-12, 14, 521)
    parts = [counted(shard, edges) for shard in shards]
    found = numbers(counted(np.concatenate(shards), edges), parts=parts, confidence=0.9)
    lists = [shard.tolist() for shard in shards]
    for name, statistic in (
        ("mean", lambda values: sum(values) / len(values)),
        ("sd", lambda values: oracle.central_moment(values, 2) ** 0.5),
        ("kurtosis", oracle.excess_kurtosis),
        ("skewness", oracle.skewness),
        ("fires", lambda values: sum(x > 0 for x in values) / len(values)),
    ):
        assert getattr(found, name).interval == pytest.approx(oracle.jackknife(lists, statistic, 0.9), rel=1e-6)
    rectified = [[max(x, 0.0) for x in part] for part in lists]
    assert found.gini.interval == pytest.approx(oracle.jackknife(rectified, oracle.gini, 0.9), abs=2e-3)
    assert found.intervals == "shards"


def test_the_jackknife_of_a_tail_leaves_out_one_shard_at_a_time() -> None:
    shards = [np.random.default_rng(seed).exponential(1 + seed % 2, 2000) for seed in range(5)]
    edges = np.arange(0, 30, 0.5)

    def scale(values: Any) -> float:
        return tail_of(counted(np.array(values), edges), low=0.5, high=3).scale

    parts = [counted(shard, edges) for shard in shards]
    fit = tail_of(Distribution.joined(parts), low=0.5, high=3, parts=parts)
    assert fit.interval == pytest.approx(oracle.jackknife([shard.tolist() for shard in shards], scale, 0.95))


def test_intervals_over_shards_hold_where_positions_of_an_image_are_alike() -> None:
    edges = np.linspace(-6, 6, 49)
    held = {"shards": 0, "positions": 0}
    for seed in range(100):
        random = np.random.default_rng(seed)
        shards = [(random.normal(size=(8, 1)) + 0.3 * random.normal(size=(8, 20))).ravel() for _ in range(12)]
        parts = [counted(shard, edges) for shard in shards]
        whole = Distribution.joined(parts)
        for found in (numbers(whole, parts=parts), numbers(whole, resamples=99)):
            low, high = found.mean.interval or (0.0, 0.0)
            held[found.intervals] += low < 0 < high
    assert held["shards"] >= 88
    assert held["positions"] < 60


def test_parts_join_to_what_they_are_parts_of() -> None:
    values = np.random.default_rng(10).normal(-1, 2, 300)
    edges = np.linspace(-4, 4, 17)
    whole, joined = counted(values, edges), Distribution.joined([counted(part, edges) for part in np.split(values, 3)])
    assert whole.moments is not None
    assert joined.moments is not None
    for name in ("count", "mean", "m2", "m3", "m4"):
        assert getattr(joined.moments, name) == pytest.approx(getattr(whole.moments, name))
    np.testing.assert_array_equal(joined.counts, whole.counts)
    for name in ("under", "over", "minimum", "maximum", "fires"):
        assert getattr(joined, name) == getattr(whole, name)
    nothing = counted(np.zeros(0), edges)
    assert Distribution.joined([nothing, whole]).moments == whole.moments
    assert Distribution.joined([whole, counted(values, edges, exact=False)]).moments is None


def test_parts_that_are_not_the_whole_are_refused() -> None:
    edges = np.arange(0.0, 9.0)
    part = Distribution(edges, np.array([90, 80, 60, 50, 40, 30, 27, 26]))
    whole = Distribution.joined([part, part])
    with pytest.raises(SummaryError, match="the parts hold 403 values and the whole 806; give every part once"):
        numbers(whole, parts=[part, replace(part, counts=part.counts * 0)])
    with pytest.raises(SummaryError, match="the parts together are not the distribution"):
        fit_tail(whole, parts=[part, part, part])
    for function in (numbers, fit_tail):
        with pytest.raises(SummaryError, match="must have the same bins"):
            function(whole, parts=[part, replace(part, edges=edges + 1)])
    with pytest.raises(SummaryError, match="no parts to join"):
        Distribution.joined([])


def test_a_unit_of_a_summary() -> None:
    values = np.random.default_rng(11).normal([0, -1, 3], [1, 2, 0], (500, 3)).T
    bins = Bins.around(values.min(1), values.max(1), values.mean(1), count=72)
    counts = np.stack([np.histogram(row, edges)[0] for row, edges in zip(values, bins.edges, strict=True)])
    powers = np.stack([((values - bins.pivot[:, None]) ** k).sum(axis=1) for k in (1, 2, 3, 4)], axis=1)
    none = np.zeros(3, np.int64)
    summary = replace(
        Summary.empty(bins),
        moments=Moments(bins.pivot, none + 500, powers),
        histogram=Histogram(bins, counts, none, none),
        minimum=values.min(axis=1).astype(np.float32),
        maximum=values.max(axis=1).astype(np.float32),
        fires=(values > 0).sum(axis=1),
        invalid=none + 2,
    )
    for unit in range(3):
        found = numbers(Distribution.of(summary, unit), resamples=0)
        assert found.mean.value == pytest.approx(values[unit].mean())
        assert found.sd.value == pytest.approx(values[unit].std(), abs=1e-6)
        assert found.fires.value == (values[unit] > 0).mean()
        assert found.quantiles["p25"].value == pytest.approx(np.quantile(values[unit], 0.25), abs=0.2)
        assert found.invalid == 2
    assert numbers(Distribution.of(summary, 2), resamples=0).kurtosis.value is None
    with pytest.raises(SummaryError, match="has units 0 to 2; there is no unit 3"):
        Distribution.of(summary, 3)
    assert numbers(Distribution.of(Summary.empty(bins), 0)).mean.value is None


def test_a_summary_without_a_width_has_bins_all_the_same() -> None:
    one = np.array([5])
    summary = SimpleNamespace(
        histogram=SimpleNamespace(
            low=np.array([1e9]), width=np.array([0.0]), counts=np.array([[5, 0]]), under=one * 0, over=one * 0
        ),
        moments=SimpleNamespace(count=one, mean=np.array([1e9]), m2=one * 0.0, m3=one * 0.0, m4=one * 0.0),
        minimum=np.array([1e9]), maximum=np.array([1e9]), fires=one, invalid=one * 0,
    )  # fmt: skip
    found = numbers(Distribution.of(summary, 0))
    assert (found.mean.value, found.sd.value, found.gini.value) == (1e9, 0, 0)


@pytest.fixture
def described() -> dict[str, Description]:
    values = np.maximum(np.random.default_rng(12).laplace(-1, 1, 5000), 0)
    dead = Distribution(np.array([0.0, 1.0, 2.0]), np.array([50, 0]), minimum=0.0, maximum=0.0, fires=0)
    return {
        "a:1": describe(counted(values, np.arange(0, 15, 0.2)), resamples=49),
        "a:2": describe(dead, resamples=49),
    }


def test_a_record_holds_what_a_unit_page_shows(described: dict[str, Description]) -> None:
    content = json.loads(json.dumps(record({"post": described["a:1"], "pre": described["a:2"]}), allow_nan=False))
    assert set(content) == {"taps"}
    assert set(content["taps"]) == {"pre", "post"}
    one, two = content["taps"]["post"], content["taps"]["pre"]
    assert one["count"] == 5000
    assert set(one["fires"]) == {"value", "interval"}
    assert one["fires"]["interval"][0] < one["fires"]["value"] < one["fires"]["interval"][1]
    assert len(one["histogram"]["edges"]) == len(one["histogram"]["counts"]) + 1
    assert sum(one["histogram"]["counts"]) == 5000
    assert len(one["density"]["x"]) == len(one["density"]["log"]) == len(one["histogram"]["counts"])
    assert one["density"]["log"][-1] is None
    assert {"low", "high", "scale", "r2", "interval", "mean_excess"} <= set(one["tail"])
    assert one["tail"]["mean_excess"][0][0] == pytest.approx(0.2)
    assert (one["confidence"], one["intervals"]) == (0.95, "positions")
    assert two["kurtosis"] is None
    assert two["tail"] is None
    assert two["tail_note"] == "a line needs 3 bins, and of those above 0 none can be used"


def test_a_written_histogram_is_read_again(described: dict[str, Description], tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps(record({"post": described["a:1"]})["taps"]["post"]["histogram"]))
    found, given = read_histogram(tmp_path / "h.json"), described["a:1"].distribution
    np.testing.assert_array_equal(found.counts, given.counts)
    np.testing.assert_array_equal(found.edges, given.edges)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("{", StudyError, "cannot be read"),
        ("[1]", SummaryError, "needs 'bins' and 'heights', or 'edges' and 'counts'"),
        ('{"bins": [0, 1]}', SummaryError, "needs 'bins' and 'heights'"),
        ('{"bins": [0, 1], "heights": ["a", "b"]}', SummaryError, "must be lists of numbers"),
        ('{"bins": [0, 1], "heights": [[1], [2, 3]]}', SummaryError, "must be lists of numbers"),
        ('{"bins": [], "heights": []}', SummaryError, "one finite number for each bin"),
        ('{"bins": [0, 1, 2], "heights": [0.5, 0.25]}', SummaryError, None),
    ],
)
def test_files_that_hold_no_histogram(
    tmp_path: Path, content: str, error: type[Exception], message: str | None
) -> None:
    (tmp_path / "h.json").write_text(content)
    if message is None:
        assert read_histogram(tmp_path / "h.json").counts.tolist() == [2, 1]
        return
    with pytest.raises(error, match=message):
        read_histogram(tmp_path / "h.json")


def test_rows_have_every_number_with_its_interval(described: dict[str, Description]) -> None:
    one, two = rows(described)
    assert (one["unit"], one["count"]) == ("a:1", 5000)
    assert one["fires_low"] < one["fires"] < one["fires_high"]  # type: ignore[operator]
    assert one["tail_scale_low"] < one["tail_scale"] < one["tail_scale_high"]  # type: ignore[operator]
    assert two["tail_scale"] is None
    assert str(two["tail_note"]).startswith("a line needs 3 bins")
    lines = csv_text(described).splitlines()
    assert len(lines) == 3
    assert lines[0].split(",") == list(one)
    assert rich_table(described).row_count == 2


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_figure_is_written(described: dict[str, Description], tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"figure{suffix}"
    save_figure(path, figure(described), {"units": list(described)})
    if suffix == ".svg":
        assert b"<svg" in path.read_bytes()[:1000]
        return
    from PIL import Image

    with Image.open(path) as image:
        assert image.size == (1400, 640)
        assert json.loads(image.info["pellucid"]) == {"units": ["a:1", "a:2"]}


def test_a_figure_shows_the_bars_the_line_and_the_numbers(described: dict[str, Description]) -> None:
    from matplotlib.patches import Rectangle

    one = described["a:1"]
    axes = figure({"a:1": one}).axes
    assert len(axes) == 4
    heights = [bar.get_height() for bar in axes[0].patches if isinstance(bar, Rectangle)]
    assert sum(heights) == pytest.approx(1)
    assert axes[0].get_ylim()[1] < max(heights)  # the zeros' bar is cut off, and says so
    assert "% in one bin" in axes[0].texts[0].get_text()
    assert one.tail is not None
    ends = np.asarray(axes[1].lines[-1].get_xydata())
    assert ends[0] == pytest.approx([one.tail.low + 0.1, float(one.tail.log_density(one.tail.low + 0.1))])
    assert axes[2].lines[0].get_ydata() == pytest.approx([value for _, value in one.tail.mean_excess])
    assert "excess kurtosis" in axes[3].texts[0].get_text()


def test_figures_of_too_many_or_in_other_formats_are_refused(described: dict[str, Description], tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match=r"written as \.png or \.svg, not '\.bmp'"):
        save_figure(tmp_path / "x.bmp", figure(described))
    with pytest.raises(SummaryError, match="1 to 24 distributions, not 25"):
        figure({str(number): described["a:2"] for number in range(25)})
    with pytest.raises(SummaryError, match="1 to 24 distributions, not 0"):
        figure({})


def test_distributions_load_no_torch_and_figures_no_pyplot() -> None:
    script = (
        "import sys, numpy as np\n"
        "from pellucid.activations.distribution import Distribution, describe, figure\n"
        "assert 'matplotlib' not in sys.modules\n"
        "figure({'a': describe(Distribution(np.arange(3.0), np.array([2, 1])))})\n"
        "print(sorted({'torch', 'torchvision', 'timm', 'matplotlib.pyplot'} & set(sys.modules)))\n"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
