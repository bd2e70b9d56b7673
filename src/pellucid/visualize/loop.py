"""The inside of `render`: one batch of pictures, step by step."""

import functools
import hashlib
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer

from pellucid.errors import ObjectiveError
from pellucid.networks import Network, read
from pellucid.networks.rectifiers import redirected
from pellucid.visualize import transforms as moves
from pellucid.visualize.callbacks import Callback, Step
from pellucid.visualize.canvases import Canvas
from pellucid.visualize.objectives import PICTURE, Activations, Objective
from pellucid.visualize.sums import Total, rows
from pellucid.visualize.transforms import Transform

OptimizerFactory = Callable[[list[Tensor]], Optimizer]
GradientModifier = Callable[[Tensor], Tensor]
PictureFilter = Callable[[Tensor, int, int], Tensor]


@runtime_checkable
class Scheduled(Protocol):
    """A block that is another one at every step."""

    def at(self, step: int) -> AbstractContextManager[object]:
        """The block of a step, the first of which is 0."""
        ...


_STUCK = 8  # steps after which a batch ends in which nothing has moved

Block = Callable[[], AbstractContextManager[object]] | Scheduled


@dataclass(frozen=True)
class Item:
    """One thing to draw: an objective, a seed, and the images to start from, if any."""

    objective: Objective
    seed: int
    init: Tensor | None = None  # (pictures, C, H, W)
    attempt: int = 0  # starts that came to nothing before this one

    @property
    def pictures(self) -> int:
        """How many pictures it gives."""
        return self.objective.pictures

    def generators(self, purpose: str) -> list[torch.Generator]:
        """A source of random numbers for each of its pictures, from its seed and what it is for."""
        sources = []
        for index in range(self.pictures):
            which = (f"|{index}" if index else "") + (f"|attempt {self.attempt}" if self.attempt else "")
            hashed = hashlib.sha256(f"{self.seed}|{self.objective}|{purpose}{which}".encode()).digest()
            sources.append(torch.Generator().manual_seed(int.from_bytes(hashed[:8], "big") >> 1))
        return sources


@dataclass(frozen=True)
class Drawn:
    """What came of a batch; see `Rendering`."""

    images: Tensor
    values: Tensor
    trace: Tensor
    strength: Tensor
    silent: Tensor  # (N,) whether no gradient came at the end
    ceiling: Tensor  # (N,) whether none came since there is no way up
    snapshots: dict[int, Tensor]

    def put(self, rows: slice, other: "Drawn", own: slice) -> None:
        """Take some pictures from another batch."""
        self.trace[:, rows] = other.trace[:, own]
        for part in ("images", "values", "strength", "silent", "ceiling"):
            getattr(self, part)[rows] = getattr(other, part)[own]
        for step, kept in self.snapshots.items():
            kept[rows] = other.snapshots[step][own]


@dataclass(frozen=True)
class Loop:
    """Everything that is the same for all batches of a run."""

    network: Network
    size: tuple[int, int]
    steps: int
    canvas: Canvas
    transforms: tuple[Transform, ...]
    optimizer: OptimizerFactory
    views: int = 1
    regularizers: tuple[Objective, ...] = ()
    gradients: tuple[GradientModifier, ...] = ()
    filters: tuple[PictureFilter, ...] = ()
    within: tuple[Block, ...] = ()
    redirect: int = 0  # redirected gradients in the first so many steps
    precision: torch.dtype | None = None
    snapshots: frozenset[int] = frozenset()
    callbacks: tuple[Callback, ...] = ()

    def draw(self, items: Sequence[Item], indices: Sequence[int], advance: Callable[[int], None]) -> Drawn:
        """Draw some items as one batch; `indices` are the places of their pictures in the run."""
        batch = _Batch(self, items, tuple(indices))
        with torch.inference_mode(False), torch.enable_grad():
            for step in range(self.steps):
                goes_on = batch.step(step) and (batch.moved or step < _STUCK)
                advance(len(items))
                if not goes_on:
                    advance(len(items) * (self.steps - step - 1))
                    break
            return batch.finished()


