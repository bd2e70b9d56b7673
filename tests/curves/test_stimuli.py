import base64
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import oracles_stimuli as oracle
from pellucid.curves import (
    STYLES,
    Angle,
    Blank,
    Circle,
    Comb,
    Curve,
    Grating,
    Line,
    Stimulus,
    Style,
    draw,
    icons,
)
from pellucid.errors import PellucidError

# Parameters with no accidental symmetry, and their names.
STIMULI: dict[str, Stimulus] = {
    "circle": Curve(33, 14.3),
    "arc": Curve(201, 11.7, arc=77, width=1.6),
    "long arc": Curve(77, 9.1, arc=290, width=0.8),
    "flat": Curve(118, math.inf),
    "line": Line(17, width=1.3),
    "piece": Line(64, length=15.5),
    "ring": Circle(9.2, width=0.7),
    "corner": Angle(38, 71),
    "rounded": Angle(143, 103, rounding=6.3),
    "short arms": Angle(262, 47, rounding=3.1, arm=5.2, width=1.4),
    "comb": Comb(21, 17.4, 5.3, 4.1),
    "inner comb": Comb(199, 16.2, 4.4, 3.2, side="inside", arc=170, tick_width=0.6),
    "straight comb": Comb(305, math.inf, 6.1, 3.7, side="both", width=0.7),
    "ticks": Comb(140, 15.3, 6.2, 5.5, side="both", width=0),
}
named = pytest.mark.parametrize("stimulus", STIMULI.values(), ids=STIMULI.keys())


def ink(stimulus: Stimulus, size: int | tuple[int, int], **options: object) -> Tensor:
    """How dark each pixel is, (H, W), in float64."""
    return 1 - draw(stimulus, size, channels=1, dtype=torch.float64, **options)[0, 0]  # pyright: ignore[reportArgumentType]


@named
@pytest.mark.parametrize("fill", [False, True], ids=["line", "fill"])
def test_pictures_equal_those_drawn_sample_by_sample(stimulus: Stimulus, fill: bool) -> None:
    size, centre = (25, 32), (11.3, 14.8)
    plain = oracle.picture(stimulus, size, centre, 2, fill=fill)
    style = Style(fill=fill, supersampling=2)
    drawn = draw(stimulus, size, centre=centre, style=style, channels=1, dtype=torch.float64)
    assert 0.01 < plain.mean() < 0.99
    np.testing.assert_allclose(drawn[0, 0].numpy(), plain, atol=1e-9)


@named
def test_single_precision_draws_the_same(stimulus: Stimulus) -> None:
    exact = draw(stimulus, (31, 38), centre=(14.3, 17.8), dtype=torch.float64)
    single = draw(stimulus, (31, 38), centre=(14.3, 17.8))
    assert (exact - single).abs().max() < 1e-4


@pytest.mark.parametrize("orientation", range(0, 360, 15))
@pytest.mark.parametrize(
    "stimulus",
    [Curve(0, 8), Curve(0, 20, arc=60), Curve(0, math.inf), Line(0), Angle(0, 90), Angle(0, 60, 9), Angle(0, 150, 20),
     Comb(0, 20, 9, 4)],
    ids=["curve", "arc", "flat", "line", "angle", "rounded", "wide", "comb"],
)  # fmt: skip
def test_the_apex_lies_at_the_given_centre(stimulus: Stimulus, orientation: int) -> None:
    centre = (12, 25)
    turned = replace(stimulus, orientation=orientation)  # pyright: ignore[reportCallIssue, reportArgumentType]
    drawn = ink(turned, (40, 50), centre=centre)
    assert drawn[centre] == 1
    if isinstance(stimulus, Curve | Angle):
        x, y = oracle.towards(orientation)
        for steps in (-4, 4):
            assert drawn[round(centre[0] + steps * y), round(centre[1] + steps * x)] == 0


