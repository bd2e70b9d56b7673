"""Photographs that are turned, and what units tell by them."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import oracles_natural as oracle
import pellucid
from harvests import FIELD, INPUT, LAYER, PLAN, UNITS, harvested, photographs, renewed
from pellucid.activations import SummaryConfig, summarize
from pellucid.activations.harvested import Harvested
from pellucid.activations.images import load_view
from pellucid.activations.items import view_of
from pellucid.activations.sources import open_source
from pellucid.activations.views import Box
from pellucid.curves import Curve, Style, draw
from pellucid.curves.natural import (
    JointTuning,
    NaturalCheck,
    Place,
    harvested_places,
    joint_figure,
    joint_tuning,
    natural_check,
    natural_family,
    natural_orientations,
    population_check,
    rotated,
)
from pellucid.curves.natural.rotation import turns
from pellucid.curves.sight import Sight, sights
from pellucid.curves.stimuli import Noise
from pellucid.curves.synthetic import tuning_of
from pellucid.curves.tuning_curves import TuningCurve, VonMises
from pellucid.errors import ImagesError, LayerError, ObjectiveError, PellucidError, StudyError
from pellucid.networks.handnet import handnet as made_by_hand
from pellucid.pictures import to_pixels
from small import small_network

STEP = 10.0
CURVES = range(24)  # of handnet: unit k is the curve with the outward normal 15·k degrees


def smooth(channels: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture (C, H, W) in [0.2, 0.8] of waves a few pixels long and more."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [
        np.sin(random.uniform(-0.5, 0.5) * rows + random.uniform(-0.5, 0.5) * columns + random.uniform(0, 6))
        for _ in range(6 * channels)
    ]
    return 0.5 + 0.3 * np.clip(np.array(waves).reshape(channels, 6, height, width).sum(axis=1) / 4, -1, 1)


# Turning


@pytest.mark.parametrize("angle", [0.0, 33.0, 90.0, 217.5])
@pytest.mark.parametrize(
    ("centre", "scale", "samples"),
    [((9.0, 12.0), (1.0, 1.0), (1, 1)), ((2.3, 20.8), (0.7, 1.2), (1, 1)), ((8.25, 11.5), (2.0, 2.9), (2, 3))],
)
def test_a_turned_photograph_is_what_its_pixels_say(angle, centre, scale, samples) -> None:
    photograph = smooth(2, 18, 25)
    size, out = (11, 8), (4.2, 3.0)
    found = rotated(torch.from_numpy(photograph), centre, scale, [angle], size, out, interpolation="bilinear")
    plain = oracle.turned(photograph, centre, scale, angle, size, out, samples)
    assert found.dtype == torch.float64
    assert found.shape == (1, 2, 11, 8)
    assert np.abs(found[0].numpy() - plain).max() < 1e-6


def test_a_quarter_turn_is_clockwise_and_exact() -> None:
    photograph = torch.from_numpy(smooth(3, 15, 15))
    found = rotated(photograph, (7, 7), 1, [0, 90, 180, 270], 15)
    for quarters, picture in enumerate(found):
        assert torch.allclose(picture, torch.rot90(photograph, -quarters, dims=(1, 2)), atol=1e-9)


@pytest.mark.parametrize("angle", [20.0, 135.0, 290.0])
def test_a_curve_that_is_turned_is_the_curve_of_the_greater_orientation(angle: float) -> None:
    """Orientations grow clockwise, and content goes clockwise."""
    style = Style(supersampling=8)
    photograph = draw(Curve(30, 40, width=4), 161, centre=(80, 80), style=style)[0]
    found = rotated(photograph, (80, 80), 2, [angle], 81, (40, 40))[0]
    drawn = draw(Curve(30 + angle, 20, width=2), 81, centre=(40, 40), style=style)[0]
    inside = ((torch.arange(81) - 40.0) ** 2)[:, None] + (torch.arange(81) - 40.0) ** 2 < 38**2
    assert float((found - drawn).abs()[:, inside].mean()) < 0.01
    wrong = draw(Curve(30 - angle, 20, width=2), 81, centre=(40, 40), style=style)[0]
    assert float((found - wrong).abs()[:, inside].mean()) > 0.05


@pytest.mark.parametrize("size", [(60, 60), (90, 70), (200, 200)])
def test_not_turned_it_is_what_the_network_saw(size: tuple[int, int]) -> None:
    image = Image.fromarray(to_pixels(smooth(3, 150, 170)[None])[0])
    network, view = small_network(size=size), Box(20, 10, 150, 140)
    seen = load_view(image, view, network)
    place = Place.of(0, view, (33.0, 21.0), size)
    found = rotated(image, place.centre, place.scale, [0], size, (33.0, 21.0))[0]

    def apart(one: torch.Tensor) -> float:
        return float((one - seen)[:, 4:-4, 4:-4].square().mean().sqrt())

    assert apart(found) < 0.004
    assert apart(rotated(image, place.centre, place.scale, [0], size, (33.5, 21.0))[0]) > 0.01
    assert apart(rotated(image, place.centre, place.scale, [1], size, (33.0, 21.0))[0]) > 0.01


def test_what_shrinks_much_is_averaged() -> None:
    random = np.random.default_rng(0)
    noise = torch.from_numpy(random.uniform(size=(1, 400, 400)))
    found = rotated(noise, (199.5, 199.5), 20.0, [0.0, 30.0], 12)
    assert float((found - 0.5).abs().max()) < 0.1  # a pixel is the mean of some 400
    wave = torch.from_numpy(smooth(1, 40, 40)).repeat_interleave(10, 1).repeat_interleave(10, 2)
    near = rotated(wave, (199.5, 199.5), 10.0, [90.0], 20)
    assert torch.allclose(near, rotated(torch.from_numpy(smooth(1, 40, 40)), (19.5, 19.5), 1.0, [90.0], 20), atol=0.03)


def test_what_is_shrunk_before_it_is_turned_stays_in_its_place() -> None:
    ramp = (torch.arange(400, dtype=torch.float64) / 400).expand(1, 400, 400)
    for scale in (3.0, 8.0, 20.0):
        found = rotated(ramp, (199.5, 120.0), scale, [0.0, 180.0], 11, (5, 5))
        assert found[:, 0, 5, 5].numpy() == pytest.approx(120 / 400, abs=1e-3)
        assert found[:, 0, 5, 6].numpy() == pytest.approx([(120 + scale) / 400, (120 - scale) / 400], abs=1e-3)


def test_no_pixel_is_darker_than_black() -> None:
    edge = torch.zeros(1, 30, 30)
    edge[:, :, 15:] = 1
    found = rotated(edge, (15, 15), 0.4, [0.0, 33.0], 40)
    assert float(found.min()) == 0
    assert float(found.max()) == 1


def test_beyond_the_photograph_lies_its_mirror_image_or_grey() -> None:
    photograph = smooth(1, 10, 12)
    found = rotated(torch.from_numpy(photograph), (4.5, 5.5), 1, [0], (20, 22))[0]
    assert np.allclose(found.numpy(), np.pad(photograph, ((0, 0), (5, 5), (5, 5)), mode="symmetric"), atol=1e-9)
    grey = rotated(torch.from_numpy(photograph), (4.5, 5.5), 1, [0], (20, 22), beyond="grey")[0]
    assert float((grey[:, :3] - 0.5).abs().max()) == 0
    assert np.allclose(grey[:, 5:15, 5:17].numpy()[:, 1:-1, 1:-1], photograph[:, 1:-1, 1:-1], atol=1e-9)


def test_a_round_window_hides_what_comes_and_goes_in_the_corners() -> None:
    photograph = torch.from_numpy(smooth(1, 60, 60))
    painted = photograph.clone()
    row, column = torch.meshgrid(torch.arange(60.0), torch.arange(60.0), indexing="ij")
    painted[:, (row - 30) ** 2 + (column - 30) ** 2 > 19**2] = 0
    options = {"angles": [0.0, 45.0, 77.0], "size": (31, 41), "out_centre": (15.0, 20.0)}
    one, other = (rotated(some, (30, 30), 1, **options, window=True) for some in (photograph, painted))
    assert torch.allclose(one, other, atol=1e-12)
    assert float((one[:, :, 0, 0] - 0.5).abs().max()) == 0
    plain = rotated(photograph, (30, 30), 1, **options)
    assert torch.allclose(one[:, :, 10:20, 15:25], plain[:, :, 10:20, 15:25])
    with pytest.raises(PellucidError, match=r"no circle about \(-3, 5\) lies inside"):
        rotated(photograph, (30, 30), 1, [0], 10, (-3, 5), window=True)


def test_images_of_every_form_are_turned_alike() -> None:
    pixels = to_pixels(smooth(3, 20, 24)[None])[0]
    options = ((9, 12), 1.0, [0.0, 50.0], 13)
    forms = (
        Image.fromarray(pixels),
        pixels,
        pixels.astype(np.float32) / 255,
        torch.from_numpy(pixels).movedim(2, 0) / 255,
    )
    found = [rotated(form, *options) for form in forms]
    assert all(torch.allclose(one, found[0], atol=1e-6) for one in found)
    assert rotated(Image.fromarray(pixels[:, :, 0]), *options).shape == (2, 1, 13, 13)
    assert rotated(pixels[:, :, 0], *options).shape == (2, 1, 13, 13)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": 0}, "a picture of 0x0 pixels at scale 1, 1 cannot be cut"),
        ({"scale": (1.0, 0.0)}, "at scale 1, 0 cannot be cut"),
        ({"scale": math.nan}, "at scale nan, nan cannot be cut"),
        ({"interpolation": "nearest"}, "interpolation 'bicubic' or 'bilinear', not 'nearest'"),
        ({"image": torch.zeros(5, 5)}, r"a photograph is a Pillow image, an array \(H, W\)"),
        ({"image": torch.zeros(3, 0, 5)}, r"a photograph is a Pillow image, an array \(H, W\)"),
    ],
)
def test_what_cannot_be_turned_is_refused(change: dict, said: str) -> None:
    given = {"image": np.zeros((9, 9)), "centre": (4.0, 4.0), "scale": 1.0, "angles": [0.0], "size": 5}
    with pytest.raises(PellucidError, match=said):
        rotated(**{**given, **change})  # pyright: ignore[reportArgumentType]


def test_turns_go_evenly_once_round() -> None:
    assert turns(90) == [0, 90, 180, 270]
    assert turns(0.5)[-1] == 359.5
    assert turns(360 / 7)[1] == pytest.approx(51.4286, abs=1e-3)
    for step in (7.0, 0.0, -5.0, 180.0, math.nan):
        with pytest.raises(PellucidError, match="does not divide a turn of 360 into 4 parts or more"):
            turns(step)


# Places


def test_places_are_the_middles_of_what_units_saw(tmp_path: Path) -> None:
    images = photographs(tmp_path / "images", 12)
    study = harvested(tmp_path / "study", images)
    source = open_source(images)
    ranking = Harvested.read(study, LAYER).summary("pre").highest
    found = harvested_places(Harvested.read(study, LAYER), [2, 4], count=3)
    assert list(found) == [2, 4]
    for unit, places in found.items():
        assert len(places) == 3
        for place, item, at, value in zip(
            places, *(a[unit, :3] for a in (ranking.items, ranking.places, ranking.values)), strict=True
        ):
            assert place.image == item >> 16
            assert place.value == value > 0
            view = PLAN.boxes(source.open(place.image).size, source.name(place.image))[view_of(int(item))]
            row, column = divmod(int(at), 4)
            # The middle of the receptive field, counted from the edge of the first pixel, in the view and around it.
            y, x = (
                FIELD["offset"][axis] + index * FIELD["stride"][axis] + FIELD["size"][axis] / 2
                for axis, index in enumerate((row, column))
            )
            assert place.centre[0] == pytest.approx(view.top + y * (view.bottom - view.top) / INPUT[0] - 0.5)
            assert place.centre[1] == pytest.approx(view.left + x * (view.right - view.left) / INPUT[1] - 0.5)
            assert place.scale[0] == pytest.approx((view.bottom - view.top) / INPUT[0])


def test_where_units_see_everything_the_place_is_their_own_part(tmp_path: Path) -> None:
    study = harvested(tmp_path / "study", photographs(tmp_path / "images", 4))
    renewed(study, field={**FIELD, "whole": (True, True)})
    ((place, *_),) = harvested_places(Harvested.read(study, LAYER), [0], count=1).values()
    sides = [64, 48, 56]  # a view is a part of the shorter side
    assert place.scale[0] * INPUT[0] in [round(share * min(64, side)) for share in (0.6, 0.8) for side in sides]
    row_height = place.scale[0] * INPUT[0] / 3
    position = int(Harvested.read(study, LAYER).summary("pre").highest.places[0, 0]) // 4
    assert (place.centre[0] + 0.5 - (position + 0.5) * row_height) % 1 == pytest.approx(0, abs=1e-6)


def test_photographs_that_cannot_be_opened_are_passed_over(tmp_path: Path) -> None:
    images = photographs(tmp_path / "images", 8)
    study = harvested(tmp_path / "study", images)
    best = harvested_places(Harvested.read(study, LAYER), [1], count=8)[1]
    broken = images / open_source(images).name(best[0].image)
    broken.write_bytes(bytes(broken.stat().st_size))  # as long as before: the study knows it by that
    assert harvested_places(Harvested.read(study, LAYER), [1], count=8)[1] == best[1:]
    for path in images.rglob("*.png"):
        path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(
        ImagesError, match=r"none of the photographs that the unit fires at can be opened; \w+/\d+\.png"
    ):
        harvested_places(Harvested.read(study, LAYER), [1])


def test_units_without_photographs_or_places_are_refused(tmp_path: Path) -> None:
    images = photographs(tmp_path / "images", 4)
    study = harvested(tmp_path / "study", images)
    with pytest.raises(ObjectiveError, match=f"no unit {UNITS} in 'made.up'"):
        harvested_places(Harvested.read(study, LAYER), [UNITS])
    summary = Harvested.read(study, LAYER).summary("pre")
    summary.highest.values[3] -= 100
    opened = Harvested.read(study, LAYER)
    object.__setattr__(opened, "summary", lambda tap: summary)
    with pytest.raises(PellucidError, match=r"unit made\.up:3 never fired in the 4 photographs of the study"):
        harvested_places(opened, [3])
    renewed(study, field=None)
    with pytest.raises(LayerError, match=r"units of layer 'made\.up' have no place in the picture"):
        harvested_places(Harvested.read(study, LAYER), [0])


# Joint tuning of made-up units


def bump(direction: float, kappa: float = 7.0, count: int = 72) -> np.ndarray:
    return VonMises(1.0, direction % 360, kappa).curve(count).values


def made_up(
    unit: int, directions: dict[int, float], photographs_at: list[float], *, kappa: float = 7.0, count: int = 72
) -> JointTuning:
    """Units that answer as bumps to photographs with these directions."""
    responses = [[bump(theta - at, kappa, count) for theta in directions.values()] for at in photographs_at]
    return JointTuning(
        "made.up",
        unit,
        tuple(directions),
        np.arange(count) * 360 / count,
        np.array(responses, np.float32).transpose(0, 2, 1),
        tuple(Place(number, (0, 0), (1, 1)) for number in range(len(photographs_at))),
    )


@pytest.mark.parametrize("by", ["argmax", "mean"])
def test_photographs_are_laid_upon_each_other_where_the_unit_answers(by) -> None:
    joint = made_up(4, {2: 40.0, 4: 130.0, 7: 300.0}, [0.0, 75.0, 210.0])
    assert joint.shifts(by) == pytest.approx([130, 55, 280], abs=1e-3)
    aligned = joint.aligned(by)
    assert aligned.shape == (3, 72, 3)
    assert np.abs(aligned - aligned[:1]).max() < 1e-5
    curves = joint.curves(by)
    assert [curves[unit].circular_mean for unit in (2, 7)] == pytest.approx([270, 170], abs=0.01)
    assert oracle.off(curves[4].circular_mean, 0) < 0.01


def test_between_angles_a_shift_is_linear() -> None:
    joint = made_up(0, {0: 12.0, 1: 90.0}, [0.0], kappa=3.0)
    (aligned,) = joint.aligned("mean")
    (shift,) = joint.shifts("mean")
    assert shift == pytest.approx(12, abs=1e-3)
    expected = np.interp(joint.angles + shift, joint.angles, joint.responses[0, :, 1], period=360)
    assert np.allclose(aligned[:, 1], expected, atol=1e-6)
    assert np.array_equal(joint.aligned(None), np.maximum(joint.responses, 0))


def test_photographs_without_an_answer_are_left_out_and_none_is_refused() -> None:
    joint = made_up(1, {0: 0.0, 1: 90.0}, [0.0, 45.0])
    joint.responses[0, :, 1] = -1
    assert joint.aligned().shape == (1, 72, 2)
    assert oracle.off(joint.curves()[0].circular_mean, 270) < 0.01
    joint.responses[:, :, 1] = -1
    with pytest.raises(PellucidError, match=r"unit made\.up:1 answers to none of its 2 photographs, however"):
        joint.curves()


def test_directions_follow_from_the_photographs_of_one_unit_or_of_several() -> None:
    directions = {0: 20.0, 1: 95.0, 2: 170.0, 5: 310.0}
    synthetic = {unit: TuningCurve.of(bump(theta + 33)) for unit, theta in directions.items()}
    for references in ([5], [0, 2], [0, 1, 2, 5]):
        tunings = {unit: made_up(unit, directions, [10.0 * unit, 200.0]) for unit in references}
        found = natural_orientations(tunings, synthetic)
        assert found.rms < 0.02
        assert found.most < 0.04
        for unit, theta in directions.items():
            assert oracle.off(found.natural[unit], theta + 33) < 0.05
            assert oracle.off(found.curves[unit].circular_mean, theta + 33) < 0.1
            assert found.curves[unit].fwhm == pytest.approx(TuningCurve.of(bump(0)).fwhm, abs=1)


def test_differences_are_those_that_no_common_turn_takes_away() -> None:
    directions = {unit: 45.0 * unit for unit in range(8)}
    errors = np.array([8.0, -8, 4, -4, 12, -12, 0, 0])
    synthetic = {unit: TuningCurve.of(bump(theta - errors[unit], count=360)) for unit, theta in directions.items()}
    found = natural_orientations([made_up(3, directions, [0.0])], synthetic)
    assert list(found.differences.values()) == pytest.approx(errors.tolist(), abs=0.1)
    assert found.rms == pytest.approx(math.sqrt(float(np.mean(errors**2))), abs=0.05)
    assert found.most == pytest.approx(12, abs=0.1)
    row = found.rows()[4]
    assert row["unit"] == "made.up:4"
    assert row["difference"] == pytest.approx(12, abs=0.1)
    assert row["R"] == pytest.approx(TuningCurve.of(bump(0)).resultant, abs=1e-3)


def test_several_units_photographs_outvote_those_of_one() -> None:
    """One unit's photographs tell wrong; the others bring its directions back, in part."""
    directions = {unit: 60.0 * unit for unit in range(6)}
    synthetic = {unit: TuningCurve.of(bump(theta)) for unit, theta in directions.items()}
    wrong = {unit: theta + (30.0 if unit == 2 else 0.0) for unit, theta in directions.items()}
    tunings = {unit: made_up(unit, wrong if unit == 0 else directions, [0.0]) for unit in directions}
    alone = natural_orientations([tunings[0]], synthetic)
    together = natural_orientations(tunings, synthetic)
    assert alone.most > 20
    assert together.most < 8


