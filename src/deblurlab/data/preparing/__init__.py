"""What only the command ``prepare`` needs: checking a data set and writing shards or TFRecord files."""