@dataclass
class _Batch:
    """The state of a batch between steps."""

    loop: Loop
    items: Sequence[Item]
    indices: tuple[int, ...]
    movements: list[torch.Generator] = field(init=False)
    parameters: Tensor = field(init=False)
    trace: list[Tensor] = field(init=False, default_factory=list)
    kept: dict[int, Tensor] = field(init=False, default_factory=dict)
    silent: Tensor | None = field(init=False, default=None)
    hopeless: Tensor = field(init=False)  # to which not even a redirected gradient came
    moved: bool = field(init=False, default=False)  # whether any gradient has come to any picture
    began: Tensor | None = field(init=False, default=None)  # what the network made of the starts
    strength: Tensor | float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        loop = self.loop
        self.movements = self._generators("transforms")
        self.total = Total.of([item.objective for item in self.items], loop.regularizers)
        self.parameters = self._start().requires_grad_()
        self.hopeless = torch.zeros(len(self.movements), dtype=torch.bool, device=loop.network.device)
        self.optimizer = loop.optimizer([self.parameters])
        # Groups of pictures that go together, by index.
        self.groups = [list(range(own.start, own.stop)) for own in rows(self.items)]

    def _generators(self, purpose: str) -> list[torch.Generator]:
        return [generator for item in self.items for generator in item.generators(purpose)]

    def _start(self) -> Tensor:
        loop = self.loop
        dtype = torch.promote_types(loop.network.dtype, torch.float32)
        drawn = loop.canvas.start(loop.size, loop.network.channels, self._generators("start"), dtype)
        for item, own in zip(self.items, rows(self.items), strict=True):
            if item.init is not None:
                drawn[own] = loop.canvas.invert(item.init.to(dtype))
        return drawn.to(loop.network.device)

    def step(self, number: int) -> bool:
        """One step; False if a callback wants no more, and the pictures are then as it was told."""
        loop = self.loop
        done = number / max(1, loop.steps - 1)
        images = loop.canvas.pictures(self.parameters, loop.size)
        if number in loop.snapshots:
            self.kept[number] = images.detach().cpu()
        leaf = images.detach().requires_grad_()
        values, gradient, activations = self._pulled(leaf, number, done)
        self.moved = self.moved or bool(gradient.any())
        self.trace.append(values)
        if self._tell(number, values, gradient, activations, leaf):
            return False
        for modifier in loop.gradients:
            gradient = modifier(gradient)
        (self.parameters.grad,) = torch.autograd.grad(images, self.parameters, -gradient)
        self.optimizer.step()
        for picture_filter in loop.filters:
            with torch.no_grad():
                pictures = loop.canvas.pictures(self.parameters, loop.size)
                filtered = picture_filter(pictures, number, loop.steps)
                if filtered is not pictures:
                    self.parameters.copy_(loop.canvas.invert(filtered))
        return True

    def _pulled(self, leaf: Tensor, number: int, done: float) -> tuple[Tensor, Tensor, Activations]:
        """Values of the total, their gradient in the pictures, and what the network saw."""
        loop = self.loop
        states = [generator.get_state() for generator in self.movements] if number < loop.redirect else []
        with ExitStack() as stack:
            for block in loop.within:
                stack.enter_context(block.at(number) if isinstance(block, Scheduled) else block())
            values, gradient, activations = _ascent(loop, self.total, leaf, self.movements, done)
        silent = ~gradient.flatten(1).any(dim=1) & self.total.decided.to(leaf.device)
        if self.began is None:
            self.began = values
        helped = silent & ~self.hopeless
        if number < loop.redirect and bool(helped.any()):
            groups = [place for place, group in enumerate(self.groups) if bool(helped[group].any())]
            again = [index for place in groups for index in self.groups[place]]
            some = _resumed([states[index] for index in again])
            total = self.total.only(groups)
            with redirected(len(again) * loop.views):
                _, gradient[again], _ = _ascent(loop, total, leaf[again].detach().requires_grad_(), some, done)
            self.hopeless = self.hopeless | (helped & ~gradient.flatten(1).any(dim=1))
        self.silent = silent
        self.strength = self.strength + gradient.abs().mean(dim=1)
        picture_values, picture_gradient = self.total.of_pictures(leaf)
        return values + picture_values, gradient + picture_gradient, activations

    def _tell(self, number: int, values: Tensor, gradient: Tensor, activations: Activations, leaf: Tensor) -> bool:
        loop = self.loop
        if not loop.callbacks:
            return False
        with torch.no_grad():
            terms = self.total.terms({**activations, PICTURE: leaf.detach()}, loop.views)
        names = tuple(str(item.objective) for item in self.items)
        step = Step(
            number,
            loop.steps,
            self.indices[0],
            names,
            values,
            terms,
            gradient,
            functools.partial(torch.clone, leaf.detach()),
            self.indices,
        )
        return any([bool(callback.step(step)) for callback in loop.callbacks])  # each is told

    def finished(self) -> Drawn:
        """The pictures as they are now."""
        loop = self.loop
        with torch.no_grad():
            images = loop.canvas.pictures(self.parameters, loop.size)
            values = self._values(images)
        silent, ceiling = self._unmoved(images)
        if loop.steps in loop.snapshots:
            self.kept[loop.steps] = images.detach().cpu()
        count = len(images)
        trace = torch.stack(self.trace) if self.trace else values.new_zeros(0, count)
        trace = F.pad(trace, (0, 0, 0, loop.steps - len(trace)), value=torch.nan)
        strength = self.strength / max(1, len(self.trace))
        if not isinstance(strength, Tensor):
            strength = images.new_zeros(count, *images.shape[2:])
        names = [str(item.objective) for item in self.items for _ in range(item.pictures)]
        _refuse_nan(names, trace[: len(self.trace)].cpu(), values.cpu())
        return Drawn(
            images.detach().cpu(), values.cpu(), trace.cpu(), strength.cpu(), silent.cpu(), ceiling.cpu(), self.kept
        )

    def _unmoved(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Which finished pictures no gradient comes to, for want of one, and since they are at their ceiling."""
        silent = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        if self.silent is None or not bool(self.silent.any()):
            return silent, silent.clone()
        # The last view may have been an unlucky one: what counts is the picture itself.
        leaf = images.detach().requires_grad_()
        silent = self.silent & ~self._pulls(leaf, 1.0)
        if self.began is not None:
            # One that has come to the ceiling of its rectifier has no gradient either, and is as it should be.
            reached = self._values(images, penalties=False).detach()
            silent &= ~(reached > self.began + 1e-6 * self.began.abs())
        if not bool(silent.any()):
            return silent, silent.clone()
        # One that has been there from the start cannot rise, but fall.
        with redirected(len(images)):
            ceiling = silent & ~self._pulls(leaf, 1.0)
            ceiling &= self._pulls(leaf, -1.0)
        return silent & ~ceiling, ceiling

    def _pulls(self, leaf: Tensor, sign: float) -> Tensor:
        """Which pictures the objective, or its negative, has a gradient in."""
        (gradient,) = torch.autograd.grad(sign * self._values(leaf, penalties=False).sum(), leaf)
        return gradient.flatten(1).any(dim=1)

    def _values(self, images: Tensor, *, penalties: bool = True) -> Tensor:
        """The total on the finished pictures, unmoved, with or without what the pictures alone decide."""
        loop = self.loop
        if not self.total.layers:
            return self.total.of_pictures(images)[0] if penalties else images.new_zeros(len(images))

        def show(pictures: Tensor) -> Tensor:
            shown = loop.canvas.seen(pictures, self._generators("end"))
            size = (shown.shape[2], shown.shape[3])
            frame = moves.frame([t for t in loop.transforms if not isinstance(t, moves.Pad)], size)
            if frame == size:
                return shown
            return F.interpolate(shown, size=frame, mode="bilinear", antialias=True, align_corners=False)

        shown = show(images)
        activations = _activations(loop, shown, self.total.layers, images)
        if shown is not images:
            activations = {**activations, **_shown_references(loop, self.total, images, show)}
        values = self.total.of_network(activations)
        return values + self.total.of_pictures(images)[0] if penalties else values


def _ascent(
    loop: Loop, total: Total, leaf: Tensor, movements: Sequence[torch.Generator], done: float
) -> tuple[Tensor, Tensor, Activations]:
    """The part of the total that the network decides, (N,), its gradient in the pictures, and the activations."""
    if not total.layers:
        return leaf.new_zeros(len(leaf)), torch.zeros_like(leaf), {}
    states = [generator.get_state() for generator in movements] if any(total.references) else []
    shown = _seen(loop, leaf, movements)
    still = shown is leaf and not loop.transforms
    maps = None
    if loop.transforms:
        size = (shown.shape[2], shown.shape[3])
        sources = [*movements] * loop.views
        maps = moves.draw(loop.transforms, sources, size, done)
        shown = moves.view(shown, maps, loop.transforms)
        shown = moves.alter(shown, loop.transforms, sources, size, done)
    activations = _activations(loop, shown, total.layers, leaf)
    if states and not still:

        def show(images: Tensor) -> Tensor:
            again = _seen(loop, images, _resumed(states))
            return again if maps is None else moves.view(again, maps, loop.transforms)

        activations = {**activations, **_shown_references(loop, total, leaf, show)}
    values = total.of_network(activations, loop.views)
    if not values.requires_grad:
        raise ObjectiveError(f"{total.objectives[0]} does not depend on the picture: no gradient reaches it")
    (gradient,) = torch.autograd.grad(values.sum(), leaf, allow_unused=True)
    if gradient is None:
        raise ObjectiveError(f"{total.objectives[0]} does not depend on the picture: no gradient reaches it")
    return values.detach(), gradient, {name: value.detach() for name, value in activations.items()}


def _activations(loop: Loop, shown: Tensor, names: Collection[str], pictures: Tensor) -> Activations:
    shown = shown.to(loop.network.dtype).contiguous(memory_format=torch.channels_last)
    found = read(loop.network, shown, sorted(set(names) - {PICTURE}), precision=loop.precision)
    if PICTURE in names:
        found[PICTURE] = pictures.repeat(len(shown) // len(pictures), 1, 1, 1)
    return found


def _seen(loop: Loop, pictures: Tensor, sources: Sequence[torch.Generator]) -> Tensor:
    """What the canvas shows of the pictures, in the first view, then in the second, and so on."""
    views = [loop.canvas.seen(pictures, sources) for _ in range(loop.views)]
    return views[0] if loop.views == 1 else torch.cat(views)


def _resumed(states: Sequence[Tensor]) -> list[torch.Generator]:
    """Generators that go on from given states."""
    generators = [torch.Generator() for _ in states]
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)
    return generators


def _shown_references(loop: Loop, total: Total, leaf: Tensor, show: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """What the network makes of the images that pictures are compared with, shown as each picture is.

    Row for row with the pictures, by the name `LAYER[FINGERPRINT]`. Images of another size stay as they are.
    """
    found: dict[str, Tensor] = {}
    own = [[pair for pair in references.items() if pair[1].shape == leaf.shape[1:]] for references in total.references]
    for place in range(max(map(len, own), default=0)):
        images = [pairs[place][1] if place < len(pairs) else leaf.new_zeros(leaf.shape[1:]) for pairs in own]
        stacked = [
            image.to(leaf) for image, one in zip(images, total.objectives, strict=True) for _ in range(one.pictures)
        ]
        with torch.no_grad():
            seen = _activations(loop, show(torch.stack(stacked)), total.layers - {PICTURE}, leaf)
        for pairs in own:
            if place < len(pairs):
                found |= {f"{layer}[{pairs[place][0]}]": value for layer, value in seen.items()}
    return found


def _refuse_nan(names: Sequence[str], trace: Tensor, values: Tensor) -> None:
    for index, name in enumerate(names):
        history = torch.cat([trace[:, index], values[index : index + 1]])
        if not bool(history.isfinite().all()):
            step = int((~history.isfinite()).nonzero()[0])
            raise ObjectiveError(f"{name} became {float(history[step])} at step {step}: the network gave no number")
