"""What a training step would cost on TPUs that are not at hand, asked of the TPU compiler."""
