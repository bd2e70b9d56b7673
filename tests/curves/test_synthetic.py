import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import oracles_curves
import oracles_synthetic as oracle
import pellucid
from pellucid.curves.families import find_families
from pellucid.curves.scales import Scale
from pellucid.curves.sight import sights
from pellucid.curves.stimuli import STYLES, Angle, Curve, Line, Noise, Style
from pellucid.curves.synthetic import (
    AngleSeries,
    AngleSweep,
    CurveSweep,
    Heatmap,
    LineSweep,
    angle_series,
    beyond_the_picture,
    compare_variants,
    cosmetic_heatmaps,
    curve_heatmap,
    heatmap_figure,
    line_tuning_of,
    tuning_of,
)
from pellucid.curves.synthetic.panels import icon_table
from pellucid.curves.synthetic.tables import angle_rows, heatmap_rows
from pellucid.curves.synthetic.variants import compare, correlation
from pellucid.curves.tuning_curves import measure_rows, radial_figure, read_tuning_curves, tuning_record
from pellucid.errors import LayerError, ObjectiveError, PellucidError

RADII = (26.0, 52.0, 77.0, 103.0)
COARSE = tuple(range(0, 360, 30))
CURVES = range(24)


@pytest.fixture(scope="module")
def network() -> pellucid.Network:
    return pellucid.load("handnet")


@pytest.fixture(scope="module")
def found(network: pellucid.Network) -> dict[str, Heatmap]:
    return curve_heatmap(network, "relu4", range(42), radii=RADII)


@pytest.fixture(scope="module")
def looks(network: pellucid.Network) -> dict[str, dict[str, Heatmap]]:
    return cosmetic_heatmaps(
        network, "relu4", CURVES, styles=("line", "fill", "colour", "bright", "noise"), radii=(40.0, 60.0, 80.0),
        orientations=range(0, 360, 10), seeds=(0, 1),
    )  # fmt: skip


def off(found: float, expected: float) -> float:
    return oracles_curves.apart(found, expected)


def made_up(activations: np.ndarray, **options: object) -> Heatmap:
    rows, columns = activations.shape
    sweep = CurveSweep(np.arange(rows, 0, -1.0) * 10, np.arange(columns) * 360 / columns)
    return replace(Heatmap("a:0", sweep, activations), **options)


@pytest.mark.parametrize("style", ["line", "fill"])
def test_heatmaps_are_those_of_one_stimulus_at_a_time_through_the_plain_module(
    network: pellucid.Network, style: str
) -> None:
    maps = curve_heatmap(network, "relu4", [3, 14, 30], style=style, radii=(90, 30), orientations=range(0, 360, 60))
    for row, radius in enumerate((90, 30)):
        for column, orientation in enumerate(range(0, 360, 60)):
            picture = oracle.circle(orientation, radius, 128, fill=style == "fill")
            units = oracle.answer(network.module, "relu4", picture)
            for unit in (3, 14, 30):
                one = maps[f"relu4:{unit}"]
                assert one.activations[row, column] == pytest.approx(units[unit], abs=0.02)
    assert max(one.peak for one in maps.values()) > 0.3


def test_angles_are_those_of_one_stimulus_at_a_time_through_the_plain_module(network: pellucid.Network) -> None:
    openings, orientations = (150, 100), (0, 90, 180, 270)
    series = angle_series(
        network, "relu4", CURVES, openings=openings, roundings=[0], radii=(60, 30), orientations=orientations
    )
    for row, opening in enumerate(openings):
        for column, orientation in enumerate(orientations):
            units = oracle.answer(network.module, "relu4", oracle.corner(orientation, opening, 128))
            for unit in CURVES:
                answered = series[f"relu4:{unit}"].angles[0].activations[row, column]
                assert answered == pytest.approx(units[unit], abs=0.02)
    assert max(one.angles[0].peak for one in series.values()) > 0.3