def test_units_without_a_direction_are_left_open() -> None:
    directions = {0: 10.0, 1: 100.0, 2: 200.0}
    joint = made_up(0, directions, [0.0])
    joint.responses[:, :, 2] = 0
    synthetic = {unit: TuningCurve.of(bump(theta)) for unit, theta in directions.items()}
    found = natural_orientations([joint], synthetic)
    assert math.isnan(found.natural[2])
    assert math.isnan(found.differences[2])
    assert found.rms < 0.02
    assert found.rows()[2]["difference"] is None
    only = natural_orientations([joint], {0: synthetic[0]})
    assert math.isnan(only.differences[0])  # the turn that is open leaves nothing of it
    assert math.isnan(only.rms)


def test_directions_need_photographs_and_curves_of_the_same_units() -> None:
    joint = made_up(0, {0: 10.0, 1: 100.0}, [0.0])
    synthetic = {unit: TuningCurve.of(bump(0)) for unit in (0, 1, 2)}
    with pytest.raises(PellucidError, match="no joint tuning curves to take directions from"):
        natural_orientations([], synthetic)
    with pytest.raises(PellucidError, match=r"unit made\.up:2 lacks a joint or a synthetic tuning curve"):
        natural_orientations([joint], synthetic)
    with pytest.raises(PellucidError, match=r"unit made\.up:0 lacks a joint or a synthetic tuning curve"):
        natural_orientations([joint], {1: synthetic[1]})
    with pytest.raises(PellucidError, match="no unit has a direction both by photographs and by drawn curves"):
        natural_orientations([joint], {unit: TuningCurve.of(np.ones(72)) for unit in (0, 1)})


