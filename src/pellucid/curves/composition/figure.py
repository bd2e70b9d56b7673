"""Factors in their colours: where they lie in images, and which units they are made of."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from pellucid.curves.composition.composition import Composition
from pellucid.curves.composition.regions import Regions
from pellucid.curves.extraction.figure import empty_figure, show_picture
from pellucid.curves.tuning_curves.radial_plot import colour

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH = 0.2  # radians of a bar


def composition_figure(images: Sequence[Tensor], composition: Composition, regions: Sequence[Regions]) -> "Figure":
    """The factors' units by the normals that they prefer; then for each image (1, C, H, W) a row with its factors.

    A factor has the colour of its direction, clockwise from 3 o'clock.
    """
    count = len(composition.weights)
    columns = 1 + count
    figure, axes = empty_figure(1 + len(images), columns)
    axes[0, 0].set_axis_off()
    shades = [colour(normal if np.isfinite(normal) else 0.0) for normal, _ in composition.points]
    for number, row in enumerate(composition.rows()):
        axes[0, 1 + number].remove()
        polar = figure.add_subplot(1 + len(images), columns, 2 + number, projection="polar")
        polar.set_theta_direction(-1)  # pyright: ignore[reportAttributeAccessIssue]
        angles = np.deg2rad(composition.normals)
        known = np.isfinite(angles)
        polar.bar(angles[known], composition.weights[number][known], width=_WIDTH, color=shades[number])
        polar.tick_params(labelsize=6)
        polar.set_yticks([])
        where = "no direction" if row["normal"] is None else f"{row['normal']:.0f}°"
        polar.set_title(f"factor {number}: {where}, {row['share']:.0%}", fontsize=9)
    for across, image, own in zip(axes[1:], images, regions, strict=True):
        show_picture(across[0], image)
        for number, (at, strength) in enumerate(zip(across[1:], own.strengths, strict=True)):
            top = strength.max()
            show_picture(at, strength * 0)
            tint = np.zeros((*strength.shape, 4))
            tint[..., :3], tint[..., 3] = shades[number], strength / top if top > 0 else 0
            at.imshow(tint)
    return figure
