"""Intervals have the truth about as often as they say; `benchmarks/recovery.py` looks at many more simulations."""

import numpy as np
import pytest

from pellucid.causal.analysis import People, contrast_of, crossed_bootstrap, estimate, fit_mixed, score

TRUTH = People({"optimized": 0.67, "none": 0.60}, person_sd=0.26, unit_sd=0.94)
SIMULATIONS = 60


@pytest.fixture(scope="module")
def hits() -> dict[str, int]:
    """How often each kind of interval has the truth that it is for."""
    contrast, logits = contrast_of("optimized", "none"), TRUTH.logits
    counts: dict[str, int] = dict.fromkeys(
        ("difference", "accuracy", "t", "logit difference", "logit", "model accuracy"), 0
    )
    for number in range(SIMULATIONS):
        trials = TRUTH.trials(50, 18, np.random.default_rng([20, number]))
        model = fit_mixed(trials)
        fitted = {name: model.contrast(some) for name, some in (("both", contrast), ("none", contrast_of("none")))}
        intervals = {
            "difference": (crossed_bootstrap(trials, contrast, resamples=400, seed=number).interval(), 0.07),
            "accuracy": (crossed_bootstrap(trials, contrast_of("none"), resamples=400, seed=number).interval(), 0.60),
            "t": (estimate(score(trials, contrast)).interval(), 0.07),
            "logit difference": ((fitted["both"].low, fitted["both"].high), logits["optimized"] - logits["none"]),
            "logit": ((fitted["none"].low, fitted["none"].high), logits["none"]),
            "model accuracy": (model.accuracy["none"][1:], 0.60),
        }
        for name, ((low, high), truth) in intervals.items():
            counts[name] += low <= truth <= high
    return counts


def test_intervals_have_the_truth_in_about_95_of_100(hits: dict[str, int]):
    # Of 60 intervals that are right with 95 %, fewer than 51 have the truth once in 400 times. An interval over people
    # alone has a condition's truth in some 45 of 100.
    assert min(hits.values()) >= 51, hits


def test_the_difference_is_not_bought_with_intervals_that_are_too_wide():
    errors, values = [], []
    for number in range(150):
        trials = TRUTH.trials(50, 18, np.random.default_rng([21, number]))
        found = estimate(score(trials, contrast_of("optimized", "none")))
        values.append(found.value)
        errors.append(found.error)
    # The mean error is the spread of estimates: a pigeonhole bootstrap's would be 1.6 times that.
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.18)
