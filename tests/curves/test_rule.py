import dataclasses
import math

import numpy as np
import pytest

from pellucid.curves.peaks import double_peak
from pellucid.curves.rule import (
    Demand,
    Measured,
    Thresholds,
    judge,
    template,
    template_correlation,
)
from pellucid.curves.tuning_curves import TuningCurve, VonMises


def bumps(*peaks: tuple[float, float], kappa: float = 9.0) -> TuningCurve:
    """The sum of bells, each of a direction and a height."""
    return TuningCurve.of(sum(VonMises(height, at, kappa).curve(360).values for at, height in peaks))


def measured(tuning: TuningCurve, **known: float) -> Measured:
    return Measured(tuning, template_correlation=template_correlation([tuning])[0], **known)


CURVE = {
    "z": 18.0, "line_over_curve": 0.6, "angle_over_curve": 0.7, "fill_correlation": 0.98, "natural_difference": 4.0,
    "fires": 0.1,
}  # fmt: skip


def test_a_curve_detector_meets_all_demands() -> None:
    verdict = judge(measured(bumps((70, 1)), **CURVE))
    assert (verdict.kind, verdict.kinds, verdict.score, verdict.missed) == ("mature", ("mature",), 1.0, ())


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("z", 6.0, 5.99),
        ("line_over_curve", 0.8, 0.81),
        ("angle_over_curve", 0.85, 0.86),
        ("template_correlation", 0.85, 0.84),
        ("fill_correlation", 0.8, 0.79),
        ("natural_difference", 15.0, 15.1),
    ],
)
def test_one_demand_that_is_missed_is_enough(name: str, inside: float, outside: float) -> None:
    best = measured(bumps((70, 1)), **CURVE)
    assert judge(dataclasses.replace(best, **{name: inside})).kind == "mature"
    verdict = judge(dataclasses.replace(best, **{name: outside}))
    assert verdict.kind != "mature"
    assert [demand.value for demand in verdict.missed] == [outside]
    assert 0.98 < verdict.score < 1
    # What was not measured is left out, and what is not a number is met by nothing.
    assert judge(dataclasses.replace(best, **{name: None})).kind == "mature"
    undefined = judge(dataclasses.replace(best, **{name: math.nan}))
    assert undefined.kind != "mature"
    assert undefined.score == 0


def test_the_resultant_and_the_echo_are_those_of_the_tuning() -> None:
    wide = judge(measured(bumps((70, 1), kappa=3.0), **CURVE))
    assert [demand.name for demand in wide.missed] == ["R"]
    echoing = judge(measured(bumps((70, 1), (250, 0.12), kappa=20), **CURVE))
    assert [demand.name for demand in echoing.missed] == ["R", "echo"]
    barely = judge(measured(bumps((70, 1), (250, 0.08), kappa=30), **CURVE), Thresholds(mature_resultant=0.8))
    assert barely.kind == "mature"


def test_an_echo_makes_a_proto_curve_and_a_full_one_a_line() -> None:
    proto = judge(measured(bumps((70, 1), (250, 0.4)), z=9.0, line_over_curve=0.6))
    assert proto.kind == "proto"
    line = judge(measured(bumps((70, 1), (250, 1)), z=9.0, line_over_curve=1.05))
    assert line.kind == "line"
    # Without lines shown nobody can tell.
    assert judge(measured(bumps((70, 1), (250, 1)), z=9.0)).kind == "double"
    assert judge(measured(bumps((70, 1)), z=18.0, line_over_curve=1.05)).kind == "line"


def test_a_mature_curve_detector_is_not_proto_too() -> None:
    for kappa in np.linspace(2, 12, 40):
        tuning = bumps((70, 1), kappa=float(kappa))
        kinds = judge(measured(tuning)).kinds
        assert kinds == (("mature",) if tuning.resultant >= 0.85 else ("proto",))


def test_a_unit_that_never_fires_is_nothing() -> None:
    verdict = judge(measured(TuningCurve.of(np.zeros(72)), z=0.0))
    assert (verdict.kind, verdict.kinds, verdict.score) == ("none", (), 0.0)


def test_too_few_positions_can_be_asked_for() -> None:
    rare = measured(bumps((70, 1)), **{**CURVE, "fires": 0.015})
    assert judge(rare).kind == "none"
    assert judge(rare, Thresholds(fires=0.01)).kind == "mature"


def test_two_curves_in_one_unit_are_a_double_curve() -> None:
    for apart in (90.0, 130.0, 200.0):
        tuning = bumps((20, 1), (20 + apart, 0.7), kappa=12)
        assert "double" in judge(measured(tuning)).kinds
        found = double_peak(tuning, template())
        assert found is not None
        assert found.separation == pytest.approx(min(apart, 360 - apart), abs=1)
        assert found.height == pytest.approx(0.7, abs=0.01)
        assert found.angles == pytest.approx((20, 20 + apart), abs=1)
    assert judge(measured(bumps((20, 1), (150, 0.7), kappa=12))).kind == "double"


def test_one_peak_a_low_one_and_a_near_one_are_not_double() -> None:
    near = [bumps((20, 1), (at, 0.9), kappa=60) for at in (75, 325)]
    for tuning in (bumps((20, 1)), bumps((20, 1), (150, 0.45)), *near):
        assert "double" not in judge(measured(tuning)).kinds
    ripples = np.ones(360) + 0.05 * np.cos(np.deg2rad(np.arange(360) * 12))
    assert "double" not in judge(measured(TuningCurve.of(ripples))).kinds


def test_the_score_is_the_geometric_mean_of_the_ratios() -> None:
    tuning = bumps((70, 1))
    verdict = judge(Measured(tuning, z=3.0, line_over_curve=1.6, fill_correlation=-0.3))
    assert verdict.score == 0
    verdict = judge(Measured(tuning, z=3.0, line_over_curve=1.6))
    fires = {demand.name for demand in verdict.missed}
    assert fires == {"z", "L"}
    assert verdict.score == pytest.approx((1 * 1 * 0.5 * 0.5) ** (1 / 4))  # R and echo are met
    assert str(verdict.missed[0]) == "z 3, not ≥ 6"
    assert str(verdict.missed[1]) == "L 1.6, not ≤ 0.8"
    assert Demand("x", -1.0, 0.0).ratio == 0


def test_the_template_is_like_itself_only_up_to_rotation() -> None:
    flat = TuningCurve.of(np.full(72, 0.3))
    assert template_correlation([template().turned(77), flat]) == pytest.approx([1, 0], abs=1e-6)
    other = bumps((0, 1), kappa=40)
    assert template_correlation([other.turned(10)], other) == pytest.approx([1], abs=1e-3)


def test_the_thresholds_cannot_be_moved() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        Thresholds().mature_z = 3  # type: ignore[misc]
