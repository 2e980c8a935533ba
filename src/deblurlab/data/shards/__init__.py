"""Prepared frames: shards, the storage they lie in, and the local cache of a bucket.

A shard is a Parquet file with all frames of one sequence, already resized. Each frame pair has its own row group, so
that it can be read alone. ``index.json`` lists all shards of a data set. It is written last: if it exists, all shards
do.

- ``shard_rows.py``: a frame pair as a row of a shard, encoded without loss.
- ``index.py``: the index and its JSON.
- ``storage.py``: files in a folder or in a bucket.
- ``cache.py``: local copies of a bucket's shards.
- ``waiting.py``: new tries when the network fails.
"""