def test_all_24_curves_prefer_their_normals_narrowly_and_without_an_echo(found: dict[str, Heatmap]) -> None:
    for unit in CURVES:
        curve = found[f"relu4:{unit}"].radial()
        assert off(curve.circular_mean, 15 * unit) <= 0.6
        assert off(curve.argmax, 15 * unit) <= 5
        assert curve.resultant >= 0.97
        assert curve.echo <= 0.001


def test_a_heatmap_is_by_the_centre_of_curvature_and_its_radial_curve_by_the_opposite_normal(
    found: dict[str, Heatmap],
) -> None:
    for unit, orientation in ((0, 180), (6, 270), (12, 0), (18, 90)):
        assert found[f"relu4:{unit}"].best == (52, orientation)
        assert found[f"relu4:{unit}"].radial().argmax == 15 * unit


def test_without_negative_weights_the_echo_comes_back() -> None:
    positive = tuning_of(pellucid.load("handnet_positive"), "relu4", CURVES, radii=RADII)
    assert min(curve.echo for curve in positive.values()) >= 0.4
    assert max(curve.resultant for curve in positive.values()) <= 0.3


def test_tuning_is_what_figures_tables_families_and_files_take(found: dict[str, Heatmap], tmp_path) -> None:
    curves = {unit: one.radial() for unit, one in list(found.items())[:24]}
    (family,) = find_families(curves)
    assert family.units == tuple(f"relu4:{unit}" for unit in CURVES)
    assert max(gap.degrees for gap in family.gaps) <= 20
    assert [row["unit"] for row in measure_rows(curves)] == list(curves)
    assert len(radial_figure({"relu4": curves}).axes) == 1
    (tmp_path / "t.json").write_text(json.dumps(tuning_record(curves)))
    again = read_tuning_curves(tmp_path / "t.json")
    assert [curve.argmax for curve in again.values()] == [curve.argmax for curve in curves.values()]


def test_tuning_is_the_mean_over_radii_by_normals(network: pellucid.Network, found: dict[str, Heatmap]) -> None:
    tuned = tuning_of(network, "relu4", [7], radii=RADII, orientations=COARSE)["relu4:7"]
    plain = oracle.radial(found["relu4:7"].activations[:, ::6].tolist(), COARSE)
    assert tuned.angles.tolist() == sorted(plain)
    assert tuned.values == pytest.approx([plain[angle] for angle in sorted(plain)], abs=1e-6)


def test_lines_are_by_their_directions(network: pellucid.Network) -> None:
    lines = line_tuning_of(network, "relu4", range(24, 42))
    for unit, curve in zip(range(24, 42), lines.values(), strict=True):
        assert curve.period == 180
        assert oracles_curves.apart(curve.circular_mean, 10 * (unit - 24) + 90, 180) <= 1
        assert curve.resultant >= 0.95


def test_units_are_the_same_alone_and_among_all(network: pellucid.Network, found: dict[str, Heatmap]) -> None:
    alone = curve_heatmap(network, "relu4", [9, 2, 9], radii=RADII, orientations=COARSE)
    assert list(alone) == ["relu4:9", "relu4:2"]
    for unit, one in alone.items():
        assert one.activations == pytest.approx(found[unit].activations[:, ::6], abs=1e-5)


def test_rows_go_from_flat_to_tight_whatever_the_order_they_are_given_in(network: pellucid.Network) -> None:
    one, other = (
        curve_heatmap(network, "relu4", [5], radii=radii, orientations=COARSE)["relu4:5"]
        for radii in ((20, 90, 50), (90, 50, 20))
    )
    assert one.rows.tolist() == [90, 50, 20]
    assert np.array_equal(one.values, other.values)


def test_rows_are_even_in_radius_by_default_and_follow_the_field(network: pellucid.Network) -> None:
    sight = sights(network, ["relu4"])["relu4"]
    one = curve_heatmap(network, "relu4", [0], orientations=COARSE, sight=sight)["relu4:0"]
    assert one.rows[0] == pytest.approx(2.6 * sight.diameter)
    assert one.rows[-1] == pytest.approx(0.6 * sight.diameter)
    assert np.ptp(np.diff(one.rows)) < 1e-9
    assert 1 < one.best[0] / sight.diameter < 2  # the unit's own radius is well inside


