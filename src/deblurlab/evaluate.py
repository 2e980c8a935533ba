"""Score a run, a weights file, or pictures that another program restored, on the test images of any data set.

Examples:
    deblurlab evaluate run=outputs/cifar10_unet16/2026-11-22_23-19-00
    deblurlab evaluate run=... data=sample
    deblurlab evaluate run=... data.root=/another/copy/of/cifar10 ckpt_path=last
    deblurlab evaluate weights=cifar10_unet16 data=cifar10
    deblurlab evaluate restored=FOLDER data=gopro_full data.root=... data.whole_pictures=true
"""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from deblurlab.app.command import command
from deblurlab.app.evaluation_name import usual_precision
from deblurlab.app.invocation import choices, sets_below
from deblurlab.app.log_file import to_log_file
from deblurlab.app.progress_bar import progress_bar
from deblurlab.app.resolvers import require_one_subject
from deblurlab.run.names import data_name
from deblurlab.run.run_folder import RunFolder, checkpoint_file
from deblurlab.run.saved_run import load_run

if TYPE_CHECKING:
    from torch import Tensor

    from deblurlab.interfaces import Evaluable, Pair
    from deblurlab.tasks.restoration import Restoration

log = logging.getLogger(__name__)


class _Tested(NamedTuple):
    """A test of a network or of stored pictures.

    Attributes:
        title: The title of the restored images' row in the table.
        precision: The precision of the computation, for the table's title.
        data_name: The name of the data set.
        data: The data module of the test images.
        metrics: The mean scores, as a test logs them.
        per_image: The scores of each image by column.
        restored: Returns the restored versions of some test images, given their numbers and themselves.
        cost: A line about the network's cost; empty for stored pictures.
    """

    title: str
    precision: str
    data_name: str
    data: "Evaluable"
    metrics: Mapping[str, Any]
    per_image: Mapping[str, Sequence[float]]
    restored: "Callable[[Sequence[int], Pair], Tensor]"
    cost: str = ""


@command("evaluate")
def main(cfg: DictConfig) -> float:
    """Test a network or stored pictures, write metrics.json, per_image.csv and panel.png, and return the mean SSIM."""
    from deblurlab.run.extremes import draw_extremes
    from deblurlab.run.printed_result import print_result
    from deblurlab.run.results import write_test

    require_one_subject(cfg.run, cfg.weights, cfg.restored, choices().get("data"))
    folder = RunFolder(Path(cfg.output))
    tested = _test_network(cfg) if cfg.restored is None else _test_pictures(cfg)
    labels = tested.data.labels("test")
    if cfg.run is not None and choices().get("data") is None and not sets_below("data"):
        _warn_of_other_images(load_run(cfg.run).folder, labels)
    result = write_test(
        folder,
        data=tested.data_name,
        metrics=tested.metrics,
        per_image=tested.per_image,
        labels=labels,
        tta=cfg.tta,
        window=cfg.window,
    )
    stored = cfg.restored is not None
    to_log_file(print_result(result, model=tested.title, precision=tested.precision, stored=stored))
    if tested.cost:
        log.info(f"{tested.title}: {tested.cost}")
    draw_extremes(tested.per_image, tested.restored, tested.data, folder.panel_picture)
    log.info(
        f"{folder.scores_file.name}, {folder.per_image_file.name} (one row per image) and {folder.panel_picture.name} "
        f"are in {folder}"
    )
    return float(result["restored"]["ssim"])


def _test_network(cfg: DictConfig) -> _Tested:
    """Test the network of the run or of the weights that ``cfg`` names."""
    from deblurlab.app import build
    from deblurlab.callbacks import PerImage
    from deblurlab.interfaces import Evaluable
    from deblurlab.metrics.further_metrics import further_metrics
    from deblurlab.restoring.self_ensemble import SelfEnsemble
    from deblurlab.run.cost import described

    if cfg.trainer.limit_test_batches == 0:
        raise ValueError("trainer.limit_test_batches=0 leaves no image to evaluate.")
    per_image = PerImage()
    trainer = build.trainer(_with_precision(cfg), per_image)
    subject = _weights(cfg) if cfg.run is None else _run(cfg)
    task, data = subject.task, build.data(subject.config)
    if cfg.tta:
        task.network = SelfEnsemble(task.network)
    task.score_further(further_metrics(cfg.metrics))
    assert isinstance(data, Evaluable)
    log.info(f"{subject.source} on {subject.data_name}, {trainer.strategy.root_device}, {trainer.precision}")
    trainer.test(task, datamodule=data, verbose=False)
    metrics = dict(trainer.callback_metrics)
    return _Tested(
        title=f"{subject.name}, tta" if cfg.tta else subject.name,
        precision=str(trainer.precision),
        data_name=subject.data_name,
        data=data,
        metrics=metrics,
        per_image=per_image.scores,
        restored=lambda _, pair: task.eval().restore_whole(pair),
        cost=described(task, data, images=int(metrics["test/restored/images"])),
    )


