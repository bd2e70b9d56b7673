"""Several passes at once on a processor."""

import threading

import pytest
import torch
from torch import Tensor, nn

from pellucid.networks import Network, wrap
from pellucid.networks.lanes import copies, in_lanes


@pytest.fixture
def network() -> Network:
    return wrap(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten()), size=(8, 8))


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_results_come_in_order_from_copies_of_one_thread(network: Network) -> None:
    pictures = list(torch.rand(11, 1, 3, 8, 8))
    seen: set[int] = set()

    def work(lane: Network, picture: Tensor) -> Tensor:
        assert torch.get_num_threads() == 1
        seen.add(id(lane.module))
        return lane(picture)

    with torch.no_grad():
        found = list(in_lanes(network, work, pictures))
        assert all(torch.equal(one, network(picture)) for one, picture in zip(found, pictures, strict=True))
    assert id(network.module) in seen
    assert len(seen) == 3
    assert torch.get_num_threads() == 3


def test_a_network_that_cannot_be_copied_runs_alone(network: Network) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())
    module.lock = threading.Lock()  # type: ignore[assignment]
    assert [one.module for one in copies(wrap(module, size=(8, 8)), 3)] == [module]
    assert len({id(one.module) for one in copies(network, 3)}) == 3


def test_what_goes_wrong_comes_through_and_ends_the_rest(network: Network) -> None:
    def work(lane: Network, number: int) -> int:
        if number == 4:
            raise ValueError("four")
        return number

    found = []
    with pytest.raises(ValueError, match="four"):
        found.extend(in_lanes(network, work, range(10)))
    assert torch.get_num_threads() == 3


def test_little_is_taken_ahead(network: Network) -> None:
    taken = []

    def pieces():
        for number in range(40):
            taken.append(number)
            yield number

    results = in_lanes(network, lambda _, number: number, pieces())
    assert next(results) == 0
    assert len(taken) <= 7
    assert list(results) == list(range(1, 40))
