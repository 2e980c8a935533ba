"""Random values for random keys of a training: it is built, or refused in one message."""

import random
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from deblurlab.app import build
from deblurlab.app.command_keys import check_keys
from tests.app.test_random_settings import UNLISTED, VALUES, keys_of
from tests.composing import configuration
from tests.faults.counting import Campaign


def run(seed: int, cases: int, folder: Path) -> Campaign:
    """Build everything that a training is made of, with one random value each."""
    campaign, draw = Campaign("random overrides", seed), random.Random(seed)
    cfg = configuration("train", f"run={folder}", "trainer=cpu", "model.network.widths=[4,8]")
    keys = [*UNLISTED, *keys_of(OmegaConf.to_container(cfg))]

    def built(changed: DictConfig) -> bool:
        check_keys(changed, "train")
        build.check_groups(changed)
        build.data(changed)
        build.task(changed).configure_optimizers()
        build.trainer(changed)
        return True

    for number in range(cases):
        key, value, changed = draw.choice(keys), draw.choice(VALUES), cfg.copy()
        OmegaConf.update(changed, key, value, merge=False)
        campaign.judge(lambda changed=changed: built(changed), f"case {number}: {key}={value}")
    return campaign
