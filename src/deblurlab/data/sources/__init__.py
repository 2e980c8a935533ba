"""Where pairs of pictures are read from, one pair at a time.

``pair_source.py`` says what a source is. The sources are:

- ``published_frames.py``: video frames as a data set's authors publish them;
- ``shard_frames.py``: the same frames, prepared as shards;
- ``picture_pairs.py``: the user's own pairs, of any size;
- ``blurred_photographs.py``: the user's own sharp photographs, blurred as they are read;
- ``joined_source.py``: several sources as one.

``picture_files.py`` finds picture files and matches blurred with sharp ones. ``layouts.py`` does so where the files lie
as a data set's authors publish them, ``own_pictures.py`` where they lie in a folder of the user's own.
``patch_grids.py`` tells how many whole patches a picture holds.
"""
