"""Looking over the loop's shoulder: what happens at every step, and who may stop it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from pellucid.errors import ObjectiveError

if TYPE_CHECKING:
    from pellucid.visualize.render import Rendering


@dataclass(frozen=True)
class Step:
    """One step of a batch: it is given after the gradient has been taken and before the pictures are changed by it.

    `number` counts from 0, `steps` is how many there will be; `first` is the index of the batch's first picture in the
    whole run. `values` (N,) are the objectives, `terms` their parts by name with their weights, regularizers among
    them (N,) each; `gradient` (N, C, H, W) is that of the total in the pictures. `pictures()` gives the pictures
    (N, C, H, W) in [0, 1]. All are detached. `indices` are the pictures' places in the run where they do not simply
    follow `first`, as when some of a batch start again; read `places`.
    """

    number: int
    steps: int
    first: int
    objectives: tuple[str, ...]
    values: Tensor
    terms: Mapping[str, Tensor]
    gradient: Tensor
    pictures: Callable[[], Tensor]
    indices: tuple[int, ...] = ()

    @property
    def places(self) -> tuple[int, ...]:
        """The index of each picture of the batch in the whole run."""
        return self.indices or tuple(range(self.first, self.first + len(self.values)))


class Callback:
    """Something that is told of every step. Derive and override what is wanted."""

    def begin(self, about: Mapping[str, Any]) -> None:
        """Called before the first step with the configuration of the run."""

    def step(self, step: Step) -> bool | None:
        """Called at every step of every batch; True ends the batch with the pictures as they are."""

    def end(self, rendering: "Rendering") -> None:
        """Called with the result."""


def whole_number(number: int, name: str = "every") -> int:
    """A number of steps. Raises `ObjectiveError` if it is none."""
    if number < 1:
        raise ObjectiveError(f"{name} = {number} must be a positive number of steps")
    return number
