"""A resumed run takes the settings of its own folder, and says what the command line changes."""

import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from deblurlab.run.changed_settings import tell_changes
from deblurlab.run.saved_run import load_run
from tests.conftest import Call, run_command

TINY = (
    *("model.network.widths=[4,8]", "trainer=cpu", "logger=none", "trainer.max_epochs=1", "callbacks.panel=null"),
    *(f"trainer.limit_{stage}_batches=1" for stage in ("train", "val", "test")),
)
OWN = ("data.sigma_range=[2,5]", "data.fixed_blur=true", "trainer.gradient_clip_val=0.1", "callbacks=[default,ema]")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    done = run_command(folder, "train", *TINY, *OWN, "run=run")
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_the_folder_is_enough(run: Path, call: Call, caplog: pytest.LogCaptureFixture) -> None:
    before = load_run(run).config
    call("train", "run=run", "ckpt_path=last", "trainer.max_epochs=2")
    after = load_run(run)
    assert (after.model, after.data) == ("unet16", "sample")
    assert after.config.trainer.max_epochs == 2
    after.config.trainer.max_epochs = 1
    after.config.ckpt_path = None
    assert after.config == before
    assert "changed since the run was started: trainer.max_epochs was 1, is 2" in (run / "run.log").read_text()
    assert len((run / "metrics.csv").read_text().splitlines()) == 3


def test_a_moved_run_writes_to_where_it_is_now(run: Path, call: Call) -> None:
    """Also: a group that is chosen as before changes nothing, and another one does not take single keys back."""
    run.rename(run.with_name("moved"))
    call("train", "run=moved", "ckpt_path=auto", "trainer.max_epochs=2", "data=sample", "trainer=auto", "logger=csv")
    assert not run.exists()
    config = load_run(run.with_name("moved")).config
    assert (config.trainer.limit_train_batches, config.trainer.accelerator) == (1, "auto")
    assert config.callbacks.best.dirpath == "moved/checkpoints"
    assert (run.with_name("moved") / "steps").is_dir()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.sigma_range=[1,3]", "data.sigma_range=[2, 5], not [1, 3]"),
        ("trainer.gradient_clip_val=null", "trainer.gradient_clip_val=0.1, not None"),
        ("callbacks.ema=null", "callbacks.ema"),
        ("callbacks=default", "callbacks.ema"),
        ("model=resnet16", "model.network"),
        ("seed=3", "seed=0, not 3"),
        ("monitor=val/psnr", "monitor=val/ssim, not val/psnr"),
    ],
)
def test_what_a_resumed_run_keeps(change: str, message: str, run: Path, call: Call) -> None:
    kept = {file: file.read_bytes() for file in (run / ".hydra").glob("*.yaml")}
    with pytest.raises(SystemExit) as ended:
        call("train", "run=run", "ckpt_path=last", change)
    assert message in str(ended.value)
    assert "start another run from these weights: weights=" in str(ended.value)
    assert {file: file.read_bytes() for file in kept} == kept


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_another_run_goes_on_with_the_settings_of_the_checkpoint_s(run: Path, call: Call) -> None:
    file = "ckpt_path=run/checkpoints/last.ckpt"
    with pytest.raises(SystemExit, match=r"model\.optimizer\.lr=0\.001, not 1e-06"):
        call("train", file, "run=new", "model.optimizer.lr=1e-6")
    call("train", file, "run=new", "trainer.max_epochs=2")
    new = load_run(run.with_name("new"))
    assert (new.config.data.fixed_blur, new.config.run, new.model) == (True, "new", "unet16")


def test_a_strangers_folder_names_nothing_that_is_not_trusted(run: Path, call: Call, tmp_path: Path) -> None:
    config = OmegaConf.load(run / ".hydra/config.yaml")
    config.callbacks.more = {"_target_": "sympy.sympify", "a": "__import__('pathlib').Path('executed').touch()"}
    OmegaConf.save(config, run / ".hydra/config.yaml")
    with pytest.raises(SystemExit, match=r"callbacks\.more names sympy\.sympify.*\+callbacks\.more=null"):
        call("train", "run=run", "ckpt_path=last")
    call("train", "run=run", "ckpt_path=last", "+callbacks.more=null")
    config.logger = {"more": config.callbacks.pop("more")}
    OmegaConf.save(config, run / ".hydra/config.yaml")
    call("train", "run=run", "ckpt_path=last")
    assert "logger.more names sympy.sympify" in (run / "run.log").read_text()
    config.model.loss = config.logger.more
    OmegaConf.save(config, run / ".hydra/config.yaml")
    with pytest.raises(SystemExit, match=r"model\.loss names sympy\.sympify"):
        call("train", "run=run", "ckpt_path=last")
    assert not (tmp_path / "executed").exists()


def test_auto_starts_where_there_is_nothing_to_resume(call: Call, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ckpt_path=auto needs run=FOLDER"):
        call("train", "ckpt_path=auto")
    (tmp_path / "new/checkpoints").mkdir(parents=True)
    call("train", *TINY, "run=new", "ckpt_path=auto")
    assert (tmp_path / "new/metrics.json").is_file()


def test_defaults_and_folders_of_data_are_no_changes(caplog: pytest.LogCaptureFixture) -> None:
    network = {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}
    before = {"model": {"network": network}, "data": {"root": str(Path("x").absolute())}, "trainer": {}}
    now = {"model": {"network": network | {"residual": False}}, "data": {"root": "x"}, "trainer": {"max_time": None}}
    tell_changes(before, now, source=Path("config.yaml"), weights=Path("run"))
    assert caplog.text == ""


def test_how_a_run_is_tested_may_change(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        tell_changes(
            {"data": {"whole_pictures": False}},
            {"data": {"whole_pictures": True}},
            source=Path("config.yaml"),
            weights=Path("run"),
        )
    assert "changed since the run was started: data.whole_pictures was False, is True" in caplog.text


@pytest.mark.parametrize(("one", "other"), [(32, [32, 32]), ([32, 32], 32)])
def test_a_square_patch_may_be_spelt_in_both_ways(one: object, other: object, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    files = {"source": Path("config.yaml"), "weights": Path("run")}
    tell_changes({"data": {"patch": one}}, {"data": {"patch": other}}, **files)
    assert not caplog.messages
    with pytest.raises(ValueError, match=r"config\.yaml has data\.patch=32, not \[32, 48\]"):
        tell_changes({"data": {"patch": one}}, {"data": {"patch": [32, 48]}}, **files)
