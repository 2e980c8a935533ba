"""Estimates what a training step would cost on a TPU, without a TPU, by means of the TPU compiler.

``compiler`` compiles a traced step for a slice of ``chips``, ``estimate`` converts the compiler's cycles to seconds,
and ``largest_batch`` and ``table`` use the estimates. ``hlo_text`` reads the compiler's output. The step itself comes
from ``deblurlab.backends.xla.trace``.
"""
