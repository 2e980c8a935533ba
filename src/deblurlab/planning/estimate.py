"""From a compiled step's cost to seconds, images a second and hours."""

from dataclasses import dataclass
from typing import Any

from deblurlab.planning.chips import Topology
from deblurlab.planning.compiler import Cost

# What one message between neighbouring chips takes however short it is; the order of magnitude of a TPU's links.
_HOP = 1e-6


@dataclass(frozen=True)
class Estimate:
    """A training step on a slice.

    The compiler's cycles leave out what collectives spend on the wire. That is added here: an all-reduce of
    b bytes over n cores sends 2 b (n - 1) / n through the links of a core and takes as many microseconds as
    it has neighbour to neighbour steps. Nothing overlaps in this model, so it errs on the slow side.

    Attributes:
        topology, cost: what was compiled, and what that gave.
        batch: images a core and step.
    """

    topology: Topology
    cost: Cost
    batch: int

    @property
    def core_seconds(self) -> float:
        return self.cost.cycles / self.topology.chip.clock

    @property
    def wire_seconds(self) -> float:
        share = (self.topology.cores - 1) / self.topology.cores
        sent = 2 * share * self.cost.all_reduce_bytes / self.topology.chip.link
        return sent + self.cost.all_reduces * self.topology.steps * _HOP

    @property
    def seconds(self) -> float:
        """Of a whole step."""
        return self.core_seconds + self.wire_seconds

    @property
    def bound_seconds(self) -> float:
        """What the chip's peak FLOP rate and its memory's bandwidth alone would take."""
        chip = self.topology.chip
        return max(self.cost.flops / chip.peak, self.cost.hbm_bytes / chip.bandwidth)

    @property
    def images_per_second(self) -> float:
        return self.batch * self.topology.cores / self.seconds

    def as_json(self) -> dict[str, Any]:
        """See DESIGN, "What others rely on"."""
        core = {
            "flops": self.cost.flops,
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
