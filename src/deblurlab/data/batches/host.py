"""Which part of a batch one process makes where several processes train one model."""

from typing import NamedTuple


class Host(NamedTuple):
    """One of several processes that share each batch; Lightning's words for it are global rank and world size.

    Attributes:
        rank: The number of this process, from 0.
        hosts: How many processes there are.
    """

    rank: int = 0
    hosts: int = 1

    def share(self, batch_size: int) -> int:
        """How many rows of a batch of ``batch_size`` this host makes.

        Raises:
            ValueError: if the hosts cannot have equal shares.
        """
        if batch_size % self.hosts:
            raise ValueError(
                f"data.batch_size={batch_size} cannot be split over {self.hosts} processes: make it a multiple of "
                f"{self.hosts}."
            )
        return batch_size // self.hosts

    def rows(self, batch_size: int) -> slice:
        """Which rows of a batch of ``batch_size`` these are: the hosts' shares lie one after the other."""
        share = self.share(batch_size)
        return slice(self.rank * share, (self.rank + 1) * share)
