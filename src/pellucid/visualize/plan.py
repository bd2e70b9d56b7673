"""What `render` is about to do: its arguments checked and put together, and said in words."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

import pellucid
from pellucid.errors import ObjectiveError
from pellucid.networks import Network
from pellucid.visualize import transforms as moves
from pellucid.visualize.callbacks import Callback
from pellucid.visualize.canvases import Canvas, Fourier
from pellucid.visualize.loop import Block, GradientModifier, Item, Loop, OptimizerFactory, PictureFilter
from pellucid.visualize.objectives import Objective, parse
from pellucid.visualize.objectives.places import fingerprint
from pellucid.visualize.sums import rows
from pellucid.visualize.transforms import Transform


@dataclass(frozen=True)
class Plan:
    """The loop of a run, what it is to draw, and the configuration that stands beside the pictures."""

    loop: Loop
    items: list[Item]
    about: dict[str, Any]

    @classmethod
    def of(
        cls,
        network: Network,
        objectives: Objective | str | Sequence[Objective | str],
        *,
        steps: int,
        size: int | tuple[int, int] | None,
        seed: int | Sequence[int],
        canvas: Canvas | None,
        transforms: Sequence[Transform] | None,
        views: int,
        regularizers: Sequence[Objective],
        gradients: Sequence[GradientModifier],
        filters: Sequence[PictureFilter],
        within: Sequence[Block],
        redirect: bool | int,
        optimizer: OptimizerFactory | None,
        init: Tensor | None,
        precision: torch.dtype | None,
        fold: bool,
        snapshots: Sequence[int],
        callbacks: Sequence[Callback],
        batch: int,
    ) -> "Plan":
        """The plan of a call of `render`. Raises `ObjectiveError` or `LayerError` for one that cannot be drawn."""
        given = [objectives] if isinstance(objectives, Objective | str) else list(objectives)
        shape = network.size if size is None else (size, size) if isinstance(size, int) else (size[0], size[1])
        _check(given, steps, batch, views, shape)
        items = _items(network, given, seed, init)
        canvas = canvas if canvas is not None else Fourier()
        _check_start(items, canvas, shape)
        loop = Loop(
            network,
            shape,
            steps,
            canvas,
            moves.standard(shape) if transforms is None else tuple(transforms),
            optimizer if optimizer is not None else canvas.optimizer,
            views,
            tuple(regularizer.resolve(network) for regularizer in regularizers),
            tuple(gradients),
            tuple(filters),
            tuple(within),
            steps if redirect is True else int(redirect),
            precision,
            frozenset(snapshots),
            tuple(callbacks),
        )
        return cls(loop, items, _about(loop, items, seed, fold, redirect))


def _check(given: Sequence[object], steps: int, batch: int, views: int, shape: tuple[int, int]) -> None:
    if not given:
        raise ObjectiveError("nothing to render: give at least one objective")
    if steps < 0 or batch < 1 or views < 1:
        raise ObjectiveError(
            f"steps = {steps} must not be negative, batch = {batch} and views = {views} must be positive"
        )
    if min(shape) < 1:
        raise ObjectiveError(f"a picture of {shape[0]}x{shape[1]} pixels cannot be rendered")


def _items(
    network: Network, given: Sequence[Objective | str], seed: int | Sequence[int], init: Tensor | None
) -> list[Item]:
    objectives = [(parse(one) if isinstance(one, str) else one).resolve(network) for one in given]
    for objective in objectives:
        objective.check(network)
    seeds = [seed] * len(objectives) if isinstance(seed, int) else list(seed)
    if len(seeds) != len(objectives):
        raise ObjectiveError(
            f"{len(seeds)} seeds are given for {len(objectives)} objectives; give one, or one for each"
        )
    count = sum(objective.pictures for objective in objectives)
    items = [Item(*pair) for pair in zip(objectives, seeds, strict=True)]
    if init is None:
        return items
    images = init[None] if init.ndim == 3 else init
    if len(images) not in (1, count):
        raise ObjectiveError(f"{len(images)} images to start from are given for {count} pictures; give one or {count}")
    images = images.expand(count, *images.shape[1:])
    return [replace(item, init=images[own]) for item, own in zip(items, rows(items), strict=True)]


def _check_start(items: Sequence[Item], canvas: Canvas, shape: tuple[int, int]) -> None:
    for item in items:
        if item.pictures % canvas.together:
            raise ObjectiveError(
                f"{canvas!r} is shared by {canvas.together} pictures, and {item.objective} is of {item.pictures}; "
                f"write objective.copies({canvas.together})"
            )
        if item.init is not None and tuple(item.init.shape[2:]) != shape:
            raise ObjectiveError(
                f"the image to start from has {item.init.shape[2]}x{item.init.shape[3]} pixels, and the picture "
                f"{shape[0]}x{shape[1]}; resize one of them"
            )


def _about(
    loop: Loop, items: Sequence[Item], seed: int | Sequence[int], fold: bool, redirect: bool | int
) -> dict[str, Any]:
    return {
        "network": loop.network.name,
        "weights_sha256": loop.network.digest,
        "preprocess": repr(loop.network.preprocess),
        "objectives": [str(item.objective) for item in items for _ in range(item.pictures)],
        "seed": seed if isinstance(seed, int) else list(seed),
        "steps": loop.steps,
        "size": list(loop.size),
        "canvas": repr(loop.canvas),
        "init": [fingerprint(item.init) for item in items if item.init is not None],
        "transforms": [repr(transform) for transform in loop.transforms],
        "views": loop.views,
        "regularizers": [str(regularizer) for regularizer in loop.regularizers],
        "gradients": [_name(modifier) for modifier in loop.gradients],
        "filters": [_name(picture_filter) for picture_filter in loop.filters],
        "within": [_name(block) for block in loop.within],
        "redirect": redirect,
        "optimizer": _name(loop.optimizer),
        "precision": str(loop.precision) if loop.precision is not None else None,
        "fold": fold,
        "versions": {"pellucid": pellucid.__version__, "torch": torch.__version__},
    }


def _name(part: object) -> str:
    """What a function, a class, a bound method or a value with a repr of its own is called."""
    if isinstance(part, functools.partial):
        arguments = [*map(repr, part.args), *(f"{key}={value!r}" for key, value in part.keywords.items())]
        return f"{_name(part.func)}({', '.join(arguments)})"
    owner = getattr(part, "__self__", None)
    if isinstance(owner, Canvas):
        return f"{type(owner).__name__}.optimizer"
    return getattr(part, "__qualname__", None) or repr(part)
