import math

import numpy as np
import pytest
import torch

from oracles_canvases import IMAGENET, maco_picture, mean_magnitude, natural_magnitude
from painters import SIZES, generators, random_images
from pellucid.errors import ImagesError, ObjectiveError
from pellucid.visualize.canvases import MACO, Fourier
from pellucid.visualize.canvases.maco import resampled


@pytest.mark.parametrize("size", SIZES)
def test_the_default_is_the_formula(size: tuple[int, int]) -> None:
    canvas = MACO()
    phases = canvas.start(size, 3, generators(1, 2), torch.float64)
    for item, picture in enumerate(canvas.pictures(phases, size)):
        truth = maco_picture(phases[item].numpy(), natural_magnitude(*size), *size, IMAGENET)
        np.testing.assert_allclose(picture.numpy(), truth, atol=1e-10)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [(6, 7), (5, 8)])
def test_the_statistics_of_images_are_the_formula(channels: int, size: tuple[int, int]) -> None:
    images = random_images(6, channels, size)
    root = np.eye(channels) + 0.4
    canvas = MACO.of([images[:2], images[2:]], colours=torch.tensor(root))
    magnitude = mean_magnitude(images.numpy(), root)
    phases = canvas.start(size, channels, generators(1), torch.float64)
    truth = maco_picture(phases[0].numpy(), magnitude, *size, root)
    np.testing.assert_allclose(canvas.pictures(phases, size)[0].numpy(), truth, atol=1e-10)


def test_one_tensor_and_its_batches_give_one_canvas() -> None:
    images = random_images(6, 3, (6, 7))
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images), batch_size=4)
    first, second = MACO.of(images), MACO.of(loader)
    phases = first.start((6, 7), 3, generators(1), torch.float64)
    torch.testing.assert_close(first.pictures(phases, (6, 7)), second.pictures(phases, (6, 7)))
    assert repr(first) == repr(MACO.of([images]))
    assert repr(first) != repr(MACO.of(images.flip(2)))


def test_phases_are_uniform() -> None:
    phases = MACO().start((40, 40), 3, generators(1), torch.float64)
    counts = torch.histc(phases, bins=8, min=-math.pi, max=math.pi)
    assert float(counts.sum()) == phases.numel()
    assert float((counts / counts.mean() - 1).abs().max()) < 0.1


def values_of(canvas: MACO, images: torch.Tensor) -> torch.Tensor:
    return canvas.finish.undo(images)


