"""The whole analysis of an experiment's answers."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from pellucid.causal.analysis.accuracy import Accuracy, Repetition, accuracies, repetitions
from pellucid.causal.analysis.agreement import Agreement, agreements
from pellucid.causal.analysis.bootstrap import crossed_bootstrap
from pellucid.causal.analysis.comparison import Equivalence, MarginalEffect, PeopleTest, gee, people_test, tost
from pellucid.causal.analysis.crossed import Estimate, Trials, contrast_of, estimate, score
from pellucid.causal.analysis.difficulty import Difficulty, difficulties
from pellucid.causal.analysis.exclusion import Exclusions, exclude
from pellucid.causal.analysis.mixed import MixedEffect, fit_mixed
from pellucid.causal.analysis.sides import Sides, sides
from pellucid.causal.analysis.timing import Confidence, ReactionTime, confidences, reaction_times
from pellucid.causal.responses import Responses
from pellucid.errors import PellucidError
from pellucid.study.experiments import Observed
from pellucid.study.experiments.settings import Exclusion


@dataclass(frozen=True)
class ConditionMean:
    """A condition's accuracy over the populations of people and units, estimated by the mean of all trials.

    `low` and `high` are the 95 % interval of the bootstrap over people and units. `logit` and `model_accuracy` are
    those of the mixed model: the logit for the median person and unit, and the accuracy over both populations with its
    ends.
    """

    condition: str
    estimate: Estimate
    low: float
    high: float
    logit: MixedEffect
    model_accuracy: tuple[float, float, float]


@dataclass(frozen=True)
class Difference:
    """The accuracy of the `first` condition less that of the `second`, over the populations of people and units.

    `low` and `high` are the 95 % interval of the bootstrap over people and units, `logit` the difference of logits of
    the mixed model for one and the same person and unit, `varying_logit` that of a model in which units may differ in
    it, `gee` that averaged over people (None where one accuracy is 0
    or 1), `people` tests over people with these very units.
    """

    first: str
    second: str
    estimate: Estimate
    low: float
    high: float
    logit: MixedEffect
    varying_logit: MixedEffect
    gee: MarginalEffect | None
    people: PeopleTest
    equivalence: Equivalence


@dataclass(frozen=True)
class Analysis:
    """What the answers say: of those who were kept, and accuracies of everybody (`accuracy_of_all`) beside.

    `means`, `differences` and the spreads are empty or None, and `without_errors` says why, where there are too few
    people or units for errors over both.
    """

    source: str
    people: int
    kept: int
    trials: int
    exclusions: Exclusions
    accuracy: tuple[Accuracy, ...]
    accuracy_of_all: tuple[Accuracy, ...]
    catch: tuple[Accuracy, ...]
    repeated: tuple[Repetition, ...]
    means: tuple[ConditionMean, ...]
    differences: tuple[Difference, ...]
    person_sd: float | None
    unit_sd: float | None
    varying_sd: float | None
    without_errors: str
    reaction_times: tuple[ReactionTime, ...]
    confidence: tuple[Confidence, ...]
    by_layer: tuple[Accuracy, ...]
    by_branch: tuple[Accuracy, ...]
    difficulty: tuple[Difficulty, ...]
    agreement: tuple[Agreement, ...]
    sides: tuple[Sides, ...]
    settings: dict[str, Any]

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions that were analysed."""
        return tuple(one.condition for one in self.accuracy)

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON values, None for what is not a finite number."""
        return {"format": 1, **_json(asdict(self)), "kept_participants": list(self.exclusions.kept)}


def analyze(
    responses: Responses,
    *,
    rules: Exclusion | None = None,
    observers: Sequence[Observed] = (),
    smallest_effect: float = 0.05,
    resamples: int = 2000,
    permutations: int = 1000,
    seed: int = 0,
) -> Analysis:
    """Analyse what people answered, without those who fail a rule of exclusion.

    `rules` are by default those of Zimmermann et al. 2021; `Exclusion(None, None, None, None, None, None, None, False)`
    keeps everybody who finished. Raises `PellucidError` if nobody is left, or there are no main trials.
    """
    exclusions = exclude(responses, rules)
    kept = responses.only(exclusions.kept)
    main, everybody = kept.main, responses.main
    if main.empty:
        raise PellucidError(f"{responses.source}: there are no answers to main trials")
    means, differences, spreads, reason = _with_errors(main, smallest_effect, resamples, seed)
    return Analysis(
        source=responses.source,
        people=len(responses.people),
        kept=len(kept.people),
        trials=len(main),
        exclusions=exclusions,
        accuracy=accuracies(main),
        accuracy_of_all=accuracies(everybody),
        catch=accuracies(kept.kind("catch")),
        repeated=repetitions(kept.kind("main", "repeated")),
        means=means,
        differences=differences,
        person_sd=spreads[0] if spreads else None,
        unit_sd=spreads[1] if spreads else None,
        varying_sd=spreads[2] if spreads else None,
        without_errors=reason,
        reaction_times=reaction_times(main),
        confidence=confidences(main),
        by_layer=accuracies(main, "layer"),
        by_branch=accuracies(main, "branch") if "branch" in main else (),
        difficulty=difficulties(main),
        agreement=agreements(main, observers, permutations=permutations, seed=seed),
        sides=sides(main),
        settings={
            "smallest_effect": smallest_effect,
            "resamples": resamples,
            "permutations": permutations,
            "seed": seed,
            "observers": [one.observer for one in observers],
        },
    )


def _with_errors(
    main: pd.DataFrame, smallest_effect: float, resamples: int, seed: int
) -> tuple[tuple[ConditionMean, ...], tuple[Difference, ...], tuple[float, float, float] | None, str]:
    trials = Trials.of(main)
    try:
        estimates = {one: estimate(score(trials, contrast_of(one))) for one in trials.conditions}
    except PellucidError as error:
        return (), (), None, str(error)
    model, varying = fit_mixed(trials), fit_mixed(trials, varying=True)
    means = []
    for one in trials.conditions:
        low, high = _interval(trials, contrast_of(one), resamples, seed)
        logit = model.contrast(contrast_of(one))
        means.append(ConditionMean(one, estimates[one], max(low, 0.0), min(high, 1.0), logit, model.accuracy[one]))
    differences = []
    for first, second in combinations(trials.conditions, 2):
        contrast = contrast_of(first, second)
        found = estimate(score(trials, contrast))
        differences.append(
            Difference(
                first,
                second,
                found,
                *_interval(trials, contrast, resamples, seed),
                model.contrast(contrast),
                varying.contrast(contrast),
                gee(main, first, second),
                people_test(main, first, second, resamples=resamples, seed=seed),
                tost(found, smallest_effect),
            )
        )
    return tuple(means), tuple(differences), (model.person_sd, model.unit_sd, varying.varying_sd), ""


def _interval(trials: Trials, contrast: dict[str, float], resamples: int, seed: int) -> tuple[float, float]:
    return crossed_bootstrap(trials, contrast, resamples=resamples, seed=seed).interval()


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_json(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
