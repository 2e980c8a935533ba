"""Restores files one after the other. While the network works, the next file is read and the last one is written."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import zip_longest

from deblurlab.checks.words import three_digits
from deblurlab.pictures import Samples
from deblurlab.restoring import photos, videos
from deblurlab.restoring.jobs import Job, Remark, is_video, write_photo
from deblurlab.restoring.outcomes import Outcomes
from deblurlab.restoring.photos import Photo
from deblurlab.signals.interruption import finishing_first

# Restores the pixels of a job's picture, or of one frame of its video, to the same shape and type.
RestorePixels = Callable[[Job, Samples], Samples]


def restore_files(
    jobs: Sequence[Job], outcomes: Outcomes, restore_pixels: RestorePixels, *, quality: int | None, compare: bool
) -> None:
    """Restore pictures and videos, in their order::

        reading    a    b    c
        network         a    b    c
        writing              a    b    c

    At most three pictures are in memory. A signal that asks the process to end takes effect after the current picture.

    Args:
        jobs: The files to read and to write.
        outcomes: Decides which of them to do, and records the outcomes.
        restore_pixels: Restores a picture or a frame. It is called in this thread only.
        quality: Quality of JPEG and WebP, 1 to 100; None keeps that of a JPEG.
        compare: Also write comparisons, of pictures only.
    """
    with ThreadPoolExecutor(1, "reading") as reader, ThreadPoolExecutor(1, "writing") as writer:
        reading: dict[Job, Future[Photo]] = {}  # the next picture, if it is read already
        writing: dict[Job, Future[Remark]] = {}  # the last file, until its outcome is recorded

        def restore_file(job: Job, following: Job | None) -> Future[Remark]:
            """Restore one file. The future is done when the file is written, or has failed."""
            try:
                return (
                    _done(_restore_video(job, restore_pixels, compare=compare))
                    if is_video(job)
                    else restore_photo(job, following)
                )
            except Exception as error:
                return _done(error)

        def restore_photo(job: Job, following: Job | None) -> Future[Remark]:
            read = reading.pop(job, None) or reader.submit(photos.read, job.source)
            before = read.result()
            if following is not None and not is_video(following) and outcomes.expects(following):
                reading[following] = reader.submit(photos.read, following.source)
            after = before.with_pixels(restore_pixels(job, before.picture.pixels))
            return writer.submit(write_photo, job, before, after, quality=quality, compare=compare)

        def finish_writing() -> None:
            for job in list(writing):
                with outcomes.of(job):
                    outcomes.remark(writing.pop(job).result())

        try:
            for job, following in zip_longest(jobs, jobs[1:]):
                with finishing_first():
                    if outcomes.wants(job):
                        written = restore_file(job, following)
                        finish_writing()
                        writing[job] = written
        finally:
            finish_writing()


def _restore_video(job: Job, restore_pixels: RestorePixels, *, compare: bool) -> Remark:
    start = time.monotonic()
    frames = videos.restore(job.source, job.target, lambda pixels: restore_pixels(job, pixels))
    words = f"{frames:,} frames, {three_digits(frames / (time.monotonic() - start))} per second"
    return Remark(f"{words}; compare=true is for pictures alone" if compare else words)


def _done(outcome: Remark | Exception) -> Future[Remark]:
    """A future that is already done, with a remark or an error."""
    future: Future[Remark] = Future()
    if isinstance(outcome, Remark):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)
    return future
