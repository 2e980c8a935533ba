"""Deblur photographs and videos.

Examples:
    deblurlab restore input=photo.jpg                         # restored/photo.jpg
    deblurlab restore input=holiday output=better tta=true    # a folder and what is below it
    deblurlab restore 'input=holiday/*.png' weights=outputs/cifar10_unet16/2026-11-22_23-19-00
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from deblurlab.app.command import command
from deblurlab.app.progress_bar import progress_bar
from deblurlab.checks import require

if TYPE_CHECKING:
    from tqdm import tqdm

    from deblurlab.restoring.photos import Samples

log = logging.getLogger(__name__)


@command("restore")
def main(cfg: DictConfig) -> None:
    """Restore every picture and video of ``cfg.input``, and name those that could not be restored."""
    from deblurlab.app import build
    from deblurlab.restoring import Tiling, load_restorer
    from deblurlab.restoring.jobs import find_jobs, restore_file
    from deblurlab.restoring.tiling import tile_count

    if cfg.quality is not None:
        require.whole_number("quality", cfg.quality, at_least=1, at_most=100)
    jobs = find_jobs(str(cfg.input), Path(str(cfg.output)))
    tiling = Tiling(side=cfg.tile, margin=cfg.margin, blend=cfg.blend)
    restorer = load_restorer(cfg.weights, device=build.device(cfg), trust=cfg.trust)
    build.prepare(cfg, restorer)
    tile_count(1, 1, tiling, restorer.size_multiple)  # refuses tiles that do not suit the network
    refused = 0
    for number, job in enumerate(jobs, 1):
        bar = progress_bar(f"{number}/{len(jobs)} {job.source.name}", unit="tiles", leave=False)

        def restored(pixels: "Samples", bar: "tqdm[None]" = bar) -> "Samples":
            height, width = pixels.shape[:2]
            bar.reset(tile_count(height, width, tiling, restorer.size_multiple))
            return restorer.restore(pixels, tiling=tiling, tta=cfg.tta, on_tile=lambda: bar.update() and None)

        try:
            with bar:
                restore_file(job, restored, quality=cfg.quality, compare=cfg.compare, overwrite=cfg.overwrite)
            log.info(f"{job.source} -> {job.target}")
        except (ValueError, OSError) as error:
            refused += 1
            log.error(str(error))
    if refused:
        raise ValueError(f"{refused} of {len(jobs)} were not restored: see above.")


if __name__ == "__main__":
    main()
