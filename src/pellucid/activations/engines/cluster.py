"""A connection to a Ray cluster, and the processes that it has room for."""

import logging
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import ray
from ray.exceptions import RayTaskError

from pellucid.errors import PellucidError

_PACKAGE = "pellucid"
_READERS = 0.2  # share of the processors that is left to reading, where no number of workers is given


@contextmanager
def connected(address: str | None, runtime_env: Mapping[str, Any] | None) -> Iterator[None]:
    """Connect this process to a cluster (see `RayEngine`). A connection that was there before is used, and stays.

    Raises `PellucidError` if there is no such cluster, or if Pellucid is not installed there.
    """
    if ray.is_initialized():
        _refuse_without_package()
        yield
        return
    here = address in (None, "local")
    try:
        with _environment():
            ray.init(
                address or "local",
                include_dashboard=False if here else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env=dict(runtime_env) if runtime_env else None,
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise PellucidError(f"cannot reach the Ray cluster at {address!r}: {error}") from error
    try:
        _refuse_without_package()
        yield
    finally:
        ray.shutdown()


def _refuse_without_package() -> None:
    # By a function of Python itself: one of this package could not tell.
    search = ray.remote(num_cpus=0)(find_spec).remote(_PACKAGE)
    try:
        found = ray.get(search) is not None
    except RayTaskError:  # what was found cannot be sent
        found = True
    if not found:
        raise PellucidError(
            "the processes of the cluster cannot import pellucid; install it on all machines, or give a runtime_env "
            "that brings it there"
        )


@dataclass(frozen=True)
class Crew:
    """Workers, and how many processors and GPUs each of them has."""

    workers: int
    cpus: float
    gpus: float


def crew(workers: int | None, cpus: float, gpus: float | None, *, fewer: bool = False) -> Crew:
    """The workers for the cluster that this process is connected to (see `RayEngine`), or as many of them as fit.

    Raises `PellucidError` if there is no room for them, and for one process that reads images.
    """
    there = ray.cluster_resources()
    all_cpus, all_gpus = there.get("CPU", 0), there.get("GPU", 0)
    each = gpus if gpus is not None else min(1, all_gpus)
    room = int(all_gpus // each) if each else int(all_cpus * (1 - _READERS) / cpus)
    most = max(1, int(min((all_cpus - 1) / cpus, all_gpus / each if each else math.inf)))
    count = max(1, room) if workers is None else workers
    found = Crew(min(count, most) if fewer or workers is None else count, cpus, each)
    if found.workers * cpus + 1 > all_cpus or found.workers * each > all_gpus:
        raise PellucidError(
            f"the cluster has {all_cpus:g} processors and {all_gpus:g} GPUs, too few for {found.workers} workers of "
            f"{cpus:g} processors and {each:g} GPUs, and one processor to read images; give fewer workers, or less to "
            "each"
        )
    return found


@contextmanager
def _environment() -> Iterator[None]:
    """Ray sends nothing home, and keeps to itself what its own use of actors makes it complain about."""
    added = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
    added = {name: value for name, value in added.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
