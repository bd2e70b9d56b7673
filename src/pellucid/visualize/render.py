"""The one verb: a picture is optimized until a network responds to it as the objective says."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from pellucid.networks import Network, folded, frozen
from pellucid.progress import progress_bar
from pellucid.visualize.callbacks import Callback
from pellucid.visualize.canvases import Canvas
from pellucid.visualize.loop import Block, Drawn, GradientModifier, Item, Loop, OptimizerFactory, PictureFilter
from pellucid.visualize.objectives import PICTURE, Objective
from pellucid.visualize.plan import Plan
from pellucid.visualize.rendering import Rendering
from pellucid.visualize.sums import rows
from pellucid.visualize.transforms import Transform

_ATTEMPTS = 3  # starts that a picture gets until one receives a gradient


def render(
    network: Network,
    objectives: Objective | str | Sequence[Objective | str],
    *,
    steps: int = 256,
    size: int | tuple[int, int] | None = None,
    seed: int | Sequence[int] = 0,
    canvas: Canvas | None = None,
    transforms: Sequence[Transform] | None = None,
    views: int = 1,
    regularizers: Sequence[Objective] = (),
    gradients: Sequence[GradientModifier] = (),
    filters: Sequence[PictureFilter] = (),
    within: Sequence[Block] = (),
    redirect: bool | int = True,
    optimizer: OptimizerFactory | None = None,
    init: Tensor | None = None,
    precision: torch.dtype | None = None,
    fold: bool = True,
    snapshots: Sequence[int] = (),
    callbacks: Sequence[Callback] = (),
    batch: int = 16,
    progress: bool = False,
) -> Rendering:
    """Optimize a picture for each objective.

    `objectives` is one objective or several, as text (`"blocks.3.1.bn2:17"`) or built from `pellucid.visualize`;
    several are rendered together, about `batch` pictures at a time. `size` is the picture's side or (height, width) in
    pixels, default the network's input.

    The picture: `canvas` says how parameters become a picture (`Fourier()`), `init` (C, H, W) or (N, C, H, W) in [0, 1]
    is what it starts from instead of noise, `filters` change it after each step.

    What the network sees: `transforms` are Lucid's small movements by default (none: `()`), drawn `views` times for
    each step; the objective is the mean over the views.

    The step: `regularizers` are objectives that are subtracted; `gradients` change the gradient of the total in the
    picture, (N, C, H, W), in order; `within` are blocks that are entered around the network's passes, such as `guided`
    or `ParameterNoise`; `redirect` lets a gradient through rectifiers that give a picture none, always, never, or in
    the first so many steps; `optimizer` makes an optimizer from a list of parameters, by default the canvas's.

    The arithmetic: `fold` folds batch normalization into convolutions, with the same results up to rounding;
    `precision` is the type of the network's arithmetic, such as `torch.bfloat16`, by default its own.

    `snapshots` keeps the pictures after the given numbers of steps; `callbacks` are told of each step and may stop.

    The start and the movements of a picture are drawn from its own `seed` (one for all, or one for each) and its
    objective: it comes out the same alone and in any batch, up to the rounding of floating-point sums. A picture to
    which no gradient came starts again, up to three times; one that stays without is named in `Rendering.silent` and a
    warning. One that cannot rise, since its start has already the most that a rectifier lets through, is in
    `Rendering.ceiling` instead. Where memory runs out, batches are halved.

    The method is that of Olah, Mordvintsev and Schubert, Feature Visualization (Distill 2017). Raises
    `ObjectiveError` or `LayerError` for an objective that the network cannot serve; an error of the network itself
    comes through as it is.
    """
    plan = Plan.of(
        network, objectives, steps=steps, size=size, seed=seed, canvas=canvas, transforms=transforms, views=views,
        regularizers=regularizers, gradients=gradients, filters=filters, within=within, redirect=redirect,
        optimizer=optimizer, init=init, precision=precision, fold=fold, snapshots=snapshots, callbacks=callbacks,
        batch=batch,
    )  # fmt: skip
    loop, items, about = plan.loop, plan.items, plan.about
    for callback in callbacks:
        callback.begin(about)
    names = frozenset().union(*(item.objective.layers for item in items), *(r.layers for r in loop.regularizers))
    with ExitStack() as stack:
        advance = stack.enter_context(progress_bar("rendering", steps * len(items), shown=progress))
        stack.enter_context(frozen(network.module))
        if fold and names - {PICTURE}:
            stack.enter_context(folded(network, names - {PICTURE}))
        drawn = _Runner(loop, batch, advance).all(items)
    rendering = _joined(drawn, items, about)
    for indices, reason in (
        (rendering.silent, "it shows nothing"),
        (rendering.ceiling, "it is at its ceiling from the start, and as it started"),
    ):
        for index in indices:
            name = rendering.objectives[index]
            warnings.warn(f"no gradient came to the picture of {name}: {reason}", stacklevel=2)
    for callback in callbacks:
        callback.end(rendering)
    return rendering


def describe(
    network: Network, objectives: Objective | str | Sequence[Objective | str], **options: Any
) -> dict[str, Any]:
    """The configuration of a run of `render` with these arguments, without the run: its `Rendering.about`.

    Raises what `render` raises for arguments that do not fit.
    """
    call = inspect.signature(render).bind(network, objectives, **options)
    call.apply_defaults()
    given = {name: value for name, value in call.arguments.items() if name != "progress"}
    return Plan.of(**given).about


@dataclass
class _Runner:
    """Draws items batch by batch, again where a picture stayed silent, in smaller batches where memory runs out."""

    loop: Loop
    batch: int
    advance: Callable[[int], None]

    def all(self, items: Sequence[Item]) -> list[Drawn]:
        """Everything, in order."""
        drawn: list[Drawn] = []
        at = first = 0
        while at < len(items):
            some = items[at : at + 1]
            while len(some) < len(items) - at and sum(i.pictures for i in items[at : at + len(some) + 1]) <= self.batch:
                some = items[at : at + len(some) + 1]
            drawn += self._drawn(some, first)
            at += len(some)
            first += sum(item.pictures for item in some)
        return drawn

    def _drawn(self, items: Sequence[Item], first: int) -> list[Drawn]:
        done = 0

        def advance(amount: int) -> None:
            nonlocal done
            done += amount
            self.advance(amount)

        try:
            drawn = self.loop.draw(items, range(first, first + sum(item.pictures for item in items)), advance)
        except Exception as error:
            if not _out_of_memory(error) or len(items) == 1:
                raise
            self.advance(-done)
        else:
            return [self._again(drawn, items, first)]
        # Outside of the handler, whose traceback holds the tensors of the batch that was too large.
        half = len(items) // 2
        self.batch = max(1, sum(item.pictures for item in items[:half]))
        middle = first + self.batch
        return self._drawn(items[:half], first) + self._drawn(items[half:], middle)

    def _again(self, drawn: Drawn, items: Sequence[Item], first: int) -> Drawn:
        """The same with another start for the items that have a silent picture, unless a start was given."""
        of = rows(items)
        for attempt in range(1, _ATTEMPTS):
            silent = [
                index for index, item in enumerate(items) if item.init is None and bool(drawn.silent[of[index]].any())
            ]
            if not silent or self.loop.steps == 0:
                break
            retried = [replace(items[index], attempt=attempt) for index in silent]
            places = [first + row for index in silent for row in range(of[index].start, of[index].stop)]
            again = self.loop.draw(retried, places, lambda _amount: None)
            for index, own in zip(silent, rows(retried), strict=True):
                if not bool(again.silent[own].any()):
                    drawn.put(of[index], again, own)
        return drawn


def _out_of_memory(error: Exception) -> bool:
    kinds = (getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError), MemoryError)
    texts = ("out of memory", "can't allocate memory", "not enough memory")  # of the CPU's allocator and of MPS
    return isinstance(error, kinds) or (isinstance(error, RuntimeError) and any(t in str(error) for t in texts))


def _joined(drawn: Sequence[Drawn], items: Sequence[Item], about: dict[str, Any]) -> Rendering:
    kept = {step: torch.cat([part.snapshots[step] for part in drawn]) for step in sorted(drawn[0].snapshots)}
    return Rendering(
        torch.cat([part.images for part in drawn]),
        torch.cat([part.values for part in drawn]),
        torch.cat([part.trace for part in drawn], dim=1),
        tuple(str(item.objective) for item in items for _ in range(item.pictures)),
        kept,
        about,
        torch.cat([part.strength for part in drawn]),
        tuple(torch.cat([part.silent for part in drawn]).nonzero()[:, 0].tolist()),
        tuple(torch.cat([part.ceiling for part in drawn]).nonzero()[:, 0].tolist()),
    )
