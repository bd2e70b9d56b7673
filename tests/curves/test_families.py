import math

import numpy as np
import pytest

import oracles_curves as oracle
from pellucid.curves.families import describe_family, find_families
from pellucid.curves.family_plot import family_figure
from pellucid.curves.layers import by_layer, judge_layers, summary_line
from pellucid.curves.tuning_curves import TuningCurve, VonMises, radial_figure, shape_correlations
from pellucid.errors import PellucidError


def shapes(seed: int, count: int) -> dict[str, TuningCurve]:
    random = np.random.default_rng(seed)
    values = np.abs(random.normal(size=(count, 12))) ** 3
    smooth = np.stack([np.convolve(np.tile(row, 3).repeat(6), np.ones(6) / 6, "same")[72:144] for row in values])
    return {f"a:{number}": TuningCurve.of(row) for number, row in enumerate(smooth)}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("alike", [0.5, 0.7, 0.85])
def test_families_are_those_joined_two_by_two(seed: int, alike: float) -> None:
    curves = shapes(seed, 9)
    names = list(curves)
    plain = oracle.linked(shape_correlations(list(curves.values())).tolist(), alike)
    found = find_families(curves, alike=alike)
    assert {frozenset(family.units) for family in found} == {frozenset(names[i] for i in group) for group in plain}
    sizes = [len(family.units) for family in found]
    assert sizes == sorted(sizes, reverse=True)


def test_a_family_turned_about_is_one_and_in_the_order_of_its_directions() -> None:
    narrow = {f"a:{at}": VonMises(1.0 + at, at, 20).curve(72) for at in (250, 10, 130)}
    wide = {f"a:{at + 1}": VonMises(2.0, at, 1).curve(72) for at in (300, 90)}
    first, second, silent = find_families(
        {**wide, **narrow, "a:0": TuningCurve.of(np.zeros(72))}, z={"a:10": 7, "a:250": 9}
    )
    assert first.units == ("a:10", "a:130", "a:250")
    assert [gap.degrees for gap in first.gaps] == pytest.approx([120, 120, 120])
    assert first.largest_gap is not None
    assert first.least_correlation == pytest.approx(1, abs=1e-6)
    assert first.z == (7, 9)
    assert second.units == ("a:91", "a:301")
    assert [gap.degrees for gap in second.gaps] == pytest.approx([210, 150])
    assert second.z is None
    assert silent.units == ("a:0",)
    assert silent.coverage == 0
    assert silent.largest_gap is None
    assert math.isnan(silent.least_correlation)
    lines = [summary_line(one, {**wide, **narrow, "a:0": TuningCurve.of(np.zeros(72))}) for one in (first, silent)]
    assert lines[0].startswith("3 units, median R 0.97")
    assert "widest gaps 120° (250 to 10), 120° (130 to 250)" in lines[0]
    assert lines[1] == "a:0 alone, silent"


def test_units_stand_in_the_order_of_their_means_and_apart_by_their_peaks() -> None:
    leaning = VonMises(1.0, 0, 40).curve(72).values + VonMises(0.7, 30, 10).curve(72).values
    shape = TuningCurve.of(leaning)
    (family,) = find_families({"a:2": shape.turned(80), "a:1": shape.turned(200)})
    assert family.units == ("a:2", "a:1")
    assert sorted(gap.degrees for gap in family.gaps) == pytest.approx([120, 240])
    one = find_families({"a:1": shape, "a:2": VonMises(1.0, 100, 20).curve(72)}, alike=0.5)[0]
    assert shape.argmax != pytest.approx(shape.circular_mean, abs=3)
    assert {gap.degrees for gap in one.gaps} == {100 - shape.argmax, 260 + shape.argmax}


def test_a_unit_alone_is_a_family() -> None:
    (alone,) = find_families({"a:1": VonMises(1.0, 40, 9).curve(72)})
    assert alone.gaps == ((360.0, "a:1", "a:1"),)
    assert math.isnan(alone.median_correlation)
    assert summary_line(alone, {"a:1": VonMises(1.0, 40, 9).curve(72)}).startswith("a:1 alone, median R 0.9")


def test_impossible_families_are_refused() -> None:
    with pytest.raises(PellucidError, match="no tuning curves to group"):
        find_families({})
    with pytest.raises(PellucidError, match="one unit at least"):
        describe_family({})
    with pytest.raises(PellucidError, match="between -1 and 1 on, not 2"):
        find_families(shapes(0, 2), alike=2)


def test_layers_are_judged_apart() -> None:
    curves = {
        f"{layer}:{at}": VonMises(1.0, at, kappa).curve(72)
        for layer, kappa in (("a", 9), ("b.c:2", 1))
        for at in (0, 90)
    }
    assert {layer: list(of) for layer, of in by_layer(curves).items()} == {
        "a": ["a:0", "a:90"],
        "b.c:2": ["b.c:2:0", "b.c:2:90"],
    }
    assert list(by_layer({"left": curves["a:0"]})) == ["units"]
    found = judge_layers(curves)
    assert found["a"].of_kind("mature") == ["a:0", "a:90"]
    assert found["b.c:2"].of_kind("mature") == []
    assert [row["kind"] for row in found["a"].rows()] == ["mature", "mature"]
    assert found["b.c:2"].rows()[0]["missed"].startswith("R 0.4")
    assert found["a"].family_records()[0]["units"] == ["a:0", "a:90"]
    assert judge_layers({"a:1": curves["a:0"]})["a"].family_records()[0]["least_correlation"] is None


def test_figures_draw_each_family() -> None:
    curves = shapes(3, 6) | {"a:9": TuningCurve.of(np.zeros(72))}
    families = {
        str(number): family for number, family in enumerate(find_families(curves, alike=0.6)) if family.coverage
    }
    drawn = family_figure(families, curves)
    assert len(drawn.axes) == 4 * len(families)  # and a colour bar
    drawn.canvas.draw()
    radial = radial_figure({"a": curves, "b": {"b:1": VonMises(1.0, 20, 3, 180.0).curve(36)}})
    assert [axes.get_title() for axes in radial.axes] == ["a", "b"]
    assert [text.get_text() for text in radial.axes[0].texts] == ["0", "1", "2", "3", "4", "5"]
    radial.canvas.draw()
    for make in (lambda: family_figure({}, curves), lambda: radial_figure({})):
        with pytest.raises(PellucidError, match="to draw"):
            make()


def test_a_radial_plot_puts_angles_where_the_image_has_them() -> None:
    # 90 degrees is down in the image, and down in the figure.
    radial = radial_figure({"a": {"a:1": VonMises(1.0, 90, 9).curve(72)}})
    radial.canvas.draw()
    axes = radial.axes[0]
    below, _ = axes.transData.transform((np.pi / 2, 1.0)), None
    centre = axes.transData.transform((0.0, 0.0))
    assert below[1] < centre[1]
    assert below[0] == pytest.approx(centre[0], abs=1)
