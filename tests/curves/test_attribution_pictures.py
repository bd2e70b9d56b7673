import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import oracles_attributions as oracle
from oracles_attributions import branching
from painters import generators
from pellucid.activations.views import Box
from pellucid.curves import Curve, draw
from pellucid.curves.attributions import (
    Fields,
    GrayAlpha,
    attribution_picture,
    attribution_sheet,
    drawn_over,
    heat,
    linear_attribution,
)
from pellucid.curves.attributions.heatmaps import cut_out
from pellucid.errors import ObjectiveError
from pellucid.networks import load, wrap

HANDNET = load("handnet")
CENTRE, PLACE = (40, 56), (5, 7)
IMAGES = draw([Curve(270, 60), Curve(90, 60)], 128, centre=CENTRE)
FOUND = linear_attribution(HANDNET, "conv4", 6, IMAGES, position=PLACE)
FIELDS = Fields.of(HANDNET, "conv4", "relu3", (128, 128))


def test_attribution_by_position_stands_where_the_earlier_layer_looks() -> None:
    maps = heat(FOUND, FIELDS)
    for y, x in itertools.product(range(3, 128, 12), range(2, 128, 9)):
        for index, one in enumerate(FOUND.by_position().tolist()):
            assert float(maps[index, y, x]) == pytest.approx(oracle.tent(one, 8, y, x), abs=1e-6)
    assert float(maps[0, CENTRE[0], CENTRE[1]]) > 0.5 * float(maps[0].max())  # on the curve itself
    assert float(maps[1, CENTRE[0], CENTRE[1]]) < 0
    left, top, right, bottom = FIELDS.box(PLACE)
    assert (left, top, right, bottom) == (56 - 37, 40 - 37, 56 + 38, 40 + 38)
    inside = maps[:, top:bottom, left:right].abs().sum()
    assert float(inside) == pytest.approx(float(maps.abs().sum()))


def test_where_units_see_everything_positions_share_the_picture_out() -> None:
    network = wrap(branching(), mean=(0.5,) * 3, std=(0.25,) * 3, size=(6, 7))
    images = torch.rand(1, 3, 6, 7, generator=generators(0)[0], dtype=torch.float64)
    found = linear_attribution(network, "out", 0, images, position="center")
    fields = Fields.of(network, "out", "stem", (6, 7))
    assert not any(fields.previous.whole)
    torch.testing.assert_close(heat(found, fields), found.by_position())  # a position for each pixel
    everything = Fields((6, 8), (3, 2), fields.unit, fields.previous)
    object.__setattr__(everything, "previous", type(fields.previous)((6, 8), (0, 0), (2, 4), (True, True)))
    assert [everything.centres(axis) for axis in (0, 1)] == [(0.5, 2.0), (1.5, 4.0)]


def test_excitation_is_drawn_red_and_inhibition_blue() -> None:
    picture = np.full((4, 4, 3), 100, np.uint8)
    values = np.zeros((4, 4))
    values[0, 0], values[1, 1], values[2, 2] = 2.0, -2.0, 0.1
    drawn = drawn_over(picture, values).astype(int)
    assert drawn[0, 0, 0] > drawn[0, 0, 2] + 100
    assert drawn[1, 1, 2] > drawn[1, 1, 0] + 100
    assert np.ptp(drawn[3, 3]) == 0
    assert drawn[3, 3, 0] > 100  # faded
    assert 0 < drawn[2, 2, 0] - drawn[2, 2, 2] < drawn[0, 0, 0] - drawn[0, 0, 2]
    assert np.ptp(drawn_over(picture, np.zeros((4, 4)))) == 0


def test_numbers_are_cut_out_as_pictures_are() -> None:
    values = np.arange(80, dtype=float).reshape(8, 10)
    np.testing.assert_allclose(cut_out(values, Box(2, 1, 6, 5), 4), values[1:5, 2:6])
    wide = cut_out(values + 1, Box(2, 1, 6, 3), 4)
    assert not wide[0].any()
    assert not wide[3].any()
    np.testing.assert_allclose(wide[1:3], values[1:3, 2:6] + 1)


def test_a_gray_canvas_has_one_gray_and_an_opacity() -> None:
    canvas = GrayAlpha(3)
    parameters = canvas.start((8, 9), 3, generators(0, 1), torch.float32)
    pictures = canvas.pictures(parameters, (8, 9))
    assert pictures.shape == (2, 4, 8, 9)
    torch.testing.assert_close(pictures[:, 0], pictures[:, 2])
    assert not torch.allclose(pictures[:, 0], pictures[:, 3])
    torch.testing.assert_close(canvas.pictures(canvas.invert(pictures), (8, 9)), pictures)
    seen = canvas.seen(pictures, generators(2, 3))
    assert seen.shape == (2, 3, 8, 9)
    assert GrayAlpha(1).pictures(parameters, (8, 9)).shape == (2, 2, 8, 9)
    with pytest.raises(ObjectiveError, match="for 3 channels, and the network takes 1"):
        canvas.start((8, 9), 1, generators(0), torch.float32)


