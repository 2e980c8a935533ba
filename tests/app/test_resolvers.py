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
        (["trainer.precision=32", "trainer.devices=1", "trainer.float32=highest", "data.seed=1"], "sample"),
        (["trainer.precision=bf16"], "sample-precision_bf16-mixed"),
        (["trainer.precision=bf16-mixed", "trainer.float32=high"], "sample-precision_bf16-mixed-float32_high"),
        (["data.sigma_range=[1.0,3.0]", "data.batch_size=2", "data.workers=1"], "sample"),  # the first is the run's own
        (["tta=true"], "sample-tta"),
        (["window=384", "ckpt_path=last"], "sample-ckpt_last-window_384"),
        (["ckpt_path=a/epoch=5.ckpt"], "sample-ckpt_epoch_5"),
        (["trainer.limit_test_batches=1.0"], "sample"),
        (["trainer.limit_test_batches=1"], "sample-limit_test_batches_1"),
        (["trainer.limit_test_batches=0.5"], "sample-limit_test_batches_0.5"),
        (["trainer.limit_test_batches=null", "trainer.fast_dev_run=false"], "sample"),
        (["data.sigma_range=[0,2]"], "sample-sigma_range_0_2"),
        (["data=gopro_full", "data.root=x", "data.whole_pictures=true"], "gopro_full-whole_pictures"),
        (["data=gopro_full", "data.root=x", "data.patch=[24,24]"], "gopro_full-patch_24"),
        (["data=bsd_1ms8ms", "data.root=x"], "bsd_1ms8ms"),
        # the first is the value of a YAML file, the second that of the class
        (["data=gopro_full", "data.patch=[240,320]", "data.whole_pictures=false"], "gopro_full"),
        (["data=folder", "data.sigma_max=3", "data.shake_max=16", "data.blur=both"], "folder-shake_max_16"),
        (["data=folder", "data/blur=camera", "data.blur.soft=0.5"], "folder-blur_camera-blur.soft_0.5"),
        (["data=folder", "data/blur=camera", "data.blur.encoded=0"], "folder-blur_camera"),
        (["data=reds", "data.wait_seconds=9", "trainer.fast_dev_run=true"], "reds-fast_dev_run"),
        (["data=folder", "data.root=null"], "folder-root_None"),  # an error, but of the data and not of the name
        (["data=folder", "data/blur=camera", 'data.root="x/Grüße"'], "folder-root_x_Grüße-blur_camera"),
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


def on_pictures(folder: Path, *overrides: str) -> Path:
    """A run as if it had been trained on the pictures of a user, with further overrides."""
    run = shutil.copytree(EARLIER, folder)
    config, hydra = (OmegaConf.load(run / f".hydra/{name}.yaml") for name in ("config", "hydra"))
    trained = configuration("train", "run=run", *overrides)
    config.data = OmegaConf.to_container(trained.data, resolve=True)
    hydra.hydra.runtime.choices.data = overrides[0].removeprefix("data=")
    OmegaConf.save(config, run / ".hydra/config.yaml")
    OmegaConf.save(hydra, run / ".hydra/hydra.yaml")
    return run


def test_a_blur_from_a_file_is_compared_with_that_of_the_run(tmp_path: Path) -> None:
    camera = ("data=folder", "data/blur=camera")
    run = on_pictures(tmp_path / "run", *camera, "data.root=x/mine")
    assert Path(evaluation(f"run={run}", *camera, "data.root=x/mine")).name == "folder"
    assert Path(evaluation(f"run={run}", "data=folder", "data.root=x/mine")).name == "folder-blur_both"


@pytest.mark.parametrize("data", ["folder", "video"])
def test_each_folder_of_pictures_has_a_name_of_its_own(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEBLURLAB_DATA", raising=False)
    run = on_pictures(tmp_path / "run", f"data={data}", "data.root=x/mine")
    for root in ("x/mine", "./x/../x/mine", str(tmp_path / "x/mine")):
        assert Path(evaluation(f"run={run}", f"data.root={root}")).name == data
    for root, name in {
        "mine": "mine",
        "y/mine": "y_mine",
        "/x/mine": "x_mine",
        "/" + "folders/" * 10 + "mine": "ers_folders_folders_folders_folders_mine",
    }.items():
        for words in ([f"run={run}"], ["weights=photographs", f"data={data}"]):
            assert Path(evaluation(*words, f"data.root={root}")).name == f"{data}-root_{name}"
    # the folder of the configuration file is that of no run, but the usual one of weights
    assert Path(evaluation(f"run={run}", f"data={data}")).name == f"{data}-root_data_{data}"
    assert Path(evaluation("weights=photographs", f"data={data}", f"data.root=data/{data}")).name == data


def test_a_root_of_a_variable_that_is_not_set_may_be_given_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mine.yaml").write_text("defaults:\n  - folder@_here_\nroot: ${oc.env:MINE}\n")
    monkeypatch.delenv("MINE", raising=False)
    given = ("weights=photographs", f"hydra.searchpath=['file://{tmp_path}']", "data=mine", "data.root=/x")
    assert Path(evaluation(*given)).name == "mine-root_x"
