"""The rule that says which units are curve detectors, from what was measured on each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pellucid.curves.peaks import double_peak
from pellucid.curves.tuning_curves import TuningCurve, VonMises, shape_correlations

Kind = Literal["mature", "proto", "line", "double", "none"]
"""A curve detector, one with an echo, a line detector, a double curve detector, or none of these."""
TEMPLATE_KAPPA = 7.0
"""Concentration of the default template: κ of the mean of the ten aligned curve detectors of InceptionV1's mixed3b."""


@dataclass(frozen=True)
class Thresholds:
    """What the rule demands, frozen before it was run on any real network.

    The numbers come from the ten curve detectors of InceptionV1's mixed3b whose tuning curves Cammarata et al. (Curve
    Detectors, Distill 2020) published, together with conv2d2, mixed3a and mixed4a as the other side, and a network
    written by hand, whose units are known: z there is 16 to 24, R .89 to .96, the echo at most .03, L .57 to .77, Q .58
    to .81, C .97 to 1, and K .94 to .99. The thresholds keep all of these with slack. They were set with those data in
    view, so that those data do not test them; whoever changes a number gives up what the rule was frozen for.

    `mature_...` are a curve detector's: strength z, resultant length R, echo, line over curve L, angle over curve Q,
    correlation with the template K, correlation of the line and fill heatmaps C, and the difference in degrees between
    natural and synthetic preferred direction. `proto_...` are those of a unit with an echo, such as the concentric
    curves of early layers, `line_...` a line's (the resultant length of doubled angles), `double_...` those of a unit
    with two peaks: the height of the second over the first, the degrees between them, K around each, and z and L as of
    a unit with an echo. `fires` is the least share of positions where a unit must fire: with shuffled weights a unit
    that hardly ever fires can pass all else.
    """

    mature_z: float = 6.0
    mature_resultant: float = 0.85
    mature_echo: float = 0.10
    mature_line_over_curve: float = 0.8
    mature_angle_over_curve: float = 0.85
    mature_template: float = 0.85
    mature_fill: float = 0.8
    mature_natural: float = 15.0
    proto_z: float = 6.0
    proto_resultant: float = 0.2
    proto_template: float = 0.75
    proto_line_over_curve: float = 0.9
    line_resultant: float = 0.5
    line_over_curve: float = 0.9
    double_height: float = 0.5
    double_separation: float = 60.0
    double_template: float = 0.8
    double_z: float = 6.0
    double_line_over_curve: float = 0.9
    fires: float = 0.02


@dataclass(frozen=True)
class Measured:
    """What is known about one unit; what could not be measured is None and is left out of the rule.

    `tuning` is the response to curves by direction, averaged over radii. `z` is the strongest response in standard
    deviations of the unit's rectified activations on the dataset, less their mean. `line_over_curve` and
    `angle_over_curve` are the peak of the response to lines and to angles over that to curves. `template_correlation`
    is `template_correlation(tuning)`, `fill_correlation` that of the orientation-by-curvature heatmaps of lines and of
    filled shapes. `natural_difference` is the difference in degrees between the preferred directions of rotated
    photographs and of synthetic curves, `fires` the share of positions of the dataset that the unit fires at.
    """

    tuning: TuningCurve
    z: float | None = None
    line_over_curve: float | None = None
    angle_over_curve: float | None = None
    template_correlation: float | None = None
    fill_correlation: float | None = None
    natural_difference: float | None = None
    fires: float | None = None


class Demand(NamedTuple):
    """One demand of the rule: what is measured, its value, the threshold, and whether that is the `least` or most."""

    name: str
    value: float
    threshold: float
    least: bool = True

    @property
    def met(self) -> bool:
        """Whether the value is on the right side; NaN never is."""
        return self.value >= self.threshold if self.least else self.value <= self.threshold

    @property
    def ratio(self) -> float:
        """The value over the threshold, or the reverse for a most, clipped to 0 and 1: 1 if met, 0 for NaN."""
        if self.met:
            return 1.0
        over, under = (self.value, self.threshold) if self.least else (self.threshold, self.value)
        return min(max(over / under, 0.0), 1.0) if math.isfinite(self.value) and under else 0.0

    def __str__(self) -> str:
        sign = "≥" if self.least else "≤"
        return f"{self.name} {self.value:.3g}, not {sign} {self.threshold:g}"


