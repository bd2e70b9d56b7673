import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles_curves as oracle
from pellucid.curves.tuning_curves import (
    TuningCurve,
    VonMises,
    average,
    best_shift,
    coverage,
    csv_text,
    envelope,
    fit_von_mises,
    gaps,
    measure_rows,
    read_tuning_curves,
    shape_correlations,
    tuning_record,
)
from pellucid.errors import PellucidError, StudyError

CURVES = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).normal(0.2, 1, 36))


def bump(direction: float, kappa: float = 7.0, count: int = 72, period: float = 360.0) -> TuningCurve:
    return VonMises(1.0, direction, kappa, period).curve(count)


@settings(deadline=None)
@given(CURVES, st.sampled_from([360.0, 180.0]))
def test_direction_and_resultant_are_those_of_the_sum_of_vectors(values: np.ndarray, period: float) -> None:
    curve = TuningCurve.of(values, period=period)
    angles = curve.angles.tolist()
    plain = oracle.moment(angles, values.tolist(), 1, period)
    assert curve.resultant == pytest.approx(abs(plain), abs=1e-12)
    assert oracle.apart(curve.circular_mean, oracle.circular_mean(angles, values.tolist(), period), period) < 1e-6
    doubled = oracle.moment(angles, values.tolist(), 2 if period == 360 else 1, period)
    assert curve.doubled_resultant == pytest.approx(abs(doubled), abs=1e-12)
    assert oracle.apart(curve.axis, math.degrees(np.angle(doubled)) / 2, 180) < 1e-6


@settings(deadline=None)
@given(CURVES)
def test_echo_is_the_most_within_45_degrees_of_the_opposite(values: np.ndarray) -> None:
    curve = TuningCurve.of(values)
    assert curve.echo == pytest.approx(oracle.echo(curve.angles.tolist(), values.tolist()), abs=1e-12)


def test_the_ends_of_the_echo_belong_to_it() -> None:
    values = np.zeros(360)
    values[7], values[7 + 135], values[7 + 226] = 1.0, 0.4, 0.9
    assert TuningCurve.of(values).echo == pytest.approx(0.4)


@pytest.mark.parametrize("period", [360.0, 180.0])
def test_the_width_is_where_one_comes_to_walking_from_the_peak(period: float) -> None:
    for seed in range(5):
        values = np.convolve(np.tile(np.random.default_rng(seed).normal(0.1, 1, 40), 3), np.ones(5) / 5, "same")[40:80]
        curve = TuningCurve.of(values, period=period)
        assert curve.fwhm == pytest.approx(oracle.width(curve.angles.tolist(), values.tolist(), period), abs=0.01)


def test_what_never_falls_to_half_is_as_wide_as_the_circle() -> None:
    assert TuningCurve.of(np.linspace(0.6, 1, 36)).fwhm == 360
    assert TuningCurve.of(np.linspace(0.6, 1, 36), period=180).fwhm == 180


@settings(deadline=None)
@given(st.floats(0, 360), st.floats(2, 60))
def test_a_bell_is_found_again(direction: float, kappa: float) -> None:
    curve = VonMises(3.0, direction, kappa).curve(90)
    assert oracle.apart(curve.circular_mean, direction) < 1e-3
    fitted = fit_von_mises(curve)
    assert fitted is not None
    assert fitted.kappa == pytest.approx(kappa, rel=1e-3)
    assert fitted.amplitude == pytest.approx(3, rel=1e-3)
    assert oracle.apart(fitted.direction, direction) < 1e-2
    assert fitted.r2 == pytest.approx(1, abs=1e-6)
    # Half of exp(κ(cos θ - 1)); samples are four degrees apart.
    half = math.degrees(math.acos(1 - math.log(2) / kappa))
    assert curve.fwhm == pytest.approx(2 * half, abs=1.5)


