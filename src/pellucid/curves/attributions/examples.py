"""Places of a dataset's photographs with the attribution of a unit there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from pellucid.activations.contact_sheet import Cell, Line, contact_sheet
from pellucid.activations.photographs import Shown
from pellucid.pictures import Pixels, save

_PAPER = (205, 217, 240)  # behind transparent pictures, so that both black and white stand out
_ACROSS = 9  # examples in a row of a sheet


@dataclass(frozen=True, eq=False)
class AttributedExample:
    """One place of one photograph, and what its neurons give to the unit there.

    `heat` is the picture of the place under its attribution by position, `picture` the rendered attribution with
    opacity, None where that was not asked for. The numbers are those of `LinearAttribution`; `channels` (C,) is what
    each channel of the previous layer gives.
    """

    shown: Shown
    total: float
    constant: float
    preactivation: float
    remainder: float
    exact: bool
    channels: Tensor
    heat: Pixels
    picture: Pixels | None

    @property
    def pictures(self) -> list[Image.Image | Pixels]:
        """The place, its attribution, and the rendered attribution if there is one."""
        rendered = [] if self.picture is None else [on_paper(self.picture)]
        return [self.shown.crop, self.heat, *rendered]

    def row(self) -> dict[str, Any]:
        """The numbers, with `harvested`, the activation that the harvest saw there."""
        row, column = self.shown.place
        return {
            "image": self.shown.name, "position": f"{row},{column}", "harvested": self.shown.value, "sum": self.total,
            "constant": self.constant, "pre": self.preactivation, "difference": self.remainder,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class AttributedExamples:
    """Examples of one unit with their attribution to the layer `previous`, in one picture or as a table."""

    title: str
    layer: str
    unit: int
    previous: str
    through: tuple[str, ...]
    examples: tuple[AttributedExample, ...]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each example."""
        return [one.row() for one in self.examples]

    def channels(self) -> Tensor:
        """What each channel gives, the mean over the examples: (C,)."""
        return torch.stack([one.channels for one in self.examples]).mean(dim=0)

    def sheet(self) -> Image.Image:
        """The examples with their attribution under them, the activation, and the label or name."""
        cells = [
            Cell(one.pictures, (f"{one.shown.value:.4g}", one.shown.label or one.shown.name)) for one in self.examples
        ]
        rows = [cells[at : at + _ACROSS] for at in range(0, len(cells), _ACROSS)]
        title = f"{self.layer}:{self.unit} from {self.previous}"
        return contact_sheet(f"{title}: {self.title}", [Line("", row) for row in rows])

    def save(self, path: Path | str) -> None:
        """Write that picture to a file: .png, .webp or .jpg."""
        save(Path(path), self.sheet(), {"unit": f"{self.layer}:{self.unit}", "previous": self.previous})


def on_paper(picture: Pixels) -> Image.Image:
    """A picture with opacity on paper that is neither black nor white."""
    paper = Image.new("RGBA", (picture.shape[1], picture.shape[0]), (*_PAPER, 255))
    return Image.alpha_composite(paper, Image.fromarray(picture)).convert("RGB")
