"""The style of an image: which features go together, wherever they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from pellucid.errors import ObjectiveError
from pellucid.networks import Network
from pellucid.shapes import Values
from pellucid.visualize.objectives.objective import Activations, Objective, finite
from pellucid.visualize.objectives.places import check_layer, fingerprint
from pellucid.visualize.objectives.reading import image_activation, one_image


@dataclass(frozen=True, eq=False, repr=False)
class Style(Objective):
    """Minus the squared distance of a picture's Gram matrix from a given one, relative to the length of that."""

    layer: str
    gram: Tensor  # (C, C)
    said: str  # where it is from

    @property
    def layers(self) -> frozenset[str]:
        """The layer whose features are correlated."""
        return frozenset({self.layer})

    def __call__(self, activations: Activations) -> Values:
        """The value: (N,)."""
        own = gram(activations[self.layer])
        wanted = self.gram.to(own)
        return -(own - wanted).square().sum(dim=(1, 2)) / wanted.square().sum()

    def check(self, network: Network) -> None:
        """The layer must exist and have the channels."""
        count = check_layer(network, self.layer).channels
        if len(self.gram) != count:
            raise ObjectiveError(f"the style has {len(self.gram)} channels, and {self.layer} has {count}")

    def __str__(self) -> str:
        return f"style({self.layer}, {self.said})"


def gram(maps: Tensor) -> Tensor:
    """The means over positions of products of channels: (N, C, ...) to (N, C, C)."""
    flat = maps.flatten(2) if maps.ndim > 2 else maps[:, :, None]
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def style(network: Network, image: Tensor, layers: Sequence[str] | Mapping[str, float]) -> Objective:
    """Have the style of an image: the sum over layers of -weight · ‖G(x) - G(image)‖² / ‖G(image)‖².

    G is the Gram matrix of a layer's features, the mean over positions of h hᵀ, so that the image (C, H, W) may be of
    another size than the pictures (Gatys, Ecker and Bethge 2016, eq. 3 to 5, here relative to the image's own).
    `layers` may give each layer a weight, 1 by default. With `likeness(network, content, layer)` and `init=content`
    it is the style transfer of that paper. Raises `ObjectiveError` for a layer that gives nothing for the image.
    """
    shares = dict(layers) if isinstance(layers, Mapping) else dict.fromkeys(layers, 1.0)
    if not shares:
        raise ObjectiveError("no layer is given in which to take the style")
    image = one_image(network, image)
    terms = []
    for layer, share in shares.items():
        own = gram(image_activation(network, image, layer)[None].double())[0]
        if not bool(own.any()):
            raise ObjectiveError(f"{layer} is zero for this image: it has no style there")
        terms.append(finite(share, "a layer's weight") * Style(layer, own, fingerprint(image)))
    return sum(terms[1:], terms[0])
