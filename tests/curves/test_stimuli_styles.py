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
    Noise,
    Photograph,
    Stimulus,
    Style,
    Texture,
    draw,
)
from pellucid.curves.stimuli.raster import Raster
from pellucid.errors import ImagesError, PellucidError

RASTER = Raster((48, 64), (24.0, 32.0), dtype=torch.float64)


def photographs(seed: int = 0, *, channels: int = 3) -> Tensor:
    return torch.rand((4, channels, 60, 70), generator=torch.Generator().manual_seed(seed))


def test_the_default_is_a_black_line_on_white() -> None:
    drawn = draw(Curve(0, 10), 31)
    assert (drawn[0, :, 15, 15] == 0).all()
    assert (drawn[0, :, 0, 0] == 1).all()
    assert torch.equal(drawn, draw(Curve(0, 10), 31, style=STYLES["line"]))


@pytest.mark.parametrize("name", ["line", "fill"])
def test_inverse_styles_are_negatives(name: str) -> None:
    plain, inverse = (draw(Comb(20, 14, 6, 4), 31, style=STYLES[key]) for key in (name, f"{name}-inverse"))
    torch.testing.assert_close(inverse, 1 - plain)


def test_colours_lie_where_they_are_said_to() -> None:
    style = Style(fill=True, foreground=(0.9, 0.2, 0.1), background=(0.1, 0.3, 0.8))
    drawn = draw(Circle(6), 31, style=style)[0]
    torch.testing.assert_close(drawn[:, 15, 15], torch.tensor([0.9, 0.2, 0.1]))
    torch.testing.assert_close(drawn[:, 0, 0], torch.tensor([0.1, 0.3, 0.8]))
    line = draw(Circle(6), 31, style=replace(style, fill=False))[0]
    torch.testing.assert_close(line[:, 15, 21], torch.tensor([0.9, 0.2, 0.1]))
    torch.testing.assert_close(line[:, 15, 15], torch.tensor([0.1, 0.3, 0.8]))


@pytest.mark.parametrize("stimulus", [Curve(37, 12), Angle(200, 70, 4), Comb(90, 15, 6, 4), Grating(20, 9)])
@pytest.mark.parametrize("fill", [False, True])
def test_a_picture_is_its_two_colours_mixed_by_the_covered_share(stimulus: Stimulus, fill: bool) -> None:
    share = 1 - draw(stimulus, 41, style=Style(fill=fill), dtype=torch.float64)
    front, back = (
        torch.tensor(colour, dtype=torch.float64).view(1, 3, 1, 1) for colour in ((0.9, 0.4, 0), (0, 0.2, 1))
    )
    style = Style(fill=fill, foreground=(0.9, 0.4, 0), background=(0, 0.2, 1))
    drawn = draw(stimulus, 41, style=style, dtype=torch.float64)
    torch.testing.assert_close(drawn, share * front + (1 - share) * back)


def test_fill_and_line_have_the_same_border() -> None:
    filled, line = (draw(Curve(50, 14), 41, style=Style(fill=fill), channels=1) for fill in (True, False))
    border = (filled > 0.3) & (filled < 0.7)
    assert bool(border.any())
    assert float(line[border].max()) < 0.2


def test_ticks_stand_out_of_a_filled_shape_or_are_cut_into_it() -> None:
    plain, outer, inner = (
        draw(one, 61, style=Style(fill=True), channels=1)[0, 0]
        for one in (Curve(90, 20), Comb(90, 20, 8, 6), Comb(90, 20, 8, 6, side="inside"))
    )
    assert float((plain - outer).sum()) > 50  # more black
    assert float((inner - plain).sum()) > 50  # less black
    assert outer[26, 30] == 0
    assert inner[34, 30] == 1


def test_contrast_and_brightness_follow_their_formula() -> None:
    plain = draw(Curve(70, 12), 31, dtype=torch.float64)
    drawn = draw(Curve(70, 12), 31, style=Style(contrast=0.4, brightness=-0.45), dtype=torch.float64)
    torch.testing.assert_close(drawn, (0.5 + 0.4 * (plain - 0.5) - 0.45).clamp(0, 1))
    assert drawn.min() == 0


