"""Prepared frames: Parquet shards, the storage they lie in, and the local cache of a bucket."""
