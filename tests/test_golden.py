"""Numbers do not move silently: the first losses of a tiny run of each model stand in a file.

A change that is meant to move them says so in its commit and rewrites the file: ``python -m tests.test_golden``.
"""

import json
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from lightning.pytorch import seed_everything

import deblurlab.app.command  # registers the resolvers
from deblurlab.app import build

CONF = Path(deblurlab.__file__).parent / "conf"
GOLDEN = Path(__file__).with_name("golden.json")
MODELS = ("resnet16", "unet16", "rednet30")


def losses(model: str) -> list[float]:
    """The training loss of five steps on the sample photographs, float32 on the CPU."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("train", overrides=[f"model={model}", "data.batch_size=4", "run=none"])
    seed_everything(cfg.seed, verbose=False)
    data, task = build.data(cfg), build.task(cfg)
    task.log = lambda *_, **__: None
    optimizer = task.configure_optimizers()
    values = []
    for _, raw in zip(range(5), data.train_dataloader(), strict=False):
        optimizer.zero_grad()
        loss = task.training_step(data.on_after_batch_transfer(raw, 0), 0)
        loss.backward()
        optimizer.step()
        values.append(float(loss.detach()))
    return values


@pytest.mark.parametrize("model", MODELS)
def test_the_first_losses_have_not_moved(model: str) -> None:
    assert losses(model) == pytest.approx(json.loads(GOLDEN.read_text())[model], rel=1e-2)  # CPUs round differently


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({model: losses(model) for model in MODELS}, indent=2) + "\n")
