import numpy as np
import pytest
import torch
import torch.nn.functional as F

from oracles_paint import contrasted as plainly_contrasted
from palettes import palette_network, palette_study
from pellucid.atlas.paint import (
    PaintConfig,
    agreement,
    canvas_size,
    contrasted,
    laid_on,
    paint,
    picture_size,
    target_of,
    top_classes,
)
from pellucid.atlas.palette import Palette
from pellucid.errors import AtlasError
from pellucid.networks import Network
from small import small_network


@pytest.fixture(scope="module")
def network() -> Network:
    return palette_network()


@pytest.fixture(scope="module")
def palette(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Palette:
    return Palette.open(palette_study(tmp_path_factory.mktemp("paint"), network))


def halves(palette: Palette, left: int, right: int) -> list:
    """A canvas of 12 x 12 whose left and right half are painted with two cells of the coarsest level."""
    table = palette.level(2)
    brush = [((2, int(table.row[cell]), int(table.column[cell]), 1.0),) for cell in (left, right)]
    return [(row, column, brush[column >= 6]) for row in range(12) for column in range(12)]


def test_the_canvas_is_the_map_of_the_layer(network: Network, palette: Palette) -> None:
    assert canvas_size(network, palette) == (12, 12)
    with pytest.raises(AtlasError, match="the atlas act3 is of Small, not of other"):
        canvas_size(Network("other", network.module, network.preprocess, network.size), palette)


def test_paint_lies_where_it_was_put(palette: Palette) -> None:
    mixture = [(2, 0, 0, 2.0), (3, 0, 0, -0.5)]
    target = target_of(palette, [(1, 3, [(2, 0, 0, 4.0)]), (0, 0, mixture)], (4, 5))
    assert target.shape == (16, 4, 5)
    wanted = palette.mix(mixture)
    np.testing.assert_allclose(target[:, 0, 0], wanted / np.linalg.norm(wanted), atol=1e-6)
    mean = palette.level(2).mean[palette.index(2, 0, 0)]
    np.testing.assert_allclose(target[:, 1, 3], mean / np.linalg.norm(mean), atol=1e-6)
    assert int((target.norm(dim=0) > 0).sum()) == 2


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        ([], "nothing is painted"),
        ([(4, 0, [(2, 0, 0, 1.0)])], "place 4,0 lies outside of the canvas of 4 x 5"),
        ([(0, -1, [(2, 0, 0, 1.0)])], "place 0,-1 lies outside"),
        ([(0, 0, [(2, 0, 0, 1.0)])] * 2, "place 0,0 of the canvas is painted twice"),
        ([(0, 0, [(2, 9, 0, 1.0)])], "has no cell in row 9, column 0"),
        ([(0, 0, [])], "nothing is left of the mixture"),
    ],
)
def test_what_cannot_be_painted_is_refused(palette: Palette, strokes: list, message: str) -> None:
    with pytest.raises(AtlasError, match=message):
        target_of(palette, strokes, (4, 5))


def test_contrast_takes_out_what_all_have_in_common() -> None:
    generator = torch.Generator().manual_seed(0)
    target = F.normalize(torch.rand(6, 3, 4, generator=generator, dtype=torch.float64), dim=0)
    target[:, 1, 2] = 0
    mean = torch.rand(6, generator=generator, dtype=torch.float64)
    for contrast in (0.0, 0.6, 1.0):
        twin = plainly_contrasted(target.numpy(), mean.numpy(), contrast)
        np.testing.assert_allclose(contrasted(target, mean, contrast), twin, atol=1e-12)


def test_a_canvas_is_averaged_for_a_smaller_map() -> None:
    target = torch.arange(32.0).reshape(2, 4, 4)
    assert laid_on(target, (4, 4)) is target
    assert laid_on(target, (2, 2))[0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert laid_on(target, (8, 8))[0, :2, :4].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]


def test_a_picture_has_the_form_of_the_networks_input() -> None:
    network = small_network(size=(16, 24))
    layer = network.spatial_layer("act3")
    assert picture_size(network, layer, None) == (16, 24)
    assert picture_size(network, layer, 32) == (32, 48)
    with pytest.raises(AtlasError, match="a picture of 0 pixels cannot be painted"):
        picture_size(network, layer, 0)


def test_a_painted_picture_is_seen_as_what_was_painted(network: Network, palette: Palette) -> None:
    strokes = halves(palette, 0, 3)
    painting = paint(network, palette, strokes, config=PaintConfig(steps=96))
    assert painting.image.shape == (3, 24, 24)
    assert float(painting.image.min()) >= 0
    assert float(painting.image.max()) <= 1
    assert painting.own_first > 0.7
    # The other way round it is wrong, and a grey picture is of one cell at the most.
    target = target_of(palette, halves(palette, 3, 0), (12, 12))
    swapped, own, _ = agreement(network, palette, halves(palette, 3, 0), target, painting.image)
    assert float(swapped.mean()) < float(painting.cosine.mean()) - 0.08
    assert own < 0.3
    target = target_of(palette, strokes, (12, 12))
    assert agreement(network, palette, strokes, target, torch.full((3, 24, 24), 0.5))[1] <= 0.5


def test_places_without_paint_are_free(network: Network, palette: Palette) -> None:
    strokes = [(row, column, cells) for row, column, cells in halves(palette, 0, 3) if column < 6]
    painting = paint(network, palette, strokes, config=PaintConfig(steps=8))
    assert painting.cosine[:, 6:].isnan().all()
    assert painting.cosine[:, :6].isfinite().all()
    mixed = [(0, 0, [(2, 0, 0, 1.0), (2, 1, 1, 1.0)])]
    assert np.isnan(paint(network, palette, mixed, config=PaintConfig(steps=1)).own_first)


def test_the_same_painting_gives_the_same_picture(network: Network, palette: Palette) -> None:
    strokes = halves(palette, 0, 3)
    first, again, other = (
        paint(network, palette, strokes, config=PaintConfig(steps=4, seed=seed)).image for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert paint(network, palette, strokes, config=PaintConfig(steps=2, size=16)).image.shape == (3, 16, 16)


def test_the_likeliest_classes_are_those_of_the_softmax(network: Network) -> None:
    image = torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(0))
    logits = network(image[None])[0].detach().double()
    wanted = (logits.exp() / logits.exp().sum()).tolist()
    found = top_classes(network, image)
    assert [name for name, _ in found] == [f"class {i}" for i in sorted(range(7), key=lambda i: -wanted[i])[:5]]
    assert [value for _, value in found] == pytest.approx(sorted(wanted, reverse=True)[:5], rel=1e-4)
    assert len(top_classes(network, torch.rand(3, 40, 30), 3)) == 3
