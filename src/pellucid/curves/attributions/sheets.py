"""Images and what a unit's attribution says of them, side by side in one picture."""

from collections.abc import Sequence

from PIL import Image
from torch import Tensor

from pellucid.activations.contact_sheet import Cell, Line, contact_sheet
from pellucid.curves.attributions.examples import on_paper
from pellucid.curves.attributions.heatmaps import Fields, drawn_over, heat
from pellucid.curves.attributions.linear import LinearAttribution
from pellucid.curves.attributions.pictures import AttributionPicture
from pellucid.errors import ObjectiveError
from pellucid.networks import Network
from pellucid.pictures import to_pixels

_ACROSS = 9  # images in a row


def attribution_sheet(
    network: Network,
    found: LinearAttribution,
    images: Tensor,
    *,
    names: Sequence[str] = (),
    picture: AttributionPicture | None = None,
    across: int = _ACROSS,
) -> Image.Image:
    """Each of the attributed images, under it the attribution by position, and the rendered one if it is given.

    Attribution by position is red where it excites the unit, blue where it inhibits it, each image by its own largest.
    Under them stand the pre-activation and the image's name. `picture` must be rendered within the image. Raises
    `ObjectiveError` for other images than those attributed.
    """
    if len(images) != len(found.positions) or (picture is not None and len(picture.pictures) != len(images)):
        raise ObjectiveError(f"{len(images)} images are given for attributions of {len(found.positions)}")
    size = (images.shape[2], images.shape[3])
    maps = heat(found, Fields.of(network, found.layer, found.previous, size)).cpu().numpy()
    pixels = to_pixels(images.detach().cpu())
    cells = []
    for index, values in enumerate(maps):
        rendered = [] if picture is None else [_square(on_paper(picture.pixels()[index]))]
        coloured = drawn_over(pixels[index], values, least=float(found.noticed[index]))
        shown = [_square(Image.fromarray(each)) for each in (pixels[index], coloured)]
        name = names[index] if names else ""
        cells.append(Cell([*shown, *rendered], (f"{float(found.preactivation[index]):.4g}", name)))
    rows = [cells[at : at + across] for at in range(0, len(cells), across)]
    return contact_sheet(f"{found.layer}:{found.unit} from {found.previous}", [Line("", row) for row in rows])


def _square(picture: Image.Image) -> Image.Image:
    """On a square ground, as sheets hold pictures."""
    side = max(picture.size)
    square = Image.new("RGB", (side, side), (128, 128, 128))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square
