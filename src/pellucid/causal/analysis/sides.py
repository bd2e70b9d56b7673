"""Whether people favoured a side, and what they could tell apart if they did."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy import stats


@dataclass(frozen=True)
class Sides:
    """How often left was chosen in a condition, p of a binomial test against one half, sensitivity and bias.

    With H the share of "left" where the larger query was left and F where it was right, each with half an answer more
    of both kinds so that neither is 0 or 1, `d_prime` is (z(H) - z(F)) / sqrt 2, as for a choice between two, and
    `criterion` -(z(H) + z(F)) / 2: below 0 people favoured the left (Macmillan and Creelman 2005, chapter 7). Where the
    sides are balanced 'd_prime' is the sensitivity that the accuracy would have without that bias.
    """

    condition: str
    trials: int
    left: int
    p: float
    d_prime: float
    criterion: float


def sides(frame: pd.DataFrame) -> tuple[Sides, ...]:
    """Sides in each condition, over all people together; rows in which side or choice is not known are left out."""
    known: Any = frame[frame["choice"].notna() & frame["side"].notna()]
    found = []
    for condition, some in known.groupby("condition", sort=False):
        left = some["choice"] == "left"
        shown_left = some["side"] == "left"
        hits = (float((left & shown_left).sum()) + 0.5) / (float(shown_left.sum()) + 1)
        false = (float((left & ~shown_left).sum()) + 0.5) / (float((~shown_left).sum()) + 1)
        z_hits, z_false = float(stats.norm.ppf(hits)), float(stats.norm.ppf(false))
        p = float(stats.binomtest(int(left.sum()), len(some)).pvalue)
        found.append(
            Sides(str(condition), len(some), int(left.sum()), p, (z_hits - z_false) / 2**0.5, -(z_hits + z_false) / 2)
        )
    return tuple(found)
