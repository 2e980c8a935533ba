"""Deblur photographs and videos.

Examples:
    deblurlab restore input=photo.jpg                         # restored/photo.jpg
    deblurlab restore input=holiday output=better tta=true    # a folder and what is below it
    deblurlab restore input=holiday existing=skip             # goes on after an interruption
    deblurlab restore 'input=holiday/*.png' weights=outputs/cifar10_unet16/2026-11-22_23-19-00
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from omegaconf import DictConfig

from deblurlab.app.command import command
from deblurlab.app.progress_bar import progress_bar
from deblurlab.checks import require
from deblurlab.signals.interruption import finishing_first

if TYPE_CHECKING:
    from tqdm import tqdm

    from deblurlab.pictures import Samples
    from deblurlab.restoring.outcomes import Existing

log = logging.getLogger(__name__)


@command("restore")
def main(cfg: DictConfig) -> None:
    """Restore every picture and video of ``cfg.input``, and name those that could not be restored."""
    from deblurlab.app import build
    from deblurlab.restoring import Tiling, load_restorer
    from deblurlab.restoring.jobs import find_jobs, restore_file
    from deblurlab.restoring.outcomes import Outcomes
    from deblurlab.restoring.tiling import tile_count

    if cfg.quality is not None:
        require.whole_number("quality", cfg.quality, at_least=1, at_most=100)
    existing = _existing(cfg)
    jobs = find_jobs(str(cfg.input), Path(str(cfg.output)))
    tiling = Tiling(side=cfg.tile, margin=cfg.margin, blend=cfg.blend)
    restorer = load_restorer(cfg.weights, device=build.device(cfg), trust=cfg.trust, window=cfg.window)
    build.prepare(cfg, restorer)
    tile_count(1, 1, tiling, restorer.size_multiple)  # refuses tiles that do not suit the network
    outcomes = Outcomes(jobs, compare=cfg.compare, existing=existing)
    for number, job in enumerate(jobs, 1):
        bar = progress_bar(f"{number}/{len(jobs)} {job.source.name}", unit="tiles", leave=False)

        def restored(pixels: "Samples", bar: "tqdm[None]" = bar) -> "Samples":
            height, width = pixels.shape[:2]
            bar.reset(tile_count(height, width, tiling, restorer.size_multiple))
            return restorer.restore(pixels, tiling=tiling, tta=cfg.tta, on_tile=lambda: bar.update() and None)

        with finishing_first(), outcomes.of(job) as wanted, bar:
            if wanted:
                restore_file(job, restored, quality=cfg.quality, compare=cfg.compare)
    outcomes.tell()


def _existing(cfg: DictConfig) -> "Existing":
    """What becomes of files that exist: ``cfg.existing``, or what its former name ``cfg.overwrite`` says."""
    from deblurlab.restoring.outcomes import Existing

    require.one_of("existing", cfg.existing, get_args(Existing))
    if cfg.overwrite and cfg.existing == "skip":
        raise ValueError("overwrite=true and existing=skip contradict each other: the first is existing=overwrite.")
    existing: Existing = "overwrite" if cfg.overwrite else cfg.existing
    return existing


if __name__ == "__main__":
    main()
