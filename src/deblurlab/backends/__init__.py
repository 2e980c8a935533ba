"""Where a run computes: one device, or all cores of a TPU through XLA."""
