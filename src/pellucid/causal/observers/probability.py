"""From evidence to a probability: a sigmoid with a temperature, which is stated, and can be fitted to people."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

from pellucid.errors import StudyError

TEMPERATURE = 0.16
Form = Literal["divide", "multiply"]


def choice_probability(difference: float, temperature: float = TEMPERATURE, form: Form = "divide") -> float:
    """sigmoid(difference / temperature), or as it is printed, sigmoid(temperature · difference) with `"multiply"`.

    Zimmermann, Klindt and Brendel 2024 print the second with 0.16. The cosines in it differ by 4 at most, so that it
    never leaves [0.35, 0.65], while the scores that they report go to 0.99: dividing is what gives those.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise StudyError(f"a temperature is a positive number, not {temperature}")
    return float(expit(difference / temperature if form == "divide" else temperature * difference))


def fitted_temperature(differences: Sequence[Sequence[float]], shares: Sequence[float]) -> float:
    """The temperature at which the units' mean probabilities come nearest to people's shares of right answers.

    `differences` has the evidence of each task for each unit, `shares` people's share for each unit; the sum of squared
    differences is made smallest between 1e-4 and 1e2. Fit on some units and report others. Raises `StudyError` if both
    differ in number or are empty.
    """
    if len(differences) != len(shares) or not shares or not all(len(one) for one in differences):
        raise StudyError(f"{len(differences)} units with tasks and {len(shares)} shares of right answers do not match")

    def error(logarithm: float) -> float:
        means = [float(expit(np.asarray(one, dtype=np.float64) / 10**logarithm).mean()) for one in differences]
        return sum((mean - share) ** 2 for mean, share in zip(means, shares, strict=True))

    grid = np.linspace(-4, 2, 121)  # the error may have several valleys
    best = float(grid[int(np.argmin([error(float(at)) for at in grid]))])
    found = minimize_scalar(error, bounds=(max(-4.0, best - 0.05), min(2.0, best + 0.05)), method="bounded")
    return float(10 ** (found.x if error(found.x) <= error(best) else best))
