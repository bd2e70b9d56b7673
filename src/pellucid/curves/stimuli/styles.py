"""How a stimulus looks, apart from its shape."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from pellucid.curves.stimuli.textures import Noise, Texture
from pellucid.errors import PellucidError

Colour = float | tuple[float, ...]
"""A grey, or one number for each channel; in [0, 1]."""


@dataclass(frozen=True, eq=False)
class Style:
    """How stimuli are drawn; the default is a black line on white.

    As lines (`fill=False`), the line and the ticks have the colour `foreground` and both sides the colour `background`;
    filled, the inside has the colour `foreground`, the outside `background`, and there is no line. The textures
    `inside` and `outside` lie on the colours of their sides; one and the same on both runs through under the line.

    From `fade` px from the centre on, the picture goes over to mid-grey within `fade_over` px. Last, values v become
    ½ + `contrast`·(v - ½) + `brightness`, cut off at 0 and 1. `supersampling`² samples decide how much of a pixel at an
    edge is covered.

    Nothing here follows the orientation of a stimulus.
    """

    fill: bool = False
    foreground: Colour = 0.0
    background: Colour = 1.0
    inside: Texture | None = None
    outside: Texture | None = None
    contrast: float = 1.0
    brightness: float = 0.0
    fade: float = math.inf
    fade_over: float = 10.0
    supersampling: int = 4

    def __post_init__(self) -> None:
        for name in ("foreground", "background"):
            colour = getattr(self, name)
            if not all(0 <= value <= 1 for value in (colour if isinstance(colour, tuple) else (colour,))):
                raise PellucidError(f"the colour {name} = {colour} is not in [0, 1]")
        if not self.contrast >= 0 or not -1 <= self.brightness <= 1:
            raise PellucidError(
                f"contrast = {self.contrast:g} must be 0 or above, brightness = {self.brightness:g} from -1 to 1"
            )
        if not (self.fade >= 0 and self.fade_over >= 0):
            raise PellucidError(f"fade = {self.fade:g} and fade_over = {self.fade_over:g} are px, 0 or above")
        if self.supersampling < 1:
            raise PellucidError(f"supersampling = {self.supersampling} must be at least 1")

    def describe(self) -> dict[str, Any]:
        """Its fields for a table, as JSON takes them."""
        named = {name: value for name, value in vars(self).items() if name not in ("inside", "outside", "fade")}
        textures = {name: None if (one := getattr(self, name)) is None else one.describe() for name in _SIDES}
        return named | textures | {"fade": self.fade if math.isfinite(self.fade) else None}


_SIDES = ("inside", "outside")
_NOISY = Style(foreground=0.1, background=0.6, inside=Noise(), outside=Noise())

STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "line": Style(),
        "line-inverse": Style(foreground=1.0, background=0.0),
        "fill": Style(fill=True),
        "fill-inverse": Style(fill=True, foreground=1.0, background=0.0),
        "colour": Style(fill=True, foreground=(0.85, 0.45, 0.1), background=(0.15, 0.35, 0.75)),
        "colour-inverse": Style(fill=True, foreground=(0.15, 0.35, 0.75), background=(0.85, 0.45, 0.1)),
        "bright": Style(contrast=0.5, brightness=0.25),
        "dark": Style(contrast=0.5, brightness=-0.25),
        "faint": Style(contrast=0.25),
        "noise": _NOISY,
        "noise-inside": replace(_NOISY, outside=None),
        "noise-outside": replace(_NOISY, inside=None),
        "noise-fill": replace(_NOISY, fill=True, foreground=0.35, background=0.65, inside=Noise(stream=1)),
    }
)
"""Styles by name: the black line and what may be varied of it without a change of shape."""
