"""How far the shares could have come out otherwise with other images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.distribution import Distribution
from pellucid.curves.labels.contribution import Place, expected_value
from pellucid.curves.labels.counts import LabelCounts
from pellucid.curves.labels.shares import Smoothing, normalized
from pellucid.errors import PellucidError


@dataclass(frozen=True, eq=False)
class ShareDraws:
    """Shares of the expected activation (R, L) from R draws of the images, for each of the `labels`."""

    labels: tuple[str, ...]
    draws: NDArray[np.float64]

    def interval(self, *labels: str, confidence: float = 0.95) -> tuple[float, float]:
        """The percentiles between which the share of these labels together lies in so many of the draws."""
        unknown = [label for label in labels if label not in self.labels]
        if unknown or not labels:
            raise PellucidError(f"name some of the labels {', '.join(self.labels)}, not {', '.join(unknown) or 'none'}")
        together = self.draws[:, [self.labels.index(label) for label in labels]].sum(axis=1)
        low, high = np.quantile(together, [(1 - confidence) / 2, (1 + confidence) / 2])
        return float(low), float(high)


def bootstrap_shares(
    counts: LabelCounts,
    activations: Distribution,
    *,
    at: Place = "left",
    smoothing: Smoothing | None = Smoothing(),
    group: float = 100.0,
    resamples: int = 2000,
    seed: int = 0,
) -> ShareDraws:
    """Draw the labelled images again, with replacement, and compute the shares of each draw (Efron 1979).

    Images were chosen to be of a fixed number for each `group` of activations, such as those 100 wide, from 0 up and
    down, so that they are drawn within their group. The activations of the dataset are taken as known. The generator
    has this `seed`. Raises `PellucidError` if the bins differ, or for less than one draw.
    """
    if resamples < 1 or not group > 0:
        raise PellucidError(
            f"intervals take one draw or more within groups of some width, not {resamples} of {group:g}"
        )
    placed = counts.on(activations.edges)
    random = np.random.default_rng(seed)
    drawn = np.zeros((resamples, *placed.counts.shape))
    of_group = np.floor((placed.edges[:-1] + 1e-9 * group) / group)
    for one in np.unique(of_group):
        bins = np.flatnonzero(of_group == one)
        images = placed.counts[:, bins]
        number = int(images.sum())
        if number:  # n draws of n images are one draw of the multinomial distribution over cells of label and bin
            again = random.multinomial(number, images.ravel() / number, size=resamples)
            drawn[:, :, bins] = again.reshape(resamples, *images.shape)
    shares: NDArray[Any] = normalized(smoothing(drawn) if smoothing else drawn)
    x = placed.edges[:-1] if at == "left" else activations.centres
    weight = np.maximum(x, 0) * activations.counts / expected_value(x, activations)
    return ShareDraws(counts.labels, shares @ weight)
