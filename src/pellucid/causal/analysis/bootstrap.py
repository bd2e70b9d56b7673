"""The bootstrap where people are crossed with units."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pellucid.causal.analysis.crossed import (
    Codes,
    Estimate,
    Floats,
    Scores,
    Trials,
    estimate,
    reflated,
    score,
    variances,
)
from pellucid.errors import PellucidError


@dataclass(frozen=True, eq=False)
class Draws:
    """A contrast with its error, and R draws: how far each is off, `moved` (R,), and in its own errors, `t` (R,)."""

    of: Estimate
    moved: Floats
    t: Floats

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """The studentized interval with tails of equal weight."""
        low, high = np.quantile(self.t, [(1 - confidence) / 2, (1 + confidence) / 2])
        return self.of.value - float(high) * self.of.error, self.of.value - float(low) * self.of.error


def crossed_bootstrap(trials: Trials, contrast: Mapping[str, float], *, resamples: int = 2000, seed: int = 0) -> Draws:
    """Draw people and units again, both with replacement, and their cells' noise with random signs.

    Drawing whole rows and columns of a table of people by units, the pigeonhole bootstrap, counts the cells' noise
    three times (Owen 2007; no simple resampling is right, McCullagh 2000), so that its intervals are too wide. Here, as
    in Menzel (2021), the table is first split into effects of people, of units, and of cells; effects of people and of
    units are shrunk until their variance is what is left of it without the cells' noise, and each kind is drawn by
    itself: effects with replacement within their strata, cells with a random sign. The interval is studentized by
    `estimate`, which makes it right for few units. It is about the mean over the populations that people and units are
    samples of. Raises `PellucidError` as `score`, and for less than two draws.
    """
    if resamples < 2:
        raise PellucidError(f"an interval takes two draws or more, not {resamples}")
    scores = score(trials, contrast)
    found = estimate(scores)
    if not found.error:
        return Draws(found, np.zeros(resamples), np.zeros(resamples))
    rng = np.random.default_rng(seed)
    person, unit, cell = variances(scores)
    signs = rng.choice([-1.0, 1.0], (resamples, len(scores.cells)))
    noise = signs * scores.cells
    noise_of_people = noise @ _belongs(scores.person_of, len(scores.people))
    noise_of_units = noise @ _belongs(scores.unit_of, len(scores.units))
    people = _drawn(scores.people, scores.person_stratum, max(1 - cell / person, 0) if person else 0, resamples, rng)
    units = _drawn(scores.units, scores.unit_stratum, max(1 - cell / unit, 0) if unit else 0, resamples, rng)
    moved = people.sum(axis=1) + units.sum(axis=1) + noise.sum(axis=1)
    v_cell = _noise_again(scores, noise, noise_of_people, noise_of_units)
    v_person = _sum_of_squares(people + noise_of_people, scores.person_stratum)
    v_unit = _sum_of_squares(units + noise_of_units, scores.unit_stratum)
    again = np.maximum(v_person - v_cell, 0) + np.maximum(v_unit - v_cell, 0) + v_cell
    return Draws(found, moved, moved / np.sqrt(again))


def people_bootstrap(
    by_person: Floats, *, resamples: int = 2000, seed: int = 0, confidence: float = 0.95
) -> tuple[float, float]:
    """Percentiles of the mean of values (P,) of people drawn with replacement, as if the units were all there are."""
    rng = np.random.default_rng(seed)
    means = by_person[rng.integers(len(by_person), size=(resamples, len(by_person)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _belongs(of: Codes, count: int) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(of)), (np.arange(len(of)), of)), shape=(len(of), count))


def _drawn(values: Floats, strata: Codes, share: float, resamples: int, rng: np.random.Generator) -> Floats:
    """Effects (R, G), drawn within their strata, with that share of the values' variance."""
    effects = reflated(values, strata) * share**0.5
    again = np.empty((resamples, len(values)))
    for one in np.unique(strata):
        members = np.flatnonzero(strata == one)
        again[:, members] = effects[members[rng.integers(len(members), size=(resamples, len(members)))]]
    return again


def _sum_of_squares(values: Floats, strata: Codes) -> Floats:
    """The sum of squares (R,) of values (R, G), centred within strata, times G / (G - 1)."""
    total = np.zeros(len(values))
    for one in np.unique(strata):
        some = values[:, strata == one]
        total += some.var(axis=1, ddof=1) * some.shape[1]
    return total


def _noise_again(scores: Scores, noise: Floats, of_people: Floats, of_units: Floats) -> Floats:
    """The cells' sum of squares (R,) as it would be measured after people's and units' means are taken away."""
    per_person = np.bincount(scores.person_of, minlength=len(scores.people))
    per_unit = np.bincount(scores.unit_of, minlength=len(scores.units))
    count = len(scores.cells)
    left = (noise**2).sum(axis=1) - (of_people**2 / per_person).sum(axis=1) - (of_units**2 / per_unit).sum(axis=1)
    left += noise.sum(axis=1) ** 2 / count
    factor = 1 - 1 / per_person[scores.person_of] - 1 / per_unit[scores.unit_of] + 1 / count
    expected = (scores.cells**2 * factor).sum()
    return np.maximum(left, 0) * (scores.cells**2).sum() / expected if expected > 0 else (noise**2).sum(axis=1)