def test_a_fit_has_the_least_squares_of_its_neighbours() -> None:
    values = bump(100).values + 0.2 * bump(300, 3).values
    values[21] = 1.5  # a peak above the best bell
    curve = TuningCurve.of(values)
    fitted = fit_von_mises(curve)
    assert fitted is not None

    def squares(amplitude: float, direction: float, kappa: float) -> float:
        return float(np.square(VonMises(amplitude, direction, kappa).at(curve.angles) - values).sum())

    best = squares(fitted.amplitude, fitted.direction, fitted.kappa)
    assert fitted.r2 == pytest.approx(1 - best / np.square(values - values.mean()).sum())
    assert fitted.amplitude < 0.9 * curve.peak
    for change in ((1.01, 0, 1), (0.99, 0, 1), (1, 0.5, 1), (1, -0.5, 1), (1, 0, 1.02), (1, 0, 0.98)):
        assert squares(fitted.amplitude * change[0], fitted.direction + change[1], fitted.kappa * change[2]) > best


@settings(deadline=None)
@given(CURVES, st.floats(-720, 720))
def test_turning_a_curve_turns_its_direction_and_nothing_else(values: np.ndarray, degrees: float) -> None:
    curve = TuningCurve.of(values)
    turned = curve.turned(degrees)
    assert oracle.apart(turned.argmax, curve.argmax + degrees) < 1e-6
    assert oracle.apart(turned.circular_mean, curve.circular_mean + degrees) < 1e-6
    for name in ("resultant", "doubled_resultant", "echo", "fwhm", "peak"):
        assert getattr(turned, name) == pytest.approx(getattr(curve, name), abs=1e-9)


def test_a_silent_unit_has_no_direction_and_no_measure() -> None:
    silent = TuningCurve.of(np.full(36, -1.0))
    assert silent.peak == 0
    for name in ("argmax", "circular_mean", "resultant", "doubled_resultant", "axis", "echo", "fwhm"):
        assert math.isnan(getattr(silent, name))
    assert fit_von_mises(silent) is None
    assert set(measure_rows({"a": silent})[0].values()) == {"a", 0.0, None}


def test_an_even_response_has_a_resultant_of_zero_and_no_mean() -> None:
    even = TuningCurve.of(np.ones(36))
    assert even.resultant == pytest.approx(0, abs=1e-12)
    assert math.isnan(even.circular_mean)
    fitted = fit_von_mises(even)
    assert fitted is not None
    assert math.isnan(fitted.r2)


def test_lines_have_an_axis_and_no_echo() -> None:
    line = TuningCurve.of(bump(30, 4).values + bump(210, 4).values)
    assert line.axis == pytest.approx(30, abs=1e-6)
    assert line.resultant < 1e-9 < line.doubled_resultant
    assert math.isnan(bump(30, period=180.0).echo)
    assert bump(30, period=180.0).axis == pytest.approx(30, abs=1e-6)


@pytest.mark.parametrize(
    ("angles", "values", "period", "message"),
    [
        (np.arange(3.0), np.ones(3), 360.0, "4 angles or more"),
        (np.arange(5.0), np.ones(4), 360.0, "one value for each"),
        (np.arange(4.0) * 90, np.array([1, np.nan, 1, 1]), 360.0, "must be finite"),
        (np.arange(4.0) * 90, np.ones(4), 90.0, "for lines 180, not 90"),
        (np.linspace(0, 360, 5), np.ones(5), 360.0, "must rise by 72 degrees.* without the closing angle"),
        (np.array([0.0, 80, 180, 270]), np.ones(4), 360.0, "must rise by 90 degrees"),
    ],
)
def test_what_is_no_tuning_curve_is_refused(
    angles: np.ndarray, values: np.ndarray, period: float, message: str
) -> None:
    with pytest.raises(PellucidError, match=message):
        TuningCurve(angles, values, period)


