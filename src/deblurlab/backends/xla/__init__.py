"""Training on XLA devices: TPU cores, or virtual devices of the CPU that run the same code.

This is the only folder that imports torch_xla. Importing the package itself does not: :class:`XLA` imports torch_xla
when a device is requested.
"""

from deblurlab.backends.xla.installation import quiet, require_torch_xla, tpu_found
from deblurlab.backends.xla.xla_backend import XLA, spmd_strategy

__all__ = ["XLA", "quiet", "require_torch_xla", "spmd_strategy", "tpu_found"]
