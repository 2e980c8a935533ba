"""Restores videos frame by frame. This needs PyAV, the extra ``video``.

:func:`restore` keeps all else of the source: the times of picture and sound, rotation, pixel aspect ratio, colour
space, titles, date, place, chapters and subtitles, as far as the file's format can hold them. The log lists what it
cannot hold.
"""

from deblurlab.restoring.videos.containers import SUFFIXES, find_videos
from deblurlab.restoring.videos.writing_video import restore

__all__ = ["SUFFIXES", "find_videos", "restore"]