def test_fading_goes_over_to_grey_around_the_centre() -> None:
    plain = draw(Line(30), (41, 51), centre=(17.0, 22.0), channels=1, dtype=torch.float64)[0, 0]
    drawn = draw(
        Line(30), (41, 51), centre=(17.0, 22.0), style=Style(fade=9, fade_over=6), channels=1, dtype=torch.float64
    )[0, 0]
    for row, column in np.ndindex(41, 51):
        share = min(1.0, max(0.0, (math.hypot(row - 17, column - 22) - 9) / 6))
        assert float(drawn[row, column]) == pytest.approx((1 - share) * float(plain[row, column]) + share / 2)
    sharp = draw(Line(30), 41, style=Style(fade=9, fade_over=0))[0, 0]
    assert sharp[20, 0] == 0.5


@pytest.mark.parametrize("name", STYLES)
def test_styles_do_not_follow_the_orientation(name: str) -> None:
    # What lies on each side depends on the place and the seed alone: fill the picture with either side and compare.
    style, size = STYLES[name], 45
    for kind in (Curve(0, 12), Angle(0, 80, 5)):
        turned = [replace(kind, orientation=angle) for angle in (10, 45, 200, 240)]
        drawn = draw(turned, size, style=style, seed=3, dtype=torch.float64)
        sides = draw(turned, size, style=Style(fill=True), channels=1, dtype=torch.float64)
        lines = draw(turned, size, style=Style(), channels=1, dtype=torch.float64)
        for one, two in ((0, 1), (2, 3)):
            for side in (0, 1):
                both = (sides[[one, two]] == side).all(0) & (lines[[one, two]] == 1).all(0)
                assert int(both.sum()) > 20
                torch.testing.assert_close(drawn[one][:, both[0]], drawn[two][:, both[0]])


@pytest.mark.parametrize("exponent", [0, 0.7, 1, 1.5])
def test_the_amplitude_of_noise_falls_as_it_should(exponent: float) -> None:
    raster = Raster((128, 160), (64.0, 80.0), dtype=torch.float64)
    fields = Noise(exponent=exponent).field(range(4), raster, 1)[:, 0]
    slopes = [oracle.spectral_slope(field.numpy()) for field in fields]
    assert sum(slopes) / 4 == pytest.approx(-exponent, abs=0.04)


def test_noise_has_its_mean_and_deviation() -> None:
    drawn = draw(Blank(), (48, 64), style=Style(background=0.5, outside=Noise(0.1)), dtype=torch.float64)
    assert float(drawn[0, 0].mean()) == pytest.approx(0.5, abs=1e-6)
    assert float(drawn[0, 0].std(correction=0)) == pytest.approx(0.1, rel=1e-3)


def test_noise_favours_no_direction() -> None:
    spectrum = torch.fft.fft2(Noise().field(range(24), Raster((64, 64), (32.0, 32.0)), 1)[:, 0]).abs().square().mean(0)
    rows, columns = spectrum[2:20, 0].sum(), spectrum[0, 2:20].sum()
    assert 0.7 < float(rows / columns) < 1.4


def test_noise_on_one_side_leaves_the_other_plain() -> None:
    inside = draw(Circle(10), 41, style=STYLES["noise-inside"], dtype=torch.float64)[0, 0]
    outside = draw(Circle(10), 41, style=STYLES["noise-outside"], dtype=torch.float64)[0, 0]
    assert inside[0].std() < 1e-9
    assert outside[20, 16:25].std() < 1e-9
    assert inside[20, 16:25].std() > 0.01
    assert outside[0].std() > 0.01


def test_one_texture_runs_through_and_another_stream_is_another_draw() -> None:
    ground = draw(Blank(), 41, style=STYLES["noise"], seed=5)[0]
    both = draw(Circle(10), 41, style=STYLES["noise"], seed=5)[0]
    far = draw(Circle(10), 41, channels=3)[0] == 1  # where the line is not
    torch.testing.assert_close(both[far], ground[far])
    one, two = (Noise(stream=stream).field([0], RASTER, 1) for stream in (0, 1))
    assert abs(float((one * two).mean())) < 0.2


