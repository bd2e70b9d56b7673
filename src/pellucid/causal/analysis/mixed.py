"""The mixed logistic model: correct ~ condition + (1 | person) + (1 | unit)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy import optimize, special, stats

from pellucid.causal.analysis.crossed import Floats, Trials
from pellucid.causal.analysis.laplace import Problem
from pellucid.errors import PellucidError


@dataclass(frozen=True, eq=False)
class MixedModel:
    """A fitted model: the `logit` (C,) of each condition for the median person and unit, with its covariance (C, C).

    `person_sd` and `unit_sd` are the standard deviations of the normal random intercepts on the logit, `varying_sd`
    that of units within conditions (0 if the model has none), `log_likelihood` the Laplace approximation with the
    conditions integrated out.
    """

    conditions: tuple[str, ...]
    logit: Floats
    covariance: Floats
    person_sd: float
    unit_sd: float
    varying_sd: float
    log_likelihood: float
    _slopes: Floats  # (K, C, C): of the covariance, by the K standard deviations
    _spread: Floats  # (K, K): covariance of the standard deviations

    def contrast(self, contrast: Mapping[str, float], confidence: float = 0.95) -> "MixedEffect":
        """A sum of conditions' logits with an interval of Student's t, whose degrees of freedom are Satterthwaite's."""
        weights = np.array([contrast.get(one, 0.0) for one in self.conditions])
        value, variance = float(weights @ self.logit), float(weights @ self.covariance @ weights)
        slope = np.einsum("i,kij,j->k", weights, self._slopes, weights)
        doubt = float(slope @ self._spread @ slope)
        df = max(2 * variance**2 / doubt, 1.0) if doubt > 0 else 1e6
        half = float(stats.t.ppf((1 + confidence) / 2, df)) * variance**0.5
        p = 2 * float(stats.t.sf(abs(value) / variance**0.5, df))
        return MixedEffect(value, variance**0.5, min(df, 1e6), value - half, value + half, p)

    @cached_property
    def accuracy(self) -> dict[str, tuple[float, float, float]]:
        """For each condition the mean accuracy over the populations of people and units, with its interval.

        The logistic function of the logit, averaged over the random intercepts; the ends are those of the logit's
        interval, averaged likewise.
        """
        spread = float(np.linalg.norm([self.person_sd, self.unit_sd, self.varying_sd]))
        found = {one: self.contrast({one: 1.0}) for one in self.conditions}
        return {
            name: (marginal(one.value, spread), marginal(one.low, spread), marginal(one.high, spread))
            for name, one in found.items()
        }


@dataclass(frozen=True)
class MixedEffect:
    """A logit, or a difference of two, with standard error, degrees of freedom, interval, and p against 0."""

    value: float
    error: float
    df: float
    low: float
    high: float
    p: float


def marginal(logit: float, spread: float) -> float:
    """The mean of the logistic function over a normal distribution with this mean and standard deviation."""
    nodes, weights = _quadrature()
    return float(special.expit(logit + spread * nodes) @ weights)


@cache
def _quadrature() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    return nodes, weights / weights.sum()


def fit_mixed(trials: Trials, *, varying: bool = False) -> MixedModel:
    """Fit by Laplace's approximation, with the conditions integrated out as well, as in restricted likelihood.

    The random intercepts and conditions are at their joint mode (penalized, iteratively reweighted least squares); the
    standard deviations maximize the approximation (Breslow and Clayton 1993, and Stroup 2012, chapter 10). The
    covariance is the inverse of the joint curvature, so that a condition's error contains what people and units add:
    a variational posterior that takes conditions and intercepts as independent, such as statsmodels', leaves that out
    and is too narrow.

    With `varying` the model has (1 | unit:condition) as well: units may differ in what a condition does for them, and
    without it an effect is given as exactly the same for all units. Raises `PellucidError` if there are fewer than two
    people or units.
    """
    if min(len(np.unique(trials.person)), len(np.unique(trials.unit))) < 2:
        raise PellucidError("a mixed model needs two people and two units or more")
    problem = Problem(trials, varying)
    start = np.array([0.3, 0.7, 0.3][: 2 + varying])
    found = optimize.minimize(
        lambda sds: -problem.log_likelihood(sds), start, method="L-BFGS-B", bounds=[(0, 8)] * len(start),
        options={"ftol": 1e-10, "maxiter": 200},
    )  # fmt: skip
    sds = np.asarray(found.x, np.float64)
    logit, covariance = problem.conditions_at(sds)
    slopes, spread = problem.doubt(sds)
    person, unit, varied = (*sds.tolist(), 0.0)[:3]
    return MixedModel(trials.conditions, logit, covariance, person, unit, varied, -float(found.fun), slopes, spread)
