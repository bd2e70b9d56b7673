"""The published answers of the two-choice experiment give back the published figures."""

from pathlib import Path
from typing import Any

import pytest

from pellucid.causal.analysis import Analysis, accuracies, analyze, people_bootstrap
from pellucid.causal.responses import Responses, published_two_choice


@pytest.fixture(scope="module")
def published(shared_data: Path) -> Responses:
    return published_two_choice(shared_data / "two-choice-answers" / "experiment_I_trials.csv")


@pytest.fixture(scope="module")
def analysis(published: Responses) -> Analysis:
    return analyze(published, permutations=20)


def rounded(value: float, digits: int = 2) -> float:
    return round(value, digits)


def test_accuracy(analysis: Analysis):
    found = {one.condition: (rounded(100 * one.accuracy), rounded(100 * one.two_sem)) for one in analysis.accuracy}
    assert found == {"optimized": (82.00, 4.05), "natural": (92.22, 1.69), "none": (43.11, 5.77)}
    assert analysis.kept == analysis.people == 10
    assert {one.condition: rounded(one.accuracy, 3) for one in analysis.catch} == {"optimized": 0.989, "natural": 0.989}


def test_reaction_times(analysis: Analysis):
    found = {(one.condition, one.answers): (rounded(one.mean), rounded(one.two_sem)) for one in analysis.reaction_times}
    assert found["optimized", "all"] == (10.58, 2.87)
    assert found["natural", "all"] == (6.88, 1.33)
    assert found["optimized", "right"] == (9.70, 2.77)
    assert found["natural", "right"] == (6.60, 1.36)
    assert found["optimized", "wrong"] == (14.24, 3.87)
    assert found["natural", "wrong"] == (10.38, 2.27)


def test_confidence(analysis: Analysis):
    found = {one.condition: one for one in analysis.confidence if one.answers == "all"}
    assert [rounded(share, 3) for share in found["natural"].shares] == [0.129, 0.249, 0.622]
    assert [rounded(share, 3) for share in found["optimized"].shares] == [0.344, 0.360, 0.296]
    assert (rounded(found["natural"].mean), rounded(found["optimized"].mean)) == (2.49, 1.95)


def test_branches_of_random_and_hand_picked_units(published: Responses):
    main: Any = published.main
    parts = {
        sampling: {
            (one.condition, one.group): rounded(one.accuracy, 3)
            for one in accuracies(main[main["sampling"] == sampling], "branch")
        }
        for sampling in ("random", "hand-picked")
    }
    branches = ("1x1", "3x3", "5x5", "pool")
    assert [parts["random"]["natural", one] for one in branches] == [0.956, 0.922, 0.889, 0.911]
    assert [parts["random"]["optimized", one] for one in branches] == [0.844, 0.833, 0.756, 0.789]
    assert parts["hand-picked"]["natural", "pool"] == 0.933
    assert parts["hand-picked"]["optimized", "pool"] == 0.878


def test_repeated_trials(analysis: Analysis):
    found = {one.condition: (one.trials, rounded(one.same, 3)) for one in analysis.repeated}
    assert found == {"natural": (60, 0.883), "optimized": (60, 0.817), "none": (60, 0.5)}


def test_the_difference_of_natural_and_optimized(analysis: Analysis, published: Responses):
    (found,) = (one for one in analysis.differences if {one.first, one.second} == {"natural", "optimized"})
    assert (found.first, rounded(found.estimate.value, 3)) == ("optimized", -0.102)
    assert found.people.paired
    assert found.people.rank_p is not None
    assert found.people.t_p is not None
    assert (rounded(found.people.rank_p, 4), rounded(found.people.t_p, 4)) == (0.0039, 0.0023)
    assert found.gee is not None
    assert (rounded(-found.gee.value, 3), rounded(found.gee.error, 3)) == (0.957, 0.195)
    # 10 values drawn again give few different means: the ends move by one step of the mean, 1 / 450.
    main: Any = published.main
    by_person = main.groupby(["condition", "participant"])["correct"].mean()
    gaps = (by_person["natural"] - by_person["optimized"]).to_numpy()
    assert people_bootstrap(gaps, resamples=20_000) == pytest.approx((0.058, 0.149), abs=0.003)
    assert (-found.people.high, -found.people.low) == pytest.approx((0.058, 0.149), abs=0.005)
    # Units are few and differ: an interval over both people and units is the wider one.
    assert found.high - found.low > found.people.high - found.people.low
    assert found.logit.error > found.gee.error
    assert not found.equivalence.equivalent


def test_two_conditions_alone_have_the_mixed_effect_of_another_estimator(published: Responses):
    frame: Any = published.frame
    two = Responses.of(frame[frame["condition"] != "none"])
    found = analyze(two, resamples=50, permutations=5)
    # A variational posterior of the same model, which a prior keeps from a spread of people near 0, gives 1.068
    # (SD .182), people .263 and units .943.
    assert -found.differences[0].logit.value == pytest.approx(1.068, abs=0.1)
    assert found.differences[0].logit.error > 0.182
    assert found.person_sd is not None
    assert found.unit_sd is not None
    assert found.unit_sd == pytest.approx(0.943, abs=0.05)
    assert found.person_sd < found.unit_sd / 2