# The check


def test_the_others_tell_where_photographs_point() -> None:
    directions = {unit: 30.0 * unit for unit in range(12)}
    synthetic = {unit: TuningCurve.of(bump(theta)) for unit, theta in directions.items()}
    for unit, error in ((3, 0.0), (8, 20.0), (11, -10.0)):
        # The unit takes its photographs for its own direction, and they point `error` further.
        seen = directions | {unit: directions[unit] + error}
        found = population_check(made_up(unit, seen, [5.0 * n for n in range(9)]), synthetic)
        assert found.difference == pytest.approx(error, abs=0.5)
        assert found.synthetic == pytest.approx(directions[unit])
        assert found.fit > 0.99
        assert found.agreement == pytest.approx(math.cos(math.radians(error)), abs=0.01)
        assert found.confirms() == (abs(error) <= 15)
        assert not found.confirms(limit=-1)
        assert found.curve is not None
        assert oracle.off(found.curve.argmax, 0) == 0


def test_the_reading_is_the_greatest_of_sums_written_out() -> None:
    random = np.random.default_rng(3)
    count, units = 24, range(5)
    drawn = {unit: random.uniform(0, unit + 1, count) for unit in units}
    answers = random.uniform(0, 2, (1, count, 5)).astype(np.float32)
    joint = JointTuning("l", 2, tuple(units), np.arange(0.0, 360.0, 15.0), answers, (Place(0, (0, 0), (1, 1)),))
    synthetic = {unit: TuningCurve.of(values) for unit, values in drawn.items()}
    found = population_check(joint, synthetic)
    start = joint.shifts()[0]

    def read(values: np.ndarray, at: float):
        return float(np.interp(at % 360, np.arange(count + 1) * 15.0, np.append(values, values[0])))

    weights = {
        unit: synthetic[unit].resultant / max(drawn[unit].max(), answers[0, :, unit].max()) ** 2
        for unit in units
        if unit != 2
    }
    sums = [
        oracle.agreement_at(
            direction,
            {unit: lambda a, unit=unit: read(answers[0, :, unit], start + a) for unit in weights},
            {unit: lambda a, unit=unit: read(drawn[unit], a) for unit in weights},
            weights,
            np.arange(0, 360, 1.5).tolist(),
        )
        for direction in range(0, 360, 8)
    ]
    assert oracle.off(found.natural, 8 * int(np.argmax(sums))) <= 6


