"""What all tests share."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch

import pellucid
from commands import pellucid_command
from photographs import real_photographs

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever uses the shared data is marked so: `-m "not shared_data"` leaves those out."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker("shared_data")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of photographs and figures' data beside the project, or wherever PELLUCID_SHARED_DATA says."""
    folder = Path(os.environ.get("PELLUCID_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the shared data are absent: no folder {folder}; PELLUCID_SHARED_DATA may name another")
    return folder


@pytest.fixture(autouse=True)
def _seeds() -> None:
    # For what a test itself draws from a global generator; the package never does.
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def lite0() -> pellucid.Network:
    """EfficientNet-Lite0 with its real weights."""
    return pellucid.load("efficientnet_lite0")


@pytest.fixture(scope="session")
def real_atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with an atlas of the real network and two real photographs, made by one command."""
    folder = tmp_path_factory.mktemp("real")
    ended = pellucid_command(
        "atlas", "--images", real_photographs(folder / "images"), "-o", folder / "study", "--crops", "1,0.6,0.4",
        "--positions", 8, "--grids", "3,6", "--min-count", 5, "--neighbors", 15, "--steps", 64,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "look at it: pellucid serve" in ended.stdout
    return folder / "study"
