"""The signature is the schema: what a class takes can be set, listed or not, and nothing else can."""

from functools import partial

import pytest
from omegaconf import DictConfig, OmegaConf

from deblurlab.app import build
from deblurlab.app.arguments import check_arguments
from deblurlab.backends import DeviceSettings
from tests.composing import configuration

composed = partial(configuration, "train", "run=run")


@pytest.mark.parametrize("sign", ["", "+", "++"])
def test_an_argument_that_no_file_lists_needs_no_sign_before_it(sign: str) -> None:
    set_here = {"trainer.max_time": "00:00:20:00", "model.network.residual": True, "model.optimizer.weight_decay": 0.1}
    cfg = composed(*(f"{sign}{key}={value}" for key, value in set_here.items()))
    assert {key: OmegaConf.select(cfg, key) for key in set_here} == set_here
    build.check_groups(cfg)


def test_options_of_a_group_are_open_whichever_is_chosen() -> None:
    cfg = composed(
        "experiment=reds_unet16", "callbacks=[default,ema]", "data.workers=3", "callbacks.ema.use_buffers=true"
    )
    assert (cfg.data.workers, cfg.callbacks.ema.use_buffers) == (3, True)
    build.check_groups(cfg)


def test_every_level_is_compared_with_its_class() -> None:
    layout = {"_target_": "deblurlab.data.Layout", "title": "mine", "pages": "x"}
    config = OmegaConf.create({"_target_": "deblurlab.data.VideoFrames", "root": "${oc.env:HOME}", "layout": layout})
    with pytest.raises(ValueError, match=r"there is no data\.layout\.pages: .* Did you mean data\.layout\.page\?"):
        check_arguments(config, "data")


@pytest.mark.parametrize("target", ["no.such.package.Network", "torch.nn.functional.interpolate_", "builtins.dict"])
def test_a_class_without_a_known_signature_is_left_to_itself(target: str) -> None:
    check_arguments(OmegaConf.create({"_target_": target, "anything": 1}), "model.network")


class WithoutAnnotations:
    """As much of the code that people bring along is written."""

    def __init__(self, width, depth=2, name=None):  # type: ignore[no-untyped-def]
        pass


@pytest.mark.parametrize("value", [32, 0.5, True, "wide", None, [1, 2], {"a": 1}])
def test_an_argument_without_an_annotation_takes_any_value(value: object) -> None:
    config = {"_target_": f"{__name__}.WithoutAnnotations", "width": value, "depth": value, "name": value}
    check_arguments(OmegaConf.create(config), "model.network")
    with pytest.raises(ValueError, match=r"there is no model\.network\.widht: .* Did you mean model\.network\.width"):
        check_arguments(OmegaConf.create(config | {"widht": value}), "model.network")


def test_a_partial_function_and_keys_of_ours_are_taken() -> None:
    schedule = {
        "_target_": "deblurlab.tasks.schedules.constant_then_exponential",
        "_partial_": True,
        "constant_epochs": 3,
        "gamma": 0.5,
    }
    check_arguments(OmegaConf.create(schedule), "model.scheduler")
    trainer: DictConfig = OmegaConf.create({"_target_": "lightning.pytorch.Trainer", "graph": "step"})
    check_arguments(trainer, "trainer", also=DeviceSettings)
    with pytest.raises(ValueError, match=r"there is no trainer\.graph"):
        check_arguments(trainer, "trainer")
