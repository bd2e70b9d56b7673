"""Joining the parts of a harvest on a cluster as soon as neighbours are there."""

from collections import deque

import ray
from ray import ObjectRef
from ray.exceptions import RayError

from pellucid.activations.engines.engine import Job
from pellucid.activations.engines.remote import join_parts, unpacked
from pellucid.activations.parts import Node

_MOST = 8  # tasks at a time: each holds a few parts in memory


class Joins:
    """The tree of parts of a harvest as it grows, by tasks of a cluster; no two of them touch the same part.

    `nodes` are the parts that are there at the beginning.
    """

    def __init__(self, job: Job, nodes: set[Node]) -> None:
        self._job = job
        self._there: set[Node] = set()
        self._waiting: deque[Node] = deque()
        self._running: dict[ObjectRef, Node] = {}
        # Without a processor of their own, or they would wait for the workers to end; the disk is what they need.
        self._task = ray.remote(num_cpus=0, max_retries=3, scheduling_strategy="SPREAD")(join_parts)
        for node in nodes:
            self.add(node)

    def add(self, node: Node) -> None:
        """A part is there."""
        self._there.add(node)
        tree = self._job.tree
        if node != tree.root() and set(tree.children(node.parent())) <= self._there:
            self._waiting.append(node.parent())
        self._start()

    def collect(self) -> None:
        """See which joined parts are there. Raises the error of a task, but for the loss of its machine.

        What remains apart then is joined in the end by whoever asks for the part of everything.
        """
        self._collect(0)

    def finish(self) -> None:
        """Wait for all that is under way."""
        while self._running:
            self._collect(None)

    def _start(self) -> None:
        while self._waiting and len(self._running) < _MOST:
            parent = self._waiting.popleft()
            self._running[self._task.remote(self._job.store, self._job.tree, parent)] = parent

    def _collect(self, timeout: float | None) -> None:
        if not self._running:
            return
        tasks = list(self._running)
        ready, _ = ray.wait(tasks, num_returns=1 if timeout is None else len(tasks), timeout=timeout)
        for task in ready:
            parent = self._running.pop(task)
            try:
                error = ray.get(task)
            except RayError:
                continue
            if error:
                raise unpacked(error)
            self.add(parent)
        self._start()
