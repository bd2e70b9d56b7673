"""The receptive field of a unit in the photograph's own pixels, and pictures of it."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pellucid.activations.crops import GREY, Field, context_box, outline, outlined, picture, placed
from pellucid.activations.views import Box

FIELD = Field((10, 12), (-2, -3), (8, 9), (False, False), (24, 32), 4)


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_a_field_is_clipped_to_the_input_and_mapped_through_the_view():
    # The view is twice the input: 64 x 48 pixels at (10, 20).
    view = Box(10, 20, 74, 68)
    assert FIELD.seen((0, 0)) == (0, 0, 9, 8)
    assert FIELD.box((0, 0), view) == (10, 20, 28, 36)
    assert FIELD.seen((1, 2)) == (15, 6, 27, 16)
    assert FIELD.box((1, 2), view) == (40, 32, 64, 52)
    assert FIELD.seen((2, 3)) == (24, 14, 32, 24)


def test_the_last_pixels_that_a_field_touches_are_in_its_box():
    # 1.5 pixels of the photograph for each of the input: from 15 to 27 is 22.5 to 40.5.
    assert FIELD.box((1, 2), Box(0, 0, 48, 36)) == (22, 9, 41, 24)


def test_a_whole_axis_is_the_whole_view_and_so_is_a_field_larger_than_the_picture():
    view = Box(5, 6, 37, 30)
    wide = Field((10, 32), (-2, 0), (8, 9), (False, True), (24, 32), 4)
    assert wide.box((1, 2), view) == (5, 12, 37, 22)
    large = Field((100, 100), (-40, -30), (8, 9), (False, False), (24, 32), 4)
    assert large.box((1, 1), view) == view


def test_a_field_in_the_padding_alone_is_a_pixel_at_the_edge():
    padded = Field((2, 2), (-6, -6), (40, 40), (False, False), (24, 32), 4)
    assert padded.seen((0, 0)) == (0, 0, 1, 1)
    assert padded.seen((1, 1)) == (31, 23, 32, 24)


def test_units_without_a_place_see_everything():
    record = SimpleNamespace(input=(24, 32), columns=1, field=None)
    assert Field.of(record).box((0, 0), Box(1, 2, 33, 26)) == (1, 2, 33, 26)


def test_places_are_counted_row_by_row():
    assert [FIELD.place(flat) for flat in (0, 3, 4, 11)] == [(0, 0), (0, 3), (1, 0), (2, 3)]


def test_a_crop_of_the_fields_own_size_is_exactly_the_photographs_pixels():
    photograph = noise(90, 80)
    box = FIELD.box((1, 2), Box(10, 20, 74, 68))
    assert box == (40, 32, 64, 52)
    shown = picture(photograph, box, 24)
    np.testing.assert_array_equal(shown[2:22], np.asarray(photograph)[32:52, 40:64])
    assert (shown[:2] == GREY).all()
    assert (shown[22:] == GREY).all()


@pytest.mark.parametrize(("size", "shown"), [((64, 48), True), ((128, 40), True), ((129, 40), False)])
def test_the_context_is_the_photograph_unless_it_is_much_larger_than_the_view(size: tuple[int, int], shown: bool):
    view = Box(1, 2, 65, 34)
    assert context_box(view, size) == ((0, 0, *size) if shown else view)


@given(st.integers(1, 400), st.integers(1, 400))
def test_a_picture_fills_one_side_and_keeps_pixels_square(width: int, height: int):
    left, top, right, bottom = placed(Box(3, 4, 3 + width, 4 + height))
    assert max(right - left, bottom - top) == pytest.approx(1)
    assert (right - left) * height == pytest.approx((bottom - top) * width)
    assert (left + right, top + bottom) == (pytest.approx(1), pytest.approx(1))


def test_outline_and_crop_show_the_same():
    # A red field in a blue photograph: the crop is all red, and so is the inside of the outline.
    photograph = Image.new("RGB", (96, 64), (0, 0, 255))
    field = Box(48, 16, 72, 40)
    photograph.paste((255, 0, 0), field)
    assert (picture(photograph, field, 32) == (255, 0, 0)).all()
    context = picture(photograph, Box(0, 0, 96, 64), 96)
    left, top, right, bottom = (round(96 * share) for share in outline(field, Box(0, 0, 96, 64)))
    assert (left, top, right, bottom) == (48, 32, 72, 56)
    red = (context == (255, 0, 0)).all(axis=2)
    assert red[top:bottom, left:right].all()
    assert red.sum() == (bottom - top) * (right - left)


def test_the_outline_is_drawn_around_the_field():
    context = np.full((50, 50, 3), 90, np.uint8)
    drawn = np.asarray(outlined(context, (0.2, 0.4, 0.6, 0.8)))
    assert (drawn[20, 10:30] == 255).all()
    assert (drawn[39, 10:30] == 255).all()
    assert (drawn[25:35, 15:25] == 90).all()
    assert (drawn[:15] == 90).all()