def _test_pictures(cfg: DictConfig) -> _Tested:
    """Score the pictures of the folder ``cfg.restored``."""
    from deblurlab.app import build
    from deblurlab.interfaces import Evaluable
    from deblurlab.metrics.further_metrics import further_metrics
    from deblurlab.run.stored_pictures import StoredPictures, image_names, score_stored

    if cfg.ckpt_path != "best" or cfg.window is not None or cfg.tta or sets_below("trainer"):
        raise ValueError(
            f"ckpt_path, window, tta and trainer are settings of a network; restored={cfg.restored} holds pictures."
        )
    name = data_name(choices()["data"], cfg)
    data = build.data(cfg)
    assert isinstance(data, Evaluable)
    # frames that are resized to data.size are whole, too
    whole = bool(cfg.data.get("whole_pictures")) or "size" in cfg.data
    stored = StoredPictures(Path(cfg.restored), image_names(data.labels("test"), name), whole=whole)
    log.info(f"the pictures of {cfg.restored} on {name}")
    further = further_metrics(cfg.metrics)
    with progress_bar("scoring", unit="pictures", total=len(stored.files), leave=False) as bar:
        metrics, per_image = score_stored(stored, data, further, progress=bar.update)
    return _Tested(
        title=Path(cfg.restored).absolute().name,
        precision="stored pictures",
        data_name=name,
        data=data,
        metrics=metrics,
        per_image=per_image,
        restored=stored.read,
    )


def _with_precision(cfg: DictConfig) -> DictConfig:
    """``cfg`` with the precision that the command line names, or else the one that the run was trained in."""
    run = None if cfg.run is None else load_run(cfg.run)
    complete = copy.deepcopy(cfg)
    complete.trainer.precision = cfg.trainer.precision or usual_precision(run)
    return complete


def _warn_of_other_images(run: RunFolder, labels: Mapping[str, Sequence[Any]]) -> None:
    """Say so if images that the run's own test had are not in this one: then its pictures have changed meanwhile.

    Args:
        run: The run's folder.
        labels: What the data module knows of each image of this test.
    """
    from deblurlab.run.results import read_per_image

    if "frame" not in labels or not run.per_image_file.is_file():
        return
    before, now = read_per_image(run.per_image_file).get("frame", []), set(map(str, labels["frame"]))
    if gone := [name for name in before if name not in now]:
        log.warning(
            f"the test after the training had other images, such as {gone[0]}: the files in data.root have changed. "
            "Without a folder test/ this changes which pictures are held out, so the network may have been trained on "
            "some that are tested here."
        )


class _Subject(NamedTuple):
    """The network to evaluate.

    Attributes:
        name: Its name in the table.
        source: The file or the name of its weights.
        task: Its task.
        data_name: The name of the data set to test it on.
        config: A configuration with that data set.
    """

    name: str
    source: str
    task: "Restoration"
    data_name: str
    config: DictConfig


def _run(cfg: DictConfig) -> _Subject:
    """The run that ``cfg.run`` names, on other data, or on its own data, perhaps with some keys changed."""
    from deblurlab.app import build
    from deblurlab.restoring.loading import set_window
    from deblurlab.run import trusted

    run = load_run(cfg.run)
    checkpoint, source = checkpoint_file(cfg.ckpt_path, run.folder), run.folder.config_file
    task = build.trained(run.config, checkpoint, trust=trusted.packages(cfg.trust), source=source)
    if cfg.window is not None:
        set_window(task.network, cfg.window)
    run.config.data = cfg.data if "_target_" in cfg.data else OmegaConf.merge(run.config.data, cfg.data)
    chosen = choices().get("data")
    name = run.data if chosen is None else data_name(chosen, cfg)
    return _Subject(run.model, str(checkpoint), task, name, run.config)


def _weights(cfg: DictConfig) -> _Subject:
    """The weights that ``cfg.weights`` names, on the data of ``cfg``."""
    from deblurlab.app import build
    from deblurlab.restoring import load_restorer
    from deblurlab.run import weights

    if cfg.ckpt_path != "best":
        raise ValueError(f"ckpt_path={cfg.ckpt_path} is for run=FOLDER; weights={cfg.weights} are chosen already.")
    chosen = weights.load(cfg.weights)
    restorer = load_restorer(chosen, device="cpu", trust=cfg.trust, window=cfg.window)
    name = data_name(choices()["data"], cfg)
    return _Subject(chosen.title, f"weights {cfg.weights}", build.scored(restorer), name, cfg)


if __name__ == "__main__":
    main()