def test_the_default_centre_is_the_pixel_at_half_the_size() -> None:
    for size in ((20, 30), (21, 31)):
        assert torch.equal(draw(Circle(5), size), draw(Circle(5), size, centre=(size[0] // 2, size[1] // 2)))


@pytest.mark.parametrize("orientation", [0, 7.3, 45, 81.6])
@pytest.mark.parametrize("style", ["line", "fill", "colour"])
@pytest.mark.parametrize(
    "stimulus",
    [one for name, one in STIMULI.items() if name != "ring"] + [Grating(0, 7.3, 40)],
    ids=[name for name in STIMULI if name != "ring"] + ["grating"],
)
def test_a_quarter_turn_of_the_parameters_turns_the_picture(stimulus: Stimulus, style: str, orientation: float) -> None:
    turns = [
        replace(stimulus, orientation=orientation + 90 * k)  # pyright: ignore[reportCallIssue, reportArgumentType]
        for k in range(4)
    ]
    drawn = draw(turns, 41, style=STYLES[style])
    for k in range(1, 4):
        # The addition of 90 k rounds some angles.
        torch.testing.assert_close(drawn[k], torch.rot90(drawn[0], -k, dims=(1, 2)), atol=1e-4, rtol=0)


def test_a_quarter_turn_from_an_exact_angle_is_exact() -> None:
    first, second = draw([Curve(11.25, 15), Curve(101.25, 15)], 51)
    torch.testing.assert_close(torch.rot90(first, -1, dims=(1, 2)), second, atol=1e-6, rtol=0)


def test_orientation_is_where_the_centre_of_curvature_lies() -> None:
    filled = draw([Curve(k, 10) for k in (0, 90, 180, 270)], 41, channels=1, style=Style(fill=True))[:, 0]
    for picture, (x, y) in zip(filled, [(10, 0), (0, 10), (-10, 0), (0, -10)], strict=True):
        assert picture[20 + y, 20 + x] == 0
        assert picture[20 - y, 20 - x] == 1


@pytest.mark.parametrize("width", [0.5, 1, 2.3])
@pytest.mark.parametrize("radius", [6.4, 17, 25])
def test_rings_arcs_and_discs_have_their_areas(radius: float, width: float) -> None:
    options = {"style": Style(supersampling=8)}
    assert ink(Circle(radius, width), 61, **options).sum() == pytest.approx(4 * math.pi * radius * width, rel=0.005)
    disc = ink(Circle(radius), 61, style=Style(fill=True, supersampling=8)).sum()
    assert disc == pytest.approx(math.pi * radius**2, rel=0.002)
    arc = ink(Curve(40, radius, arc=100, width=width), 81, **options).sum()
    ends = math.pi * width**2
    assert arc == pytest.approx(math.radians(100) * radius * 2 * width + ends, rel=0.01)


@pytest.mark.parametrize("orientation", [0, 23, 45, 90, 170])
def test_lines_and_ticks_have_their_areas(orientation: float) -> None:
    style = Style(supersampling=8)
    line = ink(Line(orientation, width=1.5, length=30), 51, style=style).sum()
    assert line == pytest.approx(30 * 3 + math.pi * 1.5**2, rel=0.01)
    ticks = ink(Comb(orientation, 20, 10, 6, side="both", width=0, arc=120), 91, style=style).sum()
    # At 0, ±10 and ±20 px of the ±20.9 that the arc reaches.
    assert ticks == pytest.approx(5 * (12 * 2 + math.pi), rel=0.01)


@pytest.mark.parametrize("width", [0.2, 1, 1.5])
def test_lines_are_equally_dark_at_all_angles(width: float) -> None:
    angles = [*range(0, 180, 5), 14.04, 26.57]
    drawn = draw([Line(angle, width, length=60) for angle in angles], 81, channels=1)
    darkness = (1 - drawn).sum(dim=(1, 2, 3))
    assert float(darkness.std() / darkness.mean()) < 0.003
    assert float(darkness.mean()) == pytest.approx(120 * width + math.pi * width**2, rel=0.005)


@pytest.mark.parametrize("stimulus", [Circle(13.4), Line(31, width=0.6, length=500), Line(45, length=500)])
def test_pixels_hold_the_share_that_is_covered(stimulus: Circle | Line) -> None:
    samples, size = 50, 41
    places = (np.arange(size * samples) + 0.5) / samples - 0.5 - size // 2
    x, y = places[None, :], places[:, None]
    if isinstance(stimulus, Circle):
        distance = np.abs(np.hypot(x, y) - stimulus.radius)
    else:
        dx, dy = oracle.towards(stimulus.orientation)
        distance = np.abs(x * dy - y * dx)
    covered = (distance < stimulus.width).reshape(size, samples, size, samples).mean(axis=(1, 3))
    difference = np.abs(ink(stimulus, size).numpy() - covered)
    assert difference.max() < 0.06
    assert difference.mean() < 0.003


def test_an_infinite_radius_is_a_line() -> None:
    for angle in (0, 31, 222):
        for fill in (False, True):
            style = Style(fill=fill)
            flat, nearly, line, straight = draw(
                [Curve(angle, math.inf), Curve(angle, 1e7), Line(angle - 90), Angle(angle, 180, 12)],
                (50, 61), style=style, dtype=torch.float64,
            )  # fmt: skip
            assert torch.equal(flat, line)
            torch.testing.assert_close(nearly, flat, atol=1e-3, rtol=0)
            torch.testing.assert_close(straight, flat, atol=1e-9, rtol=0)


def test_large_radii_lose_no_digits_in_single_precision() -> None:
    exact, single = (draw(Curve(31, 1e6), 101, dtype=dtype) for dtype in (torch.float64, torch.float32))
    assert (exact - single).abs().max() < 1e-3


@pytest.mark.parametrize("orientation", [0, 60, 135, 290])
@pytest.mark.parametrize("rounding", [0, 6, 20])
def test_a_right_angle_is_lucids_rounded_corner(orientation: float, rounding: float) -> None:
    size = 51
    filled = draw(Angle(orientation, 90, rounding), size, channels=1, style=Style(fill=True))[0, 0]
    for row, column in np.ndindex(size, size):
        value = oracle.lucid_corner((column - 25, row - 25), orientation, rounding)
        if abs(value) > 1:
            assert filled[row, column] == (0 if value > 0 else 1)


def test_a_rounded_angle_becomes_the_curve_of_its_radius() -> None:
    curve, *angles = (
        ink(one, 81)
        for one in (Curve(70, 40, arc=60), *(Angle(70, 120, rounding, arm=1e-3) for rounding in (10, 30, 40)))
    )
    distances = [float((angle - curve).abs().sum()) for angle in angles]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.1


def test_combs_add_ticks_to_the_curve_and_touch_nothing_else() -> None:
    curve, comb, ticks = (ink(one, 91) for one in (Curve(20, 30), Comb(20, 30, 9, 6), Comb(20, 30, 9, 6, width=0)))
    assert bool((comb >= curve).all())
    assert bool((comb >= ticks).all())
    assert bool(((comb == 0) | (curve > 0) | (ticks > 0)).all())
    x, y = oracle.towards(20)
    disc = ink(Curve(20, 27), 91, centre=(45 + 3 * y, 45 + 3 * x), style=Style(fill=True))
    assert float((ticks * disc).sum()) == 0  # outer ticks reach half their thickness into the circle of 30 px, no more


def test_the_published_icons_are_reproduced(shared_data: Path) -> None:
    content = json.loads((shared_data / "curve-detectors" / "simplified-activations.json").read_text())
    drawn = icons().double()
    assert drawn.shape == (20, 1, 60, 60)
    for icon, ours in zip(content["icons"], drawn, strict=True):
        picture = Image.open(io.BytesIO(base64.b64decode(icon.split(",")[1]))).convert("L")
        theirs = np.asarray(picture, dtype=np.float64)
        assert np.corrcoef(theirs.ravel(), ours.numpy().ravel())[0, 1] >= 0.98


@pytest.mark.parametrize(("orientation", "wavelength", "phase"), [(0, 8, 0), (33, 5.3, 70), (120, 2.6, 200)])
def test_gratings_equal_the_mean_of_their_wave(orientation: float, wavelength: float, phase: float) -> None:
    plain = oracle.grating((12, 15), (5.2, 7.7), orientation, wavelength, phase)
    drawn = draw(Grating(orientation, wavelength, phase), (12, 15), centre=(5.2, 7.7), channels=1, dtype=torch.float64)
    np.testing.assert_allclose(drawn[0, 0].numpy(), plain, atol=2e-3)


def test_gratings_have_their_frequency_and_phase() -> None:
    size = 64
    drawn = ink(Grating(0, 8, 90), size)
    spectrum = torch.fft.fft2(drawn - drawn.mean())
    row, column = divmod(int(spectrum.abs().argmax()), size)
    assert (min(row, size - row), column) == (size // 8, 0)  # bars lie along x: the wave runs along y
    # cos(2πy/8 + 90°) about row 32, four periods from row 0
    assert math.degrees(math.atan2(spectrum[8, 0].imag, spectrum[8, 0].real)) == pytest.approx(90, abs=0.1)
    crest, edge, trough = (float(ink(Grating(30, 16, phase), 33)[16, 16]) for phase in (0, 90, 180))
    assert (crest, edge, trough) == pytest.approx((1, 0.5, 0), abs=0.01)


def test_a_picture_does_not_depend_on_what_is_drawn_with_it() -> None:
    everything = [*STIMULI.values(), Grating(20, 6), Blank()] * 3
    seeds = range(100, 100 + len(everything))
    together = draw(everything, 33, style=STYLES["noise"], seed=seeds)
    for number, one in enumerate(everything):
        alone = draw(one, 33, style=STYLES["noise"], seed=seeds[number])[0]
        torch.testing.assert_close(together[number], alone, atol=1e-6, rtol=0)


def test_no_stimuli_are_no_pictures() -> None:
    assert draw([], (5, 7)).shape == (0, 3, 5, 7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Curve(0, 0), r"curve: radius = 0 must be above 0 px"),
        (lambda: Curve(math.nan, 5), r"curve: orientation = nan must be a number of degrees"),
        (lambda: Curve(0, 5, arc=400), r"curve: arc = 400 must be above 0 and at most 360 degrees"),
        (lambda: Curve(0, 5, width=-1), r"curve: width = -1 must be a number of px, 0 or above"),
        (lambda: Line(0, length=0), r"line: length = 0 must be above 0 px"),
        (lambda: Angle(0, 200), r"angle: opening = 200 must be above 0 and at most 180 degrees"),
        (lambda: Circle(math.inf), r"circle: radius = inf must"),
        (lambda: Grating(0, 0), r"grating: wavelength = 0 must"),
        (lambda: Comb(0, 10, 0, 3), r"comb: spacing = 0 must be above 0 px"),
        (lambda: Comb(0, 10, 4, 30, side="inside"), r"ticks of 30 px inside a radius of 10 px cross its centre"),
        (lambda: Comb(0, 10, 4, 3, side="left"), r"comb: side = 'left' is neither inside, outside nor both"),
        (lambda: draw(Curve(0, 5), 0), r"a picture of 0x0 pixels has none"),
        (lambda: draw([Curve(0, 5)] * 3, 9, seed=[1, 2]), r"2 seeds for 3 stimuli; give one for all or one for each"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(make, message: str) -> None:
    with pytest.raises(PellucidError, match=message):
        make()
