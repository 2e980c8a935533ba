"""The work of the command ``prepare``: it checks a data set, and writes it as shards or TFRecord files.

- ``check_frames.py`` looks for published frames that are missing, broken, swapped or shifted, ``check_pictures.py`` for
  pictures of the user's own that cannot be used. ``compared_pairs.py`` and ``alignment.py`` compare the sides of pairs.
  ``check_shards.py`` compares shards with their index. ``check_report.py`` logs the results.
- ``sequences.py`` defines a sequence to prepare, and finds those of published frames.
- ``write.py`` decodes, resizes and writes sequences, and continues where an interrupted call stopped.
- ``drawn_pairs.py`` writes the test pictures of a folder, with their drawn blur, as pairs.
- ``video_survey.py``, ``video_plan.py`` and ``averaged_frames.py`` make pairs of slow-motion video.
- ``tfrecord.py`` reads and writes TFRecord files; ``tf_example.py`` has the message in their records.
"""