@pytest.mark.parametrize("seed", range(3))
def test_the_best_shift_is_the_best_of_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, two = (TuningCurve.of(np.convolve(random.normal(size=759), np.ones(40), "valid")) for _ in range(2))
    found = best_shift(one, two)
    every = [oracle.pearson(one.response.tolist(), np.roll(two.response, steps).tolist()) for steps in range(720)]
    assert found.correlation == pytest.approx(max(every))
    assert found.degrees == every.index(max(every)) / 2


@settings(deadline=None)
@given(CURVES, st.integers(0, 71))
def test_a_curve_is_like_itself_however_turned(values: np.ndarray, steps: int) -> None:
    curve = TuningCurve.of(values)
    degrees, correlation = best_shift(curve.turned(5.0 * steps), curve)
    assert correlation == pytest.approx(1, abs=1e-9)
    assert oracle.apart(degrees, 5.0 * steps) < 1e-9


def test_a_constant_is_like_nothing() -> None:
    matrix = shape_correlations([TuningCurve.of(np.full(36, 0.7)), TuningCurve.of(np.zeros(36)), bump(3, count=36)])
    assert matrix == pytest.approx(np.diag([0.0, 0.0, 1.0]), abs=1e-9)


def test_lines_and_curves_are_not_compared() -> None:
    with pytest.raises(PellucidError, match="of 360 and of 180 degrees cannot be compared"):
        best_shift(bump(0), bump(0, period=180.0))


@pytest.mark.parametrize("by", ["argmax", "mean"])
def test_the_average_of_a_shape_turned_about_is_the_shape(by) -> None:
    shape = TuningCurve.of(bump(0, 9, 720).values * 4)
    mean = average([shape.turned(degrees) for degrees in (0, 33, 120.5, 290)], by=by)
    assert mean.peak == pytest.approx(1, abs=1e-6)
    assert mean.values == pytest.approx(shape.values / 4, abs=1e-6)
    with pytest.raises(PellucidError, match="none of the tuning curves has a direction"):
        average([TuningCurve.of(np.zeros(36))])


@settings(deadline=None)
@given(st.lists(st.floats(-360, 720), min_size=1, max_size=8))
def test_gaps_add_up_to_the_circle(angles: list[float]) -> None:
    found = gaps({str(number): angle for number, angle in enumerate(angles)})
    assert sum(gap.degrees for gap in found) == pytest.approx(360)
    assert len(found) == len(angles)
    for gap in found:
        turn = (angles[int(gap.after)] - angles[int(gap.before)]) % 360
        assert oracle.apart(turn, gap.degrees) < 1e-6


def test_gaps_leave_out_who_points_nowhere() -> None:
    assert gaps({"a": 10.0, "b": np.nan, "c": 350.0}) == [(340.0, "a", "c"), (20.0, "c", "a")]
    assert gaps({"a": 170.0, "b": 20.0}, period=180) == [(150.0, "b", "a"), (30.0, "a", "b")]
    assert gaps({"b": np.nan}) == []


def test_coverage_is_where_the_best_answers_least() -> None:
    curves = [bump(direction, 5) for direction in (0, 100, 215)]
    plain = oracle.coverage({str(n): curve.values.tolist() for n, curve in enumerate(curves)})
    assert coverage(curves) == pytest.approx(plain)
    assert coverage([TuningCurve.of(7 * curve.values) for curve in curves]) == pytest.approx(plain)
    assert coverage([*curves, TuningCurve.of(np.zeros(72))]) == pytest.approx(plain)
    assert envelope(curves).peak == pytest.approx(1)
    with pytest.raises(PellucidError, match="none of the units fires"):
        coverage([TuningCurve.of(np.zeros(36))])
    with pytest.raises(PellucidError, match="must have the same angles"):
        coverage([bump(0), bump(0, count=36)])


