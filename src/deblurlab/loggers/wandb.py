"""Weights & Biases, for runs that nobody watches: it asks for nothing, and its failures are not the training's."""

import logging
import os
import uuid
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from typing_extensions import override

log = logging.getLogger(__name__)


class Wandb(Logger):
    """A run in the W&B dashboard, or, offline, its files in ``folder/wandb`` for ``wandb sync``.

    A resumed run goes on under the id that its folder remembers. An error of W&B's, a lost connection or a full
    disk costs entries of the log and a warning, nothing else. Lightning's own logger lets them end the training.

    Args:
        folder: the run's folder.
        project: W&B project.
        name: the run's name in the dashboard; by default its folder's.
        group: runs of one group are shown together; ``WANDB_RUN_GROUP``, which a sweep sets, goes before it.
        offline: keep everything on disk; by default where there is no API key, unless ``WANDB_MODE`` says what to do.
        upload_seconds: how long the end of a run waits for uploads, which a lost connection keeps from ending.
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
        self._warned = False
        self._best: ModelCheckpoint | None = None

    @property
    @override
    def name(self) -> str:
        return self._project

    @property
    @override
    def version(self) -> str | None:
        return None if self._run is None else str(self._run.id)

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The W&B run, started when first asked for."""
        if self._run is None:
            self._run = self._start()
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
            # W&B's steps only grow: those that a resumed run makes again are there already
            if step is None or step >= self.experiment.step:
                self.experiment.log(dict(metrics), step=step)

    @rank_zero_only
    def log_beside(self, metrics: Mapping[str, float]) -> None:
        """Log to the row of the last step that was logged: callbacks do not know how Lightning counts them."""
        with self._surviving("log metrics"):
            self.experiment.log(dict(metrics), commit=False)

    @rank_zero_only
    def log_picture(self, key: str, picture: npt.NDArray[np.uint8]) -> None:
        """Log an (H, W, 3) picture beside the last step."""
        with self._surviving("log a picture"):
            import wandb

            self.experiment.log({key: wandb.Image(picture)}, commit=False)

    @rank_zero_only
    def log_table(self, key: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Log a table, given by its columns, beside the last step; it ends with the shortest column."""
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
        """After a fit, upload the best checkpoint; after an exception, close the run."""
        if self._run is None:
            return
        if status != "success":
            self.finish(failed=True)
        elif self._best is not None and not self._run.offline:
            with self._surviving("upload the best checkpoint"):
                import wandb

                score = float("nan") if self._best.best_model_score is None else float(self._best.best_model_score)
                best = wandb.Artifact(f"best-{self._run.id}", type="model", metadata={self._best.monitor or "": score})
                best.add_file(self._best.best_model_path, name="best.ckpt")
                self._run.log_artifact(best, aliases=["best"])
            self._best = None

    @rank_zero_only
    def finish(self, *, failed: bool = False) -> None:
        """Close the run; say how to upload it if it is offline."""
        if self._run is None:
            return
        run, self._run = self._run, None
        try:
            run.finish(exit_code=int(failed))
        except Exception as error:
            log.warning(f"W&B could not upload all: {error!r}; later: wandb sync {self._folder}/wandb/run-*")
        if run.offline:
            log.info(f"W&B stayed offline; to upload: wandb sync {self._folder}/wandb/offline-run-*")

    def _start(self) -> Any:
        """The run: online if that works, else offline, and where not even that works a dummy that swallows all."""
        import wandb

        wandb.setup(wandb.Settings(silent=True))
        attempts: list[Literal["offline", "disabled"] | None] = ["offline", "disabled"]
        if self._offline is not True:
            attempts.insert(0, None)
        for mode in attempts:
            try:
                if mode is None and "WANDB_MODE" not in os.environ and not wandb.login(prompt=False):
                    log.info("W&B has no API key (wandb login) and stays offline")
                    continue
                run = self._init(mode)
            except Exception as error:
                log.warning(f"W&B cannot start {mode or 'online'}: {error}")
                continue
            if not run.offline and run.url:
                log.info(f"W&B: {run.url}")
            return run
        raise AssertionError("a disabled run always starts")

    def _init(self, mode: Literal["offline", "disabled"] | None) -> Any:
        import wandb

        remembered = self._folder / "wandb" / "run_id"
        if mode != "disabled":
            remembered.parent.mkdir(parents=True, exist_ok=True)
            if not remembered.exists():
                remembered.write_text(uuid.uuid4().hex[:8])
        return wandb.init(
            project=self._project,
            name=self._name,
            group=self._group,
            dir=self._folder.resolve() if mode != "disabled" else None,  # W&B's service has a directory of its own
            id=remembered.read_text() if mode != "disabled" else None,
            resume=None if mode else "allow",
            mode=mode,
            settings=wandb.Settings(
                silent=True, init_timeout=60, finish_timeout=self._upload_seconds, finish_timeout_raises=True
            ),
        )

    @contextmanager
    def _surviving(self, doing: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not self._warned:
                log.warning(f"W&B could not {doing}, training goes on; further failures are not told: {error!r}")
            self._warned = True
