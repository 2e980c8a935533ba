"""Videos, restored frame by frame. They need PyAV, the extra ``video``.

:func:`restore` writes a video as its source was, with new pixels: the times of picture and sound, rotation, shape of
the pixels, colours, titles, date, place, chapters and subtitles, as far as the file's format can hold them. What it
cannot hold is named in the log.
"""

from deblurlab.restoring.videos.containers import SUFFIXES, find_videos
from deblurlab.restoring.videos.writing_video import restore

__all__ = ["SUFFIXES", "find_videos", "restore"]
