"""Several passes at once on a processor, each of one thread with a copy of the network of its own."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import replace
from typing import TypeVar

from pellucid.networks.network import Network
from pellucid.networks.one_thread import one_thread

Given = TypeVar("Given")
Result = TypeVar("Result")
_AHEAD = 2  # pieces of work for each lane that are given before the first is taken


def copies(network: Network, count: int) -> list[Network]:
    """The network and copies of it, together so many, or it alone where it cannot be copied."""
    try:
        return [network, *(replace(network, module=deepcopy(network.module)) for _ in range(count - 1))]
    except Exception:  # a module may hold anything
        return [network]


def in_lanes(network: Network, work: Callable[[Network, Given], Result], given: Iterable[Given]) -> Iterator[Result]:
    """What `work` gives for the network and each piece, in their order.

    On a processor as many pieces are at work at once as torch has threads, with one thread each: what comes out is the
    same for any number of them. Elsewhere it is one after the other.
    """
    with one_thread(network.device) as count, ExitStack() as ending:
        lanes = copies(network, count)
        threads = [ThreadPoolExecutor(1) for _ in lanes]
        for thread in threads:
            ending.callback(thread.shutdown, cancel_futures=True)
        waiting: deque[Future[Result]] = deque()
        for number, piece in enumerate(given):
            if len(waiting) >= _AHEAD * len(lanes):
                yield waiting.popleft().result()
            lane = number % len(lanes)
            waiting.append(threads[lane].submit(work, lanes[lane], piece))
        while waiting:
            yield waiting.popleft().result()
