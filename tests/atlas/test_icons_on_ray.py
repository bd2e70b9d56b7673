"""Icons on a real cluster of this machine alone: they are those of one process, whatever is lost on the way."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import ray
import torch

from pellucid.atlas.icon_engines import IconBatch, RayIcons
from pellucid.atlas.icons import IconConfig, draw_icons
from pellucid.errors import PellucidError, StudyError
from pellucid.networks import Network
from small import small_network

HERE = Path(__file__).parent
CONFIG = IconConfig(size=16, steps=12, batch=2)
CELLS = 10


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A Ray of two processors, and its address."""
    with pytest.MonkeyPatch.context() as patch:
        there = filter(None, [os.environ.get("PYTHONPATH")])
        patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(HERE.parent), *there]))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
        yield ray.get_runtime_context().gcs_address
        ray.shutdown()


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network(size=24)


@pytest.fixture(scope="module")
def means() -> np.ndarray:
    return torch.randn(CELLS, 16, generator=torch.Generator().manual_seed(0)).numpy()


def test_icons_of_a_cluster_are_those_of_one_process(
    cluster: str, network: Network, means: np.ndarray, tmp_path: Path
) -> None:
    advanced: list[int] = []
    here = draw_icons(network, "act3", means, CONFIG, tmp_path / "here", lambda _: None)
    there = draw_icons(
        network, "act3", means, CONFIG, tmp_path / "there", advanced.append, engine=RayIcons(workers=2, cpus=0.5)
    )
    assert np.array_equal(here, there)
    assert sum(advanced) == CELLS
    assert {path.name for path in (tmp_path / "there").iterdir()} == {
        path.name for path in (tmp_path / "here").iterdir()
    }
    assert ray.is_initialized()  # it was not the engine's to end


@dataclass(frozen=True)
class Dying:
    """Draws grey, and ends its process at one cell: once, or each time."""

    folder: Path
    always: bool = False

    def __call__(self, network: Network, batch: IconBatch) -> np.ndarray:
        died = self.folder / "died"
        if 4 in batch.cells and (self.always or not died.exists()):
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return np.full((len(batch.cells), 2, 2, 3), int(batch.means[0, 0]), dtype=np.uint8)


def batches() -> list[IconBatch]:
    return [IconBatch(np.array([cell]), np.full((1, 1), cell, np.float32)) for cell in range(CELLS)]


def test_a_batch_whose_process_is_killed_is_drawn_again(cluster: str, network: Network, tmp_path: Path) -> None:
    found: dict[int, int] = {}
    RayIcons(workers=2, cpus=0.5).run(
        network,
        Dying(tmp_path),
        batches(),
        lambda batch, icons: found.update({int(batch.cells[0]): int(icons[0, 0, 0, 0])}),
    )
    assert (tmp_path / "died").exists()
    assert found == {cell: cell for cell in range(CELLS)}


def test_a_batch_that_kills_each_process_is_named_in_the_end(cluster: str, network: Network, tmp_path: Path) -> None:
    kept: list[int] = []
    engine = RayIcons(workers=2, cpus=0.5)
    with pytest.raises(StudyError, match=r"icons were lost again and again, the first of cell 4; the last reason: "):
        engine.run(network, Dying(tmp_path, always=True), batches(), lambda batch, _: kept.extend(batch.cells.tolist()))
    assert set(range(CELLS)) - set(kept) <= {4, 5, 6, 7, 8, 9}
    assert 4 not in kept


def fails(network: Network, batch: IconBatch) -> np.ndarray:
    raise ZeroDivisionError("the model's own fault")


def test_an_error_of_the_program_comes_through(cluster: str, network: Network) -> None:
    with pytest.raises(ZeroDivisionError, match="the model's own fault"):
        RayIcons(workers=1, cpus=0.5).run(network, fails, batches(), lambda *_: None)


def test_impossible_clusters_are_refused(cluster: str, network: Network) -> None:
    with pytest.raises(PellucidError, match="too few for 9 workers of 1 processors and 0 GPUs"):
        RayIcons(workers=9).run(network, fails, batches(), lambda *_: None)
    with pytest.raises(PellucidError, match="workers = 0 must be positive"):
        RayIcons(workers=0)
    with pytest.raises(PellucidError, match="cpus = 0 must be positive"):
        RayIcons(cpus=0)