@pytest.mark.parametrize("size", [(8, 8), (7, 10), (9, 6)])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_the_magnitude_stays_and_phases_are_free(size: tuple[int, int], channels: int) -> None:
    canvas = MACO.of(random_images(5, channels, size, seed=1), bounded=(-8, 8))
    first, second = canvas.pictures(canvas.start(size, channels, generators(1, 2), torch.float64), size)
    spectra = torch.fft.rfft2(values_of(canvas, torch.stack([first, second])))
    inner = slice(1, (size[1] + 1) // 2)  # columns without a conjugate pair
    ratio = spectra.abs()[..., inner] / canvas.magnitude(size, first)[..., inner]
    for item in range(2):
        torch.testing.assert_close(ratio[item], torch.full_like(ratio[item], float(ratio[item].mean())))
    assert not torch.allclose(spectra[0].angle(), spectra[1].angle(), atol=0.1)
    # And everywhere it is a bound.
    assert bool((spectra.abs() <= canvas.magnitude(size, first) * ratio.mean(dim=(1, 2, 3), keepdim=True) + 1e-9).all())


def test_values_have_a_mean_square_of_one() -> None:
    canvas = MACO(bounded=(-20, 20))
    pictures = canvas.pictures(canvas.start((9, 8), 5, generators(1, 2), torch.float64), (9, 8))
    torch.testing.assert_close(values_of(canvas, pictures).square().mean(dim=(1, 2, 3)), torch.ones(2).double())


def test_bounds_other_than_a_sigmoid() -> None:
    phases = MACO().start((8, 8), 3, generators(1), torch.float64)
    pictures = MACO(bounded=(-2.5, 2.5)).pictures(phases, (8, 8))
    values = MACO().pictures(phases, (8, 8)).logit()
    torch.testing.assert_close(pictures, (values / 5 + 0.5).clamp(0, 1))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("own", [False, True])
def test_images_of_the_canvass_magnitude_come_back_and_others_keep_their_phase(
    size: tuple[int, int], channels: int, own: bool
) -> None:
    canvas = MACO.of(random_images(7, channels, size, seed=1), bounded=(-30, 30)) if own else MACO(bounded=(-30, 30))
    other = random_images(2, channels, size)
    phases = canvas.invert(other)
    assert phases.shape == canvas.start(size, channels, generators(1, 2), torch.float64).shape
    constrained = canvas.pictures(phases, size)
    torch.testing.assert_close(canvas.pictures(canvas.invert(constrained), size), constrained, atol=1e-9, rtol=0)
    assert not torch.allclose(constrained, other, atol=1e-3), "another magnitude does not come back"
    turned = torch.fft.rfft2(values_of(canvas, constrained)).angle() - phases
    torch.testing.assert_close(turned.cos(), torch.ones_like(turned), atol=1e-9, rtol=0)


def test_the_phase_holds_the_forms_of_an_image() -> None:
    """Oppenheim and Lim 1981: an edge is where the phases say, whatever the magnitude."""
    image = torch.full((1, 1, 32, 32), 0.3, dtype=torch.float64)
    image[..., 10:20, 6:25] = 0.7
    canvas = MACO()
    back = canvas.pictures(canvas.invert(image), (32, 32))
    cosine = torch.nn.functional.cosine_similarity(
        (back - back.mean()).flatten(), (image - image.mean()).flatten(), dim=0
    )
    assert float(cosine) > 0.6


def test_a_spectrum_at_another_size_is_the_same_by_cycles_per_pixel() -> None:
    size = (48, 64)
    magnitude = torch.tensor(natural_magnitude(*size))[None]
    torch.testing.assert_close(resampled(magnitude, size, size), magnitude)
    for to in ((24, 32), (96, 128), (33, 51), (20, 90)):
        truth = torch.tensor(natural_magnitude(*to))
        found = resampled(magnitude, size, to)[0]
        slack = (found / truth).log().abs()
        slack[0, 0] = 0  # of the mean there is nothing to compare: the other picture's lowest frequency is another
        f = torch.fft.fftfreq(to[0]).square()[:, None] + torch.fft.rfftfreq(to[1]).square()[None]
        assert float(slack[f.sqrt() >= 1 / 48].max()) < 0.05


def test_statistics_of_one_size_serve_pictures_of_another() -> None:
    canvas = MACO.of(
        Fourier(deviation=0.05).pictures(
            Fourier(deviation=0.05).start((32, 24), 3, generators(*range(20)), torch.float64), (32, 24)
        )
    )
    for size in ((48, 40), (15, 20), (1, 3)):
        pictures = canvas.pictures(canvas.start(size, 3, generators(1), torch.float64), size)
        assert pictures.shape == (1, 3, *size)
        assert bool(pictures.isfinite().all())


def test_the_optimizer_is_the_papers_at_a_lower_rate() -> None:
    optimizer = MACO().optimizer([torch.zeros(1, requires_grad=True)])
    assert isinstance(optimizer, torch.optim.NAdam)
    assert optimizer.param_groups[0]["lr"] == 0.3


def test_a_magnitude_handed_in() -> None:
    magnitude = torch.rand(3, 6, 4) + 0.1
    phases = MACO().start((6, 6), 3, generators(1), torch.float64)
    picture = MACO(magnitude).pictures(phases, (6, 6))[0]
    np.testing.assert_allclose(
        picture.numpy(), maco_picture(phases[0].numpy(), magnitude.numpy(), 6, 6, IMAGENET), atol=1e-9
    )
    assert MACO(magnitude, size=(6, 7)).size == (6, 7)
    torch.testing.assert_close(MACO(10 * magnitude).pictures(phases, (6, 6))[0], picture)


def test_what_does_not_fit_is_refused() -> None:
    canvas = MACO.of(random_images(3, 2, (6, 6)))
    with pytest.raises(
        ObjectiveError, match="magnitude is of 2 channels and the picture has 3; make the canvas by MACO"
    ):
        canvas.start((6, 6), 3, generators(1), torch.float32)
    with pytest.raises(ObjectiveError, match="of 2 channels and the picture has 3"):
        canvas.invert(random_images(1, 3, (6, 6)))
    with pytest.raises(ObjectiveError, match=r"a magnitude is \(C, H, W//2 \+ 1\), not of shape \(6, 4\)"):
        MACO(torch.ones(6, 4))
    with pytest.raises(ObjectiveError, match=r"magnitude \(3, 6, 4\) is not one of \(6, 9\) pixels"):
        MACO(torch.ones(3, 6, 4), size=(6, 9))
    for wrong in (torch.zeros(3, 6, 4), -torch.ones(3, 6, 4), torch.full((3, 6, 4), float("nan"))):
        with pytest.raises(ObjectiveError, match="finite, not negative, and not all zero"):
            MACO(wrong)
    with pytest.raises(ObjectiveError, match=r"bounded = \(0, 255\) must be symmetric for MACO"):
        MACO(bounded=(0, 255))


def test_images_without_a_mean_spectrum_are_refused() -> None:
    images = random_images(3, 3, (6, 6))
    with pytest.raises(ObjectiveError, match="read twice, and an iterator only once; give a list or a DataLoader"):
        MACO.of(batch for batch in [images])
    with pytest.raises(ImagesError, match="images of 6x6 and 6x7 pixels have no mean spectrum"):
        MACO.of([images, random_images(3, 3, (6, 7))])
