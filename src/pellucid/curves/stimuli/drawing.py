"""From stimuli to pictures."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pellucid.curves.stimuli.raster import Raster
from pellucid.curves.stimuli.stimulus import Coverage, Stimulus
from pellucid.curves.stimuli.strokes import Curve
from pellucid.curves.stimuli.styles import Colour, Style
from pellucid.curves.stimuli.textures import Texture
from pellucid.errors import PellucidError
from pellucid.shapes import Images

_TOGETHER = {"cpu": 1 << 17}  # pixels that are drawn together: what a CPU's cache holds,
_ELSEWHERE = 1 << 22  # and what keeps another device busy
ICON_ORIENTATIONS = tuple(18.0 * k for k in range(20))


def draw(
    stimuli: Stimulus | Sequence[Stimulus],
    size: int | tuple[int, int],
    *,
    centre: tuple[float, float] | None = None,
    style: Style | None = None,
    seed: int | Sequence[int] = 0,
    channels: int = 3,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Images:
    """Pictures (N, channels, H, W) in [0, 1] of stimuli, which may be of several kinds.

    `size` is (height, width) in pixels, or both. `centre` (y, x) is where apexes, corners and middles lie, counted from
    the middle of the first pixel; by default the pixel (height // 2, width // 2), as in Lucid (`centre_of` gives a
    unit's). `style` is that of all, by default a black line on white.

    `seed` is of the textures: one for all, so that all lie on the same noise, or one for each. A picture depends on its
    stimulus, its seed, size, centre and style, and on nothing that is drawn with it.

    Raises `PellucidError` for a size, a seed or a colour that does not fit.
    """
    stimuli = [stimuli] if isinstance(stimuli, Stimulus) else list(stimuli)
    seeds = [seed] * len(stimuli) if isinstance(seed, int) else list(seed)
    if len(seeds) != len(stimuli):
        raise PellucidError(f"{len(seeds)} seeds for {len(stimuli)} stimuli; give one for all or one for each")
    height, width = (size, size) if isinstance(size, int) else size
    if height < 1 or width < 1:
        raise PellucidError(f"a picture of {height}x{width} pixels has none")
    style = Style() if style is None else style
    exact = dtype if dtype in (torch.float32, torch.float64) else torch.float32
    middle = (float(height // 2), float(width // 2)) if centre is None else centre
    raster = Raster((height, width), middle, style.supersampling, torch.device(device), exact)
    pictures = torch.empty((len(stimuli), channels, height, width), device=device, dtype=dtype)
    together = max(1, _TOGETHER.get(raster.device.type, _ELSEWHERE) // (height * width))
    for kind, numbers in _kinds(stimuli).items():
        for at in range(0, len(numbers), together):
            some = numbers[at : at + together]
            fill = style.fill or kind.filled
            cover = kind.cover(_parameters([stimuli[i] for i in some], raster), raster, fill)
            # Neighbours are written as a slice, which is faster than one by one.
            where = slice(some[0], some[-1] + 1) if some[-1] - some[0] + 1 == len(some) else some
            pictures[where] = _painted(cover, style, fill, [seeds[i] for i in some], raster, channels).to(dtype)
    return pictures


def icons(
    orientations: Sequence[float] = ICON_ORIENTATIONS, *, radius: float = 30.0, size: int = 60, width: float = 1.0
) -> Images:
    """Small grey pictures (N, 1, size, size) of curves, to stand beside figures, by default the published ones.

    `orientations` are directions of the centre of curvature, in degrees, image coordinates (y down), clockwise from
    3 o'clock; `radius` and `width`, half a line's thickness, in px.
    """
    return draw([Curve(angle, radius, width=width) for angle in orientations], size, channels=1)


def _kinds(stimuli: Sequence[Stimulus]) -> dict[type[Stimulus], list[int]]:
    kinds: dict[type[Stimulus], list[int]] = {}
    for number, one in enumerate(stimuli):
        kinds.setdefault(type(one), []).append(number)
    return kinds


def _parameters(stimuli: Sequence[Stimulus], raster: Raster) -> dict[str, Tensor]:
    rows = [one.parameters() for one in stimuli]
    return {
        name: torch.tensor([row[name] for row in rows], device=raster.device, dtype=raster.dtype) for name in rows[0]
    }


def _painted(cover: Coverage, style: Style, fill: bool, seeds: Sequence[int], raster: Raster, channels: int) -> Tensor:
    """Colours, textures, fading, contrast and brightness: (N, 1 or C, H, W)."""
    near = style.foreground if fill else style.background
    outside = _ground(style.background, style.outside, seeds, raster, channels)
    same = near == style.background and style.inside == style.outside
    picture = outside
    if not same:
        inside = _ground(near, style.inside, seeds, raster, channels)
        picture = outside + cover.inside[:, None] * (inside - outside)
    if not fill:
        ink = _colour(style.foreground, raster, channels)
        # What the line covers of a pixel counts as outside up to here.
        picture = picture + cover.ink[:, None] * (ink - outside)
    elif same:
        picture = picture.expand(len(seeds), -1, *raster.size)
    if math.isfinite(style.fade):
        faded = ((raster.distance - style.fade) / max(style.fade_over, 1e-6)).clamp(0, 1)
        picture = picture + faded * (0.5 - picture)
    if (style.contrast, style.brightness) != (1, 0):
        picture = 0.5 + style.contrast * (picture - 0.5) + style.brightness
    return picture.clamp(0, 1)


def _ground(colour: Colour, texture: Texture | None, seeds: Sequence[int], raster: Raster, channels: int) -> Tensor:
    plain = _colour(colour, raster, channels)
    if texture is None:
        return plain
    drawn = sorted(set(seeds))
    each = texture.over(plain, drawn, raster, channels)
    if len(drawn) == 1:
        return each
    places = {seed: place for place, seed in enumerate(drawn)}
    return each[torch.tensor([places[seed] for seed in seeds], device=raster.device)]


def _colour(colour: Colour, raster: Raster, channels: int) -> Tensor:
    values = colour if isinstance(colour, tuple) else (colour,)
    if len(values) not in (1, channels):
        raise PellucidError(f"the colour {colour} has {len(values)} numbers for pictures of {channels} channels")
    return torch.tensor(values, device=raster.device, dtype=raster.dtype).view(1, -1, 1, 1)
