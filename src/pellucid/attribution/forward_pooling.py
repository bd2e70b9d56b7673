"""Forward-mode derivatives of max-pooling, shared out in the window as `smooth_pooling` shares gradients."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_STRIDED = ("max_pool2d", "max_pool2d_with_indices")
_ADAPTIVE = ("adaptive_max_pool2d", "adaptive_max_pool2d_with_indices")


class ForwardPooling(TorchFunctionMode):
    """A block in which tangents pass max-pooling by shares, as gradients do in a block of `smooth_pooling()`.

    The output is the maximum as before. Its tangent is Σ_i s_i t_i over the window without its padding, with the
    shares s_i = a_i / Σ_j a_j of the activations a = max(x, 0), equal ones where nothing is above 0: the transpose of
    the gradient's rule. For `torch.func.jvp` alone; a backward pass in it is smoothed in the same way.
    """

    def __torch_function__(
        self, func: Any, types: Iterable[Any], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function, and give what max-pooling gives another derivative."""
        given = dict(kwargs or {})
        output = func(*args, **given)
        name = getattr(func, "__name__", "").strip("_")
        if name not in (*_STRIDED, *_ADAPTIVE):
            return output
        x, rest = (args[0], args[1:]) if args else (given.pop("input"), ())
        maximum = output[0] if isinstance(output, tuple) else output
        shape = maximum.shape[-2:]
        smooth = _strided(x, shape, *rest, **given) if name in _STRIDED else _adaptive(x, shape)
        smoothed = maximum.detach() + (smooth - smooth.detach())
        return (smoothed, *output[1:]) if isinstance(output, tuple) else smoothed


def _strided(
    x: Tensor, count: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, *_: Any, **__: Any
) -> Tensor:
    kernel, border, gap = _pair(kernel_size), _pair(padding), _pair(dilation)
    step = kernel if stride is None or stride == [] else _pair(stride)
    edges = []
    for axis in (1, 0):  # F.pad begins with the last
        reach = step[axis] * (count[axis] - 1) + gap[axis] * (kernel[axis] - 1) + 1
        edges += [border[axis], reach - x.shape[axis - 2] - border[axis]]  # less than nothing where windows end before
    maps = x if x.ndim == 4 else x[None]

    def windows(values: Tensor, beyond: float) -> Tensor:
        columns = F.unfold(F.pad(values, edges, value=beyond), kernel, gap, 0, step)
        return columns.unflatten(1, (values.shape[1], -1))

    shares = _shares(windows(maps.detach(), -math.inf), 2)
    return (shares * windows(maps, 0.0)).sum(dim=2).reshape(*x.shape[:-2], *count)


def _adaptive(x: Tensor, count: Any) -> Tensor:
    spans = [
        [slice(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
        for size, parts in zip(x.shape[-2:], count, strict=True)
    ]
    entries = []
    for rows in spans[0]:
        for columns in spans[1]:
            window = x[..., rows, columns].flatten(-2)
            entries.append((_shares(window.detach(), -1) * window).sum(dim=-1))
    return torch.stack(entries, dim=-1).unflatten(-1, tuple(count))


def _shares(windows: Tensor, dim: int) -> Tensor:
    """Shares of windows whose entries lie along `dim`, in which -inf is padding."""
    activations = windows.clamp_min(0.0)
    total = activations.sum(dim=dim, keepdim=True)
    equal = (~windows.isneginf()).to(windows)
    return torch.where(total > 0, activations / torch.where(total > 0, total, 1.0), equal / equal.sum(dim, True))


def _pair(value: Any) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    numbers = tuple(value)
    return (numbers[0], numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
