"""Making a network of any module."""

from collections.abc import Sequence

from torch import nn

from pellucid.networks.labels import Labels
from pellucid.networks.network import Network, Normalize


def wrap(
    module: nn.Module,
    *,
    mean: Sequence[float] = (0.485, 0.456, 0.406),
    std: Sequence[float] = (0.229, 0.224, 0.225),
    size: int | tuple[int, int] = 224,
    labels: Labels | Sequence[str] | None = None,
    name: str | None = None,
    preprocess: nn.Module | None = None,
) -> Network:
    """Make a network of a module that takes normalized images and gives logits.

    `mean` and `std` have one number for each input channel (default: ImageNet's), `size` is the input's side or its
    height and width in pixels, `labels` names the classes. `preprocess` replaces the normalization altogether. The
    module is not changed and not copied.
    """
    normalize = Normalize(mean, std)
    parameter = next(module.parameters(), None)
    if parameter is not None:
        normalize = normalize.to(parameter.device, parameter.dtype if parameter.is_floating_point() else None)
    return Network(
        name or type(module).__name__,
        module,
        preprocess if preprocess is not None else normalize,
        (size, size) if isinstance(size, int) else (size[0], size[1]),
        Labels.of(labels),
        channels=len(mean),
    )
