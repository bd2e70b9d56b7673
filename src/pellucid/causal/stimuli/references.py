"""References: the pictures that people are shown of what a unit responds to, in each condition."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from pellucid.causal.stimuli.config import MIXED, REFERENCES, StimuliConfig
from pellucid.causal.stimuli.patches import pixels_of, reference_blur
from pellucid.causal.stimuli.questions import UnitQuestions
from pellucid.causal.stimuli.written import Picture, Pictures


@dataclass(frozen=True)
class References:
    """By condition the names of pictures, and for each picture what it is and the activation measured from it."""

    pictures: dict[str, tuple[str, ...]] = field(default_factory=dict)
    about: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def weaker(self, condition: str, natural: float) -> int:
        """How many references of a condition excite the unit less than a `natural` activation."""
        return sum(one["activation"] < natural for one in self.about.get(condition, ()))


@dataclass(frozen=True, eq=False)
class ReferenceMaker:
    """Puts together the references of a unit. `minimal` turns all round: what excites the unit least."""

    maker: UnitQuestions
    pictures: Pictures
    minimal: bool = False

    @property
    def config(self) -> StimuliConfig:
        """How stimuli are made."""
        return self.maker.config

    def of(self, photographs: Sequence[int], drawn: dict[str, list[Tensor]]) -> References:
        """The references of an image set with these photographs, from the least extreme up, for every condition.

        "natural" has the nine photographs; "natural_blur" the same, blurred but for the patch that alone excites the
        unit most; "optimized" the nine pictures that were `drawn`; "mixed" the five most extreme photographs and then
        four drawn ones; "none" nothing (Zimmermann et al. 2021).
        """
        views = self.maker.views
        natural = [(views.load(one), views.source.name(one)) for one in photographs]
        made: dict[str, list[tuple[Tensor, str]]] = {}
        for condition in self.config.conditions:
            match condition:
                case "natural":
                    made[condition] = natural
                case "natural_blur":
                    made[condition] = [(self._blurred(one), views.source.name(one)) for one in photographs]
                case "optimized":
                    made[condition] = [(image, "") for image in drawn["optimized"][:REFERENCES]]
                case "mixed":
                    own = natural[MIXED - REFERENCES :]
                    made[condition] = [*own, *((image, "") for image in drawn["mixed"])]
        return self._written(made)

    def _blurred(self, photograph: int) -> Tensor:
        image = self.maker.views.load(photograph)
        blurred = reference_blur(image)
        found = self.maker.revealed(
            photograph, blurred, stride=blur_stride(self.config, (image.shape[1], image.shape[2]))
        )
        patch = found.lowest if self.minimal else found.highest
        picture = blurred.clone()
        picture[:, patch.rows, patch.columns] = image[:, patch.rows, patch.columns]
        return picture

    def _written(self, made: dict[str, list[tuple[Tensor, str]]]) -> References:
        rows = [(condition, image, name) for condition, some in made.items() for image, name in some]
        written = [Picture.of(image) for _, image, _ in rows]
        values = self.maker.measured([one.image for one in written]) if written else []
        pictures: dict[str, tuple[str, ...]] = dict.fromkeys(made, ())
        about: dict[str, list[dict[str, Any]]] = {condition: [] for condition in made}
        for (condition, _, name), picture, value in zip(rows, written, values, strict=True):
            identity = self.pictures.keep(picture)
            pictures[condition] += (identity,)
            about[condition].append({"picture": identity, "photograph": name, "activation": value})
        return References(pictures, about)


def blur_stride(config: StimuliConfig, size: tuple[int, int]) -> int:
    """The stride of the search for the patch that stays sharp, in pixels."""
    if config.blur_stride is not None:
        return config.blur_stride
    return max(config.stride, pixels_of(config.side, size) // 4)
