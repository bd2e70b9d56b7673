"""The exact linear attribution of a unit to the activations of an earlier layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from pellucid.shapes import Maps, Values

Place = tuple[int, int]
Places = Place | Sequence[Place] | Literal["max", "center"]
"""A row and column of a map, the same for all images or one for each; where the unit is most active; the middle."""

EXACT = 1e-4
"""An attribution is exact if what it leaves over is no more than this share of the absolute values that it adds up."""


@dataclass(frozen=True, eq=False)
class LinearAttribution:
    """What each neuron of an earlier layer gives to a unit before its rectifier, for N images.

    `positions` are the unit's row and column in each image. `activations` h and `weights` W (N, C, h, w) are those of
    the layer `previous`: `weights` is the gradient of the unit's pre-activation, and `attribution` W · h. With the
    `constant` (N,), what the unit is given where the earlier layer gives nothing (biases, the shifts of batch
    normalization, the ceilings of held rectifiers, and what comes on ways around the earlier layer if it is
    `bypassed`), it adds up to the `preactivation` (N,). `through` names the piecewise linear functions between that it
    passes, held on the pieces that the image puts them on.
    """

    network: str
    layer: str
    unit: int
    previous: str
    positions: tuple[Place, ...]
    activations: Maps
    weights: Maps
    constant: Values
    preactivation: Values
    through: tuple[str, ...]
    bypassed: bool

    @property
    def attribution(self) -> Maps:
        """What each neuron gives: W · h, (N, C, h, w)."""
        return self.weights * self.activations

    @property
    def total(self) -> Values:
        """The sum over all neurons: (N,), added up in float64."""
        return self.attribution.double().sum(dim=(1, 2, 3))

    @property
    def remainder(self) -> Values:
        """What sum and constant leave over of the pre-activation: (N,). Rounding alone if the sum is exact."""
        return self.preactivation.double() - self.constant.double() - self.total

    @property
    def exact(self) -> bool:
        """Whether nothing but rounding is left over in any image: at most 1e-4 of Σ|W · h| + |constant|."""
        parts = self.attribution.double().abs().sum(dim=(1, 2, 3)) + self.constant.double().abs()
        return bool((self.remainder.abs() <= EXACT * parts).all())

    @property
    def noticed(self) -> Values:
        """What counts as nothing in each image, 1e-4 of its |constant|: less attribution than that is rounding."""
        return EXACT * self.constant.abs()

    def by_position(self) -> Tensor:
        """What each position gives, the sum over its channels, with its sign: (N, h, w)."""
        return self.attribution.sum(dim=1)

    @property
    def channels(self) -> Tensor:
        """What each channel gives, the sum over its map, with its sign: (N, C)."""
        return self.attribution.sum(dim=(2, 3))

    def by_channel(self, count: int = 10) -> list[dict[str, Any]]:
        """The channels that give most and those that take most, on the mean of the images, at most `count` of each.

        A row has `unit`, the address of the channel, `attribution`, its `share` of Σ|attribution| over all channels,
        and the mean `activation` where it counts, weighed by |W|.
        """
        mean = self.channels.double().mean(dim=0)
        whole = float(mean.abs().sum()) or 1.0
        sizes = self.weights.double().abs()
        seen = (sizes * self.activations).sum(dim=(0, 2, 3)) / sizes.sum(dim=(0, 2, 3)).clamp_min(1e-300)
        order = mean.argsort(descending=True, stable=True).tolist()
        most = [channel for channel in order[:count] if mean[channel] > 0]
        least = [channel for channel in order[::-1][:count] if mean[channel] < 0]
        return [
            {
                "unit": f"{self.previous}:{channel}",
                "attribution": float(mean[channel]),
                "share": float(mean[channel]) / whole,
                "activation": float(seen[channel]),
            }
            for channel in (*most, *reversed(least))
        ]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each image: `position`, `sum`, `constant`, pre-activation `pre`, and the remainder `difference`."""
        columns = (self.total, self.constant, self.preactivation, self.remainder)
        numbers = zip(*(column.tolist() for column in columns), strict=True)
        return [
            {"position": f"{row},{column}", "sum": total, "constant": constant, "pre": pre, "difference": left}
            for (row, column), (total, constant, pre, left) in zip(self.positions, numbers, strict=True)
        ]

    def of(self, index: int) -> "LinearAttribution":
        """The attribution of one of the images."""
        some = slice(index, index + 1)
        return LinearAttribution(
            self.network, self.layer, self.unit, self.previous, self.positions[some], self.activations[some],
            self.weights[some], self.constant[some], self.preactivation[some], self.through, self.bypassed,
        )  # fmt: skip
