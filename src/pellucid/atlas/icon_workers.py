"""The processes of a Ray cluster that draw icons."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray
import torch
from numpy.typing import NDArray
from ray import ObjectRef
from ray.exceptions import RayError

from pellucid.activations.engines.remote import packed, unpacked
from pellucid.atlas.icon_engines import Draws, IconBatch, Keep
from pellucid.errors import PellucidError, StudyError
from pellucid.networks import Network
from pellucid.networks.lanes import in_lanes

_AHEAD = 2  # batches that wait at each worker, so that it never waits itself
_RETRIES = 3  # of a batch whose process is lost


class Worker:
    """A network in a process of its own, on the device that the cluster gave it."""

    def __init__(self, network: Any, work: Any) -> None:
        torch.set_num_threads(1)  # as each batch has on a single machine
        self._network: Network = network.to("cuda") if ray.get_gpu_ids() and torch.cuda.is_available() else network
        self._work: Draws = work

    def draw(self, batch: IconBatch) -> tuple[NDArray[np.uint8] | None, bytes]:
        """The icons of a batch, or the error: it travels as a value, to be told from the loss of a process."""
        try:
            (pixels,) = in_lanes(self._network, self._work, [batch])
        except Exception as error:
            return None, packed(error)
        return pixels, b""


@dataclass(frozen=True, eq=False)
class Workers:
    """Workers on the cluster that this process is connected to, and what they are given.

    That is held here too: a process that is started anew needs it.
    """

    actors: tuple[Any, ...]
    given: tuple[ObjectRef, ...]

    @classmethod
    def hire(cls, network: Network, work: Draws, count: int | None, cpus: float, gpus: float | None) -> "Workers":
        """So many workers, or as many as there is room for. Raises `PellucidError` if there is no room."""
        there = ray.cluster_resources()
        all_cpus, all_gpus = there.get("CPU", 0), there.get("GPU", 0)
        each = gpus if gpus is not None else min(1, all_gpus)
        room = int(min(all_cpus / cpus, all_gpus / each if each else math.inf))
        if room < max(1, count or 1):
            raise PellucidError(
                f"the cluster has {all_cpus:g} processors and {all_gpus:g} GPUs, too few for {count or 1} workers of "
                f"{cpus:g} processors and {each:g} GPUs; give fewer workers, or less to each"
            )
        actor = ray.remote(num_cpus=cpus, num_gpus=each, max_restarts=-1, max_task_retries=_RETRIES)(Worker)
        given = ray.put(network), ray.put(work)
        return cls(tuple(actor.remote(*given) for _ in range(count or room)), given)

    def draw(self, batches: Sequence[IconBatch], keep: Keep) -> None:
        """Draw all batches, and give each to `keep` as soon as it is there (see `RayIcons.run`)."""
        waiting, running, lost = deque(batches), dict[ObjectRef, tuple[Any, IconBatch]](), list[IconBatch]()
        cause: Exception | None = None

        def send(actor: Any) -> None:
            if waiting:
                batch = waiting.popleft()
                running[actor.draw.remote(batch)] = actor, batch

        for actor in [actor for _ in range(_AHEAD) for actor in self.actors]:
            send(actor)
        while running:
            (ready,), _ = ray.wait(list(running), num_returns=1)
            actor, batch = running.pop(ready)
            try:
                pixels, error = ray.get(ready)
            except RayError as fault:
                cause, pixels, error = fault, None, b""
                lost.append(batch)
            if error:
                raise unpacked(error)
            send(actor)
            if pixels is not None:
                keep(batch, pixels)
        if lost:
            first = min(int(batch.cells[0]) for batch in lost)
            cells = sum(len(batch.cells) for batch in lost)
            reason = " ".join(str(cause).split())[:300]
            raise StudyError(
                f"{cells} icons were lost again and again, the first of cell {first}; the last reason: "
                f"{reason}. What is finished is kept, the same command goes on from there"
            ) from cause

    def dismiss(self) -> None:
        """End the processes."""
        for actor in self.actors:
            ray.kill(actor)
