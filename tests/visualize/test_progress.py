"""What goes through images shows how far it has come, if that is wanted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
import torch

from painters import random_images
from pellucid.visualize.responses import count_of
from pellucid.visualize.spectrum import unit_spectrum
from pellucid.visualize.starts import cluster_starts, facets
from small import small_network

IMAGES = random_images(12, 3, (16, 16)).float()


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The total of every bar that is shown, and what it was moved by."""
    found: list[list[int]] = []

    @contextmanager
    def bar(_description: str, total: int, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
        moved = [total]
        if shown:
            found.append(moved)
        yield moved.append

    for module in ("spectrum", "starts", "render"):
        monkeypatch.setattr(import_module(f"pellucid.visualize.{module}"), "progress_bar", bar)
    return found


@pytest.mark.parametrize("method", [cluster_starts, facets])
def test_starts_have_a_bar(method, bars: list[list[int]]) -> None:
    options = {"clusters": 2, "top": 8, "batch": 5}
    method(small_network(), "conv3", "conv3:1", IMAGES, **options)
    assert bars == []
    method(small_network(), "conv3", "conv3:1", IMAGES, **options, progress=True)
    assert bars == [[12, 5, 5, 2]]


def test_a_spectrum_has_a_bar_for_images_and_one_for_each_direction(bars: list[list[int]]) -> None:
    unit_spectrum(small_network(), "conv3:1", IMAGES, count=2, steps=2, batch=8)
    assert bars == []
    unit_spectrum(small_network(), "conv3:1", IMAGES, count=2, steps=2, batch=8, progress=True)
    assert bars == [[12, 8, 4], [2, 1, 1], [2, 1, 1]]


def test_images_are_counted_where_they_can_be() -> None:
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(IMAGES), batch_size=5)
    assert [count_of(given) for given in (IMAGES, [IMAGES, IMAGES[:3]], loader)] == [12, 15, 12]
    assert count_of(batch for batch in [IMAGES]) == 0
    assert count_of([(IMAGES, 1)]) == 0
