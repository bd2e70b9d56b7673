"""A small network made by hand, whose units are known: curve and line detectors, generated from formulas alone.

Whatever claims to find curve detectors can be proved on it. It follows the artificial artificial neural network of
Cammarata et al., Curve Circuits (Distill 2021), of which the last layer is published; the layers before it are ours.

| layer | what its units are | channels | kernel | stride |
|---|---|---|---|---|
| `gray` | the mean of the colours, black -1 and white 1 | 1 | 1 | 1 |
| `conv0` | Gabor filters of 18 orientations, every 10 degrees, in 4 phases each | 72 | 7 | 2 |
| `pool0` | the largest of `relu0` near by | 72 | 3 | 2 |
| `conv1` | the energy of each orientation: half the sum of its phases | 18 | 1 | 1 |
| `norm1` | the same divided by the energy of all orientations, so that contrast hardly counts | 18 | | |
| `conv2` | lines, every 10 degrees | 18 | 3 | 1 |
| `pool2` | the largest of `relu2` near by | 18 | 3 | 2 |
| `conv3` | 24 early curves, every 15 degrees, with an echo at the opposite curve; 18 lines | 42 | 3 | 1 |
| `conv4` | 24 curves, every 15 degrees, without an echo; 18 lines | 42 | 5 | 1 |
| `mean` | the mean of `relu4` over the map | 42 | | |
| `logits` | the same as vectors | 42 | | |

`relu0`, `relu2`, `relu3` and `relu4` rectify the layers of their numbers. Channel k < 24 of `conv3` and `conv4` is the
curve with the outward normal 15·k degrees, clockwise from 3 o'clock with y downwards: 0 is ")", 6 "U", 12 "(". Channel
24 + k is the line with the normal 10·k degrees: 24 is vertical, 33 horizontal. Channels 4·k to 4·k + 3 of `conv0` are
the phases 0, 90, 180 and 270 degrees of the normal 10·k, and channel k of `conv1` and `conv2` has that normal. The unit
at row i and column j of `conv4` looks at the pixel (8·i, 8·j). No layer but the first and the last has a bias.

A curve of `conv4` weighs an early curve in a cell of its window by how far the cell lies from an arc of 7 cells' radius
and by the angle D between the early curve and the arc's normal there, exp(-D²/2s²) - a·exp(-(D - 180)²/2t²)
(`hearing_curves`). With s = 22, t = 24 and a = 1 the formula leaves 1 % of the variance of the published weights; here
s = 26, t = 22 and a = 1.25, with which a straight line drives next to nothing. What a stroke hears of lines follows a
formula of the same kind (`hearing_lines`).
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from pellucid.errors import NetworkError
from pellucid.networks.labels import Labels
from pellucid.networks.network import Network
from pellucid.networks.strokes import Strokes, gabors, hearing_curves, hearing_lines, scaled

SIZE = 128
CURVES = tuple(range(0, 360, 15))  # outward normals of the curve units in degrees
LINES = tuple(range(0, 180, 10))  # normals of the line units

_PHASES = (0, 90, 180, 270)
_SATURATION = 0.2  # an eighth of the energy of a black line on white
_BIAS = -0.003  # of the last layer, whose peaks are about 1: what rounding leaves of a blank picture does not fire


class ContrastNormalization(nn.Module):
    """Divides activities by the root of their sum of squares over the channels: x / √(σ² + Σx²) at each position.

    `sigma` is the activity at which the division sets in. Heeger, Normalization of cell responses in cat striate cortex
    (Visual Neuroscience 1992), in the form without a squared numerator.
    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (N, C, h, w) of the same shape."""
        return maps / torch.sqrt(self.sigma**2 + maps.square().sum(dim=1, keepdim=True))

    def extra_repr(self) -> str:
        """The constant, for the printed network."""
        return f"sigma={self.sigma}"


class HandNet(nn.Sequential):
    """The architecture, with random weights as PyTorch draws them; `formulas` gives those made by hand.

    Takes RGB images (N, 3, H, W) in [0, 1] of any size and gives logits (N, 42).
    """

    def __init__(self) -> None:
        phases, lines, units = len(LINES) * len(_PHASES), len(LINES), len(CURVES) + len(LINES)
        layers: dict[str, nn.Module] = {
            "gray": nn.Conv2d(3, 1, 1),
            # Padded with its own border, the picture has no edge there.
            "conv0": nn.Conv2d(1, phases, 7, stride=2, padding=3, padding_mode="replicate", bias=False),
            "relu0": nn.ReLU(),
            "pool0": nn.MaxPool2d(3, stride=2, padding=1),
            "conv1": nn.Conv2d(phases, lines, 1, bias=False),
            "norm1": ContrastNormalization(_SATURATION),
            "conv2": nn.Conv2d(lines, lines, 3, padding=1, bias=False),
            "relu2": nn.ReLU(),
            "pool2": nn.MaxPool2d(3, stride=2, padding=1),
            "conv3": nn.Conv2d(lines, units, 3, padding=1, bias=False),
            "relu3": nn.ReLU(),
            "conv4": nn.Conv2d(units, units, 5, padding=2),
            "relu4": nn.ReLU(),
            "mean": nn.AdaptiveAvgPool2d(1),
            "logits": nn.Flatten(),
        }
        super().__init__(OrderedDict(layers))


def handnet(*, negatives: bool = True, upstream: str = "both") -> Network:
    """The network made by hand, or what is left of it after surgery on the weights of its last layer, `conv4`.

    Without `negatives` all its negative weights are zero, and the curves have an echo at the opposite curve. With
    `upstream` its curve units hear the early curves alone (`"curves"`) or the lines alone (`"lines"`) of `conv3`. Both
    are the experiment on echoes of Cammarata et al., Curve Circuits (2021). Images are RGB (N, 3, H, W) in [0, 1], of
    128 pixels unless given otherwise; the classes are `curve 0` to `line 170`. Raises `NetworkError` for another
    `upstream`.
    """
    module = HandNet()
    module.load_state_dict(formulas(negatives=negatives, upstream=upstream))
    name = "_".join(["handnet", *([] if upstream == "both" else [upstream]), *([] if negatives else ["positive"])])
    return Network(name, module.eval(), nn.Identity(), (SIZE, SIZE), class_labels())


def class_labels() -> Labels:
    """What the 42 outputs stand for: `curve 0`, `curve 15`, ..., `line 0`, `line 10`, ..., with their normals."""
    return Labels((*(f"curve {normal}" for normal in CURVES), *(f"line {normal}" for normal in LINES)))


def formulas(*, negatives: bool = True, upstream: str = "both") -> dict[str, Tensor]:
    """The weights made by hand, as a state dict of `HandNet` in float32; the options are those of `handnet`."""
    if upstream not in ("both", "curves", "lines"):
        raise NetworkError(f"upstream = {upstream!r} is none of 'both', 'curves', 'lines': what the curve units hear")
    curves, lines = torch.tensor(CURVES, dtype=torch.float64), torch.tensor(LINES, dtype=torch.float64)
    last = _last(curves, lines)
    if upstream != "both":
        deaf = slice(len(curves), None) if upstream == "curves" else slice(len(curves))
        last[: len(curves), deaf] = 0
    made = {
        "gray.weight": torch.full((1, 3, 1, 1), 2 / 3),
        "gray.bias": torch.tensor([-1.0]),
        "conv0.weight": gabors(7, lines, torch.tensor(_PHASES), wavelength=3.5, deviation=2.4),
        "conv1.weight": torch.eye(len(lines)).repeat_interleave(len(_PHASES), dim=1)[:, :, None, None] / 2,
        "conv2.weight": _lines(lines),
        "conv3.weight": _early(curves, lines),
        "conv4.weight": last if negatives else last.clamp(min=0),
        "conv4.bias": torch.full((len(last),), _BIAS),
    }
    return {name: value.float() for name, value in made.items()}


# The gains below, the last argument of `scaled`, let the peak of each kind of unit for its own black stroke be about 1.


def _lines(lines: Tensor) -> Tensor:
    made = hearing_lines(Strokes.lines(3, lines), lines, width=0.75, tuning=16, oblique=0.4, lobe=40)
    return scaled(made, 2.5)


def _early(curves: Tensor, lines: Tensor) -> Tensor:
    arcs, straight = (
        hearing_lines(strokes, lines, width=0.75, tuning=16, oblique=0.6, lobe=45)
        for strokes in (Strokes.arcs(3, curves, radius=3), Strokes.lines(3, lines))
    )
    return torch.cat([scaled(arcs, 1.4), scaled(straight, 1.3)])


def _last(curves: Tensor, lines: Tensor) -> Tensor:
    strokes = Strokes.arcs(5, curves, radius=7), Strokes.lines(5, lines)
    arcs, straight = (hearing_lines(s, lines, width=0.9, tuning=10, oblique=0.75, lobe=32) for s in strokes)
    early = hearing_curves(strokes[0], curves, width=0.9, tuning=26, opposite=1.25, spread=22)
    bent = scaled(torch.cat([early, 0.8 * arcs], dim=1), 3.5)
    unheard = straight.new_zeros(len(lines), len(curves), 5, 5)  # lines do not hear early curves
    return torch.cat([bent, torch.cat([unheard, scaled(straight, 1.4)], dim=1)])
