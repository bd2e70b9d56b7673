"""What the finder found: units and their verdicts, layers beside their nulls, families."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2

from pellucid.curves.families import Family, find_families
from pellucid.curves.finder.measuring import LayerMeasures
from pellucid.curves.rule import Kind, Verdict
from pellucid.curves.tuning_curves import TuningCurve

KINDS: tuple[Kind, ...] = ("mature", "proto", "line", "double")
MEASURES = (
    "z", "line_over_curve", "angle_over_curve", "ring_over_curve", "grating_over_curve", "fill_correlation", "radius",
    "fires",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Judged:
    """A layer of one network: what was measured of its units, and what the rule says of each."""

    layer: str
    measures: LayerMeasures
    verdicts: tuple[Verdict, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kind of each unit."""
        return tuple(verdict.kind for verdict in self.verdicts)

    def count(self, kind: Kind) -> int:
        """The number of units of a kind."""
        return self.kinds.count(kind)

    def units(self, kind: Kind) -> list[int]:
        """The units of a kind."""
        return [unit for unit, of in enumerate(self.kinds) if of == kind]

    def curves(self, kind: Kind) -> dict[str, TuningCurve]:
        """The tuning curves of a kind, by address, by outward normals."""
        return {f"{self.layer}:{unit}": self.measures.curve(unit) for unit in self.units(kind)}


@dataclass(frozen=True)
class Confirmation:
    """What rotated photographs say of a unit: the degrees between their direction and that of the curves it prefers.

    `chance` is how likely photographs that point anywhere would agree with it as well. The unit is `confirmed` if the
    difference is within the rule's limit and chance is small (`pellucid.curves.natural.NaturalCheck`). Where it could
    not be told, both are NaN and `note` says why.
    """

    difference: float
    chance: float
    confirmed: bool
    note: str = ""


@dataclass(frozen=True, eq=False)
class Found:
    """What was found in the `layers` of a network, in their order, and in the same layers of null networks, by name.

    `confirmations` are of the mature curve detectors, by address.
    """

    network: str
    layers: tuple[Judged, ...]
    nulls: Mapping[str, tuple[Judged, ...]]
    confirmations: Mapping[str, Confirmation]
    about: Mapping[str, Any]

    def layer(self, name: str) -> Judged:
        """One layer by name."""
        return next(layer for layer in self.layers if layer.layer == name)

    def families(self, layer: str, kind: Kind = "mature") -> list[Family]:
        """The families that the units of a kind form, the largest first; none without such units."""
        judged = self.layer(layer)
        curves = judged.curves(kind)
        strengths = {f"{layer}:{unit}": float(judged.measures.z[unit]) for unit in judged.units(kind)}
        return find_families(curves, z=strengths) if curves else []

    def best_family(self) -> tuple[str, Family] | None:
        """The largest family of mature curve detectors and its layer; of equal ones that with the best coverage."""
        families = [(layer.layer, family) for layer in self.layers for family in self.families(layer.layer)]
        return max(families, key=lambda one: (len(one[1].units), one[1].coverage), default=None)

    def false_discoveries(self, kind: Kind) -> "Discoveries":
        """How many units of a kind there are, and how many chance alone would give."""
        real = sum(layer.count(kind) for layer in self.layers)
        by_null = [sum(layer.count(kind) for layer in layers) for layers in self.nulls.values()]
        return Discoveries(real, tuple(by_null))

    def layer_rows(self) -> list[dict[str, Any]]:
        """One row for each layer: units, those of each kind, and beside each number the mean of the nulls."""
        rows = []
        for number, layer in enumerate(self.layers):
            row: dict[str, Any] = {"layer": layer.layer, "units": layer.measures.units}
            for kind in KINDS:
                row[kind] = layer.count(kind)
                if kind == "mature":
                    row["confirmed"] = sum(
                        self.confirmations[unit].confirmed
                        for unit in layer.curves("mature")
                        if unit in self.confirmations
                    )
                chance = [layers[number].count(kind) for layers in self.nulls.values()]
                row[f"{kind}_null"] = float(np.mean(chance)) if chance else None
            rows.append(row)
        return rows

    def unit_rows(self, *, kinds: Sequence[Kind] = KINDS, best: int = 0) -> list[dict[str, Any]]:
        """One row for each unit of these kinds, and the `best` by score of those that are not mature."""
        chosen = {(layer.layer, unit) for layer in self.layers for kind in kinds for unit in layer.units(kind)}
        others = [
            (-verdict.score, number, unit)
            for number, layer in enumerate(self.layers)
            for unit, verdict in enumerate(layer.verdicts)
            if verdict.kind != "mature"
        ]
        chosen |= {(self.layers[number].layer, unit) for _, number, unit in sorted(others)[:best]}
        return [
            self._row(layer, unit)
            for layer in self.layers
            for unit in range(layer.measures.units)
            if (layer.layer, unit) in chosen
        ]

    def _row(self, layer: Judged, unit: int) -> dict[str, Any]:
        address, verdict, curve = f"{layer.layer}:{unit}", layer.verdicts[unit], layer.measures.curve(unit)
        told = self.confirmations.get(address)
        numbers = {
            "score": verdict.score,
            "direction": curve.circular_mean,
            "argmax": curve.argmax,
            "R": curve.resultant,
            "echo": curve.echo,
            "fwhm": curve.fwhm,
            **{name: float(getattr(layer.measures, name)[unit]) for name in MEASURES},
            "natural_difference": told.difference if told else math.nan,
            "natural_chance": told.chance if told else math.nan,
        }
        return {
            "unit": address,
            "kind": verdict.kind,
            **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
            "confirmed": None if told is None else told.confirmed,
            "note": told.note if told else "",
            "missed": "; ".join(map(str, verdict.missed)),
        }


@dataclass(frozen=True)
class Discoveries:
    """Units of a kind in the network, and in each null network."""

    real: int
    nulls: tuple[int, ...]

    @property
    def rate(self) -> float:
        """The false discovery rate: the mean number in a null network over that in the real one, at most 1.

        NaN without any in the real network or without a null.
        """
        return min(1.0, float(np.mean(self.nulls)) / self.real) if self.real and self.nulls else math.nan

    @property
    def most(self) -> float:
        """The rate that is not exceeded with 95 % confidence, if units pass by chance independently (Poisson)."""
        if not (self.real and self.nulls):
            return math.nan
        expected = float(chi2.ppf(0.95, 2 * (sum(self.nulls) + 1))) / 2 / len(self.nulls)
        return min(1.0, expected / self.real)
