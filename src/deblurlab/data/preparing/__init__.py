"""What only the command ``prepare`` needs: checking a data set, and writing it as shards or TFRecord files.

- ``check_frames.py`` looks for frames that are missing, broken, swapped or shifted; ``alignment.py`` compares pictures.
  ``check_report.py`` tells what was found.
- ``sequences.py`` says what a sequence to prepare is, and finds those of published frames.
- ``write.py`` decodes, resizes and writes sequences, and goes on where an interrupted call stopped.
- ``drawn_pairs.py`` writes the test pictures of a folder, blurred by a draw, as pairs.
- ``tfrecord.py`` reads and writes TFRecord files; ``tf_example.py`` is the message that their records hold.
"""
