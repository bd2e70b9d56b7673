"""The tuning curves of whole layers: which units the rule picks, and which families they form."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.curves.families import ALIKE, Family, find_families
from pellucid.curves.rule import Kind, Measured, Verdict, judge, template_correlation
from pellucid.curves.tuning_curves import TuningCurve, measure_rows


@dataclass(frozen=True, eq=False)
class LayerVerdicts:
    """The units of a layer, by address: tuning `curves`, correlation with the `template`, `verdicts`, `families`."""

    curves: Mapping[str, TuningCurve]
    template: Mapping[str, float]
    verdicts: Mapping[str, Verdict]
    families: tuple[Family, ...]

    def of_kind(self, kind: Kind) -> list[str]:
        """The units of this kind."""
        return [unit for unit, verdict in self.verdicts.items() if verdict.kind == kind]

    def rows(self) -> list[dict[str, Any]]:
        """One row for each unit: those of `measure_rows`, `K`, `kind`, `score`, and in words what was `missed`."""
        return [
            {
                **row,
                "K": self.template[row["unit"]],
                "kind": self.verdicts[row["unit"]].kind,
                "score": self.verdicts[row["unit"]].score,
                "missed": "; ".join(map(str, self.verdicts[row["unit"]].missed)),
            }
            for row in measure_rows(self.curves)
        ]

    def family_records(self) -> list[dict[str, Any]]:
        """The families as JSON values."""
        return [
            {
                "units": list(family.units),
                "gaps": [gap._asdict() for gap in family.gaps],
                "coverage": family.coverage,
                "least_correlation": _known(family.least_correlation),
                "median_correlation": _known(family.median_correlation),
            }
            for family in self.families
        ]


def by_layer(curves: Mapping[str, TuningCurve]) -> dict[str, dict[str, TuningCurve]]:
    """Tuning curves by the layers of their addresses, "layer:unit"; those without one are of a layer "units"."""
    layers: dict[str, dict[str, TuningCurve]] = {}
    for unit, curve in curves.items():
        layers.setdefault(unit.rpartition(":")[0] or "units", {})[unit] = curve
    return layers


def judge_layers(
    curves: Mapping[str, TuningCurve], *, alike: float = ALIKE, shape: TuningCurve | None = None
) -> dict[str, LayerVerdicts]:
    """Apply the rule to tuning curves, by addresses, as far as these alone tell, and find the families of each layer.

    `alike` is where families are cut, and `shape` another template for K.
    """
    found = {}
    for layer, of in by_layer(curves).items():
        correlations = dict(zip(of, template_correlation(list(of.values()), shape), strict=True))
        verdicts = {unit: judge(Measured(curve, template_correlation=correlations[unit])) for unit, curve in of.items()}
        found[layer] = LayerVerdicts(of, correlations, verdicts, tuple(find_families(of, alike=alike)))
    return found


def summary_line(family: Family, curves: Mapping[str, TuningCurve], *, widest: int = 3) -> str:
    """A family in a line of words: medians over its units, coverage, likeness, and the widest gaps."""
    firing = [curves[unit] for unit in family.units if curves[unit].peak]
    units = f"{family.units[0]} alone" if len(family.units) == 1 else f"{len(family.units)} units"
    if not firing:
        return f"{units}, silent"
    length = float(np.median([curve.resultant for curve in firing]))
    echo = float(np.median([curve.echo for curve in firing]))
    text = f"{units}, median R {length:.3f}, echo {echo:.3f}"
    if len(family.units) == 1:
        return text
    gaps = ", ".join(
        f"{gap.degrees:.4g}° ({_unit(gap.before)} to {_unit(gap.after)})"
        for gap in sorted(family.gaps, reverse=True)[:widest]
    )
    return (
        f"{text}, coverage {family.coverage:.2f}, correlations up to rotation from {family.least_correlation:.3f}, "
        f"median {family.median_correlation:.3f}; widest gaps {gaps}"
    )


def _unit(address: str) -> str:
    return address.rpartition(":")[2]


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
