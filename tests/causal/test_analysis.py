import dataclasses
import json
import math
import subprocess
import sys
import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

import oracles_answers as oracle
from answers import answers, participants
from pellucid.causal.analysis import (
    Estimate,
    People,
    Trials,
    accuracies,
    agreements,
    analyze,
    cohen_kappa,
    contrast_of,
    crossed_bootstrap,
    difficulties,
    estimate,
    exclude,
    figures,
    fit_mixed,
    gee,
    marginal,
    markdown,
    people_test,
    power,
    power_sheet,
    score,
    sheets,
    sides,
    tost,
    two_sem,
)
from pellucid.causal.responses import Responses
from pellucid.errors import PellucidError
from pellucid.study.experiments import Answer, Observed
from pellucid.study.experiments.settings import Exclusion

NO_RULES = Exclusion(None, None, None, None, None, None, None, False)


def table(seed: int = 0, people: int = 7, units: int = 5) -> tuple[list[list[float]], Trials]:
    """A table of people by units, and the same as trials of one condition."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(0.5, 1, (people, 1)) - rng.normal(0, 1.5, units)))
    right = (rng.random((people, units)) < p).astype(float)
    person, unit = np.indices(right.shape).reshape(2, -1)
    return right.tolist(), Trials(right.ravel(), person, unit, np.zeros(person.size, np.int64), ("none",))


def test_two_sem_divides_by_the_number_of_people():
    values = [0.5, 0.75, 0.25, 1.0]
    assert two_sem(values) == pytest.approx(oracle.two_sem(values))
    assert two_sem(values)[1] == pytest.approx(2 * np.std(values, ddof=0) / 2)


@pytest.mark.parametrize(("right", "printed"), [(602, 67), (600, 67), (606, 67), (592, 66), (540, 60)])
def test_published_totals_are_printed_as_published(right: int, printed: int):
    correct = np.arange(900) < right
    frame = pd.DataFrame(
        {"condition": "natural", "participant": np.tile(np.arange(50), 18), "unit": "a:1", "correct": correct}
    )
    (found,) = accuracies(frame)
    assert (found.right, found.trials, found.people) == (right, 900, 50)
    assert f"{found.accuracy:.0%}" == f"{printed}%"


# Errors over people and units


@pytest.mark.parametrize("seed", range(8))
def test_errors_over_people_and_units_are_those_of_the_analysis_of_variance(seed: int):
    rows, trials = table(seed)
    found = estimate(score(trials, {"none": 1.0}))
    assert found.value == pytest.approx(np.mean(rows))
    assert found.error**2 == pytest.approx(oracle.anova_variance(rows))
    assert found.person_part + found.unit_part + found.rest == pytest.approx(1)


def test_a_shift_of_a_condition_moves_its_difference_and_no_error():
    trials = People({"natural": 0.7, "none": 0.6}, within=True).trials(8, 9, np.random.default_rng(1))
    moved = dataclasses.replace(trials, right=trials.right + 3.0 * (trials.condition == 0))
    one, two = (estimate(score(some, contrast_of("natural", "none"))) for some in (trials, moved))
    assert two.value == pytest.approx(one.value + 3)
    assert two.error == pytest.approx(one.error)


def test_what_all_answer_alike_in_both_conditions_does_not_blur_their_difference():
    trials = People({"natural": 0.7, "none": 0.6}, within=True).trials(8, 9, np.random.default_rng(2))
    easier = np.random.default_rng(0).normal(0, 5, 9)[trials.unit]
    one = estimate(score(trials, contrast_of("natural", "none")))
    two = estimate(score(dataclasses.replace(trials, right=trials.right + easier), contrast_of("natural", "none")))
    assert two.error == pytest.approx(one.error)
    alone = estimate(score(dataclasses.replace(trials, right=trials.right + easier), contrast_of("none")))
    assert alone.error > 1
    assert alone.unit_part > 0.95


def test_a_design_with_gaps_has_nearly_the_errors_of_the_whole_one():
    trials = People({"natural": 0.7, "none": 0.6}, unit_sd=2).trials(60, 20, np.random.default_rng(3))
    kept = np.random.default_rng(4).random(len(trials.right)) < 0.8
    part = Trials(trials.right[kept], trials.person[kept], trials.unit[kept], trials.condition[kept], trials.conditions)
    easier = dataclasses.replace(part, right=part.right + np.random.default_rng(0).normal(0, 5, 20)[part.unit])
    assert score(easier, contrast_of("none")).people == pytest.approx(score(part, contrast_of("none")).people, abs=1e-6)
    for contrast in (contrast_of("none"), contrast_of("natural", "none")):
        whole, some = (estimate(score(one, contrast)) for one in (trials, part))
        assert some.error == pytest.approx(whole.error, rel=0.2)
        assert abs(some.value - whole.value) < whole.error


@pytest.mark.parametrize(("people", "units"), [(1, 6), (6, 1)])
def test_errors_need_two_people_and_two_units(people: int, units: int):
    _, trials = table(0, people, units)
    with pytest.raises(PellucidError, match=f"there are {people} people and {units} units"):
        estimate(score(trials, {"none": 1.0}))
    with pytest.raises(PellucidError, match="no answers in condition 'mixed'"):
        score(table()[1], {"mixed": 1.0})


def test_errors_need_people_who_answered_about_the_same_units():
    trials = Trials(np.array([1.0, 0, 1]), np.arange(3), np.arange(3), np.zeros(3, np.int64), ("none",))
    with pytest.raises(PellucidError, match="several of the same units"):
        score(trials, {"none": 1.0})


def test_the_bootstrap_draws_what_the_estimate_says():
    _, trials = table(5, 30, 30)
    draws = crossed_bootstrap(trials, {"none": 1.0}, resamples=4000, seed=1)
    assert draws.moved.std() == pytest.approx(draws.of.error, rel=0.05)
    assert draws.t.std() == pytest.approx(stats.t.std(draws.of.df), rel=0.12)
    low, high = draws.interval()
    assert (low, high) == pytest.approx(draws.of.interval(), abs=0.25 * draws.of.error)
    again = crossed_bootstrap(trials, {"none": 1.0}, resamples=4000, seed=1)
    assert again.interval() == (low, high)
    with pytest.raises(PellucidError, match="two draws or more, not 1"):
        crossed_bootstrap(trials, {"none": 1.0}, resamples=1)


# The mixed model


def test_the_marginal_accuracy_is_the_mean_over_people_and_units():
    for logit, spread in ((0.0, 1.0), (1.3, 0.5), (-0.7, 2.0)):
        assert marginal(logit, spread) == pytest.approx(oracle.marginal(logit, spread), abs=1e-6)
    for accuracy in (0.05, 0.6, 0.99):
        model = People({"none": accuracy}, 0.3, 1.2, 0.4)
        spread = math.sqrt(0.3**2 + 1.2**2 + 0.4**2)
        assert oracle.marginal(model.logits["none"], spread) == pytest.approx(accuracy, abs=1e-6)


def test_the_likelihood_is_laplaces_approximation_of_the_integral():
    from pellucid.causal.analysis.laplace import PRIOR_SD, Problem

    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(6), 40)
    condition = np.zeros(240, np.int64)
    right = (rng.random(240) < np.repeat(rng.uniform(0.3, 0.9, 6), 40)).astype(float)
    trials = Trials(right, person, np.zeros(240, np.int64), condition, ("none",))
    problem = Problem(trials)
    sds = np.array([0.8, 0.0])
    found = problem.log_likelihood(sds)
    # The conditions are integrated out as well: by the trapezoid rule over their prior, which leaves out the normals'
    # own constants as Laplace's approximation does.
    grid = np.linspace(-2, 4, 121)
    inner = [oracle.laplace(right, person, trials.unit, condition, [b], 0.8, 0.0, nodes=80) for b in grid]
    height = np.array(inner) - 0.5 * (grid / PRIOR_SD) ** 2
    exact = height.max() + math.log(np.exp(height - height.max()).sum() * (grid[1] - grid[0]) / math.sqrt(2 * math.pi))
    assert found == pytest.approx(exact, abs=0.06)


def test_without_spread_the_mixed_model_is_a_logistic_regression():
    rng = np.random.default_rng(1)
    trials = People({"natural": 0.8, "none": 0.5}, 0.0, 0.0).trials(40, 20, rng)
    # Answers shuffled within conditions, so that people and units have nothing of their own.
    model = fit_mixed(trials)
    for name in trials.conditions:
        share = trials.mean(name)
        fitted = model.contrast(contrast_of(name))
        assert model.accuracy[name][0] == pytest.approx(share, abs=0.01)
        if model.person_sd < 0.05 and model.unit_sd < 0.05:
            assert fitted.value == pytest.approx(math.log(share / (1 - share)), abs=0.01)
    assert model.person_sd < 0.25
    assert model.unit_sd < 0.25


def test_the_mixed_model_finds_what_the_answers_were_drawn_from():
    truth = People({"natural": 0.8, "none": 0.55}, 0.5, 1.0)
    model = fit_mixed(truth.trials(200, 60, np.random.default_rng(2)))
    logits = truth.logits
    effect = model.contrast(contrast_of("natural", "none"))
    assert effect.value == pytest.approx(logits["natural"] - logits["none"], abs=3 * effect.error)
    assert effect.error < 0.1
    assert model.person_sd == pytest.approx(0.5, abs=0.08)
    assert model.unit_sd == pytest.approx(1.0, abs=0.3)
    assert effect.low < effect.value < effect.high
    assert effect.p < 1e-6


def test_a_condition_without_a_mistake_has_a_finite_logit():
    trials = People({"natural": 0.7, "none": 0.6}).trials(10, 8, np.random.default_rng(3))
    right = np.where(trials.condition == 0, 1.0, trials.right)
    model = fit_mixed(dataclasses.replace(trials, right=right))
    assert 3 < model.contrast(contrast_of("natural")).value < 30


def test_the_mixed_model_agrees_with_a_variational_posterior_but_for_its_error():
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    trials = People({"natural": 0.8, "none": 0.6}, 0.5, 1.0).trials(20, 10, np.random.default_rng(4))
    design = np.column_stack([np.ones(len(trials.right)), trials.condition == 0]).astype(float)
    intercepts = np.hstack([np.eye(40)[trials.person], np.eye(10)[trials.unit]])
    model = BinomialBayesMixedGLM(trials.right, design, intercepts, np.repeat([0, 1], [40, 10]), vcp_p=3, fe_p=10)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        theirs = model.fit_vb(rng=np.random.default_rng(0))
    ours = fit_mixed(trials).contrast(contrast_of("natural", "none"))
    assert ours.value == pytest.approx(theirs.fe_mean[1], rel=0.1)
    assert theirs.fe_sd[1] < ours.error  # it takes intercepts and conditions as independent


def test_units_that_differ_in_the_effect_widen_its_interval_if_they_may():
    truth = People({"natural": 0.7, "none": 0.6}, 0.3, 0.9, interaction_sd=0.8)
    trials = truth.trials(60, 18, np.random.default_rng(5))
    one, two = fit_mixed(trials), fit_mixed(trials, varying=True)
    assert one.varying_sd == 0
    assert two.varying_sd == pytest.approx(0.8, abs=0.3)
    assert two.log_likelihood > one.log_likelihood + 5
    errors = [model.contrast(contrast_of("natural", "none")).error for model in (one, two)]
    assert errors[1] > 1.5 * errors[0]


# Tests of differences


def test_equivalence_is_a_90_percent_interval_within_the_bounds():
    for value in np.linspace(-0.08, 0.08, 17):
        one = Estimate(float(value), 0.012, 40.0, 0.5, 0.3, 0.2)
        found = tost(one, 0.05)
        inside = found.low > -0.05 and found.high < 0.05
        assert found.equivalent == inside == (found.p < 0.05)
        assert (found.low, found.high) == pytest.approx(one.interval(0.9))
    assert tost(Estimate(0.0, 0.0, 9.0, 0, 0, 0), 0.05).equivalent
    with pytest.raises(PellucidError, match="must be above 0, not 0"):
        tost(Estimate(0.0, 0.1, 9.0, 0, 0, 0), 0)


def p_of(result: Any) -> float:
    return float(result.pvalue)


def test_people_are_paired_where_all_saw_both():
    within = People({"natural": 0.8, "none": 0.6}, within=True).frame(12, 10)
    between = People({"natural": 0.8, "none": 0.6}).frame(12, 10)
    paired, unpaired = (people_test(one, "natural", "none") for one in (within, between))
    assert paired.paired
    assert not unpaired.paired
    gap: Any = within[within["condition"] == "natural"].groupby("participant")["correct"].mean()
    gap -= within[within["condition"] == "none"].groupby("participant")["correct"].mean()
    assert paired.t_p == pytest.approx(p_of(stats.ttest_1samp(gap, 0)))
    assert paired.low < gap.mean() < paired.high
    one = between[between["condition"] == "natural"].groupby("participant")["correct"].mean()
    two = between[between["condition"] == "none"].groupby("participant")["correct"].mean()
    assert unpaired.t_p == pytest.approx(p_of(stats.ttest_ind(one, two, equal_var=False)))
    assert unpaired.rank_p == pytest.approx(p_of(stats.mannwhitneyu(one, two)))
    same = people_test(within.assign(correct=True), "natural", "none")
    assert (same.rank_p, same.t_p, same.low, same.high) == (None, None, 0, 0)
    with pytest.raises(PellucidError, match="need two people in each, not 1 and 12"):
        people_test(between[between["participant"].isin(["person-0000", *two.index])], "natural", "none")


def test_estimating_equations_need_right_and_wrong_answers():
    frame = People({"natural": 0.8, "none": 0.6}).frame(20, 10)
    found = gee(frame, "natural", "none")
    assert found is not None
    means = frame.groupby("condition")["correct"].mean()
    odds = means / (1 - means)
    assert found.value == pytest.approx(math.log(odds["natural"] / odds["none"]), abs=1e-6)
    assert gee(frame.assign(correct=frame["correct"] | (frame["condition"] == "natural")), "natural", "none") is None


# Agreement


def test_kappa_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, two = rng.integers(0, 2, (2, 18))
        assert cohen_kappa(one, two) == pytest.approx(cohen_kappa_score(one, two))
        assert cohen_kappa(one, two) == pytest.approx(oracle.kappa(one.tolist(), two.tolist()))
        assert cohen_kappa(one, one) == pytest.approx(1)
    assert math.isnan(cohen_kappa([1, 1], [1, 1]))
    with pytest.raises(PellucidError, match="as many answers as answers"):
        cohen_kappa([1, 0], [1])


def test_independent_people_do_not_agree_and_people_who_know_the_units_do():
    apart = agreements(People({"none": 0.6}, unit_sd=0).frame(50, 18), permutations=200)
    together = agreements(People({"none": 0.6}, unit_sd=3).frame(50, 18), permutations=200)
    assert abs(apart[0].kappa) < 0.07
    assert apart[0].p > 0.05
    assert apart[0].pairs == 50 * 49 / 2
    assert together[0].kappa > 0.3
    assert together[0].p < 0.01


def test_agreement_is_on_what_both_saw_and_never_with_oneself():
    frame = People({"natural": 0.7, "none": 0.6}, within=True).frame(4, 12)
    # Two people saw one half of the stimuli, two the other.
    number = frame["participant"].str[-1].astype(int)
    half = frame["stimulus"].map(lambda text: int(text, 16)) < 6
    found = agreements(frame[half == (number < 2)], permutations=20)
    assert {(one.first, one.second): one.pairs for one in found} == {
        ("natural", "natural"): 2,
        ("natural", "none"): 4,
        ("none", "none"): 2,
    }
    rows = frame[half == (number < 2)].pivot(index="participant", columns=["condition", "stimulus"], values="correct")
    expected = []
    for one, two in ((0, 1), (2, 3)):
        pair = rows["none"].iloc[[one, two]].dropna(axis=1).astype(int)
        expected.append(oracle.kappa(pair.iloc[0].tolist(), pair.iloc[1].tolist()))
    of_none = next(one for one in found if one.first == one.second == "none")
    assert of_none.kappa == pytest.approx(np.mean(expected))


def test_an_observer_that_answers_as_a_person_does_agrees_and_ties_do_not_count():
    frame = People({"none": 0.6}, within=True).frame(2, 10, seed=3)
    first = frame[frame["participant"] == "person-0000"]
    said = [Answer(row["stimulus"], "none", float(row["correct"])) for _, row in first.iterrows()]
    twin = Observed("twin", (*said[:9], dataclasses.replace(said[9], right=0.5)), {}, "")
    opposite = Observed("opposite", tuple(dataclasses.replace(one, right=1 - one.right) for one in said), {}, "")
    found = {(one.first, one.second): one for one in agreements(first, [twin, opposite], permutations=50)}
    assert found["none", "twin in none"].kappa == pytest.approx(1)
    assert found["none", "opposite in none"].kappa < 0
    assert found["twin in none", "opposite in none"].pairs == 1
    assert ("none", "none") not in found  # nobody to compare with


# Sides, difficulty


def test_who_always_chooses_left_has_no_sensitivity_but_a_side():
    frame = answers(20, choice="left").query("kind == 'main'")
    for one in sides(frame):
        assert one.left == one.trials
        assert one.p < 1e-10
        assert abs(one.d_prime) < 0.5
        assert one.criterion < -1.5
    fair = sides(answers(20, right=0.8).query("kind == 'main'"))
    for one in fair:
        assert one.p > 0.01
        assert one.d_prime == pytest.approx(math.sqrt(2) * stats.norm.ppf(0.8), abs=0.5)
        assert abs(one.criterion) < 0.3


def test_a_rising_psychometric_function_is_found():
    rng = np.random.default_rng(0)
    x = np.tile(np.geomspace(0.05, 1.6, 60), 40)
    p = 1 / (1 + np.exp(-(1.5 + 0.6 * np.log2(x))))
    frame = pd.DataFrame(
        {
            "condition": "natural", "participant": np.repeat(np.arange(40), 60).astype(str), "relative_difference": x,
            "stimulus": np.tile(np.arange(60), 40).astype(str), "correct": rng.random(x.size) < p, "unit": "a:1",
            "image_set": 0,
        }
    )  # fmt: skip
    (found,) = difficulties(frame)
    assert [one.stimuli for one in found.bins] == [12] * 5
    assert all(one.high < two.low for one, two in pairwise(found.bins))
    assert found.slope == pytest.approx(0.6, abs=0.15)
    assert found.intercept == pytest.approx(1.5, abs=0.25)
    assert found.threshold == pytest.approx(2 ** ((math.log(3) - 1.5) / 0.6), rel=0.3)
    assert found.spearman is not None
    assert found.spearman > 0.7
    assert found.bins[0].accuracy < found.bins[-1].accuracy - 0.2
    (flat,) = difficulties(frame.assign(correct=True))
    assert (flat.slope, flat.spearman, flat.threshold) == (None, None, None)


# Exclusion


def test_who_always_chooses_left_is_rejected():
    frame = answers(choice="left", catch=1)
    found = exclude(Responses.of(frame), Exclusion(catch_ratio=None))
    assert found.kept == ()
    assert found.by_rule["side_variability"]["failed"] == 12
    once = frame.copy()
    for name in once["participant"].unique():  # who chose the other side once is not
        row = once[(once["participant"] == name) & (once["kind"] == "main")].index[0]
        once.loc[row, "choice"] = "right"
        once.loc[row, "correct"] = once.loc[row, "side"] == "right"
    assert len(exclude(Responses.of(once), Exclusion(catch_ratio=None)).kept) == 12


def test_half_of_those_who_guess_fail_the_catch_trials():
    frame = answers(200, 6, conditions=("none",), right=0.5, catch=0.5)
    failed = exclude(Responses.of(frame)).by_rule["catch_ratio"]["failed"]
    assert abs(failed - 100) < 4 * math.sqrt(200) / 2  # two of three right: one half
    assert exclude(Responses.of(answers())).by_rule["catch_ratio"]["failed"] == 0


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"total_s": 89.0}, "least_total_s"),
        ({"total_s": 901.0}, "most_total_s"),
        ({"instruction_s": 14.9}, "least_instruction_s"),
        ({"practice_rounds": 6}, "most_practice_rounds"),
        ({"duplicate": True}, "duplicates"),
        ({"state": "main"}, "unfinished"),
    ],
)
def test_each_rule_finds_who_fails_it_alone(columns: dict[str, object], rule: str):
    frame = answers(right=0.6, units=20)
    people = participants(frame)
    for name, value in columns.items():
        people[name] = people[name].astype(object)
        people.loc[2, name] = value
    found = exclude(Responses.of(frame, people))
    assert [one.participant for one in found.checked if one.failed] == ["optimized-2"]
    assert found.checked[2].failed == (rule,)
    assert found.by_rule[rule] == {"failed": 1, "alone": 1, "unknown": 0}
    assert len(found.kept) == 11


def test_limits_themselves_pass():
    frame = answers(units=20)
    people = participants(frame, total_s=90.0, instruction_s=15.0, practice_rounds=5)
    assert len(exclude(Responses.of(frame, people)).kept) == 12
    assert len(exclude(Responses.of(frame, people.assign(total_s=900.0))).kept) == 12


def test_losing_focus_excludes_only_if_asked():
    frame = answers(units=20)
    people = participants(frame, focus_losses=[0] * 11 + [4])
    assert len(exclude(Responses.of(frame, people)).kept) == 12
    assert exclude(Responses.of(frame, people), Exclusion(most_focus_losses=3)).checked[-1].failed == (
        "most_focus_losses",
    )


def test_what_is_not_known_excludes_nobody_and_is_listed():
    found = exclude(Responses.of(answers(units=20).query("kind == 'main'")))
    assert len(found.kept) == 12
    unknown = {rule for rule, counts in found.by_rule.items() if counts["unknown"] == 12}
    assert unknown == {
        "catch_ratio", "least_total_s", "most_total_s", "least_instruction_s", "most_practice_rounds", "duplicates",
        "unfinished",
    }  # fmt: skip


# All of it


@pytest.fixture(scope="module")
def whole():
    frame = answers(10, 16, conditions=("optimized", "natural", "none"), right=0.75)
    people = participants(frame, total_s=[400.0] * 29 + [5.0])
    observer = Observed(
        "centre",
        tuple(Answer(one, "none", float(n % 2)) for n, one in enumerate(sorted(set(frame["stimulus"])))),
        {},
        "",
    )
    responses = Responses.of(frame, people, source="made-up")
    return analyze(responses, observers=[observer], resamples=200, permutations=50, smallest_effect=0.1)


def test_the_analysis_is_of_those_who_were_kept_and_says_what_everybody_did(whole):
    assert (whole.people, whole.kept, whole.trials) == (30, 29, 29 * 16)
    assert [one.people for one in whole.accuracy] == [10, 10, 9]
    assert [one.people for one in whole.accuracy_of_all] == [10, 10, 10]
    assert [(one.first, one.second) for one in whole.differences] == [
        ("optimized", "natural"), ("optimized", "none"), ("natural", "none"),
    ]  # fmt: skip
    for one in whole.differences:
        assert one.low < one.estimate.value < one.high
        assert one.equivalence.smallest_effect == 0.1
    assert {one.group for one in whole.by_layer} == {"layer0", "layer1", "layer2"}
    assert any(one.second == "centre in none" for one in whole.agreement)


def test_the_analysis_is_json_and_a_page(whole):
    text = json.dumps(whole.as_dict(), allow_nan=False)
    assert json.loads(text)["differences"][0]["first"] == "optimized"
    assert len(json.loads(text)["kept_participants"]) == 29
    page = markdown(whole, ["accuracy.png"])
    assert "![accuracy](accuracy.png)" in page
    for sheet in sheets(whole):
        assert f"## {sheet.title}" in page
        assert {len(row) for row in sheet.rows} == {len(sheet.header)}, sheet.title


def test_figures_show_what_was_measured(whole):
    drawn = figures(whole)
    assert list(drawn) == ["accuracy", "differences", "reaction_times", "confidence", "layers", "difficulty"]
    (ax,) = drawn["accuracy"].axes
    bars: Any = ax.patches
    heights = [bar.get_height() for bar in bars]
    assert heights == pytest.approx([one.accuracy for one in whole.accuracy])
    assert any(np.allclose(line.get_ydata(), 0.5) for line in ax.lines)
    for axes in drawn["confidence"].axes:
        parts: Any = axes.patches
        tops = {round(part.get_x(), 3): part.get_y() + part.get_height() for part in parts}
        assert list(tops.values()) == pytest.approx([1] * len(tops))
    colours = [patch.get_facecolor() for patch in drawn["layers"].legends[0].get_patches()]
    assert len(set(colours)) == 3


def test_one_person_is_described_without_errors():
    frame = answers(1, 10, conditions=("none",))
    found = analyze(Responses.of(frame), rules=NO_RULES, permutations=5)
    assert "1 people and 10 units" in found.without_errors
    assert found.means == ()
    assert "accuracy" in figures(found)
    assert "No errors over people and units" in markdown(found)


def test_there_must_be_somebody_left_and_main_trials():
    frame = answers(choice="left")
    with pytest.raises(PellucidError, match="nobody is left"):
        analyze(Responses.of(frame))
    with pytest.raises(PellucidError, match="there are no answers to main trials"):
        analyze(Responses.of(frame[frame["kind"] == "catch"]), rules=NO_RULES)


@pytest.mark.parametrize("name", ["pellucid.causal.analysis", "pellucid.causal.responses"])
def test_importing_loads_no_torch(name: str):
    found = f"import sys, {name}; print(sorted({{'torch', 'torchvision', 'timm'}} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"


# Power


def test_power_grows_with_people_and_is_the_rate_of_false_alarms_without_an_effect():
    small, large = power(People({"with": 0.7, "without": 0.55}), [10, 60], [18], simulations=60)
    assert small.power < large.power
    assert small.error > large.error
    assert small.power_low <= small.power <= small.power_high
    (none,) = power(People({"with": 0.6, "without": 0.6}), [50], [18], simulations=200, seed=1)
    assert none.power < 0.1
    assert none.coverage > 0.9
    assert none.coverage == pytest.approx(1 - none.power)
    assert none.equivalence < 0.95


def test_a_size_has_the_same_power_alone_and_in_a_table():
    model = People({"with": 0.7, "without": 0.55})
    rows = power(model, [5, 10], [6, 9], simulations=20)
    assert [(one.units, one.people) for one in rows] == [(6, 5), (6, 10), (9, 5), (9, 10)]
    assert power(model, [10], [9], simulations=20) == rows[3:]
    assert len(power_sheet(rows).rows) == 4


def test_impossible_people_are_refused():
    with pytest.raises(PellucidError, match="accuracies lie between 0 and 1"):
        People({"none": 1.2})
    with pytest.raises(PellucidError, match="are not negative"):
        People({"none": 0.5}, person_sd=-1)
    with pytest.raises(PellucidError, match="two people and two units are the least, not 1 and 9"):
        People({"none": 0.5}).trials(1, 9, np.random.default_rng(0))
    with pytest.raises(PellucidError, match="power is about two conditions"):
        power(People({"none": 0.5}), [9], [9])
