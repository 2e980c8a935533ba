"""Weights & Biases for unattended runs: it never asks a question, and its failures do not stop a training."""

import logging
import os
import shlex
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from typing_extensions import override

from deblurlab.loggers.wandb_rows import LoggedRows
from deblurlab.loggers.wandb_start import start
from deblurlab.run.run_folder import RunFolder

log = logging.getLogger(__name__)


class Wandb(Logger):
    """A run in the dashboard of Weights & Biases; a :class:`~deblurlab.interfaces.Dashboard`.

    An offline run keeps its files in ``folder/wandb``, from which ``wandb sync`` uploads them. A resumed run continues
    under the id that is stored in its folder. Offline, each part of a resumed run has its own folder in
    ``folder/wandb``; ``wandb sync`` of all of them makes one run, in which no step is repeated or missing: entries that
    W&B had not yet written when the run was killed are logged again. Failures of W&B, such as a lost connection or a
    full disk, cost some entries of the log and one warning. In Lightning's ``WandbLogger`` they would end the training.

    Args:
        folder: The run's folder.
        project: The project in W&B.
        name: The run's name in the dashboard; by default the name of its folder.
        group: The group of the run; runs of one group are shown together. The environment variable ``WANDB_RUN_GROUP``,
            which a sweep sets, takes precedence. The default is the name of the parent of the run's folder.
        offline: Whether everything stays on the disk. The default is to stay offline if there is no API key, unless the
            environment variable ``WANDB_MODE`` is set.
        upload_seconds: The longest time that the end of a run waits for uploads, in seconds.
    """

    def __init__(
        self,
        *,
        folder: str,
        project: str,
        name: str | None = None,
        group: str | None = None,
        offline: bool | None = None,
        upload_seconds: float = 600,
    ) -> None:
        super().__init__()
        self._folder, self._project = Path(folder), project
        self._name = name or self._folder.name
        self._group = os.environ.get("WANDB_RUN_GROUP") or group or self._folder.resolve().parent.name
        self._offline, self._upload_seconds = offline, upload_seconds
        self._run: Any = None
        self._rows = LoggedRows(RunFolder(self._folder).wandb_rows_file)
        self._open = 0  # the step of W&B's last row, the only one to which values can be added
        self._step: int | None = None  # the last step that Lightning has logged
        self._warned = False
        self._best: ModelCheckpoint | None = None

    @property
    @override
    def name(self) -> str:
        """The project, as Lightning expects of this property."""
        return self._project

    @property
    @override
    def version(self) -> str | None:
        """The id of the run in W&B; None before it is started."""
        return None if self._run is None else str(self._run.id)

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The ``wandb.Run``, started at the first access."""
        if self._run is None:
            self._run = start(
                self._folder,
                project=self._project,
                name=self._name,
                group=self._group,
                offline=self._offline,
                upload_seconds=self._upload_seconds,
                last_logged=self._rows.last,
            )
            self._log_again()
        return self._run

    @rank_zero_only
    @override
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        with self._surviving("keep the configuration"):
            self.experiment.config.update(
                vars(params) if isinstance(params, Namespace) else params, allow_val_change=True
            )

    @rank_zero_only
    @override
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        with self._surviving("log metrics"):
            if step is not None:
                self._step = step
            self._log(metrics, metrics, step)

    @rank_zero_only
    def log_beside(self, metrics: Mapping[str, float]) -> None:
        """Log values to the row of the last step that Lightning has logged."""
        with self._surviving("log metrics"):
            self._log(metrics, metrics, self._step)

    @rank_zero_only
    def log_picture(self, key: str, picture: npt.NDArray[np.uint8], *, step: int) -> None:
        """Log an (H, W, 3) picture to the row of the last step that Lightning has logged, whatever ``step`` is."""
        with self._surviving("log a picture"):
            import wandb

            self._log({key: wandb.Image(picture)}, {key: None}, self._step)

    def _log(self, values: Mapping[str, Any], scalars: Mapping[str, float | None], step: int | None) -> None:
        """Log values to the row of a step, unless they are there already, as when a resumed run repeats steps.

        W&B accepts no values for rows before its last one. Values that such rows lack, such as the scores of a
        validation during which the run was ended, are logged to the last row.

        Args:
            values: The values for W&B.
            scalars: The same names with their values if these can be logged again, and None otherwise.
            step: The step; None stands for the last row.
        """
        run = self.experiment
        if step is None:
            run.log(dict(values), commit=False)
            return
        new = values.keys() if step >= self._open else self._rows.lacks(step, values)
        if new:
            self._open = max(step, self._open)
            run.log({name: values[name] for name in new}, step=self._open)
            if not run.disabled:
                self._rows.add(step, {name: scalars[name] for name in new})

    def _log_again(self) -> None:
        """Log the rows of an earlier part of the run that W&B has lost."""
        self._open = self._run.step
        for step, row in self._rows.since(self._open):
            self._run.log(row, step=step)
            self._open = step

    @rank_zero_only
    def log_table(self, key: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Log a table, given by its columns. The table has as many rows as the shortest column."""
        with self._surviving("log a table"):
            import wandb

            rows = [list(row) for row in zip(*columns.values(), strict=False)]
            self.experiment.log({key: wandb.Table(columns=list(columns), data=rows)}, commit=False)

    @override
    def after_save_checkpoint(self, checkpoint_callback: ModelCheckpoint) -> None:
        if checkpoint_callback.monitor:
            self._best = checkpoint_callback

    @rank_zero_only
    @override
    def finalize(self, status: str) -> None:
        """After a training, upload the best checkpoint; after an exception, close the run as failed."""
        if self._run is None:
            return
        if status != "success":
            self.finish(failed=True)
        elif self._best is not None and not self._run.offline:
            with self._surviving("upload the best checkpoint"):
                self._upload(self._best)
            self._best = None

    def _upload(self, best: ModelCheckpoint) -> None:
        import wandb

        score = float("nan") if best.best_model_score is None else float(best.best_model_score)
        artifact = wandb.Artifact(f"best-{self._run.id}", type="model", metadata={best.monitor or "": score})
        artifact.add_file(best.best_model_path)
        self._run.log_artifact(artifact, aliases=["best"])

    @rank_zero_only
    def finish(self, *, failed: bool = False) -> None:
        """Close the run and wait for its uploads. If it is offline or incomplete, log how to upload it later.

        Args:
            failed: Whether W&B shows the run as failed.
        """
        if self._run is None:
            return
        run, self._run = self._run, None
        files = f"{shlex.quote(str(self._folder))}/wandb"  # the commands below are copied into a shell
        try:
            run.finish(exit_code=int(failed))
        except Exception as error:
            log.warning(f"W&B could not upload all: {error!r}; later: wandb sync {files}/run-*")
        if run.offline:
            log.info(f"W&B stayed offline; to upload: wandb sync {files}/offline-run-*")

    @contextmanager
    def _surviving(self, doing: str) -> Iterator[None]:
        """Turn the first error of W&B into a warning, and ignore later ones."""
        try:
            yield
        except Exception as error:
            if not self._warned:
                why = str(error) if isinstance(error, OSError) else repr(error)  # the former's text names the file
                log.warning(f"W&B could not {doing}, training continues; further failures are not logged: {why}")
            self._warned = True
