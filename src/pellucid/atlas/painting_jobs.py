"""Paintings that are made one after the other in a thread, while others look on."""

import queue
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from pellucid.atlas.paint import PaintConfig, Painting, Stroke, top_classes
from pellucid.errors import PellucidError
from pellucid.networks import Network
from pellucid.pictures import encode, to_pixels
from pellucid.visualize import Callback, Step

_EVERY = 8  # steps between two previews

Paint = Callable[[str, Sequence[Stroke], PaintConfig, Callback], Painting]


@dataclass
class Job:
    """One painting: what is asked for, and how far it is."""

    name: str
    atlas: str
    strokes: Sequence[Stroke]
    config: PaintConfig
    state: str = "waiting"  # running, done, failed, cancelled
    done: int = 0
    picture: bytes | None = None
    top: tuple[tuple[str, float], ...] = ()
    detail: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def said(self) -> dict[str, Any]:
        """The job in plain values."""
        return {
            "state": self.state,
            "done": self.done,
            "total": self.config.steps,
            "picture": self.picture is not None,
            "top": [[name, value] for name, value in self.top],
            "detail": self.detail,
        }


class PaintingJobs:
    """A bounded queue of paintings and the thread that makes them; finished ones are kept for a while.

    `paint` makes one, `network` says what it takes a preview for. `waiting` jobs may wait, `kept` finished ones are
    remembered. The thread ends with `close`.
    """

    def __init__(self, paint: Paint, network: Network, *, waiting: int = 8, kept: int = 32) -> None:
        self._paint, self._network, self._kept = paint, network, kept
        self._jobs: dict[str, Job] = {}
        self._queue: queue.Queue[Job | None] = queue.Queue(waiting)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="painting", daemon=True)
        self._thread.start()

    def add(self, atlas: str, strokes: Sequence[Stroke], config: PaintConfig) -> str | None:
        """Queue a painting; its name, or None if too many wait already."""
        job = Job(uuid.uuid4().hex, atlas, strokes, config)
        with self._lock:
            try:
                self._queue.put_nowait(job)
            except queue.Full:
                return None
            self._jobs[job.name] = job
            ended = [one for one in self._jobs.values() if one.state not in ("waiting", "running")]
            for one in ended[: max(0, len(ended) - self._kept)]:
                del self._jobs[one.name]
        return job.name

    def get(self, name: str) -> Job | None:
        """A job by its name, None if there is none, or no longer."""
        return self._jobs.get(name)

    def cancel(self, name: str) -> Job | None:
        """End a job: one that waits at once, one that runs after its step. What it has painted stays."""
        job = self._jobs.get(name)
        if job is not None:
            job.stop.set()
            with self._lock:
                if job.state == "waiting":
                    job.state = "cancelled"
        return job

    def close(self) -> None:
        """End the thread, after the step that it is at."""
        for job in list(self._jobs.values()):
            self.cancel(job.name)
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            with self._lock:
                if job.state != "waiting":
                    continue
                job.state = "running"
            try:
                painted = self._paint(job.atlas, job.strokes, job.config, _Watch(job, self._network))
                job.picture, job.top = png(painted.image), painted.top
                stopped = job.stop.is_set() and job.done < job.config.steps
                job.done = job.done if stopped else job.config.steps
                job.state = "cancelled" if stopped else "done"
            except PellucidError as error:
                job.detail, job.state = " ".join(str(error).split()), "failed"
            except Exception as error:  # of the network, or of memory: the next painting may go well
                job.detail, job.state = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}", "failed"


class _Watch(Callback):
    """Keeps a preview now and then, and stops where that is asked for."""

    def __init__(self, job: Job, network: Network) -> None:
        self.job, self.network = job, network

    def step(self, step: Step) -> bool:
        """True if the job was cancelled."""
        if self.job.stop.is_set():
            return True
        if step.number % _EVERY == 0 and step.number:
            image = step.pictures()[0]
            self.job.top, self.job.picture = top_classes(self.network, image), png(image.cpu())
        self.job.done = step.number + 1
        return False


def png(image: Tensor) -> bytes:
    """A picture (C, H, W) as the bytes of a PNG."""
    with torch.no_grad():
        pixels = to_pixels(image.detach().float().cpu()[None].numpy())[0]
    return encode(Image.fromarray(pixels), ".png")