def test_a_unit_does_not_confirm_itself() -> None:
    directions = {0: 50.0, 1: 140.0, 2: 230.0}
    synthetic = {unit: TuningCurve.of(bump(theta)) for unit, theta in directions.items()}
    joint = made_up(0, directions, [0.0, 20.0])
    joint.responses[:, :, 1:] = 0
    found = population_check(joint, synthetic)
    assert math.isnan(found.natural)
    assert not found.confirms()
    assert found.note == "no other unit of the layer answers both to curves and to photographs"
    assert found.row()["difference"] is None
    alone = population_check(made_up(0, {0: 50.0}, [0.0]), synthetic)
    assert alone.note == found.note
    joint.responses[:, :, 0] = 0
    assert population_check(joint, synthetic).note == "it answers to none of its photographs, however they are turned"
    flat = {**synthetic, 0: TuningCurve.of(np.ones(72))}
    assert population_check(joint, flat).note == "drawn curves tell no direction"
    with pytest.raises(PellucidError, match=r"unit made\.up:0 has no tuning curve to drawn curves"):
        population_check(joint, {1: synthetic[1]})


def test_lines_alone_do_not_outvote_what_tells_a_curve_from_its_opposite() -> None:
    """Edges answer to one side of a photograph's lines, and to both of drawn ones: they tell half of a direction."""
    curves, lines = {unit: 72.0 * unit for unit in range(5)}, {unit: 15.0 * unit for unit in range(5, 29)}
    synthetic = {unit: TuningCurve.of(bump(theta)) for unit, theta in curves.items()}
    synthetic |= {unit: TuningCurve.of(0.6 * bump(theta) + bump(theta + 180)) for unit, theta in lines.items()}
    joint = made_up(0, curves | lines, [0.0, 40.0, 80.0])
    found = population_check(joint, synthetic)
    assert abs(found.difference) < 1


