"""Holding piecewise linear functions on the pieces that an image puts them on: rectifiers, maxima, comparisons."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from pellucid.errors import NetworkError

Held = Callable[..., Any]
"""What stands for a call: it takes the new input, and the new second one of functions of two."""


@dataclass(frozen=True)
class Piece:
    """One call of a piecewise linear function: what it gave, and what stands for it while it is held."""

    name: str
    output: Tensor | None  # None if it gave no numbers that a gradient passes through
    held: Held
    in_place: bool


class Pieces(TorchFunctionMode):
    """Notes, inside a `with`, the piece that each piecewise linear function is on; later holds them on these pieces.

    Held are rectifiers made of straight lines (`relu`, `relu6`, `hardtanh`, `leaky_relu`, `prelu`, `clamp`,
    `hardsigmoid`, ...) with their slope and offset at each neuron, max-pooling and maxima with the entry that was the
    largest, and comparisons with their answer, so that `x * (x > 0)` is held as well. With all of them held a network
    of convolutions, sums and such functions is an affine map. Smooth functions (SiLU, sigmoid, softmax) and products
    are not held: they go on as they are.

    Notes are taken from `begin` on, which the second pass must call at the same place. Functions are met by name, in
    the order of the calls; what lies inside of TorchScript or compiled code is not seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Piece] = []
        self._at = 0
        self._on = self._holding = False

    def begin(self) -> None:
        """Note, or hold, what is called from now on."""
        self._on, self._at = True, 0

    def hold(self) -> "Pieces":
        """From the next `begin` on, hold what was noted."""
        self._on, self._holding = False, True
        return self

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function, or what stands for it."""
        given = dict(kwargs or {})
        name = func.__name__.partition(".")[0].strip("_")
        if not self._on or name not in _HOLDERS or not (args or "input" in given):
            return func(*args, **given)
        x, rest = (args[0], args[1:]) if args else (given.pop("input"), ())
        if not (isinstance(x, Tensor) and x.is_floating_point()):
            return func(x, *rest, **given)
        return self._replay(name, x, rest, given) if self._holding else self._note(name, func, x, rest, given)

    def _note(
        self, name: str, func: Callable[..., Any], x: Tensor, rest: tuple[Any, ...], given: dict[str, Any]
    ) -> Any:
        before = x.detach().clone()  # it may work in place
        output = func(x, *rest, **given)
        first = output[0] if isinstance(output, tuple) else output
        with torch.enable_grad():
            held = _HOLDERS[name](_Call(func, before, rest, given, output))
        floating = isinstance(first, Tensor) and first.is_floating_point()
        self.noted.append(Piece(name, first if floating else None, held, output is x))
        return output

    def _replay(self, name: str, x: Tensor, rest: tuple[Any, ...], given: dict[str, Any]) -> Any:
        if self._at >= len(self.noted) or self.noted[self._at].name != name:
            raise NetworkError(
                f"the network's forward pass called {name} where it had called something else for the same images: "
                "its way depends on the activations, and cannot be held"
            )
        piece = self.noted[self._at]
        self._at += 1
        result = piece.held(x, *rest, **given)
        return x.copy_(result) if piece.in_place else result


@dataclass(frozen=True)
class _Call:
    func: Callable[..., Any]
    x: Tensor  # as it was before the call, without history
    rest: tuple[Any, ...]
    given: dict[str, Any]
    output: Any

    def slopes(self, second: Tensor | None = None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The value and, by autograd's choice at kinks, its slope in the input, and in a second one if there is one."""
        leaves = [one.detach().clone().requires_grad_() for one in (self.x, second) if one is not None]
        rest, given = (self.rest, self.given) if second is None else ((), {})
        value = self.func(*(leaf.clone() for leaf in leaves), *rest, **given)
        value = value[0] if isinstance(value, tuple) else value
        return value.detach(), torch.autograd.grad(value.sum(), leaves)


def _elementwise(call: _Call) -> Held:
    value, (slope,) = call.slopes()
    offset = value - slope * call.x
    return lambda now, *_, **__: slope * now + offset


def _of_two(call: _Call) -> Held:
    _, (first, second) = call.slopes(_second(*call.rest, **call.given))
    return lambda now, *rest, **given: first * now + second * _second(*rest, **given)


def _second(other: Tensor, **_: Any) -> Tensor:
    return other


def _extreme(call: _Call) -> Held:
    """`amax`, `max` and their opposites: over an axis or all, or of two tensors."""
    axis = call.rest[0] if call.rest else call.given.get("dim", call.given.get("other"))
    if isinstance(axis, Tensor):
        return _of_two(call)
    keep = bool(call.rest[1] if len(call.rest) > 1 else call.given.get("keepdim", False))
    _, (share,) = call.slopes()

    def held(now: Tensor, *_: Any, **__: Any) -> Any:
        values = (share * now).sum() if axis in (None, ()) else (share * now).sum(axis, keepdim=keep)
        return type(call.output)((values, call.output[1])) if isinstance(call.output, tuple) else values

    return held


def _pooled(dimensions: int, *, adaptive: bool) -> Callable[[_Call], Held]:
    pool = getattr(F, f"{'adaptive_' if adaptive else ''}max_pool{dimensions}d")

    def holder(call: _Call) -> Held:
        given = {key: value for key, value in call.given.items() if key != "return_indices"}
        _, where = pool(call.x, *call.rest[: 1 if adaptive else 5], **given, return_indices=True)

        def held(now: Tensor, *_: Any, **__: Any) -> Any:
            flat = now.flatten(-dimensions).gather(-1, where.flatten(-dimensions))
            values = flat.unflatten(-1, where.shape[-dimensions:])
            return (values, where) if isinstance(call.output, tuple) else values

        return held

    return holder


def _answer(call: _Call) -> Held:
    return lambda *_, **__: call.output


_HOLDERS: dict[str, Callable[[_Call], Held]] = {
    **dict.fromkeys(
        (
            "relu", "relu6", "hardtanh", "threshold", "leaky_relu", "prelu", "rrelu", "hardsigmoid", "hardshrink",
            "softshrink", "clamp", "clip", "clamp_min", "clamp_max", "abs", "absolute",
        ),
        _elementwise,
    ),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), _of_two),
    **dict.fromkeys(("amax", "amin", "max", "min"), _extreme),
    **{
        f"{'adaptive_' if adaptive else ''}max_pool{d}d{ending}": _pooled(d, adaptive=adaptive)
        for adaptive in (False, True)
        for d in (1, 2, 3)
        for ending in ("", "_with_indices")
    },
    **dict.fromkeys(
        (
            "gt", "ge", "lt", "le", "greater", "greater_equal", "less", "less_equal", "sign", "sgn", "heaviside",
        ),
        _answer,
    ),
}  # fmt: skip
