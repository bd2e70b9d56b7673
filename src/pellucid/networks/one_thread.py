"""How many threads a network's pass takes on a processor."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread(device: torch.device) -> Iterator[int]:
    """A block in which each pass on a processor takes one thread; gives how many passes there may be at once.

    What a convolution rounds to depends on the number of its threads. With one for each pass the numbers are the same
    on every machine of a kind, and several passes at once get more done than one pass on several threads.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu":
        yield 1
        return
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)
