"""How icons are moved about while they are drawn."""

from pellucid.errors import AtlasError
from pellucid.visualize import Jitter, Rotate, Scale, Transform
from pellucid.visualize.transforms import During

MOVEMENTS = ("article", "lucid", "none")
_PUBLISHED = 80  # pixels a side of the article's icons
_FURTHER = [0.998**n for n in range(20, 40)]
_ANGLES = [*range(-20, 20), *range(-10, 10), *range(-5, 5), 0, 0, 0, 0, 0]


def check_movements(name: str) -> None:
    """Refuse a name that is not one of `MOVEMENTS`."""
    if name not in MOVEMENTS:
        raise AtlasError(f"no movements {name!r} of icons; there are {', '.join(MOVEMENTS)}")


def movements(name: str, size: int, settle: float = 0.0) -> tuple[Transform, ...]:
    """Small shifts, little scaling and up to 20 degrees: those of the article's notebook, of Lucid, or none.

    The notebook's show up to half as much again as the picture; Lucid's a twelfth. What comes into view there is
    grey. Shifts are in proportion for icons of fewer than the article's 80 pixels. Each icon has its own movements,
    where the published code moves a whole batch alike. In the last steps, a share `settle` of all, nothing moves.
    """
    if name == "none":
        return ()
    share = min(1.0, size / _PUBLISHED)
    scales = _FURTHER if name == "lucid" else [0.995**n for n in range(-5, 80)] + 2 * _FURTHER
    shifts = [Jitter(round(pixels * share)) for pixels in (4, 4, 8, 8, 8)]
    moving = (*shifts, Scale(scales), Rotate(_ANGLES), Jitter(round(2 * share)))
    return tuple(During(one, 0.0, 1 - settle) for one in moving) if settle else moving
