"""What a training step would cost on a TPU that is not at hand, according to the TPU compiler.

``compiler`` compiles a traced step for a slice of ``chips``, ``estimate`` turns the compiler's cycles into seconds, and
``largest_batch`` and ``table`` use the estimates. The step itself comes from ``deblurlab.backends.xla.trace``.
"""
