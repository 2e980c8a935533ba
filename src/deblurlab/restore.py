"""Deblur photographs and videos.

Examples:
    deblurlab restore input=photo.jpg                         # restored/photo.jpg
    deblurlab restore input=holiday output=better tta=true    # a folder and what is below it
    deblurlab restore 'input=holiday/*.png' weights=outputs/cifar10_unet16/2026-11-22_23-19-00
"""

import itertools
import logging
import sys
from collections.abc import Callable
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from deblurlab.app.command import command
from deblurlab.checks import require

if TYPE_CHECKING:
    from deblurlab.restoring.photos import Samples

log = logging.getLogger(__name__)


@command("restore")
def main(cfg: DictConfig) -> None:
    """Restore every picture and video of ``cfg.input``; name those that could not be."""
    from tqdm import tqdm

    from deblurlab.app import build
    from deblurlab.restoring import Tiling, load_restorer, photos, video
    from deblurlab.restoring.tiling import tile_count

    if cfg.quality is not None:
        require.whole_number("quality", cfg.quality, at_least=1, at_most=100)
    known = photos.SUFFIXES | video.SUFFIXES
    jobs = _jobs(str(cfg.input), Path(str(cfg.output)), known)
    tiling = Tiling(side=cfg.tile, margin=cfg.margin, blend=cfg.blend)
    restorer = load_restorer(cfg.weights, device=build.device(cfg), trust=cfg.trust)
    build.prepare(cfg, restorer)
    tile_count(1, 1, tiling, restorer.size_multiple)  # refuses tiles that do not suit the network
    refused = 0
    for number, (source, target) in enumerate(jobs, 1):
        bar = tqdm(
            desc=f"{number}/{len(jobs)} {source.name}", unit=" tiles", leave=False, disable=not sys.stderr.isatty()
        )

        def restored(pixels: "Samples", bar: Any = bar) -> "Samples":
            height, width = pixels.shape[:2]
            bar.reset(tile_count(height, width, tiling, restorer.size_multiple))
            return restorer.restore(pixels, tiling=tiling, tta=cfg.tta, on_tile=lambda: bar.update() and None)

        try:
            for written in (target, _compared(target)) if cfg.compare else (target,):
                if written.exists() and not cfg.overwrite:
                    raise ValueError(f"{written} is there already: overwrite=true replaces it.")
            with bar:
                if source.suffix.lower() in video.SUFFIXES:
                    video.restore(source, target, restored)
                else:
                    _restore_photo(source, target, restored, cfg)
            log.info(f"{source} -> {target}")
        except (ValueError, OSError) as error:
            refused += 1
            log.error(str(error))
    if refused:
        raise ValueError(f"{refused} of {len(jobs)} were not restored: see above.")


def _restore_photo(source: Path, target: Path, restored: "Callable[[Samples], Samples]", cfg: DictConfig) -> None:
    import numpy as np
    from PIL import Image

    from deblurlab.files.whole_file import whole_file
    from deblurlab.restoring import photos

    before = photos.read(source)
    after = before.with_pixels(restored(before.pixels))
    photos.write(after, target, quality=cfg.quality)
    if cfg.compare:
        sides = np.hstack([before.upright(), after.upright()])
        with whole_file(_compared(target)) as partial:
            Image.fromarray(sides).save(partial, "JPEG", quality=95)


def _compared(target: Path) -> Path:
    return target.with_name(f"{target.name}.compare.jpg")


def _suffix(file: Path) -> str:
    suffix = file.suffix.lower()
    return {".jpeg": ".jpg", ".tiff": ".tif"}.get(suffix, suffix)


def _jobs(given: str, output: Path, known: set[str]) -> list[tuple[Path, Path]]:
    """Each file to restore and the file to write; ValueError if there is none."""
    top = Path(given)
    if top.is_file():
        if output.suffix.lower() not in known:
            return [(top, output / top.name)]
        if _suffix(output) != _suffix(top):
            raise ValueError(f"output={output}: {top} keeps its format, so it must end in {top.suffix}.")
        return [(top, output)]
    if top.is_dir():
        found = sorted(file for file in top.rglob("*") if file.is_file())
    else:
        found = sorted(Path(name) for name in glob(given, recursive=True) if Path(name).is_file())  # noqa: PTH207
        top = Path(*itertools.takewhile(lambda part: not any(sign in part for sign in "*?["), top.parts[:-1]))
    if top.resolve() in output.resolve().parents:  # what an earlier call has restored
        found = [file for file in found if output.resolve() not in file.resolve().parents]
    files = [file for file in found if file.suffix.lower() in known]
    if others := [file.name for file in found if file.suffix.lower() not in known]:
        named = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
        log.info(f"left out, as they are no pictures or videos that are supported: {named}")
    if not files:
        raise ValueError(f"input={given} names no picture or video. Supported: {' '.join(sorted(known))}")
    return [(file, output / file.relative_to(top)) for file in files]


if __name__ == "__main__":
    main()
