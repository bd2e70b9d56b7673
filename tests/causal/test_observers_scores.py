import csv
import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments import make_experiment
from oracles_observers import contrast, sigmoid
from pellucid.causal.observers import (
    Features,
    Oracle,
    Random,
    accuracies,
    choice_probability,
    fitted_temperature,
    machine_interpretability,
    observe,
    read_photographs,
    spread_tasks,
    unit_interval,
)
from pellucid.causal.observers.results import write_accuracies
from pellucid.errors import StudyError
from pellucid.study.experiments import Answer, Observed, Stimuli
from photographs import drawn_photographs
from small import small_network


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def directions(count: int, size: int, seed: int = 0) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(count, size, generator=source(seed), dtype=torch.float64), dim=1)


def test_tasks_take_the_extremes_and_spread_their_levels() -> None:
    responses = torch.randperm(100, generator=source()).double()
    tasks = spread_tasks(responses, 4, 5, source())
    rank = responses.long()  # 0 is the weakest image
    assert sorted(rank[tasks.positive.flatten()].tolist()) == list(range(80, 100))
    assert sorted(rank[tasks.strong].tolist()) == list(range(75, 80))
    assert sorted(rank[tasks.negative.flatten()].tolist()) == list(range(20))
    assert sorted(rank[tasks.weak].tolist()) == list(range(20, 25))
    for task in range(5):  # one image of each level of five
        assert sorted((rank[tasks.positive[task]] // 5).tolist()) == [16, 17, 18, 19]
        assert sorted((rank[tasks.negative[task]] // 5).tolist()) == [0, 1, 2, 3]
    with pytest.raises(StudyError, match="need 50 images, and there are 49"):
        spread_tasks(responses[:49], 4, 5, source())


@pytest.mark.parametrize("form", ["divide", "multiply"])
def test_the_score_is_the_reference_formula(form) -> None:
    features, responses = directions(60, 5), torch.randn(60, 2, generator=source(1), dtype=torch.float64)
    found = machine_interpretability(
        features, responses, generator=source(7), references=3, tasks=4, temperature=0.3, form=form
    )
    again, rows = source(7), features.numpy()
    for one in found.units:
        tasks = spread_tasks(responses[:, one.unit], 3, 4, again)
        evidence = [
            contrast(
                rows[tasks.strong[t]],
                rows[tasks.weak[t]],
                list(rows[tasks.positive[t]]),
                list(rows[tasks.negative[t]]),
            )
            for t in range(4)
        ]
        assert one.evidence == pytest.approx(evidence)
        chances = [sigmoid(value / 0.3 if form == "divide" else value * 0.3) for value in evidence]
        assert one.score == pytest.approx(sum(chances) / 4)
        assert one.accuracy == sum(value > 0 for value in evidence) / 4
    scores = [one.score for one in found.units if one.score is not None]
    assert found.score == pytest.approx(sum(scores) / 2)


def test_a_unit_that_its_features_tell_of_is_told_and_a_shuffled_one_is_not() -> None:
    features = directions(400, 16)
    told = features @ directions(30, 16, seed=5).T
    found = machine_interpretability(features, told, generator=source(), references=5, tasks=10)
    assert found.accuracy is not None
    assert found.accuracy > 0.95
    assert found.score is not None
    assert found.score > 0.8
    shuffled = torch.stack([column[torch.randperm(400, generator=source(at))] for at, column in enumerate(told.T)], 1)
    chance = machine_interpretability(features, shuffled, generator=source(), references=5, tasks=10)
    assert chance.accuracy == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(300))
    assert chance.score == pytest.approx(0.5, abs=0.05)


def test_images_that_are_all_alike_score_half_exactly() -> None:
    same = directions(1, 8).expand(100, 8)
    found = machine_interpretability(same, torch.randn(100, 3, generator=source()), generator=source(), tasks=5)
    assert (found.score, found.accuracy) == (0.5, 0.5)


def test_a_dead_unit_has_no_score() -> None:
    responses = torch.randn(60, 2, generator=source())
    responses[:, 1] = 0.25
    found = machine_interpretability(directions(60, 4), responses, generator=source(), references=3, tasks=4)
    assert (found.units[1].score, found.units[1].accuracy) == (None, None)
    assert found.score == found.units[0].score
    with pytest.raises(StudyError, match="must have a row for each image"):
        machine_interpretability(directions(60, 4), responses[:50], generator=source())


def test_the_score_falls_to_half_with_the_temperature_and_rises_to_the_accuracy() -> None:
    features = directions(400, 16)
    told = features @ directions(4, 16, seed=5).T + 0.05 * torch.randn(400, 4, generator=source(), dtype=torch.float64)
    scores = []
    for temperature in (1e-4, 0.01, 0.1, 0.16, 0.5, 2.0, 100.0):
        found = machine_interpretability(
            features, told, generator=source(), references=5, tasks=10, temperature=temperature
        )
        scores.append(found.score)
        assert found.accuracy is not None
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(found.accuracy, abs=0.01)
    assert scores[-1] == pytest.approx(0.5, abs=0.01)


def test_evidence_is_ordered_by_probability_at_every_temperature() -> None:
    for form in ("divide", "multiply"):
        for temperature in (0.05, 0.16, 1.0):
            chances = [choice_probability(value, temperature, form) for value in (-2, -0.1, 0, 0.1, 2)]
            assert chances == sorted(chances)
            assert chances[2] == 0.5
    assert choice_probability(4, 0.16, "multiply") == pytest.approx(0.6548, abs=1e-4)  # the most that it can say
    with pytest.raises(StudyError, match="a temperature is a positive number, not 0"):
        choice_probability(1, 0)


def test_the_temperature_of_people_is_found_again() -> None:
    rng = np.random.default_rng(0)
    differences = [list(rng.normal(mean, 0.1, 20)) for mean in rng.uniform(0, 0.4, 12)]
    for truth in (0.05, 0.16, 0.7):
        shares = [float(np.mean([sigmoid(one / truth) for one in some])) for some in differences]
        assert fitted_temperature(differences, shares) == pytest.approx(truth, rel=0.01)
    with pytest.raises(StudyError, match="do not match"):
        fitted_temperature(differences, [0.5])


def test_optimized_references_take_the_place_of_the_strongest_images() -> None:
    features = directions(400, 16)
    units = directions(2, 16, seed=5)
    told = features @ units.T
    found = machine_interpretability(
        features, told, generator=source(), references=5, tasks=10, optimized={0: -units[:1].expand(3, 16)}
    )
    plain = machine_interpretability(features, told, generator=source(), references=5, tasks=10)
    assert found.units[1] == plain.units[1]
    assert found.units[0].accuracy is not None
    assert plain.units[0].accuracy is not None
    assert found.units[0].accuracy < plain.units[0].accuracy


def test_photographs_are_read_by_both_networks(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "photographs", 6)
    (folder / "broken.png").write_bytes(b"no picture")
    network, other = small_network(), small_network(seed=1, size=24)
    read = read_photographs(network, "relu2", folder, Features(other), units=[3, 5], batch=4)
    assert read.features.shape == (6, 16)
    assert read.responses.shape == (6, 2)
    assert list(read.skipped) == ["broken.png"]
    all_units = read_photographs(network, "relu2", folder, Features(other)).responses
    assert torch.allclose(all_units[:, [3, 5]], read.responses, atol=1e-6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_experiment(
        tmp_path_factory.mktemp("drawn") / "study", units=4, image_sets=3, catch=0, practice=0, obvious=0
    )


def answered(stimuli: Stimuli, name: str, right, condition: str = "none") -> Observed:
    answers = tuple(
        Answer(one.id, condition, float(right(one, at)), None, 0.75) for at, one in enumerate(stimuli.of_role("main"))
    )
    return Observed(name, answers, {}, stimuli.digest())


def test_accuracies_are_means_of_main_stimuli_with_ties_as_halves(folder: Path) -> None:
    stimuli = Stimuli.read(folder)
    made = answered(stimuli, "some", lambda one, at: 0.5 if at == 0 else one.unit != 1)
    (row,) = accuracies(stimuli, [made]).rows
    assert row.value == pytest.approx((0.5 + 2 + 6) / 12)
    assert (row.units, row.stimuli, row.ties, row.probability) == (4, 12, 1, 0.75)
    (only,) = accuracies(stimuli, [made], units=[one.address for one in stimuli.stimuli if one.unit == 1][:1]).rows
    assert (only.value, only.low, only.high, only.verdict) == (0, None, None, "")
    table = accuracies(stimuli, [observe(folder, Oracle()), observe(folder, Random())])
    assert [row.value for row in table.rows if row.observer == "oracle"] == [1.0] * 5
    assert {row.condition for row in table.advantages} == {"optimized", "natural", "mixed", "natural_blur"}
    assert {row.value for row in table.advantages if row.observer == "oracle"} == {0.0}


def test_the_advantage_is_paired(folder: Path) -> None:
    stimuli = Stimuli.read(folder)
    none = answered(stimuli, "one", lambda one, at: at % 3 == 0)
    more = answered(stimuli, "one", lambda one, at: at % 3 <= 1, "optimized")
    both = dataclasses.replace(none, answers=none.answers + more.answers)
    (gain,) = accuracies(stimuli, [both]).advantages
    # Each unit gains one of its three, so that there is nothing to be unsure of.
    assert (gain.condition, gain.value) == ("optimized", pytest.approx(1 / 3))
    assert (gain.low, gain.high) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert gain.verdict == "above"


def test_the_interval_is_over_units_not_trials() -> None:
    unit = np.random.default_rng(1).random(40).round()
    of = [str(at) for at in range(40) for _ in range(10)]
    low, high = unit_interval(np.repeat(unit, 10), of)
    half = 2.0227 * unit.std(ddof=1) / math.sqrt(40)  # Student's, 39 degrees of freedom
    assert low == pytest.approx(unit.mean() - half, abs=0.02)
    assert high == pytest.approx(unit.mean() + half, abs=0.02)
    wide = unit_interval(np.repeat(unit, 10), of)
    narrow = unit_interval(np.repeat(unit, 10), [str(at) for at in range(400)])
    assert wide[0] is not None
    assert wide[1] is not None
    assert narrow[0] is not None
    assert narrow[1] is not None
    assert wide[1] - wide[0] > 2.5 * (narrow[1] - narrow[0])
    assert unit_interval([1.0, 0.0], ["a", "a"]) == (None, None)


@pytest.mark.parametrize("units", [9, 30])
def test_the_interval_covers_the_truth(units: int) -> None:
    rng, covered, runs = np.random.default_rng(0), 0, 300
    for run in range(runs):
        chances = 1 / (1 + np.exp(-(0.6 + rng.normal(0, 0.94, units))))
        right = rng.random((units, 2)) < chances[:, None]
        low, high = unit_interval(right.ravel().astype(float), [str(u) for u in range(units) for _ in (0, 1)], 500, run)
        truth = _mean_logistic(0.6, 0.94)
        covered += low is not None and high is not None and low <= truth <= high
    assert 0.88 <= covered / runs <= 0.985


def _mean_logistic(mean: float, spread: float) -> float:
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    return float((weights / (1 + np.exp(-(mean + spread * nodes)))).sum() / weights.sum())


def test_units_that_all_agree_are_not_taken_for_certainty(folder: Path) -> None:
    stimuli = Stimuli.read(folder)
    (right,) = accuracies(stimuli, [answered(stimuli, "one", lambda one, at: True)]).rows
    assert (right.value, right.high, right.verdict) == (1, 1, "")
    assert right.low == pytest.approx(0.025 ** (1 / 4))  # the share of right units of which four are right by chance
    (wrong,) = accuracies(stimuli, [answered(stimuli, "one", lambda one, at: False)]).rows
    assert (wrong.low, wrong.verdict) == (0, "")
    assert wrong.high == pytest.approx(1 - 0.025 ** (1 / 4))
    (half,) = accuracies(stimuli, [answered(stimuli, "one", lambda one, at: 0.5)]).rows
    assert half.low is not None
    assert half.high is not None
    assert half.low < 0.1 < 0.9 < half.high


def test_answers_to_other_stimuli_are_refused(folder: Path) -> None:
    stimuli = Stimuli.read(folder)
    made = answered(stimuli, "one", lambda one, at: True)
    with pytest.raises(StudyError, match="answered other stimuli than those of drawn"):
        accuracies(stimuli, [dataclasses.replace(made, stimuli_digest="0" * 64)])
    with pytest.raises(StudyError, match="answered no catch stimulus"):
        accuracies(stimuli, [made], role="catch")


def test_the_table_is_written(folder: Path, tmp_path: Path) -> None:
    table = accuracies(Stimuli.read(folder), [observe(folder, Oracle())])
    write_accuracies(tmp_path / "table.json", table)
    content = json.loads((tmp_path / "table.json").read_text())
    assert content["chance"] == 0.5
    assert content["accuracies"][0]["against_chance"] == ""  # four units
    write_accuracies(tmp_path / "table.csv", table)
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert [row["condition"] for row in rows] == ["optimized", "natural", "mixed", "natural_blur", "none"]
    with pytest.raises(StudyError, match=r"\.json or \.csv, not '\.png'"):
        write_accuracies(tmp_path / "table.png", table)
