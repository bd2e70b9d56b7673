"""Objectives taken from an image: its caricature, its inversion, what stays near it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from torch import Tensor

from pellucid.errors import ObjectiveError
from pellucid.networks import Network
from pellucid.shapes import Values
from pellucid.visualize.objectives.objective import PICTURE, Activations, Objective, finite, said_number
from pellucid.visualize.objectives.places import check_like, fingerprint, same_centre
from pellucid.visualize.objectives.reading import activations_and_gradients, image_activation, one_image
from pellucid.visualize.objectives.spatial import along_maps


@dataclass(frozen=True, eq=False, repr=False)
class Seen(Objective):
    """Something that compares a picture with what a layer makes of an image: activations (C, h, w) or (C,)."""

    layer: str
    image: Tensor
    activation: Tensor

    @property
    def layers(self) -> frozenset[str]:
        """The layer in which they are compared."""
        return frozenset({self.layer})

    @property
    def references(self) -> Mapping[str, Tensor]:
        """The image."""
        return {self.key: self.image}

    @cached_property
    def key(self) -> str:
        """The image's fingerprint."""
        return fingerprint(self.image)

    def check(self, network: Network) -> None:
        """The layer must give what the image's activation is like."""
        check_like(network, self.layer, self.activation)

    def both(self, activations: Activations) -> tuple[Tensor, Tensor]:
        """The pictures' activations and the image's, moved alike if that is given: (N, ...) and (N or 1, ...)."""
        own = activations[self.layer]
        given = activations.get(f"{self.layer}[{self.key}]", self.activation[None]).detach().to(own)
        return same_centre(own, given) if own.ndim == 4 else (own, given)


@dataclass(frozen=True, eq=False, repr=False)
class Caricature(Seen):
    """How far activations go along those of an image, position by position."""

    power: float = 1.0

    def __call__(self, activations: Activations) -> Values:
        """The value: (N,)."""
        return along_maps(*self.both(activations), self.power)

    def __str__(self) -> str:
        return f"caricature({self.layer}, {self.key}, power={said_number(self.power)})"


@dataclass(frozen=True, eq=False, repr=False)
class Likeness(Seen):
    """Minus the distance of activations from an image's, relative to the length of those; squared or not."""

    squared: bool = False

    def __call__(self, activations: Activations) -> Values:
        """The value: (N,)."""
        own, given = (each.flatten(1) for each in self.both(activations))
        # A norm has the gradient 0 where it is 0: at the image itself, where accentuation starts.
        distance, length = (own - given).norm(dim=1), given.norm(dim=1).clamp_min(1e-12)
        return -(distance.square() / length.square()) if self.squared else -distance / length

    def __str__(self) -> str:
        return f"{'inversion' if self.squared else 'likeness'}({self.layer}, {self.key})"


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(Objective):
    """How far activations go along those of an image, weighted by what they contribute to an objective."""

    layer: str
    tensor: Tensor
    said: str  # the image, the objective and the way of weighing
    power: float = 1.0

    @property
    def layers(self) -> frozenset[str]:
        """The layer whose features are weighted."""
        return frozenset({self.layer})

    def __call__(self, activations: Activations) -> Values:
        """The value: (N,)."""
        return along_maps(activations[self.layer], self.tensor[None], self.power)

    def check(self, network: Network) -> None:
        """The layer must give what the image's activation is like."""
        check_like(network, self.layer, self.tensor)

    def __str__(self) -> str:
        return f"attribution({self.layer}, {self.said}, power={said_number(self.power)})"


@dataclass(frozen=True, eq=False, repr=False)
class Near(Objective):
    """Minus the root mean square difference of a picture from an image."""

    image: Tensor

    @property
    def layers(self) -> frozenset[str]:
        """The picture."""
        return frozenset({PICTURE})

    def __call__(self, activations: Activations) -> Values:
        """The value: (N,)."""
        pictures = activations[PICTURE][:, : len(self.image)]
        if pictures.shape[1:] != self.image.shape:
            raise ObjectiveError(
                f"near() has an image {tuple(self.image.shape)} for pictures {tuple(pictures.shape[1:])}; resize it"
            )
        difference = (pictures - self.image.to(pictures)).flatten(1)
        return -difference.norm(dim=1) / difference.shape[1] ** 0.5

    def check(self, network: Network) -> None:
        """The image must be of the network's form."""
        network.check(self.image[None])

    def __str__(self) -> str:
        return f"near({fingerprint(self.image)})"


