"""Export a trained network for another runtime, and check it by running it there.

Examples:
    deblurlab export                                                     # photographs.onnx
    deblurlab export weights=outputs/cifar10_unet16/... format=torch_export
    deblurlab export format=stablehlo 'size=[288,512]'
"""

import logging
from pathlib import Path
from typing import get_args

from omegaconf import DictConfig, ListConfig

from deblurlab.app.command import command
from deblurlab.checks import require

log = logging.getLogger(__name__)


@command("export")
def main(cfg: DictConfig) -> None:
    """Export the network, run the exported file, and report its largest difference from the network."""
    from deblurlab.backends import xla
    from deblurlab.restoring import export_formats, load_restorer
    from deblurlab.run import weights

    require.one_of("format", cfg.format, get_args(export_formats.Format))
    if not isinstance(cfg.size, ListConfig) or len(cfg.size) != 2:
        raise ValueError(f"size must be [height,width], got {cfg.size}.")
    xla.quiet()
    chosen = weights.load(cfg.weights)
    restorer = load_restorer(chosen, device="cpu", trust=cfg.trust, window=cfg.window)
    target = _target(Path(str(cfg.output)), chosen.title, cfg)
    target.parent.mkdir(parents=True, exist_ok=True)
    log.info(f"{chosen.title}: PyTorch traces the network and writes {target}, which can take minutes")
    if cfg.format == "stablehlo":
        height, width = cfg.size
        run = export_formats.stablehlo(restorer, target, size=(height, width))
        sizes = [(height, width)]
    else:
        run = (export_formats.onnx if cfg.format == "onnx" else export_formats.torch_export)(restorer, target)
        multiple = restorer.size_multiple
        sizes = [(6 * multiple, 9 * multiple), (13 * multiple, 5 * multiple)]
        sides = f" that are multiples of {multiple}" if multiple > 1 else ""
        log.info(
            f"{target} takes one RGB image, (1, 3, height, width) of float32 in [0, 1], any height and width{sides}; "
            "clip what it returns to [0, 1]"
        )
    for size in sizes:
        error = export_formats.difference(run, restorer, size)
        log.info(f"{target} at {size[0]}x{size[1]}: differs from the network by at most {error:.1e}")


def _target(output: Path, title: str, cfg: DictConfig) -> Path:
    """The file or folder to write: ``output`` if it has the suffix of the format, otherwise a path in that folder.

    Raises:
        ValueError: If ``output`` has the suffix of another format.
    """
    suffix = {"onnx": ".onnx", "torch_export": ".pt2"}.get(cfg.format, "")
    if output.suffix in (".onnx", ".pt2") and not output.is_dir():
        if output.suffix != suffix:
            fix = f"output=FILE{suffix} or a folder" if suffix else "a folder"
            raise ValueError(f"output={output}: format={cfg.format} writes no {output.suffix} file: give {fix}.")
        return output
    if cfg.format == "stablehlo":
        height, width = cfg.size
        return output / f"{title}_{height}x{width}_stablehlo"
    return output / f"{title}{suffix}"


if __name__ == "__main__":
    main()
