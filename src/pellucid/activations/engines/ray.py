"""The engine of a cluster: tasks of Ray Data read images, each worker has a network, tasks join the parts."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs

from pellucid.activations.engines.engine import Engine, Job
from pellucid.activations.parts import PartStore
from pellucid.errors import PellucidError, StudyError
from pellucid.progress import progress_bar
from pellucid.study import Study
from pellucid.study.files import digest

_ROUNDS = 3
_NAMED = 5  # shards in an error


@dataclass(frozen=True)
class RayEngine(Engine):
    """The shards of a harvest on a Ray cluster, by `workers` processes that have a network each.

    `address` is that of the cluster, to which this machine has to belong: `auto`, or `host:port`; or `local` for a Ray
    of this machine alone, which ends with the run. By default it is the Ray that this process is connected to, or else
    a local one. Pellucid must be installed on all machines, or be brought there by Ray's own
    `runtime_env`.

    `parts` is where the workers write: a folder that all machines share, or an address that fsspec knows
    (`s3://bucket/folder`) with the file system's `options`; by default the study itself, which then must lie on a
    folder that they share. Each worker has `cpus` processors, on which torch runs that many threads, and `gpus` GPUs.
    By default these are one processor, one GPU where the cluster has some, and as many workers as it has GPUs, or as
    fit into four fifths of its processors; the others read images.

    The study is that of `LocalEngine`: the same examples, samples, histograms and counts, and the same moments up to
    rounding, if the processors are of the same kind.
    """

    address: str | None = None
    workers: int | None = None
    parts: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    cpus: float = 1
    gpus: float | None = None
    runtime_env: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise PellucidError(f"workers = {self.workers} must be positive: the networks run on them")
        if self.cpus <= 0 or (self.gpus or 0) < 0:
            raise PellucidError(f"cpus = {self.cpus} must be positive, and gpus = {self.gpus} must not be negative")
        if self.address is not None and self.address.startswith("ray://"):
            raise PellucidError(
                f"{self.address}: Ray Data cannot be used by Ray's client; run the command on a machine of the cluster "
                "with the address auto, by 'ray job submit' for one"
            )
        if find_spec("ray") is None:
            raise PellucidError("a harvest on a cluster needs Ray: pip install 'pellucid[ray]'")

    def store(self, folder: Path) -> PartStore:
        """Where the parts of a run go, that has this folder of the study for itself.

        Raises `PellucidError` if `parts` is an address of a kind that fsspec does not know.
        """
        if self.parts is None:
            return super().store(folder)
        where = self.parts if "://" in self.parts else str(Path(self.parts).resolve())
        try:
            url_to_fs(where, **self.options)
        except (ImportError, ValueError) as error:
            raise PellucidError(f"parts = {self.parts!r} cannot be used: {error}") from error
        # A bucket outlives a study's folder, and another study may be there tomorrow.
        manifest = Study.open(folder.parents[1]).manifest
        about = digest([manifest.network, manifest.images])[:12]
        return PartStore(f"{where.rstrip('/')}/{folder.name.lstrip('.')}-{about}", self.options)

    def run(self, job: Job, shards: list[int], *, progress: bool) -> None:
        """Write the parts of these shards, and join those whose neighbours are there.

        Shards that were lost with a process or a machine are done again. Raises `StudyError` if some are lost again and
        again, an error of the network or the disk as it was raised, and `PellucidError` for a cluster that cannot be
        reached or is too small.
        """
        from pellucid.activations.engines.cluster import connected, crew
        from pellucid.activations.engines.pipeline import Pipeline

        with (
            connected(self.address, self.runtime_env),
            progress_bar("harvesting", len(job.decoder), shown=progress) as advance,
        ):
            pipeline = Pipeline(job, self.cpus)
            left = dict.fromkeys(shards)
            advance(len(job.decoder) - sum(len(job.images(number)) for number in left))
            for done in range(_ROUNDS):
                again = [number for number in left if number not in pipeline.lost]
                if not again:
                    break
                # What the cluster has lost since the beginning may not come back.
                size = crew(self.workers, self.cpus, self.gpus, fewer=done > 0)
                with closing(pipeline.shards(again, size)) as finished:
                    for number in finished:
                        del left[number]
                        advance(len(job.images(number)))
            pipeline.joins.finish()
        if left:
            raise StudyError(_lost(job, list(left), pipeline.cause)) from pipeline.cause


def _lost(job: Job, shards: list[int], cause: Exception | None) -> str:
    ranges = [(number, job.images(number)) for number in shards[:_NAMED]]
    named = ", ".join(f"{number} (images {images[0]} to {images[-1]})" for number, images in ranges)
    more = f" and {len(shards) - _NAMED} more" if len(shards) > _NAMED else ""
    reason = " ".join(str(cause or "Ray does not say why").split())[:300]
    return (
        f"{len(shards)} of {job.tree.shards} shards were lost again and again: {named}{more}; the last reason: "
        f"{reason}. What is finished is kept, the same command goes on from there"
    )
