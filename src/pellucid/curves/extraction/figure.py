"""Pictures in panels: an image beside what was extracted from it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pellucid.curves.extraction.extraction import Extraction
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#222222"
_SIDE = 2.6  # inches of a panel


def empty_figure(rows: int, columns: int, side: float = _SIDE) -> tuple["Figure", NDArray[Any]]:
    """A figure made without pyplot, and its axes (rows, columns)."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PellucidError("figures need matplotlib; install it: pip install matplotlib") from error
    figure = Figure(figsize=(side * columns, side * rows + 0.3), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def show_picture(axes: Any, picture: Tensor | NDArray, title: str = "") -> None:
    """Draw an image (1, C, H, W), or a map (H, W) in [0, 1] as ink on white, on axes of its pixels."""
    if isinstance(picture, Tensor):
        values = picture[0].detach().double().cpu().clamp(0, 1).numpy()
        shown = values.transpose(1, 2, 0) if len(values) == 3 else np.repeat(values.mean(axis=0)[..., None], 3, axis=2)
    else:
        shown = np.repeat(1 - np.clip(np.asarray(picture, np.float64), 0, 1)[..., None], 3, axis=2)
    axes.imshow(shown, interpolation="nearest")
    axes.set_title(title, fontsize=9, color=INK)
    axes.set_xticks([])
    axes.set_yticks([])


def panels_figure(rows: Sequence[Mapping[str, Tensor | NDArray]]) -> "Figure":
    """Rows of pictures, each under its title. Raises `PellucidError` if there are none."""
    if not rows or not rows[0]:
        raise PellucidError("there are no pictures to draw")
    columns = max(len(row) for row in rows)
    figure, axes = empty_figure(len(rows), columns)
    for across, row in zip(axes, rows, strict=True):
        for at, title in zip(across, [*row, *[None] * (columns - len(row))], strict=True):
            if title is None:
                at.set_axis_off()
            else:
                show_picture(at, row[title], title)
    return figure


def extraction_figure(image: Tensor, found: Extraction, **others: NDArray) -> "Figure":
    """An image (1, C, H, W), what drives the units in it, and the lines extracted; and `others` (H, W) by title."""
    return panels_figure([{"image": image, "attribution": found.strength, "curves": found.edges, **others}])
