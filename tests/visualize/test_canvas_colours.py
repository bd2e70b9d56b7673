import numpy as np
import pytest
import torch

from oracles_canvases import IMAGENET, colour_covariance, mixed
from painters import generators, random_images
from pellucid.errors import ImagesError, ObjectiveError
from pellucid.visualize.canvases import Fourier, colour_square_root
from pellucid.visualize.canvases.colours import Colours


def coloured(channels: int, count: int = 4) -> torch.Tensor:
    """Images whose channels go together in some way."""
    mix = torch.randn(channels, channels, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    images = torch.einsum("oc,nchw->nohw", mix, random_images(count, channels, (5, 4)))
    return (images - images.min()) / (images.max() - images.min())


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_the_square_root_is_one_of_the_centred_covariance(channels: int) -> None:
    images = coloured(channels)
    root = colour_square_root(images)
    np.testing.assert_allclose((root @ root.T).numpy(), colour_covariance(images.numpy()), atol=1e-12)
    widths = root.norm(dim=0)
    assert bool((widths[:-1] >= widths[1:]).all())
    axes = root / widths
    torch.testing.assert_close(axes.T @ axes, torch.eye(channels).double())
    assert torch.equal(root.abs().amax(dim=0), root.amax(dim=0))


def test_batches_give_the_statistics_of_all_images() -> None:
    images = coloured(3)
    root = colour_square_root(images)
    loader = [(images[:1], torch.tensor([4])), (images[1:], torch.tensor([1, 2, 3]))]
    torch.testing.assert_close(colour_square_root(iter(loader)), root)
    torch.testing.assert_close(colour_square_root([images[1:], images[:1]]), root)


def test_channels_of_that_root_have_the_colours_of_the_images() -> None:
    root = colour_square_root(coloured(3, count=40))
    noise = torch.randn(4, 3, 100, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = torch.cov(Colours(root).correlate(noise).transpose(0, 1).flatten(1))
    wanted = root @ root.T / root.norm(dim=0).max() ** 2
    torch.testing.assert_close(found, wanted, atol=0.03, rtol=0)


@pytest.mark.parametrize("given", ["imagenet", torch.tensor(3 * IMAGENET)])
def test_correlation_is_the_formula_and_decorrelation_its_inverse(given: str | torch.Tensor) -> None:
    values = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    colours = Colours(given)
    for item in range(2):
        truth = mixed(values[item].numpy(), IMAGENET)
        np.testing.assert_allclose(colours.correlate(values)[item].numpy(), truth, atol=1e-12)
    torch.testing.assert_close(colours.decorrelate(colours.correlate(values)), values)


def test_colours_that_never_occur_stay_unpainted() -> None:
    grey = random_images(4, 1, (5, 4)).expand(-1, 3, -1, -1)
    canvas = Fourier(deviation=1.0, colours=colour_square_root(grey))
    pictures = canvas.pictures(canvas.start((5, 4), 3, generators(1), torch.float64), (5, 4))
    torch.testing.assert_close(pictures, pictures[:, :1].expand(-1, 3, -1, -1))
    torch.testing.assert_close(canvas.pictures(canvas.invert(grey), (5, 4)), grey)


def test_a_root_that_is_singular_but_for_rounding_does_not_blow_up_what_it_cannot_paint() -> None:
    colours = Colours(torch.tensor([[1.0, 1e-9], [1.0, -1e-9]], dtype=torch.float64))
    assert float(colours.decorrelate(random_images(1, 2, (4, 4))).abs().max()) < 10


def test_a_matrix_of_other_channels_is_refused() -> None:
    canvas = Fourier(colours=torch.eye(2))
    parameters = canvas.start((4, 4), 3, generators(0), torch.float32)
    with pytest.raises(ObjectiveError, match="matrix is of 2 channels and the picture has 3; make it by colour_square"):
        canvas.pictures(parameters, (4, 4))
    with pytest.raises(ObjectiveError, match=r"is \(C, C\), not \(2, 3\)"):
        Fourier(colours=torch.ones(2, 3))
    with pytest.raises(ObjectiveError, match="must be finite and not all zero"):
        Fourier(colours=torch.zeros(3, 3))


def test_images_without_statistics_are_refused() -> None:
    with pytest.raises(ImagesError, match="there are no images"):
        colour_square_root([])
    with pytest.raises(
        ImagesError, match=r"floating-point tensors \(N, C, H, W\), not torch.float32 of shape \(3, 4, 4\)"
    ):
        colour_square_root(torch.zeros(3, 4, 4))
    with pytest.raises(ImagesError, match=r"floating-point tensors \(N, C, H, W\), not torch.uint8"):
        colour_square_root(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))
    with pytest.raises(ImagesError, match="not str"):
        colour_square_root(["photograph.png"])
    with pytest.raises(ImagesError, match=r"have values in \[0, 1\]; these have 0 to 255"):
        colour_square_root(torch.tensor([0.0, 255.0]).expand(1, 3, 2, 2))
    with pytest.raises(ImagesError, match="images of 3 and of 1 channels"):
        colour_square_root([torch.rand(1, 3, 4, 4), torch.rand(1, 1, 4, 4)])
    with pytest.raises(ImagesError, match="of one even colour"):
        colour_square_root(torch.full((2, 3, 4, 4), 0.25))
    with pytest.raises(ImagesError, match=r"have values in \[0, 1\]; these have nan to nan"):
        colour_square_root(torch.full((2, 3, 4, 4), float("nan")))
