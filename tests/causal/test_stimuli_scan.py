"""The occlusion scan and the choice of pairs, on units that one can work out by hand."""

from itertools import islice

import numpy as np
import pytest
import torch
from torch import Tensor

from oracles_stimuli_causal import plain_best_difference, plain_blur, plain_scan
from pellucid.causal.stimuli import Patch, Scan, UnitActivity, filled, pairs, reference_blur, reveal, scan
from pellucid.causal.stimuli.activity import Activity
from pellucid.causal.stimuli.patches import gaussian_blur, overlap, pixels_of
from pellucid.errors import LayerError, ObjectiveError
from small import small_network

BOX = (slice(100, 140), slice(60, 110))  # rows, columns


def red_box(images: Tensor) -> Tensor:
    return images[:, 0, BOX[0], BOX[1]].mean(dim=(1, 2))


def a_picture(height: int = 224, width: int = 224, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Dark noise, red in the box."""
    image = 0.2 * torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    if height == width == 224:
        image[0, BOX[0], BOX[1]] = 1
    return image


def test_the_smallest_activation_covers_what_the_unit_sees_and_the_largest_does_not() -> None:
    found = scan(red_box, a_picture(dtype=torch.float32), side=0.4, stride=2, batch=128)
    assert found.side == 90
    assert len(found) == 4624
    assert found.base == pytest.approx(1)
    low, high = found.lowest, found.highest
    assert low.top <= 100
    assert low.top + 90 >= 140
    assert low.left <= 60
    assert low.left + 90 >= 110
    away = high.top + 90 <= 100 or high.top >= 140 or high.left + 90 <= 60 or high.left >= 110
    assert away
    assert found.activations.max() == pytest.approx(1)


@pytest.mark.parametrize(("side", "positions"), [(66, 80**2), (90, 68**2), (112, 57**2)])
def test_no_place_is_lost_where_batches_end(side: int, positions: int) -> None:
    seen = []

    def counting(images: Tensor) -> Tensor:
        seen.append(len(images))
        return images[:, 0, 0, 0]

    found = scan(counting, a_picture(dtype=torch.float32)[:1], side=side, stride=2, batch=128)
    assert len(found) == positions == sum(seen) - 1
    assert max(seen) == 128


@pytest.mark.parametrize("batch", [1, 7, 64])
@pytest.mark.parametrize("fill", ["mean", "grey"])
def test_a_scan_is_what_a_plain_one_says_also_for_pictures_that_are_not_square(fill: str, batch: int) -> None:
    image = torch.rand(3, 14, 19, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    weights = torch.rand(3, 14, 19, generator=torch.Generator().manual_seed(2), dtype=torch.float64)

    def respond(images: Tensor) -> Tensor:
        return (images * weights).sum(dim=(1, 2, 3)) ** 2

    found = scan(respond, image, side=5, stride=3, fill=fill, batch=batch)  # type: ignore[arg-type]
    plain = plain_scan(lambda copy: float((copy * weights.numpy()).sum() ** 2), image.numpy(), 5, 3, fill)
    np.testing.assert_allclose(found.activations, plain, rtol=1e-12)
    assert found.activations.shape == (4, 5)


def test_the_fill_is_the_mean_colour_of_what_it_covers() -> None:
    image, patch = a_picture(), Patch(80, 50, 90, 90)
    covered = filled(image, patch, "mean")
    under = covered[:, patch.rows, patch.columns]
    means = image[:, 80:170, 50:140].mean(dim=(1, 2))
    torch.testing.assert_close(under, means[:, None, None].expand_as(under))
    untouched = covered != image
    untouched[:, patch.rows, patch.columns] = False
    assert not untouched.any()


def test_a_blur_hides_detail_and_keeps_the_colours() -> None:
    image = a_picture()
    patch = Patch(60, 60, 90, 90)
    covered = filled(image, patch, "blur")[:, patch.rows, patch.columns]
    under = image[:, patch.rows, patch.columns]
    assert covered.diff(dim=1).std() < 0.05 * under.diff(dim=1).std()
    torch.testing.assert_close(covered.mean(dim=(1, 2)), under.mean(dim=(1, 2)), atol=0.1, rtol=0)


def test_a_gaussian_blur_is_the_plain_one() -> None:
    image = torch.rand(2, 9, 12, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    blurred = gaussian_blur(image, 1.7, radius=4)
    np.testing.assert_allclose(blurred.numpy(), plain_blur(image.numpy(), 1.7, 4), rtol=1e-12)


def test_references_are_blurred_as_published_at_224_pixels() -> None:
    spike = torch.zeros(1, 224, 224, dtype=torch.float64)
    spike[0, 112, 112] = 1
    blurred = reference_blur(spike)[0]
    assert (blurred > 0).sum() == 21 * 21
    weights = np.exp(-0.5 * (np.arange(-10, 11) / 3.5) ** 2)
    np.testing.assert_allclose(blurred[112, 102:123], (weights / weights.sum()) * (1 / weights.sum()), rtol=1e-12)


def test_a_revealing_scan_finds_the_place_that_the_unit_needs() -> None:
    image = torch.full((3, 224, 224), 0.5, dtype=torch.float64)
    checks = (torch.arange(40)[:, None] + torch.arange(50)[None]) % 2
    image[0, BOX[0], BOX[1]] = checks.double()

    def sharpness(images: Tensor) -> Tensor:
        return images[:, 0].diff(dim=1).abs().mean(dim=(1, 2))

    found = reveal(sharpness, image, reference_blur(image), side=90, stride=16)
    patch = found.highest
    assert patch.top <= 100
    assert patch.top + 90 >= 140
    assert patch.left <= 60
    assert patch.left + 90 >= 110
    assert found.base < found.activations.max()


@pytest.mark.parametrize("side", [0.0, -3, 300, 20.5])
def test_a_patch_that_does_not_fit_is_refused(side: float) -> None:
    with pytest.raises(ObjectiveError, match="does not fit a picture of 224x224 pixels"):
        scan(red_box, a_picture(), side=side)


def test_a_stride_of_nothing_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="goes nowhere"):
        scan(red_box, a_picture(), stride=0)


def test_shares_of_the_side_are_rounded_to_pixels() -> None:
    assert [pixels_of(share, (224, 300)) for share in (0.4, 0.5, 1.0)] == [90, 112, 224]
    assert pixels_of(66, (224, 224)) == 66


def a_scan(rows: int, columns: int, *, side: int, stride: int, seed: int, base: float = 1.0) -> Scan:
    values = np.random.default_rng(seed).normal(size=(rows, columns))
    tops, lefts = (tuple(range(0, count * stride, stride)) for count in (rows, columns))
    return Scan(values, base, tops, lefts, side)


@pytest.mark.parametrize("most", [0.0, 0.1, 0.25, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_first_pair_is_the_best_of_all_that_overlap_little_enough(seed: int, most: float) -> None:
    found = a_scan(6, 5, side=7, stride=2, seed=seed)
    pair = next(pairs(found, max_overlap=most), None)
    places = [(int(found.patch(at)[0]), int(found.patch(at)[1])) for at in range(30)]
    best = plain_best_difference(places, found.activations.ravel().tolist(), 7, most)
    assert pair is not None
    assert pair.larger_activation - pair.smaller_activation == pytest.approx(best, rel=1e-12)
    one, other = (torch.tensor([patch[:2]], dtype=torch.float64) for patch in (pair.larger, pair.smaller))
    assert overlap(one, other, 7).item() <= most + 1e-12
    if most == 1:
        assert (pair.larger, pair.smaller) == (found.highest, found.lowest)


def test_further_pairs_are_ever_nearer_and_stop_at_the_least_difference() -> None:
    found = a_scan(6, 5, side=7, stride=2, seed=9, base=-2.0)
    all_pairs = [one.larger_activation - one.smaller_activation for one in pairs(found, max_overlap=0.3)]
    assert all_pairs == sorted(all_pairs, reverse=True)
    least = all_pairs[4] / 2.0
    kept = list(pairs(found, max_overlap=0.3, min_difference=least))
    assert len(kept) == 5
    assert not list(pairs(found, min_difference=100))


def test_a_unit_without_a_response_and_a_flat_scan_have_no_pairs() -> None:
    silent = Scan(np.random.default_rng(0).normal(size=(3, 3)), 0.0, (0, 1, 2), (0, 1, 2), 2)
    flat = Scan(np.ones((3, 3)), 1.0, (0, 1, 2), (0, 1, 2), 2)
    assert not list(islice(pairs(silent), 1))
    assert not list(islice(pairs(flat), 1))


def test_limits_without_sense_are_refused() -> None:
    with pytest.raises(ObjectiveError, match="share from 0 to 1"):
        next(pairs(a_scan(2, 2, side=1, stride=1, seed=0), max_overlap=1.5))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("summary", ["mean", "max"])
def test_an_activation_is_the_mean_or_the_largest_of_the_map_for_any_number_of_threads(
    summary: str, threads: int
) -> None:
    network = small_network(dtype=torch.float64)
    images = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = torch.cat(list(UnitActivity(network, "relu2", 3, summary).each(images.split(2))))  # type: ignore[arg-type]
    finally:
        torch.set_num_threads(before)
    maps = network.activations(images, ["relu2"])["relu2"][:, 3].flatten(1)
    torch.testing.assert_close(found, maps.mean(dim=1) if summary == "mean" else maps.amax(dim=1))


def test_a_layer_of_vectors_is_read_as_it_is_and_a_scan_stops_at_the_layer() -> None:
    network = small_network()
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(UnitActivity(network, "head", 2)(images), network(images)[:, 2], rtol=1e-4, atol=1e-5)
    ran = []
    handle = network.module.get_submodule("conv3").register_forward_hook(lambda *_: ran.append(1))
    scan(UnitActivity(network, "relu1", 0), images[0], side=16, stride=8)
    handle.remove()
    assert not ran


def test_a_unit_that_is_not_there_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="units 0 to 7, not 8"):
        UnitActivity(small_network(), "relu1", 8)
    with pytest.raises(LayerError, match="no layer 'relu9'"):
        next(iter(Activity(small_network(), ("relu9",)).each([])))
