"""Where runs and evaluations go that were given no folder."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from deblurlab.app.resolvers import run_folder
from deblurlab.run.names import CONF
from tests.composing import configuration

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
        (["data=gopro_full", "data.root=x", "data.patch=[24,24]"], "gopro_full-patch_24"),
        (["data=reds", "data.wait_seconds=9", "trainer.fast_dev_run=true"], "reds-fast_dev_run"),
        (["data=folder", "data.root=null"], "folder-root_None"),  # an error, but of the data and not of the name
        (["data=folder", "data/blur=camera", 'data.root="x/Grüße"'], "folder-root_Grüße-blur_camera"),
    ],
)
def test_settings_that_change_the_result_of_an_evaluation_are_in_its_name(overrides: list[str], name: str) -> None:
    chosen = [word.replace("=5", "\\=5") for word in overrides]
    assert evaluation(f"run={EARLIER}", *chosen) == str(EARLIER / "evaluate" / name)
    if any(word.startswith("data=") for word in overrides):
        assert evaluation("weights=photographs", *chosen) == f"outputs/evaluate/photographs/{name}"


def test_the_data_set_of_a_run_that_is_chosen_without_the_settings_of_the_run_has_another_name(tmp_path: Path) -> None:
    run = shutil.copytree(EARLIER, tmp_path / "run")
    config = OmegaConf.load(run / ".hydra/config.yaml")
    config.data.update(sigma_range=[0.0, 2.0], patch=48, rotations=True)
    OmegaConf.save(config, run / ".hydra/config.yaml")
    names = {words: Path(evaluation(f"run={run}", *words)).name for words in ((), ("data=sample",))}
    assert list(names.values()) == ["sample", "sample-patch_32-sigma_range_1.0_3.0"]
    assert Path(evaluation(f"run={run}", "data=sample", "data.patch=48", "data.sigma_range=[0,2]")).name == "sample"


def test_a_blur_from_a_file_is_compared_with_that_of_the_run(tmp_path: Path) -> None:
    run = shutil.copytree(EARLIER, tmp_path / "run")
    config, hydra = (OmegaConf.load(run / f".hydra/{name}.yaml") for name in ("config", "hydra"))
    trained = configuration("train", "run=run", "data=folder", "data/blur=camera", "data.root=x/mine")
    config.data = OmegaConf.to_container(trained.data, resolve=True)
    hydra.hydra.runtime.choices.data = "folder"
    OmegaConf.save(config, run / ".hydra/config.yaml")
    OmegaConf.save(hydra, run / ".hydra/hydra.yaml")
    camera = ("data=folder", "data/blur=camera")
    assert Path(evaluation(f"run={run}", *camera, "data.root=y/mine")).name == "folder"
    assert Path(evaluation(f"run={run}", *camera, "data.root=y/other")).name == "folder-root_other"
    assert Path(evaluation(f"run={run}", *camera)).name == "folder-root_folder"
    assert Path(evaluation(f"run={run}", "data=folder", "data.root=y/mine")).name == "folder-blur_both"
