"""The bank that every network and layer is searched with."""

from collections.abc import Sequence

from pellucid.curves.stimuli.angle import Angle
from pellucid.curves.stimuli.bank import Bank
from pellucid.curves.stimuli.circle import Blank, Circle
from pellucid.curves.stimuli.grating import Grating
from pellucid.curves.stimuli.strokes import Curve, Line
from pellucid.curves.stimuli.styles import STYLES, Style
from pellucid.curves.stimuli.textures import Noise

RADII = (0.2, 0.35, 0.5, 0.75, 1.0, 1.5)
"""Radii of the standard bank, in diameters of the receptive field."""


def standard_bank(diameter: float, *, orientations: int = 72, radii: Sequence[float] = RADII) -> Bank:
    """Curves, and what is not a curve, for units that see about `diameter` px.

    Curves of all `radii` (times the diameter) at so many `orientations`, an even number, as lines and filled, and as
    white lines at half as many; lines and edges; angles of 150, 120, 90 and 60 degrees; rings and dots; gratings; 1/f
    noise. 1540 stimuli with the defaults.
    """
    half = orientations // 2
    around = [360 * k / orientations for k in range(orientations)]
    every_other, turn = [360 * k / half for k in range(half)], [180 * k / half for k in range(half)]
    sizes = [factor * diameter for factor in radii]
    noise = {"noise-alone": Style(background=0.5, outside=Noise(0.2))}
    return (
        Bank.product(Curve, styles=("line", "fill"), radius=sizes, orientation=around)
        + Bank.product(Curve, styles=("line-inverse",), radius=sizes, orientation=every_other)
        + Bank.product(Line, styles=("line", "line-inverse"), orientation=turn)
        + Bank.product(Line, styles=("fill",), orientation=around)
        + Bank.product(Angle, styles=("line",), opening=(150, 120, 90, 60), orientation=every_other)
        + Bank.product(Circle, styles=("line", "fill"), radius=[size / 2 for size in sizes])
        + Bank.product(
            Grating,
            styles={"fill": STYLES["fill"]},
            wavelength=[diameter * share for share in (0.0625, 0.125, 0.25, 0.5)],
            phase=(0, 90),
            orientation=[10 * k for k in range(18)],
        )
        + Bank.of([Blank()], styles=noise, seeds=range(16))
    )