def test_photographs_that_point_anywhere_confirm_nothing() -> None:
    """The chance is that of the V test: below 1 % in 1 % of such cases, and a difference below 15 degrees is rarer."""
    random = np.random.default_rng(1)
    checks = [
        NaturalCheck("l:0", 100.0, float(random.uniform(0, 360)), 0.5, tuple(random.uniform(0, 360, 10)), None)
        for _ in range(3000)
    ]
    assert np.mean([check.chance <= 0.05 for check in checks]) == pytest.approx(0.05, abs=0.015)
    assert np.mean([check.confirms() for check in checks]) < 0.005


# The network whose units are known


@pytest.fixture(scope="module")
def handnet() -> pellucid.Network:
    return pellucid.load("handnet")


@pytest.fixture(scope="module")
def sight(handnet: pellucid.Network) -> Sight:
    return sights(handnet, ["relu4"])["relu4"]


@pytest.fixture(scope="module")
def drawn(handnet: pellucid.Network, sight: Sight) -> dict[int, TuningCurve]:
    curves = tuning_of(handnet, "relu4", range(42), orientations=range(0, 360, 10), radii=[40, 56, 80], sight=sight)
    return dict(enumerate(curves.values()))


def painted(normal: float, seed: int, size: tuple[int, int] = (210, 240)) -> tuple[np.ndarray, Place]:
    """A photograph (H, W, 3) of a curve in noise, and the place on the curve where it has that outward normal."""
    random = np.random.default_rng(seed)
    at = (random.uniform(90, 120), random.uniform(100, 140))
    light, dark = random.uniform(0.6, 0.9), random.uniform(0.05, 0.3)
    style = Style(foreground=dark, background=light, inside=Noise(0.06), outside=Noise(0.06))
    curve = Curve((normal + 180) % 360, float(random.uniform(80, 120)), width=2.0)
    picture = draw(curve, size, centre=at, style=style, seed=seed)
    return to_pixels(picture.numpy())[0], Place(seed, at, (1.8, 1.8), 1.0)


