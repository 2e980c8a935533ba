"""Deblur photographs and videos.

Examples:
    deblurlab restore input=photo.jpg                         # restored/photo.jpg
    deblurlab restore input=holiday output=better tta=true    # a folder and what is below it
    deblurlab restore input=holiday existing=skip             # continues after an interruption
    deblurlab restore 'input=holiday/*.png' weights=outputs/cifar10_unet16/2026-11-22_23-19-00
"""

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from omegaconf import DictConfig

from deblurlab.app.command import command
from deblurlab.app.progress_bar import progress_bar
from deblurlab.checks import require

if TYPE_CHECKING:
    from deblurlab.pictures import Samples
    from deblurlab.restoring import Tiling
    from deblurlab.restoring.jobs import Job
    from deblurlab.restoring.outcomes import Existing

log = logging.getLogger(__name__)


@command("restore")
def main(cfg: DictConfig) -> None:
    """Restore every picture and video of ``cfg.input``, and name those that could not be restored."""
    from deblurlab.app import devices
    from deblurlab.files.whole_file import require_writable
    from deblurlab.restoring import load_restorer
    from deblurlab.restoring.form import require_precision
    from deblurlab.restoring.jobs import find_jobs
    from deblurlab.restoring.outcomes import Outcomes
    from deblurlab.restoring.pipeline import restore_files

    if cfg.quality is not None:
        require.whole_number("quality", cfg.quality, at_least=1, at_most=100)
    if cfg.memory is not None:
        require.whole_number("memory", cfg.memory, of="MiB", at_least=1)
    require_precision(cfg.precision)
    existing, tiling = _existing(cfg), _tiling(cfg)
    jobs = find_jobs(str(cfg.input), Path(str(cfg.output)))
    require_writable(jobs[0].target.parent)
    restorer = load_restorer(cfg.weights, device=devices.device(cfg), trust=cfg.trust, window=cfg.window)
    devices.prepare(cfg, restorer)
    restorer.cut(1, 1, tiling=tiling)  # refuses tiles that do not suit the network
    outcomes = Outcomes(jobs, compare=cfg.compare, existing=existing)
    numbers, begin, pixels_done = {job: number for number, job in enumerate(jobs, 1)}, time.perf_counter(), 0

    def restored(job: "Job", pixels: "Samples") -> "Samples":
        nonlocal pixels_done
        height, width = pixels.shape[:2]
        cut = restorer.cut(height, width, tiling=tiling, memory=cfg.memory)
        title = f"{numbers[job]}/{len(jobs)} {job.source.name}"
        with progress_bar(title, unit="tiles", total=cut.count, leave=False) as bar:
            result = restorer.restore(
                pixels,
                tiling=tiling,
                memory=cfg.memory,
                precision=cfg.precision,
                tta=cfg.tta,
                on_tile=bar.update,
            )
        pixels_done += height * width
        return result

    restore_files(jobs, outcomes, restored, quality=cfg.quality, compare=cfg.compare)
    if pixels_done:
        megapixels, seconds = pixels_done / 1e6, time.perf_counter() - begin
        log.info(f"{megapixels:.2f} megapixels in {seconds:.1f} s: {megapixels / seconds:.3f} megapixels per second")
    outcomes.tell()


def _tiling(cfg: DictConfig) -> "Tiling | None":
    """The tiling that ``tile``, ``margin`` and ``blend`` describe; None if none of them is given."""
    from deblurlab.restoring import Tiling

    given = {name: cfg[key] for name, key in (("side", "tile"), ("margin", "margin"), ("blend", "blend"))}
    asked = {name: value for name, value in given.items() if value is not None}
    return Tiling(**asked) if asked else None


def _existing(cfg: DictConfig) -> "Existing":
    """How to treat files that exist: ``cfg.existing``, or "overwrite" if the older key ``cfg.overwrite`` is true."""
    from deblurlab.restoring.outcomes import Existing

    require.one_of("existing", cfg.existing, get_args(Existing))
    if cfg.overwrite and cfg.existing == "skip":
        raise ValueError("overwrite=true and existing=skip contradict each other: the first is existing=overwrite.")
    existing: Existing = "overwrite" if cfg.overwrite else cfg.existing
    return existing


if __name__ == "__main__":
    main()
