"""What a network answers to given images: values of objectives, activations, and the images that stand out."""

from collections.abc import Collection, Iterable, Iterator, Sized
from typing import Any

import torch
from torch import Tensor

from pellucid.errors import ImagesError, LayerError, ObjectiveError
from pellucid.networks import Network
from pellucid.shapes import Images, Vectors
from pellucid.visualize.objectives.reading import seen

ImageSource = Tensor | Iterable[Any]  # images (N, C, H, W) in [0, 1], or batches of such


def batches(images: ImageSource, size: int) -> Iterator[Images]:
    """Images, a tensor or an iterable of tensors, in batches of up to `size`; of a tuple, the first item.

    Raises `ImagesError` if something is no tensor (n, C, H, W) with values in [0, 1], or if there is none at all.
    """
    if size < 1:
        raise ImagesError(f"batch = {size} must be positive")
    count = 0
    for part in [images] if isinstance(images, Tensor) else images:
        part = part[0] if isinstance(part, tuple | list) and part else part
        if not isinstance(part, Tensor):
            raise ImagesError(f"images are a tensor (N, C, H, W) or batches of such, not {type(part).__name__}")
        if part.ndim != 4 or not part.is_floating_point():
            raise ImagesError(
                f"images are floating-point tensors (N, C, H, W), not {part.dtype} of shape {tuple(part.shape)}"
            )
        if part.numel() and not (float(part.min()) >= -1e-3 and float(part.max()) <= 1 + 1e-3):
            raise ImagesError(
                f"images have values in [0, 1]; these have {float(part.min()):g} to {float(part.max()):g}: divide "
                "8-bit images by 255, and leave normalization to the network"
            )
        count += len(part)
        yield from part.split(size) if len(part) else ()
    if count == 0:
        raise ImagesError("there are no images: give a tensor (N, C, H, W) or batches of such, with values in [0, 1]")


def count_of(images: ImageSource) -> int:
    """How many images there are, for a progress bar; 0 if that is not known before they have been read."""
    if isinstance(images, list | tuple):
        return sum(len(part) for part in images) if all(isinstance(part, Tensor) for part in images) else 0
    whole = getattr(images, "dataset", images)  # a DataLoader counts its batches
    return len(whole) if isinstance(whole, Sized) else 0


def observe(network: Network, images: Images, names: Collection[str]) -> dict[str, Tensor]:
    """What objectives read of images by name, the pictures themselves among it, without gradient."""
    with torch.no_grad():
        return seen(network, images.to(network.device, network.dtype), names)


def features(network: Network, name: str, maps: Tensor) -> Vectors:
    """A layer's answer to each image as one vector (n, C): the mean over the map or the tokens.

    Raises `LayerError` for a layer that gives neither maps, tokens nor vectors.
    """
    layer = network.layer(name)
    layer.check()
    if layer.layout == "other":
        raise LayerError(f"layer {name!r} of {network.name} gives {layer.shape}: no maps, tokens or vectors of units")
    return maps if maps.ndim == 2 else maps.flatten(2).mean(dim=2)


class Shortlist:
    """The `count` items with the highest keys of a stream, the first of equals first; all of them without a count.

    `rows` are what is kept of each: tensors whose first axis is the item's, moved to the CPU.
    """

    def __init__(self, count: int | None) -> None:
        self.count = count
        self.keys = torch.empty(0, dtype=torch.float64)
        self.rows: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def offer(self, keys: Tensor, **rows: Tensor) -> None:
        """Take from further items those that belong to the list; a key of -inf never does."""
        wanted = (keys > -torch.inf).nonzero()[:, 0].cpu()
        if self.count is not None and len(self) >= self.count:
            wanted = wanted[keys.cpu()[wanted].double() > self.keys[-1]]
        if len(wanted) == 0 and self.rows:
            return
        known = torch.cat([self.keys, keys.detach().cpu()[wanted].double()])
        order = known.argsort(descending=True, stable=True)[: self.count]
        for name, values in rows.items():
            fresh = values.detach().cpu()[wanted]
            if name in self.rows and self.rows[name].shape[1:] != fresh.shape[1:]:
                raise ImagesError(
                    f"images of one size are wanted, not of {tuple(self.rows[name].shape[1:])} and "
                    f"{tuple(fresh.shape[1:])}"
                )
            self.rows[name] = torch.cat([self.rows[name], fresh] if name in self.rows else [fresh])[order]
        self.keys = known[order]


def refuse_nan(values: Tensor, objective: object, first: int) -> None:
    """Refuse values among which there is one that is no number; `first` is the number of the first image."""
    if not bool(values.isfinite().all()):
        at = int((~values.isfinite()).nonzero()[0])
        raise ObjectiveError(f"{objective} is {float(values[at])} for image {first + at}: the network gave no number")
