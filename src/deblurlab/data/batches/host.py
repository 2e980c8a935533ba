"""The part of a batch that one process makes when several processes train one model."""

from typing import NamedTuple


class Host(NamedTuple):
    """One of several processes that share each batch.

    Attributes:
        rank: The number of this process, from 0; Lightning's global rank.
        hosts: The number of processes; Lightning's world size.
    """

    rank: int = 0
    hosts: int = 1

    def share(self, batch_size: int) -> int:
        """The number of rows that this host makes of a batch of ``batch_size``.

        Raises:
            ValueError: If the hosts cannot have equal shares.
        """
        if batch_size % self.hosts:
            raise ValueError(
                f"data.batch_size={batch_size} cannot be split over {self.hosts} processes: make it a multiple of "
                f"{self.hosts}."
            )
        return batch_size // self.hosts

    def rows(self, batch_size: int) -> slice:
        """The rows that this host makes of a batch of ``batch_size``: the shares follow the order of the ranks."""
        share = self.share(batch_size)
        return slice(self.rank * share, (self.rank + 1) * share)
