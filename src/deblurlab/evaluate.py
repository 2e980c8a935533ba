"""``python -m deblurlab.evaluate run=FOLDER``: score a finished run, on its own data set or on another.

Examples:
    python -m deblurlab.evaluate run=outputs/cifar10_unet16/2026-11-22_23-19-00
    python -m deblurlab.evaluate run=... data=sample
    python -m deblurlab.evaluate run=... data.root=/another/copy/of/cifar10 ckpt_path=last
"""

import logging
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from deblurlab.command import command
from deblurlab.runs import checkpoint_file, load_run

log = logging.getLogger(__name__)


@command("evaluate")
def main(cfg: DictConfig) -> float:
    """Test the run's network; write metrics.json, metrics.csv and panel.png; returns the mean SSIM."""
    from deblurlab import build, results
    from deblurlab.callbacks import PerImage
    from deblurlab.checkpoint import load_weights
    from deblurlab.data.module import Evaluable

    run, folder = load_run(cfg.run), Path(cfg.output)
    chosen = OmegaConf.to_container(cfg.data)
    assert isinstance(chosen, dict)
    given = {key: value for key, value in chosen.items() if value is not None}
    run.config.data = given if "_target_" in given else OmegaConf.merge(run.config.data, given)
    checkpoint = checkpoint_file(cfg.ckpt_path, Path(cfg.run))
    per_image = PerImage()
    data, task, trainer = build.data(run.config), build.task(run.config), build.trainer(cfg, per_image)
    assert isinstance(data, Evaluable)
    load_weights(task, checkpoint)
    log.info(f"{checkpoint} on {folder.name}, {trainer.strategy.root_device}, {trainer.precision}")
    trainer.test(task, datamodule=data, verbose=False)

    result = results.summary(trainer.callback_metrics, data=folder.name, split="test")
    results.write(result, folder / "metrics.json")
    results.write_per_image(per_image.scores, data.labels("test"), folder / "metrics.csv")
    results.draw_extremes(per_image.scores, task, data, folder / "panel.png")
    results.show(result, run.model)
    log.info(f"metrics.json, metrics.csv (a row an image) and panel.png are in {folder}")
    return float(result["restored"]["ssim"])


if __name__ == "__main__":
    main()