def test_units_peak_where_painted_photographs_are_turned_into_their_directions(handnet, sight) -> None:
    """The photographs' directions are anything; unit k lies 15·(k - 6) degrees from unit 6."""
    normals = [90 + error for error in (-7.0, 0.0, 4.0)]
    pictures, places = zip(*(painted(normal, seed) for seed, normal in enumerate(normals)), strict=True)
    joint = joint_tuning(handnet, "relu4", 6, places, pictures, step=STEP, sight=sight)
    assert joint.responses.shape == (3, 36, 42)
    # A photograph of the normal θ is turned by θ′ - θ where the unit of the normal θ′ answers.
    for normal, shift in zip(normals, joint.shifts("mean").tolist(), strict=True):
        assert oracle.off(shift, 90 - normal) <= 4
    curves = joint.curves()
    errors = [(curves[k].circular_mean - 15 * (k - 6) + 180) % 360 - 180 for k in CURVES]
    apart = np.array(errors) - np.mean(errors)
    assert np.sqrt(np.mean(apart**2)) <= 4
    assert np.abs(apart).max() <= 8
    assert min(curves[k].resultant for k in CURVES) >= 0.9
    assert max(curves[k].echo for k in CURVES) <= 0.05


def test_painted_photographs_confirm_drawn_curves(handnet, sight, drawn) -> None:
    pictures, places = zip(*(painted(seed * 15 / 2, seed) for seed in range(8)), strict=True)
    # Places of a unit are those of photographs with its own direction.
    of_units = {0: places[:2], 1: places[2:4], 3: places[6:], 5: ()}
    found = natural_check(handnet, "relu4", of_units, pictures, drawn, step=15, sight=sight)
    assert list(found) == [0, 1, 3, 5]
    for unit in (0, 1, 3):
        assert abs(found[unit].difference) <= 8
        assert found[unit].agreement > 0.95
        assert found[unit].unit == f"relu4:{unit}"
    assert found[5].note == "it fires at no photograph"
    assert not found[5].confirms()
    assert found[5].row()["natural"] is None
    # With the curves of another unit the same photographs deny it.
    swapped = {**drawn, 0: drawn[9]}
    denied = natural_check(handnet, "relu4", {0: places[:2]}, pictures, swapped, step=15, sight=sight)[0]
    assert denied.difference == pytest.approx(-135, abs=10)
    assert not denied.confirms()