def caricature(network: Network, image: Tensor, layer: str, *, power: float = 1.0) -> Objective:
    """Have more of what a layer makes of an image: dot product with its activations times the cosine to a `power`.

    The image (C, H, W) in [0, 1] passes through the network as the pictures do. Its activations are a spatial direction
    (`spatial_direction`), or in a layer of numbers a direction; the cosine is a true one, at each position (Olah 2018,
    "Caricatures", after the feature inversion of The Building Blocks of Interpretability).
    """
    image = one_image(network, image)
    return Caricature(layer, image, image_activation(network, image, layer), finite(power, "the power"))


def inversion(network: Network, image: Tensor, layer: str) -> Objective:
    """Look the same to a layer as an image does: -‖Φ(x) - Φ(image)‖² / ‖Φ(image)‖².

    The loss of Mahendran and Vedaldi 2015 (Understanding Deep Image Representations by Inverting Them, eq. 2 and
    section 3), to which they add `total_variation(2)` and an `lp_norm(6)` of the picture.
    """
    image = one_image(network, image)
    return Likeness(layer, image, image_activation(network, image, layer), squared=True)


def attribution(
    network: Network,
    image: Tensor,
    layer: str,
    objective: Objective,
    *,
    power: float = 1.0,
    kind: Literal["absolute", "positive"] = "absolute",
) -> Objective:
    """Have more of those features of an image by which a layer contributes to an objective on that image.

    With h the image's activations in the layer and g the gradient of the objective in them, g·h is what each neuron
    contributes, to first order. Pictures are led along |g·h|, with the signs of h, position by position; `positive`
    leaves out what speaks against the objective (the attribution caricatures of Lucid's notebooks, Olah 2018).

    The direction is that of the image as it stands, whatever movements the pictures make: g belongs to one image in one
    place, and that of the moved image would be another direction at every step. Where places matter more than
    robustness, render with small movements or none (`transforms=()`).
    """
    image = one_image(network, image)
    objective = objective.resolve(network)
    objective.check(network)
    h, g = (each[0] for each in activations_and_gradients(network, image[None], layer, objective))
    weights = (g * h).clamp_min(0) if kind == "positive" else (g * h).abs()
    if not bool(weights.any()):
        raise ObjectiveError(f"no feature of {layer} contributes to {objective} on this image: its gradient is zero")
    said = f"{fingerprint(image)}, {objective}" + (", positive" if kind == "positive" else "")
    return Attribution(layer, weights * h.sign(), said, finite(power, "the power"))


def likeness(network: Network, image: Tensor, layer: str) -> Objective:
    """Stay like an image in a layer: -‖Φ(x) - Φ(image)‖ / ‖Φ(image)‖."""
    image = one_image(network, image)
    return Likeness(layer, image, image_activation(network, image, layer))


def accentuation(
    objective: Objective, network: Network, image: Tensor, layer: str, *, weight: float = 1.0
) -> Objective:
    """Bring out of an image what an objective sees in it: objective - weight · ‖Φ(x) - Φ(image)‖ / ‖Φ(image)‖.

    Rendering starts at the image (`init=image`) and the distance is measured in a low or middle `layer` (Hamblin et al.
    2024, Feature Accentuation). The distance is relative: at 1 the picture is as far from the image as a grey one.
    """
    return objective + weight * likeness(network, image, layer)


def near(image: Tensor, weight: float = 1.0) -> Objective:
    """Stay near an image (C, H, W) in pixels: minus the root mean square difference, times a weight."""
    image = image[0] if image.ndim == 4 and len(image) == 1 else image
    if image.ndim != 3:
        raise ObjectiveError(f"near() takes one image (C, H, W), not {tuple(image.shape)}")
    return weight * Near(image.detach())
