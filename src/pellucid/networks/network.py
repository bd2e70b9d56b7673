"""A network as Pellucid sees it: a module, the preprocessing inside it, and what its classes are called."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.errors import LayerError, NetworkError, did_you_mean
from pellucid.networks.capture import capture
from pellucid.networks.frozen import frozen
from pellucid.networks.labels import Labels
from pellucid.networks.layers import Layer, trace
from pellucid.networks.layouts import Layout
from pellucid.networks.receptive_field import ReceptiveField, receptive_fields
from pellucid.shapes import Images


class Normalize(nn.Module):
    """The preprocessing of most networks: (x - mean) / std, one number for each channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if len(mean) != len(std):
            raise NetworkError(
                f"mean has {len(mean)} channels and std has {len(std)}; give one number for each channel"
            )
        if any(value <= 0 for value in std):
            raise NetworkError(f"std = {tuple(std)} must be positive")
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Normalize images (N, C, H, W) in [0, 1]."""
        return (images - self.mean) / self.std

    def extra_repr(self) -> str:
        """The numbers, for the printed network."""
        return f"mean={self.mean.flatten().tolist()}, std={self.std.flatten().tolist()}"


@dataclass(frozen=True, eq=False)
class Network:
    """A vision network that takes images (N, channels, H, W) with values in [0, 1] and gives logits (N, K).

    `preprocess` runs before `module`; another one is put in by `dataclasses.replace(network, preprocess=...)`. `size`
    is the input's height and width in pixels; photographs are cut to it so that their centre `crop` (share of the
    shorter side) fills it, resized with `interpolation`. `layouts` says of layers by name what their axes are (`NCHW`,
    `NHWC`, `NLC`, `NCL`, `NC`) where the network itself leaves it open.
    """

    name: str
    module: nn.Module
    preprocess: nn.Module
    size: tuple[int, int]
    labels: Labels | None = None
    channels: int = 3
    crop: float = 0.875
    interpolation: str = "bicubic"
    layouts: Mapping[str, Layout] = field(default_factory=dict)

    def __call__(self, images: Images) -> Tensor:
        """Logits for images, in evaluation mode; the module's own mode comes back afterwards.

        Gradients flow to the images. Raises `NetworkError` for images of another form, and for a module that gives no
        tensor.
        """
        self.check(images)
        with frozen(self.module):
            return self.logits(self.preprocess(images))

    def logits(self, inputs: Tensor) -> Tensor:
        """What the module, as it is, gives for preprocessed images. Raises `NetworkError` if that is no tensor."""
        output = self.module(inputs)
        if not isinstance(output, Tensor):
            raise NetworkError(
                f"{self.name} gives {type(output).__name__} for images, not one tensor of logits (N, K); wrap a module "
                "that picks them out of it"
            )
        return output

    def check(self, images: Tensor) -> None:
        """Refuse images that are not (N, channels, H, W)."""
        if images.ndim != 4 or images.shape[1] != self.channels:
            raise NetworkError(
                f"{self.name} takes images (N, {self.channels}, H, W) with values in [0, 1], not {tuple(images.shape)}"
            )

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of its classes; none where it has no labels."""
        return self.labels.names if self.labels else ()

    @property
    def device(self) -> torch.device:
        """Where the network's parameters lie."""
        return next((p.device for p in (*self.module.parameters(), *self.module.buffers())), torch.device("cpu"))

    @property
    def dtype(self) -> torch.dtype:
        """The floating-point type of its parameters."""
        kinds = (p.dtype for p in self.module.parameters() if p.is_floating_point())
        return next(kinds, torch.get_default_dtype())

    def to(self, *args: Any, **kwargs: Any) -> "Network":
        """A network on another device or of another type, as `nn.Module.to`; the module itself is moved."""
        return replace(self, module=self.module.to(*args, **kwargs), preprocess=self.preprocess.to(*args, **kwargs))

    def in_main_memory(self) -> "Network":
        """The network itself if it lies there, else a copy: other machines may have no such device as this one."""
        if self.device.type == "cpu":
            return self
        module, preprocess = deepcopy((self.module, self.preprocess))
        return replace(self, module=module, preprocess=preprocess).to("cpu")

    def blank(self, count: int = 1, size: tuple[int, int] | None = None) -> Tensor:
        """Grey images of the network's form."""
        return torch.full((count, self.channels, *(size or self.size)), 0.5, device=self.device, dtype=self.dtype)

    @cached_property
    def _traced(self) -> dict[str, Layer]:
        return trace(self)

    def layers(self) -> tuple[Layer, ...]:
        """The layers that have activations, in the order in which they finish."""
        return tuple(self._traced.values())

    def layer(self, name: str) -> Layer:
        """One layer by name. Raises `LayerError` with the nearest names."""
        if name not in self._traced:
            parts = dict(self.module.named_modules(remove_duplicate=False))
            first = next((other for other in self._traced if parts[other] is parts.get(name)), None)
            if first is not None:
                raise LayerError(f"layer {name!r} of {self.name} is the same module as {first!r}; ask for {first!r}")
            where = " that gives a tensor of its own" if name in parts else ""
            raise LayerError(
                f"no layer {name!r}{where} in {self.name}{did_you_mean(name, self._traced) or '; see pellucid layers'}"
            )
        return self._traced[name]

    def spatial_layer(self, name: str) -> Layer:
        """One layer by name that gives maps, or tokens on a grid. Raises `LayerError` if it gives something else."""
        layer = self.layer(name)
        layer.check()
        if not layer.spatial:
            near = did_you_mean(name, [other.name for other in self.layers() if other.spatial])
            raise LayerError(
                f"layer {name!r} of {self.name} has no spatial activations: it gives {layer.shape} for an image{near}"
            )
        return layer

    def receptive_fields(self, names: Iterable[str]) -> dict[str, ReceptiveField]:
        """Measured receptive fields of spatial layers."""
        return receptive_fields(self, [self.spatial_layer(name) for name in names])

    def activations(self, images: Images, layers: Iterable[str]) -> dict[str, Tensor]:
        """Outputs of layers for images; the pass ends at the deepest one. Gradients flow if they are enabled."""
        self.check(images)
        calls = {name: self.layer(name).calls for name in layers}
        with frozen(self.module):
            return capture(self.module, lambda: self.module(self.preprocess(images)), calls)

    @cached_property
    def digest(self) -> str:
        """The sha256 of the module's state: names, types, shapes and values."""
        return _digest(self.module.state_dict())

    def describe(self) -> dict[str, Any]:
        """What a study's manifest says of the network."""
        return {
            "name": self.name,
            "weights_sha256": self.digest,
            "preprocess": repr(self.preprocess),
            "size": list(self.size),
            "crop": self.crop,
            "interpolation": self.interpolation,
            **({"layouts": dict(self.layouts)} if self.layouts else {}),
        }


def _digest(state: Mapping[str, Tensor]) -> str:
    total = hashlib.sha256()
    for name, value in state.items():
        if not isinstance(value, Tensor):
            continue
        value = value.detach().cpu().contiguous()
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
