"""What a layer's output was before it was rectified, also where rectified maps were joined or cut up since."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from pellucid.networks.ranges import range_of

# Functions that only move numbers about.
_MOVING = frozenset(
    {
        "cat", "concat", "concatenate", "stack", "split", "chunk", "tensor_split", "unbind", "narrow", "getitem",
        "select", "index_select", "view", "reshape", "flatten", "unflatten", "transpose", "permute", "movedim",
        "moveaxis", "swapaxes", "squeeze", "unsqueeze", "contiguous", "clone", "dropout", "dropout1d", "dropout2d",
        "dropout3d", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "channel_shuffle", "pixel_shuffle",
        "pixel_unshuffle", "flip", "roll",
    }
)  # fmt: skip


class Unrectified(TorchFunctionMode):
    """Remembers, inside a `with`, of whatever comes straight out of rectifiers what it was before them.

    Rectifiers are those of `pellucid.networks.ranges.range_of`. What is cut out of rectified maps, or joined of them,
    is followed; so the concatenation of rectified branches is known before rectification as well. What lies inside of
    TorchScript or compiled code is not seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self._before = WeakTensorKeyDictionary()

    def known(self, output: Tensor) -> bool:
        """Whether something comes out of rectifiers."""
        return output in self._before

    def of(self, output: Tensor) -> Tensor:
        """What it was before them; what comes out of none is as it is."""
        return output if (before := self._before.get(output)) is None else before

    def stand_for(self, changed: Tensor, output: Tensor) -> None:
        """Take one tensor, put in the place of another, for as rectified as that one."""
        if output in self._before:
            self._before[changed] = self._before[output]
        else:
            self._before.pop(changed, None)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function."""
        given = dict(kwargs or {})
        name = func.__name__.partition(".")[0].strip("_")
        if name in _MOVING:
            return self._moved(func, args, given)
        x, rest = (args[0], args[1:]) if args else (given.get("input"), ())
        if not isinstance(x, Tensor) or not x.is_floating_point():
            return func(*args, **given)
        others = {key: value for key, value in given.items() if key != "input"}
        before = None if range_of(name, rest, others) is None else x.clone()  # it may work in place
        output = func(*args, **given)
        if isinstance(output, Tensor):
            self._before.pop(output, None)  # of what it was before something changed it in place
            if before is not None:
                self._before[output] = before
        return output

    def _moved(self, func: Callable[..., Any], args: tuple[Any, ...], given: dict[str, Any]) -> Any:
        output = func(*args, **given)
        if not any(self.known(one) for one in _tensors((args, given))):
            return output
        before = func(*self._replaced(args), **self._replaced(given))
        for after, one in zip(_tensors(output), _tensors(before), strict=True):
            self._before[after] = one
        return output

    def _replaced(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.of(value)
        if type(value) in (list, tuple):
            return type(value)(self._replaced(one) for one in value)
        return {key: self._replaced(one) for key, one in value.items()} if type(value) is dict else value


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [tensor for part in parts for tensor in _tensors(part)]