def test_what_is_recorded_is_what_the_units_give(handnet, sight) -> None:
    """In batches or not, all units or some, and both sides of the rectifier."""
    picture, place = painted(90, 0)
    whole = joint_tuning(handnet, "relu4", 6, [place], {0: picture}, step=90, sight=sight)
    parts = joint_tuning(handnet, "relu4", 6, [place], {0: picture}, step=90, sight=sight, batch=3, units=[30, 6])
    assert whole.units == tuple(range(42))
    assert parts.units == (30, 6)
    assert np.allclose(parts.responses, whole.responses[:, :, [30, 6]], atol=1e-5)
    added = joint_tuning(handnet, "relu4", 6, [place], {0: picture}, step=90, sight=sight, units=[30])
    assert added.units == (30, 6)
    before = joint_tuning(handnet, "relu4", 6, [place], {0: picture}, step=90, sight=sight, side="pre")
    assert np.allclose(np.maximum(before.responses, 0), whole.responses, atol=1e-6)
    assert before.responses.min() < 0
    image = torch.from_numpy(picture).movedim(2, 0) / 255
    turned = rotated(image, place.centre, place.scale, [90.0], sight.size, sight.centre)
    with torch.no_grad():
        maps = handnet.activations(turned, ["relu4"])["relu4"]
    assert np.allclose(maps[0, :, sight.position[0], sight.position[1]], whole.responses[0, 1], atol=1e-4)


def test_joint_tuning_refuses_what_it_cannot_turn(handnet, sight) -> None:
    picture, place = painted(90, 0)
    with pytest.raises(PellucidError, match="unit relu4:6 has no photographs to turn; it may never have fired"):
        joint_tuning(handnet, "relu4", 6, [], [picture], sight=sight)
    with pytest.raises(PellucidError, match="has units 0 to 41, not"):
        joint_tuning(handnet, "relu4", 42, [place], [picture], sight=sight)
    with pytest.raises(PellucidError, match="a step of 7 degrees does not divide"):
        joint_tuning(handnet, "relu4", 6, [place], [picture], step=7, sight=sight)
    with pytest.raises(LayerError, match="'logits' of handnet has no spatial activations"):
        joint_tuning(handnet, "logits", 6, [place], [picture])