@pytest.fixture(scope="module")
def pictures() -> dict[str, object]:
    return {
        within: attribution_picture(HANDNET, FOUND, IMAGES, within=within, steps=48) for within in ("image", "field")
    }


def test_the_picture_shows_the_features_that_count_and_nothing_else(pictures) -> None:
    found = pictures["image"]
    assert found.pictures.shape == (2, 4, 128, 128)
    assert found.boxes == (Box(0, 0, 128, 128),) * 2
    assert float(found.reached.min()) > 0.6
    left, top, right, bottom = FIELDS.box(PLACE)
    for picture in found.pictures:
        outside = torch.ones(128, 128, dtype=torch.bool)
        outside[top:bottom, left:right] = False
        assert float(picture[3][outside].mean()) < 0.5 * float(picture[3, 30:50, 36:76].mean())
    # Shown to the network on grey, the curve drives the unit that it was attributed to; the opposite one does not.
    colours, opacity = found.pictures[:, :3], found.pictures[:, 3:]
    shown = opacity * colours + (1 - opacity) * 0.5
    values = HANDNET.activations(shown, ["conv4"])["conv4"][:, 6, PLACE[0], PLACE[1]]
    assert float(values[0]) > 0.3
    assert float(values[1]) < 0


def test_within_the_field_the_picture_is_small_and_says_where_it_belongs(pictures) -> None:
    found = pictures["field"]
    assert found.pictures.shape == (2, 4, 96, 96)
    assert found.boxes == (Box(56 - 48, 40 - 48, 56 + 48, 40 + 48),) * 2
    assert float(found.reached.min()) > 0.6
    # The same curve stands in the middle: the unit at the middle of a picture of this size answers.
    shown = found.pictures[:, 3:] * found.pictures[:, :3] + (1 - found.pictures[:, 3:]) * 0.5
    middle = HANDNET.activations(shown, ["conv4"])["conv4"][:, 6, 6, 6]
    assert float(middle[0]) > 0.2
    assert float(middle[1]) < 0


def test_a_window_at_the_edge_is_filled_up_with_nothing() -> None:
    images = draw([Curve(270, 60)], 128, centre=(0, 8))
    found = linear_attribution(HANDNET, "conv4", 6, images, position=(0, 1))
    drawn = attribution_picture(HANDNET, found, images, within="field", steps=16)
    assert drawn.boxes == (Box(8 - 48, -48, 8 + 48, 48),)
    assert float(drawn.pictures[0, 3, :24].mean()) < float(drawn.pictures[0, 3, 40:64].mean())


def test_where_nothing_attributes_anything_the_picture_is_transparent() -> None:
    images = torch.cat([torch.ones(1, 3, 128, 128), IMAGES[:1], IMAGES[:1]])
    found = linear_attribution(HANDNET, "conv4", 6, images, position=PLACE)
    assert 0 < float(found.attribution[0].abs().sum()) < 1e-6  # rounding on a blank picture
    found.weights[1] = 0
    drawn = attribution_picture(HANDNET, found, images, within="field", steps=2)
    assert [math.isnan(value) for value in drawn.reached.tolist()] == [True, True, False]
    assert not drawn.pixels()[:2, ..., 3].any()
    assert drawn.pixels()[2, ..., 3].any()
    sheet = np.asarray(attribution_sheet(HANDNET, replace(found, unit=6), images)).astype(int)
    blank = sheet[170:280, 20:130]  # under the blank picture
    assert np.abs(blank[..., 0] - blank[..., 2]).max() < 30


def test_a_picture_is_the_same_alone() -> None:
    both = attribution_picture(HANDNET, FOUND, IMAGES, within="field", steps=3)
    alone = attribution_picture(HANDNET, FOUND.of(1), IMAGES[1:], within="field", steps=3)
    torch.testing.assert_close(alone.pictures, both.pictures[1:], atol=1e-4, rtol=0)


def test_pictures_and_sheets_are_written(pictures, tmp_path: Path) -> None:
    pictures["image"].save(tmp_path / "drawn.png", columns=2)
    with Image.open(tmp_path / "drawn.png") as written:
        assert (written.size, written.mode) == ((2 * 128 + 4, 128), "RGBA")
    plain = attribution_sheet(HANDNET, FOUND, IMAGES, names=["up.png", "down.png"])
    full = attribution_sheet(HANDNET, FOUND, IMAGES, names=["up.png", "down.png"], picture=pictures["image"])
    assert full.height - plain.height == 128 + 4
    assert full.width == plain.width >= 2 * 128


def test_mistakes_are_told() -> None:
    with pytest.raises(ObjectiveError, match="within = 'unit' is neither 'image' nor 'field'"):
        attribution_picture(HANDNET, FOUND, IMAGES, within="unit")
    with pytest.raises(ObjectiveError, match="1 images are given for attributions of 2"):
        attribution_picture(HANDNET, FOUND, IMAGES[:1])
    with pytest.raises(ObjectiveError, match="1 images are given for attributions of 2"):
        attribution_sheet(HANDNET, FOUND, IMAGES[:1])