def test_a_curve_detectors_heatmap_is_a_smooth_hill_that_widens_to_tight_curves(network: pellucid.Network) -> None:
    for one in curve_heatmap(network, "relu4", [0, 3, 13], orientations=range(0, 360, 10)).values():
        width = one.firing_width()
        assert width[-1] > 1.5 * width[0] > 0
        assert one.wisps == pytest.approx(1, abs=0.01)


def test_a_lines_heatmap_has_two_hills_and_points_nowhere(found: dict[str, Heatmap]) -> None:
    line = found["relu4:30"]
    assert line.wisps == pytest.approx(2, abs=0.05)
    assert np.isnan(line.normal)
    assert line.best[0] == 103


def test_values_with_a_dataset_are_standard_deviations_of_the_rectified_activation(
    network: pellucid.Network, found: dict[str, Heatmap]
) -> None:
    random = np.random.default_rng(0)
    scale = Scale(random.random(42), 0.1 + random.random(42), random.random(42), 1000)
    maps = curve_heatmap(network, "conv4", [4, 11], scale=scale, radii=RADII)
    for unit in (4, 11):
        one = maps[f"conv4:{unit}"]
        assert one.activations.min() < 0
        assert one.measure == "sigma"
        plain = [[oracle.sigma(a, scale.mean[unit], scale.deviation[unit]) for a in row] for row in one.activations]
        assert one.values == pytest.approx(np.array(plain))
        assert one.values == pytest.approx(scale.take([unit]).strength(one.activations[..., None])[..., 0])
        rectified = found[f"relu4:{unit}"]
        assert rectified.measure == "activation"
        assert one.radial().values == pytest.approx(rectified.radial().values, abs=1e-5)
        assert one.steepest == pytest.approx(rectified.steepest / scale.deviation[unit], rel=1e-4)


def test_a_unit_that_never_varied_has_no_sigma_and_is_drawn_grey() -> None:
    still = made_up(np.eye(4, 12), mean=0.0, deviation=0.0)
    assert np.isnan(still.values).all()
    assert np.isnan(still.steepest)
    assert still.radial().peak == 0.25
    assert replace(still, deviation=np.nan).describe()["deviation"] is None
    heatmap_figure({"a:0": {"line": still}}, diameter=20)
    (row,) = heatmap_rows({"line": {"a:0": still}})
    assert row["peak"] is None
    assert row["correlation"] == pytest.approx(1)


def test_measures_are_those_of_walking_through_the_heatmap() -> None:
    for seed in range(4):
        values = np.random.default_rng(seed).normal(0.3, 1, (5, 12))
        one = made_up(values)
        assert one.wisps == pytest.approx(oracle.wisps(values.tolist()))
        assert one.steepest == pytest.approx(oracle.steepest(values.tolist(), 30))
        assert one.firing_width(0.5).tolist() == [30.0 * sum(v > 0.5 for v in row) for row in values.tolist()]
        assert one.firing_width().tolist() == [30.0 * sum(v > 0.05 * values.max() for v in row) for row in values]
        scaled = replace(one, mean=0.2, deviation=0.5)
        assert scaled.firing_width().tolist() == [30.0 * sum(v > 0.7 for v in row) for row in values]


def test_a_silent_unit_has_no_measure_that_means_nothing() -> None:
    silent = made_up(np.full((3, 12), -1.0))
    assert all(np.isnan(silent.best))
    assert np.isnan([silent.wisps, silent.normal]).all()
    assert silent.firing_width().tolist() == [0, 0, 0]
    variant = compare(silent, silent)
    assert np.isnan([variant.correlation, variant.peak_ratio, variant.shift]).all()