def test_a_network_that_is_not_square_sees_what_it_saw(tmp_path: Path) -> None:
    network = small_network(size=(24, 40))
    image = Image.fromarray(to_pixels(smooth(3, 90, 100)[None])[0])
    view, (row, column) = Box(5, 10, 85, 80), (6, 12)
    looks = sights(network, ["relu2"])["relu2"]
    field = network.receptive_fields(["relu2"])["relu2"]
    place = Place.of(0, view, field.center(row, column), (24, 40))
    joint = joint_tuning(network, "relu2", 0, [place], [image], step=90, sight=looks)
    seen = network.activations(load_view(image, view, network)[None], ["relu2"])["relu2"][0, :, row, column]
    assert np.allclose(joint.responses[0, 0], seen.detach(), atol=0.01)


# A study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, handnet: pellucid.Network) -> Path:
    """A harvest of handnet on painted photographs of a few directions."""
    folder = tmp_path_factory.mktemp("natural")
    (folder / "images").mkdir()
    for seed in range(8):
        picture, _ = painted(45.0 * seed + 3, seed, (210, 210))
        Image.fromarray(picture).save(folder / "images" / f"{seed}.png")
    summarize(handnet, folder / "images", ["relu4", "logits"], folder / "study", config=SummaryConfig(examples=4))
    return folder / "study"


def test_a_family_is_read_off_a_study(handnet, study: Path, drawn) -> None:
    found = natural_family(
        handnet, study, "relu4", [0, 6, 12, 18], references=[6, 18], examples=2, step=15, synthetic=drawn
    )
    assert list(found.tunings) == [6, 18]
    assert found.orientations.most <= 8
    for k in (0, 6, 12, 18):
        assert oracle.off(found.orientations.natural[k], 15 * k) <= 8
    rows = found.rows()
    assert [row["unit"] for row in rows] == [f"relu4:{k}" for k in (0, 6, 12, 18)]
    assert rows[0]["by_others"] is None
    assert abs(rows[1]["by_others"]) <= 10
    assert found.warning is None
    record = found.record()
    assert record["photographs"] == {"6": 2, "18": 2}
    assert record["rms"] == found.orientations.rms
    assert list(record["curves"]) == list(found.curves)
    figure = joint_figure(found.orientations)
    assert {text.get_text() for text in figure.axes[0].texts} == {"0", "6", "12", "18"}


def test_studies_that_do_not_fit_are_refused(handnet, study: Path) -> None:
    with pytest.raises(StudyError, match=r"no finished summary of layer 'relu3'; .*'pellucid harvest NETWORK --images"):
        natural_family(handnet, study, "relu3", [0])
    with pytest.raises(LayerError, match="'logits' of handnet has no spatial activations"):
        natural_family(handnet, study, "logits", [0])
    with pytest.raises(ObjectiveError, match="no unit 42 in 'relu4'"):
        natural_family(handnet, study, "relu4", [0, 42])
    with pytest.raises(PellucidError, match=r"one unit of the family or more, not of \[7\]"):
        natural_family(handnet, study, "relu4", [0], references=[7])
    with pytest.raises(PellucidError, match="one unit of the family or more, not of none"):
        natural_family(handnet, study, "relu4", [])
    with pytest.raises(StudyError, match="was made with other weights than those of handnet_positive"):
        natural_family(made_by_hand(negatives=False), study, "relu4", [0])
    with pytest.raises(ImagesError, match="holds other photographs than the study"):
        natural_family(handnet, study, "relu4", [0], source=_one_photograph(study))


def _one_photograph(study: Path) -> str:
    folder = study.parent / "another"
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (50, 50)).save(folder / "0.png")
    return str(folder)


def test_no_figure_is_drawn_of_silence() -> None:
    joint = made_up(0, {0: 10.0, 1: 100.0}, [0.0])
    synthetic = {unit: TuningCurve.of(bump(theta)) for unit, theta in ((0, 10.0), (1, 100.0))}
    found = natural_orientations([joint], synthetic)
    object.__setattr__(found, "curves", {unit: TuningCurve.of(np.zeros(72)) for unit in (0, 1)})
    with pytest.raises(PellucidError, match="none of the units answers to the photographs"):
        joint_figure(found)


def test_real_photographs_turned_tell_the_directions_of_all_curve_units(handnet, sight, shared_data, tmp_path) -> None:
    folder = shared_data / "imagenet-samples"
    some = sorted(folder.iterdir())[::4]
    made = summarize(handnet, [*map(str, some)], "relu4", tmp_path / "study", config=SummaryConfig(examples=10))
    opened = Harvested.read(made, "relu4")
    places = harvested_places(opened, [6])[6]
    joint = joint_tuning(handnet, "relu4", 6, places, opened.source, step=STEP, sight=sight)
    truth = {k: TuningCurve.of(bump(15.0 * k)) for k in CURVES}
    found = natural_orientations([joint], truth)
    assert found.rms <= 4
    assert found.most <= 8
