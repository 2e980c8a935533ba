"""Which patches make which batch of an epoch, and the loaders that read them."""