def test_a_variant_that_is_turned_and_fainter_is_found_to_be_so() -> None:
    angles = np.arange(0, 360, 10)
    hill = np.exp(4 * (np.cos(np.deg2rad(angles - 350)) - 1)) * np.array([[1.0], [2.0]])
    one = made_up(hill)
    same = compare(one, replace(one, activations=0.5 * hill, style="b"))
    assert (same.correlation, same.peak_ratio, same.shift) == pytest.approx((1, 0.5, 0), abs=1e-9)
    turned = compare(one, replace(one, activations=np.roll(hill, 3, axis=1), style="c"))
    assert turned.shift == pytest.approx(30, abs=1e-6)
    assert compare(replace(one, activations=np.roll(hill, 3, axis=1)), one).shift == pytest.approx(-30, abs=1e-6)
    assert turned.correlation == pytest.approx(
        oracles_curves.pearson(hill.ravel().tolist(), np.roll(hill, 3, axis=1).ravel().tolist())
    )


def test_looks_change_neither_shape_nor_direction_of_the_tuning(looks: dict[str, dict[str, Heatmap]]) -> None:
    compared = {(one.unit, one.style): one for one in compare_variants(looks)}
    assert len(compared) == 4 * 24
    for unit in CURVES:
        for style, alike, ratio in (
            ("fill", 0.99, (0.85, 1)),
            ("colour", 0.98, (0.1, 0.3)),
            ("bright", 0.99, (0.9, 1)),
        ):
            one = compared[f"relu4:{unit}", style]
            assert one.correlation >= alike
            assert abs(one.shift) <= 1
            assert ratio[0] <= one.peak_ratio <= ratio[1]
        noise = compared[f"relu4:{unit}", "noise"]
        assert noise.correlation >= 0.95
        assert abs(noise.shift) <= 5


def test_styles_are_compared_with_whichever_is_named(looks: dict[str, dict[str, Heatmap]]) -> None:
    back = compare_variants({name: looks[name] for name in ("line", "fill")}, to="fill")
    assert {one.style for one in back} == {"line"}
    assert all(one.peak_ratio > 1 for one in back)
    with pytest.raises(PellucidError, match="no heatmaps in the style 'dark'; there are 'line'"):
        compare_variants(looks, to="dark")


def test_textures_are_averaged_over_their_seeds_and_others_are_drawn_once(network: pellucid.Network) -> None:
    style = Style(foreground=0.1, background=0.6, inside=Noise(0.2), outside=Noise(0.2))
    options = {"radii": (50,), "orientations": COARSE}
    maps = [curve_heatmap(network, "relu4", [8], style=style, seeds=some, **options) for some in ((0,), (5,), (0, 5))]
    first, second, both = (one["relu4:8"].activations for one in maps)
    assert both == pytest.approx((first + second) / 2, abs=1e-6)
    assert np.abs(first - second).max() > 0.01
    shown: list[int] = []
    plain = pellucid.load("handnet")
    plain.module.register_forward_pre_hook(lambda _, given: shown.append(len(given[0])))
    sight = sights(plain, ["relu4"])["relu4"]
    shown.clear()
    curve_heatmap(plain, "relu4", [8], seeds=(0, 5, 6), sight=sight, **options)
    assert sum(shown) == 12


def test_angles_drive_curves_less_than_rounded_ones_and_those_less_than_curves(network: pellucid.Network) -> None:
    series = angle_series(network, "relu4", CURVES, openings=range(180, 20, -15), orientations=range(0, 360, 15))
    for unit in CURVES:
        one = series[f"relu4:{unit}"]
        assert one.rises
        assert one.roundings[0] == 0
        assert 0.5 <= one.ratios[0] <= 0.7
        assert one.ratios[-1] == 1
        assert off(one.sharpest[1], 15 * unit + 180) <= 15
        assert one.sharpest[0] >= 140
        assert one.correlations[-1] == pytest.approx(1)
        assert one.correlations[0] < min(one.correlations[2:])
    rows = angle_rows(series)
    names = [f"rounded_{radius:.3g}" for radius in series["relu4:0"].roundings[1:]]
    assert list(rows[0])[:5] == ["unit", "corner", *names, "curve"]
    assert rows[0]["rises"] is True


