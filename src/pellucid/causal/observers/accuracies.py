"""How often observers are right, beside chance, with intervals over units. Without torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import beta, norm, t

from pellucid.errors import StudyError
from pellucid.study.experiments import Observed, Stimuli

CHANCE = 0.5
DRAWS = 10_000


@dataclass(frozen=True)
class Accuracy:
    """An observer's share of right answers in a condition, ties counting half, with its 95 % interval over units.

    `probability` is the mean probability of the right answer, where the observer gives one: in a two-choice task, with
    the observer `whole_pn`, the Machine Interpretability Score. `ties` counts the trials in which it could not tell.
    `low` and `high` are None for fewer than two units; where all units agree they are `agreed_interval`'s.
    """

    observer: str
    condition: str
    value: float
    low: float | None
    high: float | None
    units: int
    stimuli: int
    ties: int
    probability: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the interval lies `above` or `below` chance, or neither: empty."""
        return _verdict(self.low, self.high, CHANCE)


@dataclass(frozen=True)
class Advantage:
    """How much more often an observer is right with references of `condition` than with none, paired by stimulus."""

    observer: str
    condition: str
    value: float
    low: float | None
    high: float | None
    units: int

    @property
    def verdict(self) -> str:
        """Whether the interval lies `above` or `below` nought, or neither: empty."""
        return _verdict(self.low, self.high, 0.0)


@dataclass(frozen=True)
class Accuracies:
    """Observers by conditions, and what each observer gains over the condition without references."""

    rows: tuple[Accuracy, ...]
    advantages: tuple[Advantage, ...]

    def as_dict(self) -> dict[str, Any]:
        """All of it for a file."""
        return {
            "chance": CHANCE,
            "accuracies": [{**asdict(row), "against_chance": row.verdict} for row in self.rows],
            "advantages": [{**asdict(row), "against_none": row.verdict} for row in self.advantages],
        }


def accuracies(
    stimuli: Stimuli,
    observed: Sequence[Observed],
    *,
    role: str = "main",
    units: Sequence[str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Accuracies:
    """All observers in all conditions that they answered, on the stimuli of a role.

    `units` are addresses `layer:unit` to look at alone. Intervals are `unit_interval`'s, from one `seed`, so that they
    are the same whatever else stands in the table. Raises `StudyError` for answers to other stimuli, or to none of
    these.
    """
    of_unit = {one.id: one.address for one in stimuli.of_role(role) if units is None or one.address in units}
    digest = stimuli.digest()
    rows: list[Accuracy] = []
    advantages: list[Advantage] = []
    for one in observed:
        if one.stimuli_digest != digest:
            raise StudyError(
                f"the observer {one.observer} answered other stimuli than those of {stimuli.name}: observe again"
            )
        by_condition: dict[str, dict[str, tuple[float, float | None]]] = {}
        for answer in one.answers:
            if answer.stimulus in of_unit:
                by_condition.setdefault(answer.condition, {})[answer.stimulus] = answer.right, answer.probability
        if not by_condition:
            raise StudyError(f"the observer {one.observer} answered no {role} stimulus of these units")
        rows += [_row(one.observer, name, found, of_unit, draws, seed) for name, found in by_condition.items()]
        without = by_condition.get("none", {})
        for name, found in by_condition.items():
            paired = {key: right - without[key][0] for key, (right, _) in found.items() if key in without}
            if name != "none" and paired:
                low, high = unit_interval(list(paired.values()), [of_unit[key] for key in paired], draws, seed)
                count = len({of_unit[key] for key in paired})
                advantages.append(Advantage(one.observer, name, _mean(list(paired.values())), low, high, count))
    return Accuracies(tuple(rows), tuple(advantages))


def _row(
    observer: str,
    condition: str,
    found: Mapping[str, tuple[float, float | None]],
    of_unit: Mapping[str, str],
    draws: int,
    seed: int,
) -> Accuracy:
    rights = [right for right, _ in found.values()]
    units = [of_unit[key] for key in found]
    low, high = unit_interval(rights, units, draws, seed)
    if low is not None and low == high:
        low, high = agreed_interval(_mean(rights), len(set(units)))
    chances = [probability for _, probability in found.values() if probability is not None]
    probability = _mean(chances) if len(chances) == len(rights) else None
    ties = sum(right == 0.5 for right in rights)
    return Accuracy(observer, condition, _mean(rights), low, high, len(set(units)), len(rights), ties, probability)


def unit_interval(
    values: ArrayLike, units: Sequence[str], draws: int = DRAWS, seed: int = 0, level: float = 0.95
) -> tuple[float | None, float | None]:
    """A bootstrap interval of the mean of values (N,) in which whole units (N,) are drawn, not trials.

    Trials of a unit share what makes it easy or hard. The percentiles are those of Hesterberg 2015 (What Teachers
    Should Know About the Bootstrap, section 5.3), Φ(∓√(n/(n - 1)) t_{n-1}) for n units: plain percentiles are too
    narrow for few units, by a fifth for nine. Where all units agree there is nothing to draw from and both ends are the
    mean (see `agreed_interval`); None for fewer than two units.
    """
    kept, at = np.unique(np.asarray(units), return_inverse=True)
    count = len(kept)
    if count < 2:
        return None, None
    sums, sizes = np.bincount(at, weights=np.asarray(values, dtype=np.float64)), np.bincount(at)
    # How often each unit comes up, instead of which: the same draws, less to keep.
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    means = (times @ sums) / (times @ sizes)
    share = float(norm.cdf(-math.sqrt(count / (count - 1)) * t.ppf((1 + level) / 2, count - 1)))
    low, high = np.quantile(means, [share, 1 - share])
    return float(low), float(high)


def agreed_interval(share: float, units: int, level: float = 0.95) -> tuple[float, float]:
    """An interval for a share that all units agree on, from which nothing can be drawn: four right ones prove little.

    That of Clopper and Pearson 1934 with the units as trials, each right or wrong by the `share`.
    """
    right, rest = share * units, (1 - level) / 2
    low = float(beta.ppf(rest, right, units - right + 1)) if right > 0 else 0.0
    high = float(beta.ppf(1 - rest, right + 1, units - right)) if right < units else 1.0
    return low, high


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _verdict(low: float | None, high: float | None, chance: float) -> str:
    if low is None or high is None:
        return ""
    return "above" if low > chance else "below" if high < chance else ""