def test_curves_come_back_from_a_file(tmp_path: Path) -> None:
    curves = {"a:1": bump(20), "a:7": bump(200, 3)}
    (tmp_path / "own.json").write_text(json.dumps(tuning_record(curves)))
    rows = [["angle", *curves], *zip(bump(0).angles, *(one.values for one in curves.values()), strict=True)]
    (tmp_path / "own.csv").write_text("\n".join(",".join(map(str, row)) for row in rows))
    values = {unit.rpartition(":")[2]: one.values.tolist() for unit, one in curves.items()}
    layer = {"layer": "a", "neurons": [1, 7]}
    (tmp_path / "one.json").write_text(json.dumps({**layer, "activations": values}))
    (tmp_path / "list.json").write_text(json.dumps([{**layer, "responsesByNeuron": values}]))
    for name in ("own.json", "own.csv", "one.json", "list.json"):
        read = read_tuning_curves(tmp_path / name)
        assert list(read) == ["a:1", "a:7"]
        for unit, curve in curves.items():
            assert read[unit].values == pytest.approx(curve.values)
            assert read[unit].angles == pytest.approx(curve.angles)
            assert read[unit].period == 360


def test_lines_come_back_from_a_file(tmp_path: Path) -> None:
    line = bump(60, period=180.0, count=36)
    (tmp_path / "own.json").write_text(json.dumps(tuning_record({"a:0": line})))
    rows = ["angle,a:0", *(f"{angle},{value}" for angle, value in zip(line.angles, line.values, strict=True))]
    (tmp_path / "own.csv").write_text("\n".join(rows))
    (tmp_path / "a.json").write_text(json.dumps({"radialTuningCurves": {"0": line.values.tolist()}}))
    for name in ("own.json", "own.csv", "a.json"):
        read = read_tuning_curves(tmp_path / name)
        assert list(read) == ["a:0"]
        assert (read["a:0"].period, read["a:0"].axis) == (180, pytest.approx(60, abs=1e-6))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{}", "holds no tuning curves: it needs 'angles' and 'curves'"),
        ("a.json", "[3]", "holds no tuning curves"),
        ("a.json", '{"neurons": [1], "activations": {"2": [1, 2, 3, 4]}}', r"a.json.*KeyError\('1'\)"),
        ("a.json", '{"neurons": [1], "activations": {"1": ["x", 2, 3, 4]}}', "a.json: tuning curves are lists"),
        ("a.json", '{"neurons": [1, 1], "activations": {"1": [1, 2, 3, 4]}}', "a unit stands there twice"),
        ("a.json", '{"neurons": [1], "activations": {"1": [1, 2]}}', r"a.json: a tuning curve has one value"),
        ("a.csv", "angle,u\n0,1\n90,1\n180", "each row has an angle and a value"),
        ("a.csv", "angle,u\n0,1", "holds 1 angles"),
        ("a.csv", "angle,u\n0,1\n90,x\n180,1\n270,1", "a.csv: tuning curves are lists of numbers"),
        ("a.csv", "", "cannot be read as a table with a header"),
    ],
)
def test_a_file_without_curves_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(PellucidError, match=message):
        read_tuning_curves(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no\.json is missing"):
        read_tuning_curves(tmp_path / "no.json")
    with pytest.raises(PellucidError, match=r"no\.csv cannot be read"):
        read_tuning_curves(tmp_path / "no.csv")


def test_curves_of_different_angles_make_no_file() -> None:
    with pytest.raises(PellucidError, match="must have the same angles"):
        tuning_record({"a": bump(0), "b": bump(0, count=36)})
    with pytest.raises(PellucidError, match="no tuning curves to write"):
        tuning_record({})


def test_rows_become_comma_separated_values() -> None:
    lines = csv_text(measure_rows({"a:1": bump(20), "a:2": TuningCurve.of(np.zeros(36))})).splitlines()
    assert lines[0] == "unit,argmax,mean,axis,R,doubled_R,echo,fwhm,peak,kappa,r2"
    assert len(lines) == 3
    assert lines[2] == "a:2,,,,,,,,0.0,,"
