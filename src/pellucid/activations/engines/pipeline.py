"""The way of the shards through a cluster: a data set of Ray with a row for each, from its images to its part."""

import logging
import uuid
import warnings
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import ray
from ray import data

from pellucid.activations.attempts import Attempts
from pellucid.activations.engines import remote
from pellucid.activations.engines.cluster import Crew
from pellucid.activations.engines.engine import Job
from pellucid.activations.engines.joins import Joins
from pellucid.activations.parts import Node

_ATTEMPTS = 4  # to do a shard when the process that does it is lost
_PATIENCE = 1800  # seconds without a finished shard until those that are left are begun anew
_MOST_BLOCKS = 10_000  # of a data set of shards; beyond, a task reads several shards, one after the other


class Pipeline:
    """A harvest on the cluster that this process is connected to, by workers of `cpus` processors.

    `joins` joins the parts, `cause` is the last error of the cluster itself, `lost` are the shards that it lost so
    often that they are not to be done again.
    """

    def __init__(self, job: Job, cpus: float) -> None:
        self.joins = Joins(job, job.store.nodes())
        self.lost: set[int] = set()
        self.cause: Exception | None = None
        self._job = job
        session = uuid.uuid4().hex.encode()
        job.store.write_file(remote.SESSION, session)
        self._attempts = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Attempts).remote(_ATTEMPTS)
        self._work = ray.put(replace(job.work, network=job.work.network.in_main_memory()))
        self._given = (self._work, self._attempts, job.store, session, max(1, int(cpus)))

    def shards(self, shards: list[int], crew: Crew) -> Generator[int]:
        """Do these shards, and say which are finished, in whatever order. Raises errors of the program.

        Those that the cluster loses are not among them.
        """
        with closing(_rows(self._dataset(shards, crew))) as rows:
            while True:
                try:
                    row = next(rows)
                except StopIteration:
                    return
                except Exception as error:  # of Ray: all others come as rows
                    self.cause = error
                    return
                number = int(row["shard"])
                error = remote.unpacked(row["error"]) if row["error"] else None
                if isinstance(error, remote.LostError):
                    self.cause = error
                    self.lost.add(number)
                elif error:
                    raise error
                else:
                    self.joins.add(Node(0, number))
                    yield number
                self.joins.collect()

    def _dataset(self, shards: list[int], crew: Crew) -> data.Dataset:
        """A row for each shard that is finished, with its error if there was one."""
        # It is held here too: a process that is started anew needs it.
        self._reading = ray.put(remote.Reading(self._job.decoder, [(n, self._job.images(n)) for n in shards]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a copy warns of deprecated settings that it copies
            context = data.DataContext.get_current().copy()
        context.enable_progress_bars = context.enable_operator_progress_bars = context.print_on_execution_start = False
        context.target_max_block_size = 1  # a shard is a block, which one worker takes
        context.max_errored_blocks = -1  # a lost shard does not end the others
        context.execution_no_progress_timeout_s = _PATIENCE
        context.max_consecutive_actor_init_deaths = 2 * crew.workers
        with data.DataContext.current(context):
            rows = data.range(len(shards), override_num_blocks=min(len(shards), _MOST_BLOCKS))
            read: Any = remote.read_shard  # with more arguments than Ray Data declares
            # Ray Data never fuses a flat_map with what takes rows in groups, so that reading has processes of its own.
            rows = rows.flat_map(read, fn_args=(self._reading, self._attempts), num_cpus=1)
            return rows.map_batches(
                remote.Worker,
                fn_constructor_args=self._given,
                batch_size=1,
                batch_format="numpy",
                compute=data.ActorPoolStrategy(size=crew.workers, max_tasks_in_flight_per_actor=2),
                num_cpus=crew.cpus,
                num_gpus=crew.gpus,
            )


def _rows(dataset: data.Dataset) -> Generator[dict[str, Any]]:
    with _quiet():
        yield from dataset.iter_rows()


@contextmanager
def _quiet() -> Iterator[None]:
    """Let Ray Data write to its log file alone, not to the terminal."""
    shown = [
        handler for handler in logging.getLogger("ray.data").handlers if isinstance(handler, logging.StreamHandler)
    ]
    levels = [handler.level for handler in shown]
    for handler in shown:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in zip(shown, levels, strict=True):
            handler.setLevel(level)
