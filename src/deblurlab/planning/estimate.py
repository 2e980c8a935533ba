"""Converts a compiled step's cost to seconds and images per second."""

from dataclasses import dataclass
from typing import Any

from deblurlab.planning.chips import Topology
from deblurlab.planning.compiler import Cost

# The latency of a message between neighbouring chips in seconds: the order of magnitude for TPU links.
_HOP = 1e-6


@dataclass(frozen=True)
class Estimate:
    """The cost of a training step on a slice.

    The compiler's cycles do not include the time that collectives spend on the links between chips. It is added here:
    an all-reduce of b bytes over n cores sends 2 b (n - 1) / n bytes through the links of each core, and takes a
    microsecond for each of the consecutive messages between neighbours. The model assumes that nothing overlaps, so it
    errs on the slow side.

    Attributes:
        topology: The slice for which the step was compiled.
        cost: The compiler's results.
        batch: Images per core and step.
        useful_flops: Floating point operations per core and step of the network as it is written: convolutions and
            matrix products, a multiply-add counted as two. ``cost.flops`` are the executed ones, which include products
            with the zeros of folded kernels.
    """

    topology: Topology
    cost: Cost
    batch: int
    useful_flops: float

    @property
    def core_seconds(self) -> float:
        """Seconds that a core computes in each step."""
        return self.cost.cycles / self.topology.chip.clock

    @property
    def wire_seconds(self) -> float:
        """Seconds that all-reduces spend on the links in each step."""
        share = (self.topology.cores - 1) / self.topology.cores
        sent = 2 * share * self.cost.all_reduce_bytes / self.topology.chip.link
        return sent + self.cost.all_reduces * self.topology.hops * _HOP

    @property
    def seconds(self) -> float:
        """Seconds per step."""
        return self.core_seconds + self.wire_seconds

    @property
    def bound_seconds(self) -> float:
        """Seconds of the useful FLOP at the chip's peak rate, or of the program's traffic at its full bandwidth."""
        chip = self.topology.chip
        return max(self.useful_flops / chip.peak, self.cost.hbm_bytes / chip.bandwidth)

    @property
    def images_per_second(self) -> float:
        """Training images per second of the whole slice."""
        return self.batch * self.topology.cores / self.seconds

    def as_json(self) -> dict[str, Any]:
        """The content of ``plan ... json=FILE``. Other programs read it, so the keys must not change."""
        core = {
            "flops": self.cost.flops,
            "useful_flops": self.useful_flops,
            "hbm_bytes": self.cost.hbm_bytes,
            "peak_memory_bytes": self.cost.memory_bytes,
            "estimated_cycles": self.cost.cycles,
            "estimated_seconds": self.seconds,
            "bound_seconds": self.bound_seconds,
        }
        reduces = {"all_reduces": self.cost.all_reduces, "all_reduce_bytes": self.cost.all_reduce_bytes}
        graph = {"name": "training step", **core, **reduces, "wire_seconds": self.wire_seconds}
        return {
            "topology": self.topology.name,
            "cores": self.topology.cores,
            "batch_per_core": self.batch,
            "per_core": core,
            "images_per_second": self.images_per_second,
            "graphs": [graph],
        }
