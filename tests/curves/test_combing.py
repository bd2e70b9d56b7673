import math

import numpy as np
import pytest
import torch
from torch import nn

import oracles_curve_analysis as oracle
import pellucid
from pellucid.curves import Comb, Curve, TuningCurve, VonMises, draw
from pellucid.curves.combing import SIDES, TILTS, Combing, TickedCurve, combing_figure, measure_combing
from pellucid.errors import ObjectiveError, PellucidError

FEW = {"spacings": (6.0, 10.0), "lengths": (5.0,), "offsets": (-8.0, 8.0), "radii": (30.0,), "phases": (0.0, 0.4)}


@pytest.fixture(scope="module")
def network() -> pellucid.Network:
    return pellucid.load("handnet")


class Outside(nn.Module):
    """Unit 0 adds up the dark pixels around the middle, unit 1 the light ones, unit 2 nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.dark = nn.Conv2d(3, 3, 33, padding=16)
        with torch.no_grad():
            self.dark.weight.zero_()
            self.dark.weight[0] = -1 / 33**2 / 3
            self.dark.weight[1] = 1 / 33**2 / 3
            self.dark.bias.copy_(torch.tensor([1.0, 0.0, -1.0]))  # pyright: ignore[reportOptionalMemberAccess]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.dark(images)).mean(dim=(2, 3))


@pytest.fixture(scope="module")
def blot() -> pellucid.Network:
    return pellucid.wrap(Outside(), mean=(0, 0, 0), std=(1, 1, 1), size=(64, 64), name="blot")


def pointing(layer: str, *normals: float) -> dict[str, TuningCurve]:
    return {f"{layer}:{unit}": VonMises(1.0, normal, 9.0).curve(72) for unit, normal in enumerate(normals)}


def test_a_unit_that_likes_ink_has_a_positive_index_for_all_ticks(blot: pellucid.Network) -> None:
    likes, loathes = measure_combing(blot, "dark", (0, 1), tuning=pointing("dark", 40, 250), **FEW)
    for side in SIDES:
        for tilt in TILTS:
            assert likes.index(side, tilt).low > 0
            assert loathes.index(side, tilt).high < 0
        assert abs(likes.index(side, against="random").value) < 0.25 * likes.index(side).value
    assert likes.best("outside") == (6.0, 5.0)  # more ticks, more ink


def test_the_hand_made_curves_are_not_combed(network: pellucid.Network) -> None:
    tuning = {f"relu4:{unit}": VonMises(1.0, 15.0 * unit, 9.0).curve(72) for unit in (4, 13)}
    for one in measure_combing(network, "relu4", (4, 13), tuning=tuning, **FEW):
        assert one.plain.min() > 0.2
        for side in SIDES:
            assert -0.6 < one.index(side).value < 0
            assert one.index(side).high < 0


def test_the_index_is_the_change_over_the_plain_answer() -> None:
    rng = np.random.default_rng(0)
    plain, ticked = rng.random(12) + 0.5, rng.random((2, 3, 2, 2, 12))
    one = Combing("a:0", 10.0, (4.0, 8.0), (5.0, 6.0), plain, ticked)
    total = 0.0
    for spacing in range(2):
        for length in range(2):
            for sample in range(12):
                total += (ticked[1, 0, spacing, length, sample] - plain[sample]) / 4
    assert one.index("outside").value == pytest.approx(total / plain.sum())
    single = (ticked[0, 2, 1, 0] - plain).sum() / plain.sum()
    assert one.index("inside", "random", spacing=8, length=5).value == pytest.approx(single)
    against = one.index("inside", against="parallel").value
    assert against == pytest.approx(one.index("inside").value - one.index("inside", "parallel").value)
    strongest = ticked[1, 0].sum(axis=-1)
    row, column = np.unravel_index(strongest.argmax(), (2, 2))
    assert one.best("outside") == (one.spacings[row], one.lengths[column])


def test_intervals_are_those_of_samples_drawn_again() -> None:
    rng = np.random.default_rng(1)
    plain = rng.random(15) + 0.5
    ticked = (plain * (1 + 0.2 * rng.standard_normal((2, 3, 1, 1, 15)))).clip(0)
    one = Combing("a:0", 10.0, (4.0,), (5.0,), plain, ticked)
    found = one.index("inside", seed=7)
    draws = np.random.default_rng(7).integers(15, size=(2000, 15))
    change = (ticked[0, 0, 0, 0] - plain).tolist()
    each = [float(sum(change[k] for k in drawn)) / float(sum(plain[k] for k in drawn)) for drawn in draws.tolist()]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(each, (0.025, 0.975))))
    assert found.low < found.value < found.high
    assert str(found) == f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def test_a_unit_without_an_answer_has_no_index() -> None:
    one = Combing("a:0", 10.0, (4.0,), (5.0,), np.zeros(6), np.ones((2, 3, 1, 1, 6)))
    assert math.isnan(one.index("inside").value)
    assert one.rows()[0]["index"] is None


def test_answers_are_those_to_the_pictures_of_each_sample(blot: pellucid.Network) -> None:
    from pellucid.curves.sight import sights

    (one,) = measure_combing(blot, "dark", (0,), tuning=pointing("dark", 40), seed=3, **FEW)
    sight = sights(blot, ["dark"])["dark"]
    # The sample (8 degrees, 30 px, phase .4) is the last of four; ticks on the outside at random, 10 px apart.
    shown = [Curve(40 + 180 + 8, 30), TickedCurve(40 + 180 + 8, 30, 10, 5, "outside", "random", 0.4, 3 * 4 + 3)]
    with torch.no_grad():
        answers = blot.activations(draw(shown, sight.size, centre=sight.centre), ["dark"])["dark"]
    row, column = sight.position
    assert one.plain[3] == pytest.approx(float(answers[0, 0, row, column]), abs=1e-6)
    assert one.ticked[1, 2, 1, 0, 3] == pytest.approx(float(answers[1, 0, row, column]), abs=1e-6)


@pytest.mark.parametrize("side", SIDES)
def test_perpendicular_ticks_are_those_of_a_comb(side: str) -> None:
    ours = draw(TickedCurve(77, 55, 7.5, 6, side, tick_width=0.7), (70, 81))
    theirs = draw(Comb(77, 55, 7.5, 6, side, tick_width=0.7), (70, 81))
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("tilt", TILTS)
def test_ticks_lie_where_plain_geometry_puts_them(tilt: str) -> None:
    one = TickedCurve(123, 31, 9, 7, "outside", tilt, phase=0.3, seed=5)
    drawn: list[float] = np.random.default_rng(5).uniform(0, math.pi, 25).tolist()
    tilts = drawn if tilt == "random" else [0.0 if tilt == "perpendicular" else math.pi / 2] * 25
    ticks = [(9 * (k + 0.3), tilts[k + 12]) for k in range(-12, 13) if abs(9 * (k + 0.3) / 31) <= math.pi]
    places = np.random.default_rng(0).uniform(-40, 40, (200, 2))
    given = {name: torch.tensor(value, dtype=torch.float64) for name, value in one.parameters().items()}
    found = one.distances(given, torch.from_numpy(places[:, 0].copy()), torch.from_numpy(places[:, 1].copy()))
    assert found.ticks is not None
    plain = [oracle.tick_distance((x, y), 123, 31, ticks, -3.5, 7) for x, y in places]
    np.testing.assert_allclose(found.ticks, plain, atol=1e-9)


def test_random_ticks_differ_by_seed_and_have_the_ink_of_perpendicular_ones() -> None:
    def ink(**given) -> float:
        curve = 1 - draw(Curve(0, 60), 101, channels=1)
        return float((1 - draw(TickedCurve(0, 60, 14, 8, **given), 101, channels=1) - curve).clamp(min=0).sum())

    assert not torch.equal(*(draw(TickedCurve(0, 60, 14, 8, tilt="random", seed=k), 81) for k in (0, 1)))
    drawn = np.mean([ink(tilt="random", seed=k) for k in range(8)])
    assert drawn == pytest.approx(ink(), rel=0.2)
    assert 1 < ink(tilt="parallel") / ink() < 1.35  # the ends of perpendicular ones lie on the line


def test_units_that_answer_to_no_curve_are_left_out(blot: pellucid.Network) -> None:
    curves = pointing("dark", 40) | {"dark:2": TuningCurve.of(np.zeros(24))}
    found = measure_combing(blot, "dark", (0, 2), tuning=curves, **FEW)
    assert [one.unit for one in found] == ["dark:0"]
    with pytest.raises(PellucidError, match="no unit that was named of 'dark' answers to curves"):
        measure_combing(blot, "dark", (2,), tuning=curves, **FEW)


def test_a_figure_shows_both_sides(blot: pellucid.Network) -> None:
    found = measure_combing(blot, "dark", (0,), tuning=pointing("dark", 40), **FEW)
    assert [axes.get_title() for axes in combing_figure(found).axes] == ["ticks inside", "ticks outside"]
    with pytest.raises(PellucidError, match="there are no units to draw"):
        combing_figure([])


def test_what_cannot_be_measured_is_refused(blot: pellucid.Network) -> None:
    curves = pointing("dark", 40)
    with pytest.raises(ObjectiveError, match="there is no unit 9 in 'dark'"):
        measure_combing(blot, "dark", (9,), tuning=curves)
    with pytest.raises(PellucidError, match="combing needs one of the spacings at least"):
        measure_combing(blot, "dark", (0,), tuning=curves, spacings=())
    with pytest.raises(PellucidError, match="no style 'chalk'"):
        measure_combing(blot, "dark", (0,), tuning=curves, style="chalk")
    with pytest.raises(PellucidError, match=r"side = 'both' must be one of inside, outside"):
        TickedCurve(0, 30, 5, 5, side="both")
    with pytest.raises(PellucidError, match="ticks of 9 px inside a radius of 8 px cross its centre"):
        TickedCurve(0, 8, 5, 9, side="inside")
    one = Combing("a:0", 10.0, (4.0,), (5.0,), np.ones(6), np.ones((2, 3, 1, 1, 6)))
    with pytest.raises(PellucidError, match=r"spacing = 7 is none of those shown: 4.0"):
        one.index("inside", spacing=7)
    with pytest.raises(PellucidError, match="tilt = 'oblique' is none of those shown"):
        one.index("inside", "oblique")
