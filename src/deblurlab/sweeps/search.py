"""Optuna without a sweeper: each job asks the study in the sweep's folder for its values and tells it the outcome.

The study lies in a journal file that processes and hosts share, so that any launcher runs trials side by side and
a killed search goes on. Hydra's own Optuna sweeper pins Optuna 2 and cannot prune.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from deblurlab.metrics.scores import best_is
from deblurlab.run.history import read_history


class Trial:
    """One trial of the study of a sweep.

    The trial that a killed or failed job of this name left open is taken up with its values.

    Args:
        sweep: the sweep's folder.
        name: of the job.
        search: the group ``search`` of the configuration.
        seed: of the sampler.
        monitor: the metric to be optimised.
    """

    def __init__(self, sweep: Path, name: str, search: DictConfig, *, seed: int, monitor: str) -> None:
        try:
            import optuna
        except ImportError as error:
            raise ValueError("sweep=optuna needs Optuna: pip install 'deblurlab[optuna]'.") from error
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(sweep / "optuna.log"))),
            study_name="sweep",
            direction="maximize" if best_is(monitor) == "max" else "minimize",
            load_if_exists=True,
            # each job has a sampler of its own: with equal seeds all would draw the same
            sampler=optuna.samplers.TPESampler(n_startup_trials=search.random_trials, seed=1000 * seed + search.trial),
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=search.compared_with, n_warmup_steps=search.warmup_epochs + 1
            ),
        )
        space = {str(key): _distribution(values) for key, values in search.space.items()}
        mine = next((trial for trial in self.study.get_trials() if trial.user_attrs.get("job") == name), None)
        if mine:
            self._trial = optuna.trial.Trial(self.study, mine._trial_id)
        else:
            self._trial = self.study.ask(space)
            self._trial.set_user_attr("job", name)
        self._monitor = monitor
        self._reported = set(mine.intermediate_values) if mine else set()

    @property
    def values(self) -> dict[str, Any]:
        """What was drawn, by key."""
        return self._trial.params

    def watch(self, history: Path, max_epochs: int) -> Callable[[], bool]:
        """A function that reports the epochs that have ended since and says whether the trial is hopeless."""

        def hopeless() -> bool:
            for row in read_history(history):
                epoch = int(row["epoch"])
                if epoch not in self._reported and self._monitor in row:
                    self._reported.add(epoch)
                    self._trial.report(row[self._monitor], epoch)
                    if epoch < max_epochs and self._trial.should_prune():
                        return True
            return False

        return hopeless

    def tell(self, status: str, value: float) -> None:
        """Close the trial as finished with ``value``, or as pruned; leave it open if its job is to be tried again."""
        from optuna.trial import TrialState

        if status == "finished":
            self.study.tell(self._trial, value, skip_if_finished=True)
        elif status == "pruned":
            self.study.tell(self._trial, state=TrialState.PRUNED, skip_if_finished=True)


def _distribution(values: Any) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if OmegaConf.is_list(values):
        return CategoricalDistribution(list(values))
    kind = IntDistribution if isinstance(values.low, int) and isinstance(values.high, int) else FloatDistribution
    return kind(values.low, values.high, log=values.get("log", False))
