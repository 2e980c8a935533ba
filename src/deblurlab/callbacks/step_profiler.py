"""A profile of a training that fits on a screen: how much time each part of a step takes."""

import logging
from collections import defaultdict
from collections.abc import Iterator

from lightning.pytorch.profilers import SimpleProfiler

log = logging.getLogger(__name__)

# The title of each line, and the end of the names of Lightning's actions that belong to it (of callbacks, the start).
_LINES = {
    "waiting for a batch": ".train_dataloader_next",
    "to the device": ".batch_to_device",
    "blur, flips and scaling": ".on_after_batch_transfer",
    "forward and loss": ".training_step",
    "backward": ".backward",
    "validation batches": ".validation_step",
    "test batches": ".test_step",
    "callbacks": "[Callback]",
}


class StepProfiler(SimpleProfiler):
    """Logs at the end of a training and of a test how often each part of it ran and how long it took.

    Lightning's own table has a line for each hook of each callback, some two hundred. Some parts contain others, so the
    times do not add up. On a GPU, PyTorch returns before the work is done; the time counts for the part that waits for
    it.
    """

    def __init__(self) -> None:
        super().__init__(extended=False)

    def summary(self) -> str:
        """A table with one line per part that ran."""
        lines = [f"{'':<26}{'times':>8}{'ms each':>10}{'seconds':>10}"]
        for title, durations in self._parts():
            seconds = sum(durations)
            lines.append(f"{title:<26}{len(durations):>8,}{1000 * seconds / len(durations):>10.1f}{seconds:>10.1f}")
        return "\n".join(lines)

    def describe(self) -> None:
        """Log the table, and start a new one: that of the test does not include the training."""
        log.info(self.summary())
        self.recorded_durations.clear()

    def _parts(self) -> Iterator[tuple[str, list[float]]]:
        found: dict[str, list[float]] = defaultdict(list)
        for action, durations in self.recorded_durations.items():
            for title, part in _LINES.items():
                if action.startswith(part) if part.startswith("[") else action.endswith(part):
                    found[title] += durations
        yield from ((title, found[title]) for title in _LINES if title in found)
