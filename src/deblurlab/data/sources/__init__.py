"""Sources, from which pairs of pictures are read, one pair at a time.

``pair_source.py`` defines a source. The sources are:

- ``published_frames.py``: video frames as a data set's authors publish them;
- ``shard_frames.py``: the same frames, prepared as shards;
- ``picture_pairs.py``: pairs of any size;
- ``blurred_photographs.py``: the user's own sharp photographs, blurred as they are read;
- ``camera_photographs.py``: the same, with realistic camera blur in each patch;
- ``joined_source.py``: several sources as one;
- ``blank_frames.py``: black frames, for estimates without the data.

``picture_files.py`` finds picture files and matches blurred with sharp ones. ``layouts.py`` and ``listed_layouts.py``
do so in the folders of published data sets, ``own_pictures.py`` in a folder of the user's own. ``patch_grids.py``
counts the whole patches in a picture, and ``usable_pictures.py`` leaves out pictures that cannot be used.
"""
