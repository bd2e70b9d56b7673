"""Observers that ask what catches the eye: a map of saliency, or where the object is."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, uniform_filter

from pellucid.causal.observers.observer import Verdict, Viewer
from pellucid.causal.observers.seen import Seen, inside
from pellucid.errors import StudyError

Density = NDArray[np.float64]  # (H, W), not negative
SaliencyFunction = Callable[[NDArray[np.uint8]], Density]
"""Takes 8-bit RGB pixels (H, W, 3) and gives how much each pixel (H, W) catches the eye."""


def spectral_residual(pixels: NDArray[np.uint8], *, side: int = 64, sigma: float = 2.5) -> Density:
    """What stands out of a picture's spectrum: (H, W), with a sum of 1.

    The picture is made grey and `side` pixels wide or high, the shorter of both; of the logarithm of its amplitude
    spectrum the mean of 3x3 frequencies is taken; what is left, with the phase as it was, goes back to an image, which
    is squared and blurred by a Gaussian of `sigma` pixels. Hou and Zhang, Saliency Detection: A Spectral Residual
    Approach (CVPR 2007). No network takes part.
    """
    height, width = pixels.shape[:2]
    scale = side / min(height, width)
    small = Image.fromarray(pixels).convert("L").resize(
        (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BOX
    )  # fmt: skip
    spectrum = np.fft.fft2(np.asarray(small, dtype=np.float64) / 255)
    amplitude = np.log(np.abs(spectrum) + 1e-9)
    residual = amplitude - uniform_filter(amplitude, 3, mode="wrap")
    found = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    blurred = gaussian_filter(found, sigma).astype(np.float32)
    large = np.asarray(
        Image.fromarray(blurred).resize((width, height), Image.Resampling.BILINEAR), dtype=np.float64
    )  # fmt: skip
    return large / large.sum()


@dataclass(frozen=True)
class Saliency(Viewer):
    """Chooses the query whose patch hides less of what catches the eye, by the mean of a map under the patch.

    The saliency baseline of Zimmermann et al. 2021, who use a network trained on fixations; any `function` will do,
    by default `spectral_residual`, which knows nothing of the unit's network. `called` names it in the record.
    """

    function: SaliencyFunction = spectral_residual
    called: str = "spectral_residual"

    @property
    def name(self) -> str:
        """`saliency`, with the name of a function other than the default behind it."""
        return "saliency" if self.called == "spectral_residual" else f"saliency-{self.called}"

    def describe(self) -> dict[str, Any]:
        """Its kind and function."""
        return {"kind": "saliency", "function": self.called}

    def compare(self, seen: Seen) -> Verdict:
        """Mean saliency under the second patch minus that under the first."""
        base, patches = seen.hidden()
        density = np.asarray(self.function(base.pixels), dtype=np.float64)
        if density.shape != base.pixels.shape[:2]:
            raise StudyError(
                f"the saliency of a picture of {base.pixels.shape[:2]} pixels must have that shape, not {density.shape}"
            )
        first, second = (float(inside(density, patch).mean()) for patch in patches)
        return Verdict(second - first)


@dataclass(frozen=True)
class Object(Viewer):
    """Chooses the query whose patch hides the smaller share of the main object.

    `masks` says by the names of base images where the object is: (H, W) bool. The primary-object baseline of
    Zimmermann et al. 2021, for which they labelled the images by hand. Raises `StudyError` for a base image that has
    no mask or an empty one.
    """

    masks: Mapping[str, NDArray[np.bool_]] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> "Object":
        """Read boxes or masks.

        A JSON file has for each base image `{"size": [height, width], "boxes": [[top, left, height, width], ...]}` in
        pixels of that picture; a folder has masks `ID.png`, the object where they are not black.
        """
        if path.is_dir():
            return cls({file.stem: _mask(file) for file in sorted(path.glob("*.png"))})
        try:
            content = json.loads(path.read_text("utf-8"))
            return cls({name: _boxes(tuple(one["size"]), one["boxes"]) for name, one in content.items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StudyError(f"{path} has no boxes of objects: {error}") from error

    @property
    def name(self) -> str:
        """`object`."""
        return "object"

    def describe(self) -> dict[str, Any]:
        """Its kind and how much of each picture the object fills."""
        return {"kind": "object", "shares": {name: float(mask.mean()) for name, mask in sorted(self.masks.items())}}

    def compare(self, seen: Seen) -> Verdict:
        """The share that the second patch hides minus that which the first one does."""
        base, patches = seen.hidden()
        mask = self.masks.get(base.name)
        if mask is None or mask.shape != base.pixels.shape[:2] or not mask.any():
            raise StudyError(
                f"no object of the size {base.pixels.shape[:2]} is known for base image {base.name}; give a box or a "
                "mask for each base image"
            )
        first, second = (int(inside(mask, patch).sum()) for patch in patches)
        return Verdict((second - first) / int(mask.sum()))


def _mask(file: Path) -> NDArray[np.bool_]:
    try:
        with Image.open(file) as image:
            return np.asarray(image.convert("L")) > 0
    except OSError as error:
        raise StudyError(f"{file} cannot be read as a mask: {error}") from error


def _boxes(size: tuple[int, int], boxes: list[list[int]]) -> NDArray[np.bool_]:
    mask = np.zeros(size, dtype=np.bool_)
    for top, left, height, width in boxes:
        inside(mask, (top, left, height, width))[...] = True
    return mask
