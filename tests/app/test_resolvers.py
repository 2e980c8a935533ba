"""Where runs and evaluations go that were given no folder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

import deblurlab.app.command  # noqa: F401, which registers the resolvers
from deblurlab.app.resolvers import run_folder
from deblurlab.run.names import CONF

EARLIER = Path(__file__).parents[1] / "run/earlier_run"  # it was trained on data=sample


def test_runs_that_start_in_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(5) as pool:
        made = list(pool.map(lambda _: run_folder(str(tmp_path / "outputs"), "10-00-00", None), range(5)))
    names = ["10-00-00", *(f"10-00-00_{number}" for number in range(2, 6))]
    assert sorted(made) == [str(tmp_path / "outputs" / name) for name in names]
    assert all(Path(folder).is_dir() for folder in made)


def evaluation(*overrides: str) -> str:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("evaluate", overrides=list(overrides), return_hydra_config=True)
    before = HydraConfig.instance().cfg
    try:
        HydraConfig.instance().set_config(config)
        return str(OmegaConf.select(config, "output"))
    finally:
        HydraConfig.instance().cfg = before


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([], "sample"),
        (["ckpt_path=best", "tta=false", "trainer.precision=32-true", "metrics=[lpips]"], "sample"),
        (["data.sigma_range=[1.0,3.0]", "data.batch_size=2", "data.workers=1"], "sample"),  # the first is the run's own
        (["tta=true"], "sample-tta"),
        (["window=384", "ckpt_path=last"], "sample-ckpt_last-window_384"),
        (["ckpt_path=a/epoch=5.ckpt"], "sample-ckpt_epoch_5"),
        (["trainer.limit_test_batches=1.0"], "sample"),
        (["trainer.limit_test_batches=1"], "sample-limit_test_batches_1"),
        (["trainer.limit_test_batches=0.5"], "sample-limit_test_batches_0.5"),
        (["data.sigma_range=[0,2]"], "sample-sigma_range_0_2"),
        (["data=gopro_full", "data.root=x", "data.whole_pictures=true"], "gopro_full-whole_pictures"),
        (["data=folder", "data/blur=camera", "data.root=x"], "folder-blur_camera"),
    ],
)
def test_settings_that_change_the_result_of_an_evaluation_are_in_its_name(overrides: list[str], name: str) -> None:
    chosen = [word.replace("=5", "\\=5") for word in overrides]
    assert evaluation(f"run={EARLIER}", *chosen) == str(EARLIER / "evaluate" / name)
    if any(word.startswith("data=") for word in overrides):
        assert evaluation("weights=photographs", *chosen) == f"outputs/evaluate/photographs/{name}"
