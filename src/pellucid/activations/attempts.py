"""Counting attempts, for what the process that tries it may not survive. It loads nothing, and so may any process."""


class Attempts:
    """How often the shards of a harvest were begun, counted outside of the processes that do them.

    One that its process dies of would otherwise be begun for ever.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._begun: dict[tuple[str, int], int] = {}

    def begin(self, what: str, shard: int) -> bool:
        """Whether a shard may be begun, which counts as an attempt."""
        self._begun[what, shard] = self._begun.get((what, shard), 0) + 1
        return self._begun[what, shard] <= self._most