def test_coloured_noise_differs_from_channel_to_channel() -> None:
    plain, coloured = (
        draw(Blank(), 32, style=Style(background=0.5, outside=Noise(coloured=coloured)))[0]
        for coloured in (False, True)
    )
    assert torch.equal(plain[0], plain[1])
    assert not torch.equal(coloured[0], coloured[1])


@pytest.mark.parametrize("texture", [Noise(), Photograph(photographs())], ids=["noise", "photograph"])
def test_textures_depend_on_the_seed_alone(texture: Texture) -> None:
    style = Style(background=0.5, inside=texture, outside=texture)
    stimuli = [Curve(k, 10) for k in (0, 50, 100)]
    drawn = draw(stimuli, 40, style=style, seed=[7, 8, 7])
    assert torch.equal(drawn[2, :, :5, :5], drawn[0, :, :5, :5])
    assert not torch.equal(drawn[1, :, :5, :5], drawn[0, :, :5, :5])
    torch.testing.assert_close(drawn[1], draw(stimuli[1], 40, style=style, seed=8)[0])


def test_a_photograph_is_cut_and_not_changed() -> None:
    images = photographs()
    drawn = draw(Blank(), (20, 30), style=Style(outside=Photograph(images)), seed=11)[0]
    windows = images.unfold(2, 20, 1).unfold(3, 30, 1)  # (M, C, top, left, 20, 30)
    found = (windows == drawn[None, :, None, None]).all(dim=-1).all(dim=-1).all(dim=1)
    assert int(found.sum()) == 1
    half = draw(Blank(), (20, 30), style=Style(background=0.2, outside=Photograph(images, share=0.5)), seed=11)[0]
    torch.testing.assert_close(half, 0.5 * drawn + 0.1)


def test_photographs_are_read_from_files(tmp_path: Path) -> None:
    Image.fromarray(np.full((50, 90, 3), 51, dtype=np.uint8)).save(tmp_path / "wide.png")
    read = Photograph.read([tmp_path / "wide.png"], (40, 30))
    assert read.images.shape == (1, 3, 40, 30)
    assert torch.allclose(read.images, torch.tensor(0.2))
    assert Photograph.read([tmp_path / "wide.png"], (40, 30), channels=1).images.shape == (1, 1, 40, 30)
    with pytest.raises(ImagesError, match=r"absent\.png"):
        Photograph.read([tmp_path / "absent.png"], (40, 30))


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_pictures_have_the_channels_that_are_asked_for(channels: int) -> None:
    for style in (Style(), STYLES["noise"], Style(foreground=tuple(0.1 * k for k in range(channels)))):
        assert draw(Curve(0, 9), (20, 24), style=style, channels=channels).shape == (1, channels, 20, 24)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_pictures_have_the_type_that_is_asked_for(dtype: torch.dtype) -> None:
    drawn = draw([Curve(0, 9), Blank()], 20, dtype=dtype, style=STYLES["noise"])
    assert drawn.dtype == dtype
    torch.testing.assert_close(
        drawn.float(), draw([Curve(0, 9), Blank()], 20, style=STYLES["noise"]), atol=0.01, rtol=0
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Style(foreground=1.5), r"the colour foreground = 1.5 is not in \[0, 1\]"),
        (lambda: Style(contrast=-1), r"contrast = -1 must be 0 or above"),
        (lambda: Style(fade=-1), r"fade = -1 and fade_over = 10 are px"),
        (lambda: Style(supersampling=0), r"supersampling = 0 must be at least 1"),
        (lambda: Noise(-0.1), r"noise has a deviation of 0 or above"),
        (lambda: Photograph(photographs()[0]), r"photographs for a texture are \(M, C, H, W\)"),
        (lambda: Photograph(photographs(), share=2), r"the share of a photograph, 2, is not from 0 to 1"),
        (lambda: Photograph.read([], (9, 9)), r"a texture of photographs needs at least one"),
        (lambda: draw(Blank(), 90, style=Style(outside=Photograph(photographs()))), r"60x70 pixels do not cover"),
        (
            lambda: draw(Curve(0, 9), 20, style=STYLES["colour"], channels=1),
            r"has 3 numbers for pictures of 1 channels",
        ),
    ],
)
def test_styles_that_cannot_be_are_refused(make, message: str) -> None:
    with pytest.raises(PellucidError, match=message):
        make()
