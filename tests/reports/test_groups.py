"""Which runs are one group, and how labels tell groups apart."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from deblurlab.reports.groups import group_runs
from deblurlab.reports.reported_run import find_runs
from tests.reports.made_up import grouped, made_up


def test_seeds_are_one_group_and_settings_are_told_apart(tmp_path: Path) -> None:
    made_up(tmp_path / "sweep/a", ssim=0.8, seed=1)
    made_up(tmp_path / "sweep/b", ssim=0.9, seed=2)
    made_up(tmp_path / "long", ssim=None, trainer={"max_epochs": 9})
    groups = grouped(tmp_path / "sweep", tmp_path / "long")
    assert [group.label for group in groups] == ["UNet16 (2 epochs)", "UNet16 (epoch 2 of 9)"]
    assert groups[0].scores("restored")["ssim"] == pytest.approx((0.85, 0.1 / 2**0.5))
    assert groups[1].scores("restored") == {}
    assert groups[1].runs[0].state == "unfinished: epoch 2 of 9"


def test_a_square_patch_is_one_setting_in_both_its_spellings(tmp_path: Path) -> None:
    for seed, patch in enumerate((32, [32, 32], [32, 48])):
        data = {"root": "mine", "patch": patch}
        made_up(tmp_path / f"{seed}", ssim=0.8, seed=seed, data_name="folder", data=data)
    groups = group_runs(find_runs([str(tmp_path)]))["Pictures in mine"]
    assert sorted(len(group.runs) for group in groups) == [1, 2]


def test_a_wgan_s_seeds_are_one_group_too(tmp_path: Path) -> None:
    for seed in (1, 2):
        made_up(tmp_path / str(seed), ssim=0.8, seed=seed)
        config = OmegaConf.load(tmp_path / str(seed) / ".hydra/config.yaml")
        config.model.seed = seed
        OmegaConf.save(config, tmp_path / str(seed) / ".hydra/config.yaml")
    assert len(grouped(tmp_path)) == 1


def test_values_that_read_alike_are_told_apart(tmp_path: Path) -> None:
    for name, target, clip in (("a", "mine.Loss", None), ("b", "theirs.Loss", None), ("c", "mine.Loss", False)):
        model = {"loss": {"_target_": target}}
        made_up(tmp_path / name, ssim=0.8, model_keys=model, trainer={"gradient_clip_val": clip})
    assert [group.label for group in grouped(tmp_path)] == [
        "UNet16 (trainer.gradient_clip_val false)",
        'UNet16 (trainer.gradient_clip_val null, model.loss._target_ "mine.Loss")',
        'UNet16 (trainer.gradient_clip_val null, model.loss._target_ "theirs.Loss")',
    ]


def test_other_classes_are_told_apart_by_their_names(tmp_path: Path) -> None:
    losses = {"a": {"_target_": "mine.Weighted", "weight": 2.0}, "b": {"_target_": "deblurlab.losses.L1"}}
    losses["c"] = {"_target_": "mine.Weighted", "weight": 3.0}
    for name, loss in losses.items():
        made_up(tmp_path / name, ssim=0.8)
        config = OmegaConf.load(tmp_path / name / ".hydra/config.yaml")
        config.model.loss = loss
        OmegaConf.save(config, tmp_path / name / ".hydra/config.yaml")
    assert [group.label for group in grouped(tmp_path)] == [
        "UNet16 (loss L1)",
        "UNet16 (weight 2.0, loss Weighted)",
        "UNet16 (weight 3.0, loss Weighted)",
    ]


def test_labels_tell_any_two_groups_apart(tmp_path: Path) -> None:
    wide, low = {"sigma_range": [0, 3]}, {"sigma_range": [0, 2]}
    for name, rate, data in (("a", 1e-3, wide), ("b", 1e-3, low), ("c", 1e-2, wide)):
        made_up(tmp_path / name, ssim=0.8, data=data)
        config = OmegaConf.load(tmp_path / name / ".hydra/config.yaml")
        config.model.optimizer.lr = rate
        OmegaConf.save(config, tmp_path / name / ".hydra/config.yaml")
    averaged = {"ema": {"_target_": "EMA", "decay": 0.99}}
    made_up(tmp_path / "d", ssim=0.8, data=wide, callbacks=averaged | {"panel": {"images": 3}})
    labels = [group.label for group in grouped(tmp_path)]
    assert len(set(labels)) == 4, labels
