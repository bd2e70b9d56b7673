"""Pictures of attributions: what an image's own features of most attribution look like."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.activations.views import Box
from pellucid.curves.attributions.gray_alpha import GrayAlpha
from pellucid.curves.attributions.heatmaps import Fields
from pellucid.curves.attributions.linear import LinearAttribution
from pellucid.errors import ObjectiveError
from pellucid.networks import Network
from pellucid.pictures import Pixels, save_sheet, to_pixels
from pellucid.shapes import Images, Values
from pellucid.visualize import Jitter, opacity, render, weighted

_GRAIN = 32  # px, to which the sides of windows are rounded up


@dataclass(frozen=True, eq=False)
class AttributionPicture:
    """Rendered attributions of N images, `pictures` (N, C + 1, H, W), grey with an opacity.

    `reached` (N,) is <|A|, h(picture)> over that of the image itself: 1 is as much of the same features as the image
    has. NaN marks an image in which nothing but rounding attributes anything; its picture is transparent. `boxes` are
    the pixels of the image that each picture stands for; they may reach beyond it.
    """

    pictures: Images
    reached: Values
    boxes: tuple[Box, ...]
    about: dict[str, Any]

    def pixels(self) -> Pixels:
        """As 8-bit pixels: (N, H, W, 4), the last of them the opacity."""
        return to_pixels(torch.cat([self.pictures[:, :1], self.pictures[:, -1:]], dim=1))

    def save(self, path: Path | str, *, columns: int | None = None) -> None:
        """Write the pictures with their opacity to a .png or .webp, several as one sheet."""
        grey = torch.cat([self.pictures[:, :1], self.pictures[:, -1:]], dim=1)
        save_sheet(Path(path), grey, columns or math.ceil(math.sqrt(len(grey))), self.about)


def attribution_picture(
    network: Network,
    found: LinearAttribution,
    images: Images,
    *,
    within: str = "image",
    steps: int = 128,
    transparency: float = 1.0,
    jitter: int = 4,
    contrast: float = 2.0,
    seed: int = 0,
    batch: int = 16,
    progress: bool = False,
) -> AttributionPicture:
    """Render what an attribution is made of: pictures x that maximize <|A|, h(x)>, grey and transparent.

    FeatureVisualization(|A|) of Curve Detectors (Cammarata et al., Distill 2020): A is the linear attribution of each
    of the `images`, h the activations of the earlier layer. Absolute values show what excites the unit and what
    inhibits it alike. The objective is divided by <|A|, h(image)>, and the mean opacity, times `transparency`, taken
    from it, so that only what counts gains from being opaque; the network sees random backgrounds of some `contrast`
    (Differentiable Image Parameterizations, Distill 2018). Movements are shifts by up to half of `jitter` pixels.

    `within` "image", a picture is of the image's size, and lies on it; within "field" it is of the unit's receptive
    field alone, centred on it to half a stride of the earlier layer, which takes a fraction of the time. Pictures are
    rendered about `batch` at a time; each is the same alone. Raises `ObjectiveError` for another `within`, and for
    images other than those attributed.
    """
    if within not in ("image", "field"):
        raise ObjectiveError(f"within = {within!r} is neither 'image' nor 'field'")
    network.check(images)
    if len(images) != len(found.positions):
        raise ObjectiveError(f"{len(images)} images are given for attributions of {len(found.positions)}")
    size = (images.shape[2], images.shape[3])
    sizes = found.attribution.abs()
    strength = (sizes * found.activations).double().sum(dim=(1, 2, 3))
    counts = (strength > 0) & (sizes.double().sum(dim=(1, 2, 3)) > found.noticed)
    shown = counts.nonzero()[:, 0].tolist()
    weights: list[Tensor] = [(sizes[index] / strength[index]).float() for index in shown]
    boxes = [Box(0, 0, size[1], size[0])] * len(images)
    if within == "field":
        fields = Fields.of(network, found.layer, found.previous, size)
        size = _window_size(fields)
        weights = [
            _window(values, fields, found.positions[index]) for index, values in zip(shown, weights, strict=True)
        ]
        boxes = [_window_box(fields, place, size) for place in found.positions]
    pictures = torch.zeros(len(images), network.channels + 1, *size)
    pictures[:, :-1] = 0.5
    reached = torch.full((len(images),), math.nan, dtype=torch.float64)
    about: dict[str, Any] = {}
    if shown:
        rendering = render(
            network, [weighted(found.previous, values) for values in weights], steps=steps, size=size, seed=seed,
            canvas=GrayAlpha(network.channels, contrast=contrast), transforms=(Jitter(jitter),) if jitter else (),
            regularizers=(transparency * opacity(),) if transparency else (), batch=batch, progress=progress,
        )  # fmt: skip
        pictures[shown] = rendering.images.float()
        reached[shown] = rendering.values.double()
        about = dict(rendering.about)
    return AttributionPicture(pictures, reached, tuple(boxes), about)


def _window_size(fields: Fields) -> tuple[int, int]:
    """The unit's receptive field, rounded up, or the image where that is smaller."""
    rows, columns = (
        length if whole else min(length, _GRAIN * math.ceil(field / _GRAIN))
        for field, whole, length in zip(fields.unit.size, fields.unit.whole, fields.size, strict=True)
    )
    return rows, columns


def _middle(fields: Fields, position: tuple[int, int]) -> tuple[float, float]:
    """The pixel (y, x) that the unit at a position looks at."""
    seen, whole = fields.unit.center(*position), fields.unit.whole
    y, x = (length / 2 - 0.5 if w else at for at, w, length in zip(seen, whole, fields.size, strict=True))
    return y, x


def _window(weights: Tensor, fields: Fields, position: tuple[int, int]) -> Tensor:
    """The weights (C, h, w) about the unit at a position, of an odd number of rows and columns, zero beyond the map."""
    for axis, pixel in enumerate(_middle(fields, position)):
        if fields.unit.whole[axis]:
            continue
        first, stride = fields.centres(axis)
        half = math.ceil((fields.unit.size[axis] - fields.previous.size[axis]) / (2 * stride))
        low = round((pixel - first) / stride) - half
        length = weights.shape[1 + axis]
        margin = [0, 0, 0, 0]
        margin[2 * (1 - axis) : 2 * (1 - axis) + 2] = max(0, -low), max(0, low + 2 * half + 1 - length)
        weights = F.pad(weights, margin).narrow(1 + axis, max(0, low), 2 * half + 1)
    return weights


def _window_box(fields: Fields, position: tuple[int, int], size: tuple[int, int]) -> Box:
    y, x = _middle(fields, position)
    top, left = round(y - (size[0] - 1) / 2), round(x - (size[1] - 1) / 2)
    return Box(left, top, left + size[1], top + size[0])
