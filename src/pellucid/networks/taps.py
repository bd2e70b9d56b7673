"""Activations on both sides of a rectifier: what a layer gives, and what its rectifier was given."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pellucid.networks.capture import capture
from pellucid.networks.frozen import frozen
from pellucid.networks.network import Network
from pellucid.networks.ranges import range_of

Tap = Literal["post", "pre"]
"""`post` is a layer's output, `pre` the input of the rectifier that the output comes straight out of."""


Take = Callable[[str, Tap, Tensor], None]
"""What is called with a layer, a tap and its activations."""


def tap(
    network: Network,
    images: Tensor,
    layers: Collection[str],
    take: Take,
    *,
    precision: torch.dtype | None = None,
) -> None:
    """Hand out activations of layers for images (N, channels, H, W), after and before their rectifiers.

    `take` is called with a layer, a tap and the activations (N, C, P) in float32, without gradients: the positions of a
    map row by row, of a sequence of tokens in its order, and one position for a layer of vectors. They are good while
    it runs; the next module may work in place on them. `(layer, "pre")` is handed out for layers whose output is that
    of a rectifier (see `pellucid.networks.ranges.range_of`) called inside them, `nn.ReLU` itself included; what lies
    inside of TorchScript or compiled code is not seen. The pass ends at the deepest layer; `precision` is the type of
    its arithmetic (autocast).
    """
    with tapping(network, layers, precision=precision) as run:
        run(images, take)


@contextmanager
def tapping(
    network: Network, layers: Collection[str], *, precision: torch.dtype | None = None
) -> Iterator[Callable[[Tensor, Take], None]]:
    """Hold a network ready for many passes: gives what is called with images and `take`, as `tap`.

    Until the end of the block the network is in evaluation mode and its parameters take no gradient.
    """
    known = {name: network.layer(name) for name in layers}
    calls = {name: layer.calls for name, layer in known.items()}
    watch = _Rectifiers()

    def run(images: Tensor, take: Take) -> None:
        network.check(images)

        def keep(name: str, output: Tensor) -> Tensor:
            before = watch.before(output)
            take(name, "post", _positions(known[name].maps(output)))
            if before is not None:
                take(name, "pre", _positions(known[name].maps(before)))
            return output

        def forward() -> None:
            with watch.ready(), torch.autocast(images.device.type, precision, enabled=precision is not None):
                network.module(network.preprocess(images))

        with torch.no_grad():
            capture(network.module, forward, calls, keep=keep)

    with frozen(network.module), _watched(network.module, known, watch):
        yield run


def tapped(
    network: Network, images: Tensor, layers: Collection[str], *, precision: torch.dtype | None = None
) -> dict[tuple[str, Tap], Tensor]:
    """What `tap` hands out, to be kept: activations (N, C, P) by layer and tap."""
    found: dict[tuple[str, Tap], Tensor] = {}

    def take(layer: str, side: Tap, values: Tensor) -> None:
        found[layer, side] = values.clone()

    tap(network, images, layers, take, precision=precision)
    return found


def taps_of(network: Network, layers: Iterable[str]) -> dict[str, tuple[Tap, ...]]:
    """The taps that each layer has."""
    found = tapped(network, network.blank(1), list(layers))
    return {layer: tuple(side for name, side in found if name == layer) for layer in dict.fromkeys(n for n, _ in found)}


def _positions(maps: Tensor) -> Tensor:
    return maps.reshape(*maps.shape[:2], -1).float().contiguous()


@contextmanager
def _watched(module: nn.Module, layers: Mapping[str, object], watch: "_Rectifiers") -> Iterator[None]:
    """Let the watch look while one of the layers runs."""
    parts = dict(module.named_modules())
    handles = []
    try:
        for name in layers:
            handles.append(parts[name].register_forward_pre_hook(lambda *_: watch.begin()))
            handles.append(parts[name].register_forward_hook(lambda *_: watch.end()))
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Rectifiers(TorchFunctionMode):
    """Remembers of the last rectifier's call what went in and what came out; looks on only while a layer runs."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._last: tuple[Tensor, Tensor] | None = None

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Let nothing remain of a pass, which may end within a layer."""
        try:
            yield
        finally:
            self._last = None
            if self._depth > 0:
                self._depth = 0
                self.__exit__(None, None, None)

    def begin(self) -> None:
        """A layer begins, perhaps inside of another."""
        if self._depth == 0:
            self._last = None  # what lies before the layer is not its own
            self.__enter__()
        self._depth += 1

    def end(self) -> None:
        """A layer ends; what its last rectifier did is still known."""
        self._depth -= 1
        if self._depth == 0:
            self.__exit__(None, None, None)

    def before(self, output: Tensor) -> Tensor | None:
        """The input of the rectifier that gave this output, if the last one did."""
        if self._last is None:
            return None
        given, result = self._last
        same = output is result or (output.data_ptr() == result.data_ptr() and output.shape == result.shape)
        return given if same else None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function."""
        given = dict(kwargs or {})
        if not (args or "input" in given):
            return func(*args, **given)
        x, rest = (args[0], args[1:]) if args else (given["input"], ())
        others = {key: value for key, value in given.items() if key != "input"}
        if not isinstance(x, Tensor) or not x.is_floating_point():
            return func(*args, **given)
        if range_of(func.__name__.partition(".")[0].strip("_"), rest, others) is None:
            return func(*args, **given)
        before = x.clone()  # it may work in place
        output = func(*args, **given)
        if isinstance(output, Tensor):
            self._last = (before, output)
        return output