@dataclass(frozen=True)
class Verdict:
    """What the rule says about a unit.

    `kind` is the first of `kinds`, all kinds whose demands are met, in the order mature, proto, line, double; "none"
    without any. `score` ranks units below the threshold: the geometric mean of the ratios of all demands on a mature
    curve detector, 1 if all are met. `missed` are those that are not.
    """

    kind: Kind
    kinds: tuple[Kind, ...]
    score: float
    missed: tuple[Demand, ...]


def judge(measured: Measured, thresholds: Thresholds | None = None) -> Verdict:
    """Apply the rule to one unit.

    Demands on what was not measured are left out, except that nothing is called a line that was not shown lines: by its
    tuning alone a concentric curve is one as well.
    """
    rule = thresholds or Thresholds()
    mature = _mature(measured, rule)
    kinds: list[Kind] = []
    if all(demand.met for demand in mature):
        kinds.append("mature")
    if all(demand.met for demand in _proto(measured, rule)):
        kinds.append("proto")
    if measured.line_over_curve is not None and all(demand.met for demand in _line(measured, rule)):
        kinds.append("line")
    if all(demand.met for demand in _double(measured, rule)) and _is_double(measured.tuning, rule):
        kinds.append("double")
    score = math.prod(demand.ratio for demand in mature) ** (1 / len(mature))
    return Verdict(kinds[0] if kinds else "none", tuple(kinds), score, tuple(one for one in mature if not one.met))


def template() -> TuningCurve:
    """The shape of a curve detector's tuning: von Mises' curve of κ 7, which correlates .99 with the published mean."""
    return VonMises(1.0, 0.0, TEMPLATE_KAPPA).curve()


def template_correlation(curves: Sequence[TuningCurve], shape: TuningCurve | None = None) -> list[float]:
    """K of each curve: its correlation with the template up to rotation.

    Another `shape` may be given, such as the `average` of known curve detectors.
    """
    return shape_correlations(curves, [shape or template()])[:, 0].tolist()


def _mature(of: Measured, rule: Thresholds) -> list[Demand]:
    return _known(
        ("z", of.z, rule.mature_z, True),
        ("R", of.tuning.resultant, rule.mature_resultant, True),
        ("echo", of.tuning.echo, rule.mature_echo, False),
        ("L", of.line_over_curve, rule.mature_line_over_curve, False),
        ("Q", of.angle_over_curve, rule.mature_angle_over_curve, False),
        ("K", of.template_correlation, rule.mature_template, True),
        ("C", of.fill_correlation, rule.mature_fill, True),
        ("natural difference", of.natural_difference, rule.mature_natural, False),
        ("fires", of.fires, rule.fires, True),
    )


def _proto(of: Measured, rule: Thresholds) -> list[Demand]:
    # From R of a mature curve detector on, a unit has no echo: the range is open there.
    most = math.nextafter(rule.mature_resultant, 0)
    return _known(
        ("z", of.z, rule.proto_z, True),
        ("R", of.tuning.resultant, rule.proto_resultant, True),
        ("R", of.tuning.resultant, most, False),
        ("L", of.line_over_curve, rule.proto_line_over_curve, False),
        ("K", of.template_correlation, rule.proto_template, True),
        ("fires", of.fires, rule.fires, True),
    )


def _line(of: Measured, rule: Thresholds) -> list[Demand]:
    return _known(
        ("doubled R", of.tuning.doubled_resultant, rule.line_resultant, True),
        ("L", of.line_over_curve, rule.line_over_curve, True),
        ("fires", of.fires, rule.fires, True),
    )


def _known(*demands: tuple[str, float | None, float, bool]) -> list[Demand]:
    return [Demand(name, value, threshold, least) for name, value, threshold, least in demands if value is not None]


def _double(of: Measured, rule: Thresholds) -> list[Demand]:
    return _known(
        ("z", of.z, rule.double_z, True),
        ("L", of.line_over_curve, rule.double_line_over_curve, False),
        ("fires", of.fires, rule.fires, True),
    )


def _is_double(tuning: TuningCurve, rule: Thresholds) -> bool:
    found = double_peak(tuning, template(), height=rule.double_height, separation=rule.double_separation)
    return found is not None and min(found.correlations) >= rule.double_template
