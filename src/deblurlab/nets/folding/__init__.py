"""Rows folded into channels: the same convolutions and normalisations, shaped for a TPU's matrix unit."""
