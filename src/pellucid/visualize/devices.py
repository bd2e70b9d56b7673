"""Pictures on several devices at once: each works with a network of its own, and they come out as on one."""

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from pellucid.errors import ObjectiveError
from pellucid.networks import Network
from pellucid.progress import progress_bar
from pellucid.visualize.callbacks import Callback, Step
from pellucid.visualize.objectives import Objective, parse
from pellucid.visualize.render import render
from pellucid.visualize.rendering import Rendering


def render_on(
    devices: str | torch.device | Sequence[str | torch.device],
    network: Network,
    objectives: Objective | str | Sequence[Objective | str],
    *,
    steps: int = 256,
    seed: int | Sequence[int] = 0,
    init: Tensor | None = None,
    batch: int = 16,
    progress: bool = False,
    **options: Any,
) -> Rendering:
    """Optimize a picture for each objective as `render` does, on several devices at the same time.

    `devices` such as `["cuda:0", "cuda:1"]` take about `batch` pictures at a time until none is left; one that is named
    twice has two batches at once. Everything else is as for `render`: pictures come in the order of the objectives, and
    each is drawn from its own seed, so that it is the same on one device and on many of a kind, up to the rounding of
    floating-point sums.

    Every device works with copies of the network and of all that is given with it, made at the start; an object such as
    `ParameterNoise(network)` goes with its copy, but a function that holds the network itself does not. Callbacks watch
    one run and are refused. The first error ends the work on all devices and comes through as it is.
    """
    given = [objectives] if isinstance(objectives, Objective | str) else list(objectives)
    parsed = [parse(one) if isinstance(one, str) else one for one in given]
    places = [devices] if isinstance(devices, str | torch.device) else list(devices)
    if not places or not parsed:
        raise ObjectiveError("nothing to render: give at least one objective and one device")
    if options.get("callbacks"):
        raise ObjectiveError("callbacks watch a single run, and there is one on each device; use render for them")
    whole = _Part(tuple(parsed), _seeds(seed, len(parsed)), init)
    total = sum(objective.pictures for objective in parsed)
    parts = list(whole.split(max(1, min(batch, -(-total // len(places))))))
    with ExitStack() as stack:
        workers = _workers(places[: len(parts)], network, {**options, "steps": steps, "batch": batch})
        advance = stack.enter_context(progress_bar("rendering", steps * total, shown=progress))
        drawn = _Work(parts, advance).done_by(workers)
    return _joined(drawn, seed, [worker.network.device for worker in workers])


def _seeds(seed: int | Sequence[int], count: int) -> tuple[int, ...]:
    seeds = (seed,) * count if isinstance(seed, int) else tuple(seed)
    if len(seeds) != count:
        raise ObjectiveError(f"{len(seeds)} seeds are given for {count} objectives; give one, or one for each")
    return seeds


@dataclass(frozen=True)
class _Part:
    """Some of the objectives, with what belongs to each."""

    objectives: tuple[Objective, ...]
    seeds: tuple[int, ...]
    init: Tensor | None

    @property
    def pictures(self) -> int:
        return sum(objective.pictures for objective in self.objectives)

    def split(self, size: int) -> Iterator["_Part"]:
        """The same in parts of up to `size` pictures; an objective stays whole."""
        init = self.init[None] if self.init is not None and self.init.ndim == 3 else self.init
        if init is not None and len(init) not in (1, self.pictures):
            raise ObjectiveError(
                f"{len(init)} images to start from are given for {self.pictures} pictures; give one or {self.pictures}"
            )
        at = first = 0
        while at < len(self.objectives):
            end = at + 1
            while end < len(self.objectives) and sum(o.pictures for o in self.objectives[at : end + 1]) <= size:
                end += 1
            some = _Part(self.objectives[at:end], self.seeds[at:end], init)
            last = first + some.pictures
            yield some if init is None or len(init) == 1 else replace(some, init=init[first:last])
            at, first = end, last


@dataclass(frozen=True)
class _Worker:
    """A network on a device, and the options of `render` that go with it."""

    network: Network
    options: dict[str, Any]


def _workers(devices: Sequence[str | torch.device], network: Network, options: dict[str, Any]) -> list[_Worker]:
    """A worker for each device. They share nothing: a run changes a network while it lasts."""
    network.layers()  # found once, and copied
    with torch.inference_mode(False):
        workers = [copy.deepcopy(_Worker(network, options)) for _ in devices]
    for worker, device in zip(workers, devices, strict=True):
        # In place, so that whatever else holds the copy goes with it.
        worker.network.module.to(device)
        worker.network.preprocess.to(device)
    return workers


@dataclass
class _Work:
    """Parts that workers take one after the other until none is left or one has failed."""

    parts: Sequence[_Part]
    advance: Callable[[int], None]
    stopped: threading.Event = field(default_factory=threading.Event)

    def done_by(self, workers: Sequence[_Worker]) -> list[Rendering]:
        """All parts, in order."""
        drawn: dict[int, Rendering] = {}
        waiting = iter(range(len(self.parts)))
        lock = threading.Lock()

        def work(worker: _Worker) -> None:
            try:
                while not self.stopped.is_set():
                    with lock:
                        index = next(waiting, None)
                    if index is None:
                        return
                    drawn[index] = self._drawn(worker, copy.deepcopy(self.parts[index]))
            except BaseException:
                self.stopped.set()
                raise

        with ThreadPoolExecutor(len(workers), thread_name_prefix="render") as pool:
            futures = [pool.submit(work, worker) for worker in workers]
            try:
                for future in futures:
                    future.result()
            finally:
                self.stopped.set()  # also when the wait is interrupted
        return [drawn[index] for index in range(len(self.parts))]

    def _drawn(self, worker: _Worker, part: _Part) -> Rendering:
        watch = _Watch(self.advance, self.stopped)
        return render(
            worker.network,
            part.objectives,
            seed=part.seeds,
            init=part.init,
            callbacks=[watch],
            **worker.options,
        )


class _Watch(Callback):
    """Moves the bar on, and ends a run that nobody wants any more."""

    def __init__(self, advance: Callable[[int], None], stopped: threading.Event) -> None:
        self.advance = advance
        self.stopped = stopped
        self.done: dict[int, int] = {}

    def step(self, step: Step) -> bool:
        """Count the step; true if the work is stopped."""
        # A picture that starts again, or in a smaller batch, is not counted again.
        fresh = [place for place in step.places if step.number >= self.done.get(place, 0)]
        self.done.update(dict.fromkeys(fresh, step.number + 1))
        self.advance(len(fresh))
        return self.stopped.is_set()


def _joined(drawn: Sequence[Rendering], seed: int | Sequence[int], devices: Sequence[torch.device]) -> Rendering:
    offsets = [sum(len(part.images) for part in drawn[:index]) for index in range(len(drawn))]
    objectives = tuple(name for part in drawn for name in part.objectives)
    about = {
        **drawn[0].about,
        "objectives": list(objectives),
        "seed": seed if isinstance(seed, int) else list(seed),
        "init": [name for part in drawn for name in part.about["init"]],
        "devices": [str(device) for device in devices],
    }
    return Rendering(
        torch.cat([part.images for part in drawn]),
        torch.cat([part.values for part in drawn]),
        torch.cat([part.trace for part in drawn], dim=1),
        objectives,
        {step: torch.cat([part.snapshots[step] for part in drawn]) for step in drawn[0].snapshots},
        about,
        torch.cat([part.strength for part in drawn]),
        tuple(offset + index for offset, part in zip(offsets, drawn, strict=True) for index in part.silent),
        tuple(offset + index for offset, part in zip(offsets, drawn, strict=True) for index in part.ceiling),
    )
