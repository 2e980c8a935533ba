"""Folders of runs that are made up, for the tests of the report's tables and plots."""

import json
from pathlib import Path

from omegaconf import OmegaConf

from deblurlab.reports.groups import group_runs
from deblurlab.reports.reported_run import find_runs

SCORES = {"loss": 1e-3, "ssim": 0.9, "psnr": 30.0, "mse": 2e-3, "mae": 3e-2, "infinite_psnr": 0}


def made_up(
    folder: Path,
    *,
    ssim: float | None,
    seed: int = 0,
    model: str = "unet16",
    images: int = 10_000,
    data_name: str = "cifar10",
    model_keys: dict[str, object] | None = None,
    **settings: object,
) -> Path:
    """A run's folder without a network: configuration, two epochs, and test scores unless ``ssim`` is None."""
    config = {
        "seed": seed,
        "data": {"root": "nowhere", "batch_size": 8},
        "model": {"optimizer": {"lr": 1e-3}, **(model_keys or {})},
        "trainer": {"max_epochs": 2, "limit_test_batches": 1.0, "fast_dev_run": False, "accelerator": "cpu"},
    }
    (folder / ".hydra").mkdir(parents=True)
    OmegaConf.save(OmegaConf.merge(config, settings), folder / ".hydra/config.yaml")
    choices = {"hydra": {"runtime": {"choices": {"model": model, "data": data_name}}}}
    OmegaConf.save(choices, folder / ".hydra/hydra.yaml")
    (folder / "metrics.csv").write_text(
        f"epoch,step,batches,seconds,val/ssim,val/psnr\n1,60,10,2.0,{0.5 + seed / 10},20\n2,120,20,4.0,0.75,22\n"
    )
    if ssim is not None:
        result = {"data": "cifar10", "split": "test", "images": images}
        result |= {"restored": SCORES | {"ssim": ssim}, "blurred": SCORES | {"ssim": 0.7}}
        (folder / "metrics.json").write_text(json.dumps(result))
    return folder


def grouped(*folders: Path) -> list:
    return group_runs(find_runs([str(folder) for folder in folders]))["CIFAR-10"]