def test_angles_are_drawn_in_the_style_that_is_given(network: pellucid.Network) -> None:
    options: dict[str, Any] = {"orientations": COARSE, "openings": (110,), "roundings": (0,), "radii": (50,)}
    named, given = (
        angle_series(network, "relu4", [3], style=style, **options)["relu4:3"] for style in ("fill", STYLES["fill"])
    )
    assert np.array_equal(named.curve.activations, given.curve.activations)
    assert (named.curve.style, given.curve.style) == ("fill", "given")
    lines = angle_series(network, "relu4", [3], **options)["relu4:3"]
    assert not np.allclose(lines.curve.activations, given.curve.activations, atol=0.01)


@pytest.mark.parametrize(
    ("peaks", "rises"),
    [((0.5, 0.6, 0.9, 1.0), True), ((0.5, 0.6, 0.6, 1.0), False), ((0.9, 0.95, 0.97, 0.8), False)],
)
def test_a_series_rises_if_each_step_is_above_the_one_before(peaks: tuple[float, ...], rises: bool) -> None:
    maps = [made_up(peak * np.eye(3, 12)) for peak in peaks]
    series = AngleSeries("a:0", (0.0, 1.0, 2.0), tuple(maps[:3]), maps[3])
    assert series.rises is rises
    assert series.ratios == pytest.approx([peak / peaks[3] for peak in peaks])


def test_sweeps_show_what_their_rows_and_columns_say() -> None:
    around = np.arange(0, 360, 90.0)
    assert CurveSweep(np.array([9.0, 4.0]), around).stimulus(4, 90) == Curve(90, 4)
    assert AngleSweep.of([60, 150], around.tolist(), rounding=3).stimulus(60, 90) == Angle(90, 60, 3)
    assert AngleSweep.of([60, 150], around.tolist()).rows.tolist() == [150, 60]
    assert LineSweep(np.arange(0, 180, 45.0)).stimulus(0, 45) == Line(45)


def test_icons_stand_in_the_order_of_the_heatmap() -> None:
    one = made_up(np.zeros((4, 4)))
    table = icon_table(one, 10, STYLES["fill"], shape=(4, 4))
    side = table.shape[0] // 4
    for row in range(4):
        for column in range(4):
            icon = table[row * side + 1 : (row + 1) * side, column * side + 1 : (column + 1) * side, 0]
            y, x = np.argwhere(icon < 0.5).mean(axis=0) - (side / 2 - 1)
            assert off(np.rad2deg(np.arctan2(y, x)), 90 * column) < 15  # the centre of curvature lies there
    areas = [(table[row * side : (row + 1) * side, :side, 0] < 0.5).sum() for row in range(4)]
    assert areas == sorted(areas, reverse=True)  # the flattest, which is the largest disc, above


def test_a_figure_has_a_panel_for_each_unit_and_title_black_up_to_0() -> None:
    maps = {f"a:{unit}": {name: made_up(np.eye(4, 12) - 0.5) for name in ("line", "fill")} for unit in range(3)}
    images = [ax.images[0] for ax in heatmap_figure(maps, diameter=20).axes if ax.images]
    assert len(images) == 2 + 6
    panel = images[2]
    colours = np.asarray(panel.cmap(panel.norm(np.array([-0.5, 0.0, 0.5]))))
    assert colours[:2].tolist() == [[0, 0, 0, 1]] * 2
    assert colours[2, :3].max() > 0.3
    assert panel.norm.vmax == 0.5
    assert heatmap_figure(maps, diameter=20, top=3).axes[2].images[0].norm.vmax == 3
    with pytest.raises(PellucidError, match="up to top = 0, which must be above it"):
        heatmap_figure(maps, diameter=20, top=0)


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ({}, "heatmaps of 1 to 24 units, not 0"),
        ({f"a:{unit}": {"line": made_up(np.eye(4))} for unit in range(25)}, "heatmaps of 1 to 24 units, not 25"),
        ({"a:0": {"line": made_up(np.eye(4))}, "a:1": {"fill": made_up(np.eye(4))}}, "of the same titles"),
    ],
)
def test_what_cannot_be_drawn_is_refused(maps: dict[str, dict[str, Heatmap]], message: str) -> None:
    with pytest.raises(PellucidError, match=message):
        heatmap_figure(maps, diameter=20)


