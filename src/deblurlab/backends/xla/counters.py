"""XLA's counters in this process since its start."""

from collections import Counter

import torch_xla.debug.metrics as xla_metrics


def compiled() -> tuple[int, float]:
    """The number of graphs that were compiled, and the seconds that this took."""
    data = xla_metrics.metric_data("CompileTime")
    return (int(data[0]), data[1] / 1e9) if data else (0, 0.0)


def transfers() -> int:
    """The number of transfers from the devices to the host."""
    data = xla_metrics.metric_data("TransferFromDeviceTime")
    return int(data[0]) if data else 0


def fallbacks() -> dict[str, int]:
    """How often each operation that XLA does not know, ``aten::...``, ran on the host instead."""
    names = (name for name in xla_metrics.counter_names() if name.startswith("aten::"))
    return {name: xla_metrics.counter_value(name) for name in names if name != "aten::_local_scalar_dense"}  # item()


def operations() -> Counter[str]:
    """How often each operation that XLA knows, ``xla::...``, was traced."""
    names = (name for name in xla_metrics.counter_names() if name.startswith("xla::"))
    return Counter({name: xla_metrics.counter_value(name) for name in names})
