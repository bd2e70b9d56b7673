"""Pictures between a few ends: shares, the canvas that mixes parameters, the objective that mixes values."""

import pytest
import torch

from painters import generators, random_images
from pellucid.errors import ObjectiveError
from pellucid.visualize import (
    CPPN,
    Between,
    Fourier,
    Pixels,
    Shared,
    between,
    channel,
    grid_shares,
    interpolation,
    inversion,
    logit,
    pair_shares,
    render,
)
from small import small_network


def test_shares_of_a_grid_are_bilinear() -> None:
    rows, columns = 3, 5
    shares = grid_shares(rows, columns)
    assert shares.shape == (15, 4)
    for row in range(rows):
        for column in range(columns):
            down, right = row / (rows - 1), column / (columns - 1)
            truth = [(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right]
            assert shares[row * columns + column].tolist() == pytest.approx(truth)
    assert grid_shares(1, 3).tolist() == grid_shares(3, 1).tolist() == [[1, 0], [0.5, 0.5], [0, 1]]


def test_shares_of_pairs_go_from_each_end_to_each_other() -> None:
    shares = pair_shares(3, 2)
    assert shares.shape == (3 + 3 * 2, 3)
    assert torch.equal(shares[:3], torch.eye(3).double())
    torch.testing.assert_close(shares[3:5], torch.tensor([[2 / 3, 1 / 3, 0], [1 / 3, 2 / 3, 0]]).double())
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(9).double())


@pytest.mark.parametrize("own", [0.0, 0.3, 1.0])
def test_pictures_are_those_of_mixed_parameters(own: float) -> None:
    shares = grid_shares(2, 3)
    canvas = Between(Pixels(bounded="clip"), shares, own=own)
    parameters = canvas.start((4, 5), 3, generators(*range(12)), torch.float64)
    pictures = canvas.pictures(parameters, (4, 5))
    ends = [0, 2, 3, 5]
    for group in range(2):
        own_rows = parameters[6 * group : 6 * group + 6]
        for place in range(6):
            mixed = sum(shares[place, end] * own_rows[at] for end, at in enumerate(ends))
            truth = own_rows[place] if place in ends else (1 - own) * mixed + own * own_rows[place]
            torch.testing.assert_close(pictures[6 * group + place], truth, atol=1e-12, rtol=0)


def test_with_nothing_of_its_own_a_picture_is_half_way() -> None:
    canvas = Between(Pixels(bounded="clip"), grid_shares(1, 3), own=0.0)
    pictures = canvas.pictures(canvas.start((4, 4), 3, generators(1, 2, 3), torch.float64), (4, 4))
    torch.testing.assert_close(pictures[1], (pictures[0] + pictures[2]) / 2)
    with pytest.raises(ObjectiveError, match="pictures with nothing of their own are not free"):
        canvas.invert(random_images(3, 3, (4, 4)))


def test_neighbours_are_more_alike_than_pictures_that_share_nothing() -> None:
    network = small_network()
    corners = [channel("conv3", unit) for unit in (1, 4, 7, 11)]
    shares = grid_shares(2, 4)
    options = {"steps": 24, "transforms": (), "seed": 2}

    def apart(canvas) -> float:
        pictures = render(network, between(corners, shares), canvas=canvas, **options).images.reshape(2, 4, 3, 32, 32)
        return float(pictures.diff(dim=1).square().mean())

    mixed, alone = apart(Between(Fourier(), shares, own=0.2)), apart(Fourier())
    assert mixed < 0.5 * alone


def test_corners_become_pictures_of_their_objectives() -> None:
    network = small_network()
    corners = [channel("conv3", unit) for unit in (1, 4, 7, 11)]
    shares = grid_shares(3, 3)
    start, end = (
        render(network, between(corners, shares), canvas=Between(Fourier(), shares), steps=steps, transforms=()).values
        for steps in (0, 30)
    )
    assert bool((end > start).all())


def test_any_canvas_can_be_mixed() -> None:
    canvas = Between(CPPN(width=4, depth=2), pair_shares(2, 1))
    images = render(small_network(), between([logit(1), logit(2)], pair_shares(2, 1)), canvas=canvas, steps=2).images
    assert images.shape == (3, 3, 32, 32)


def test_mixtures_are_the_formula() -> None:
    network = small_network(dtype=torch.float64)
    images = random_images(12, 3, (32, 32))
    ends = [channel("conv3", 1), logit(2), channel("conv2", 3), channel("conv3", 5)]
    shares = grid_shares(2, 3)
    objective = between(ends, shares).resolve(network)
    found = objective({**network.activations(images, ["conv2", "conv3"]), "<output>": network(images)})
    for index in range(12):
        one = {
            **network.activations(images[index : index + 1], ["conv2", "conv3"]),
            "<output>": network(images[index : index + 1]),
        }
        truth = sum(float(shares[index % 6, at]) * float(end(one)) for at, end in enumerate(ends))
        assert float(found[index]) == pytest.approx(truth)
    line = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    activations = network.activations(images, ["conv2", "conv3"])
    torch.testing.assert_close(
        between([ends[0], ends[2]], line)(activations), interpolation(ends[0], ends[2], 3)(activations)
    )
    image = images[0]
    assert set(between([inversion(network, image, "conv2"), ends[0]], line).references)


def test_what_lies_between_nothing_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="a grid of 1 rows and 1 columns has nothing between its corners"):
        grid_shares(1, 1)
    with pytest.raises(ObjectiveError, match="0 pictures between each two of 3 ends are none"):
        pair_shares(3, 0)
    with pytest.raises(ObjectiveError, match=r"shares are \(pictures, ends\), not of shape \(3,\)"):
        Between(Fourier(), torch.ones(3))
    with pytest.raises(ObjectiveError, match="must be between 0 and 1 and add up to 1"):
        Between(Fourier(), torch.eye(2) * 0.5)
    with pytest.raises(ObjectiveError, match="no picture has all of end 1; the ends must be among the pictures"):
        Between(Fourier(), torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
    with pytest.raises(ObjectiveError, match="own = 2 must be between 0, nothing of its own, and 1"):
        Between(Fourier(), grid_shares(2, 2), own=2)
    with pytest.raises(ObjectiveError, match="share something already; mix those of a plain canvas"):
        Between(Shared(Fourier(), pictures=4), grid_shares(2, 2))
    canvas = Between(Fourier(), grid_shares(2, 2))
    parameters = canvas.start((4, 4), 3, generators(1, 2, 3), torch.float32)
    with pytest.raises(ObjectiveError, match="3 pictures cannot be shared out in groups of 4"):
        canvas.pictures(parameters, (4, 4))
    with pytest.raises(ObjectiveError, match=r"the shares of 1 objectives are \(pictures, 1\), not \(4, 4\)"):
        between([logit(1)], grid_shares(2, 2))
    with pytest.raises(ObjectiveError, match="the shares of objectives must be finite numbers"):
        between([logit(1)], torch.full((2, 1), torch.nan))
    with pytest.raises(ObjectiveError, match="the objectives are of 3 pictures, and the shares of 4"):
        between([logit(1).copies(3)] * 4, grid_shares(2, 2))