def test_a_unit_that_sees_more_than_the_picture_works_and_is_told_of(network: pellucid.Network) -> None:
    assert beyond_the_picture(network, sights(network, ["relu4"])["relu4"]) is None
    small = replace(network, size=(64, 64))
    sight = sights(small, ["relu4"])["relu4"]
    assert sight.size == (64, 64)
    note = beyond_the_picture(small, sight)
    assert note is not None
    assert note.startswith("relu4 of handnet sees 75 x 75 px about (32, 32), more than its picture of 64 x 64 px")
    tuned = tuning_of(small, "relu4", [0, 12], radii=(52, 103), sight=sight)
    assert off(tuned["relu4:0"].circular_mean, 0) < 5
    assert off(tuned["relu4:12"].circular_mean, 180) < 5
    whole = sights(network, ["mean"])["mean"]
    assert "sees all of its picture" in (beyond_the_picture(network, whole) or "")


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("logits", [0]), {}, LayerError, "'logits' of handnet has no spatial activations"),
        (("relu9", [0]), {}, LayerError, "no layer 'relu9' in handnet; did you mean"),
        (("relu4", [0, 42]), {}, ObjectiveError, "no unit 42 in 'relu4': it has units 0 to 41"),
        (("relu4", [0]), {"style": "lines"}, PellucidError, "no style 'lines'; there are line, "),
        (("relu4", [0]), {"radii": (0, 4)}, PellucidError, "radius of a stimulus is a number of px above 0, not 0"),
        (("relu4", [0]), {"radii": (np.inf, 4)}, PellucidError, "px above 0, not inf"),
        (("relu4", [0]), {"radii": (4, 4)}, PellucidError, "a radius is given twice"),
        (("relu4", [0]), {"radii": ()}, PellucidError, "one radius at least"),
        (
            ("relu4", [0]),
            {"orientations": (0, 90, 180)},
            PellucidError,
            "3 orientations of a heatmap must go round 360",
        ),
        (("relu4", [0]), {"orientations": range(0, 180, 5)}, PellucidError, "36 orientations of a heatmap must go"),
        (("relu4", [0]), {"seeds": ()}, PellucidError, "one seed at least"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    network: pellucid.Network, arguments: tuple, options: dict, error: type[PellucidError], message: str
) -> None:
    with pytest.raises(error, match=message):
        curve_heatmap(network, *arguments, **options)


def test_angles_that_cannot_be_shown_are_refused(network: pellucid.Network) -> None:
    sight = sights(network, ["relu4"])["relu4"]
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"openings": (190,)}, "opening of a stimulus is a number of degrees, above 0 and at most 180, not 190"),
        ({"openings": (90, 60), "radii": (5, 6, 7)}, "2 openings and 3 radii do not compare row by row"),
        ({"roundings": ()}, "one rounding at least"),
        ({"roundings": (-1,)}, "radius of 0 px or more, not -1"),
    )
    for options, message in refused:
        with pytest.raises(PellucidError, match=message):
            angle_series(network, "relu4", [0], sight=sight, orientations=COARSE, **options)
    with pytest.raises(PellucidError, match="the sight given is of layer 'relu4', not of 'relu3'"):
        curve_heatmap(network, "relu3", [0], sight=sight)
    with pytest.raises(PellucidError, match="in one style at least: line, "):
        cosmetic_heatmaps(network, "relu4", [0], styles=[])
    with pytest.raises(PellucidError, match="3 x 12 and 4 x 12 stimuli cannot be compared"):
        correlation(made_up(np.eye(3, 12)), made_up(np.eye(4, 12)))
