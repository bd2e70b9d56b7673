"""Curve tracing: a drawn spline that a layer answers to as it does to the image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.curves.extraction import chosen_units, extract_curves, rectified_maps
from pellucid.curves.extraction.attribution import single_image
from pellucid.curves.stimuli import centre_of
from pellucid.curves.tracing.spline import PIECES, catmull_rom, evenly, length_of
from pellucid.curves.tracing.starts import way_along_edges, way_along_peaks
from pellucid.curves.tracing.stroke import stroke_ink
from pellucid.errors import ObjectiveError, PellucidError
from pellucid.networks import Network, frozen, read
from pellucid.visualize.gradients import Blur

Points = NDArray[np.float64]
_SPACING = 0.1  # of the picture's shorter side, from one control point to the next
_FEWEST, _MOST = 4, 24
_GAP = 0.3  # of the shorter side


@dataclass(frozen=True, eq=False)
class Trace:
    """A traced curve.

    `points` (M, 2), as (y, x) in pixels counted from the middle of the first one, lie on the spline through `knots`
    (K, 2); `width` is half the line's thickness in px. `start` (M, 2) is the spline before it was optimized. `losses`
    are 1 - cos of the angle between the layer's activations for the drawn line and for the image, one for each step.
    `drawing` (1, channels, H, W) is the line as the network saw it last.
    """

    points: Points
    knots: Points
    width: float
    start: Points
    losses: tuple[float, ...]
    drawing: Tensor

    @property
    def loss(self) -> float:
        """The least loss, that of `points`."""
        return min(self.losses)


def trace_curve(
    network: Network,
    image: Tensor,
    layer: str,
    units: Sequence[int] | None = None,
    *,
    seen: Sequence[int] | None = None,
    start: str | Points = "edges",
    knots: int | None = None,
    width: float = 1.0,
    steps: int = 100,
    rate: float = 0.5,
    threshold: float = 0.45,
    gap: float | None = None,
) -> Trace:
    """Trace the longest curve that units of a layer see in an image (channels, H, W) with values in [0, 1].

    A Catmull-Rom spline is drawn as a line in the colour, black or white, that the image's line has against its median
    colour. Its control points and its width follow the gradient of 1 - cos(h, h'), where h' are the rectified
    activations of the layer's units `seen`, by default all of them, for the image, h those for the drawn line, through
    the drawing and the network (Adam, `steps` steps that begin `rate` px long and end near 0). The best step is kept.

    `start` are the family's (`units`) "edges", its extraction at `threshold` of the greatest strength, across gaps of
    up to `gap` px, by default .3 of the picture's shorter side, for no curve unit answers where an S turns over; or its
    "peaks", the places of its strongest responses, in steps of the layer's stride; or points (M, 2). There is one
    control point each tenth of the picture's side, 4 to 24, unless `knots` says how many.

    After the curve tracing of Cammarata et al., Curve Detectors (Distill 2020). Raises `ObjectiveError` if none of the
    units fires and `PellucidError` if what was found is no line.
    """
    image = single_image(network, image).to(network.device, network.dtype)
    if steps < 1 or not rate > 0 or not width > 0:
        raise PellucidError(f"steps = {steps}, rate = {rate:g} px and width = {width:g} px must be above 0")
    compared = list(chosen_units(network, layer, seen))
    wanted = rectified_maps(network, image, layer)[:, compared]
    if not wanted.any():
        raise ObjectiveError(f"nothing in {layer!r} fires for the image: a line cannot be compared with it")
    size = (image.shape[2], image.shape[3])
    way = _start(network, image, layer, units, start, threshold, _GAP * min(size) if gap is None else gap)
    count = knots or min(max(_FEWEST, round(length_of(way) / (_SPACING * min(size))) + 1), _MOST)
    places = torch.from_numpy(evenly(way, count)).to(image).requires_grad_()
    thickness = torch.tensor(math.log(width)).to(image).requires_grad_()
    paper, ink = _colours(image, evenly(way, 64))
    optimizer = torch.optim.Adam([{"params": [places], "lr": rate}, {"params": [thickness], "lr": 0.04 * rate}])
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps)))
    losses: list[float] = []
    best = places.detach().clone(), thickness.detach().clone()
    with torch.inference_mode(False), torch.enable_grad(), frozen(network.module):
        for _ in range(steps):
            drawn = _drawing(places, thickness, paper, ink, size)
            heard = read(network, drawn, [layer])[layer][:, compared].clamp(min=0)
            loss = 1 - torch.nn.functional.cosine_similarity(heard.flatten(), wanted.flatten(), dim=0)
            if not losses or float(loss.detach()) < min(losses):
                best = places.detach().clone(), thickness.detach().clone()
            losses.append(float(loss.detach()))
            places.grad, thickness.grad = torch.autograd.grad(loss, [places, thickness])
            optimizer.step()
            falling.step()
    with torch.no_grad():
        drawing = _drawing(*best, paper, ink, size)
    return Trace(
        _numbers(catmull_rom(best[0])),
        _numbers(best[0]),
        float(best[1].exp()),
        _numbers(catmull_rom(torch.from_numpy(evenly(way, count)))),
        tuple(losses),
        drawing,
    )


def _start(
    network: Network,
    image: Tensor,
    layer: str,
    units: Sequence[int] | None,
    start: str | Points,
    threshold: float,
    gap: float,
) -> Points:
    if isinstance(start, np.ndarray):
        if start.ndim != 2 or start.shape[1] != 2 or len(start) < 2 or not np.isfinite(start).all():
            raise PellucidError(f"a trace starts from points (M, 2), two or more, not {start.shape}")
        return start.astype(np.float64)
    if start == "edges":
        found = extract_curves(network, image, layer, units)
        return way_along_edges(found.edges, threshold=threshold, gap=gap)
    if start != "peaks":
        raise PellucidError(f"start = {start!r} is neither 'edges' nor 'peaks', nor points (M, 2)")
    response = rectified_maps(network, image, layer)[0, list(chosen_units(network, layer, units))].amax(dim=0)
    field = network.receptive_fields([layer])[layer]
    row, column = (length // 2 for length in response.shape)
    stride = np.array(field.stride, np.float64)
    first = np.array(centre_of(network, layer, (row, column))) - stride * (row, column)
    return way_along_peaks(response.double().cpu().numpy(), stride, first)


def _drawing(places: Tensor, thickness: Tensor, paper: Tensor, ink: Tensor, size: tuple[int, int]) -> Tensor:
    covered = stroke_ink(catmull_rom(places, PIECES), size, thickness.exp())
    return (paper + (ink - paper) * covered)[None]


def _colours(image: Tensor, way: Points) -> tuple[Tensor, Tensor]:
    """The median colour, and black or white, as the image is darker or lighter than that along the way: (C, 1, 1)."""
    paper = image[0].flatten(1).median(dim=1).values
    height, width = image.shape[2:]
    rows, columns = (
        np.clip(np.rint(way[:, axis]), 0, side - 1).astype(int) for axis, side in ((0, height), (1, width))
    )
    along = Blur(1.0)(image)[0][:, rows, columns].mean(dim=1)
    dark = float((along - paper).sum()) < 0
    return paper[:, None, None], torch.zeros_like(paper)[:, None, None] if dark else torch.ones_like(paper)[
        :, None, None
    ]


def _numbers(points: Tensor) -> Points:
    return points.double().cpu().numpy()
