"""Searches with Optuna: each job gets its values from the study in the sweep's folder, and reports its outcome.

This is not a sweeper plug-in of Hydra. The study is a journal file that processes and hosts share, so any launcher can
run trials in parallel, and a killed search can continue. Hydra's own Optuna sweeper needs Optuna 2 and cannot prune.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from deblurlab.metrics.scores import best_is
from deblurlab.run.history import read_history

if TYPE_CHECKING:
    import optuna


def require_optuna() -> None:
    """Raise ValueError if Optuna is not installed."""
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise ValueError("sweep=optuna needs Optuna: pip install 'deblurlab[optuna]'.") from error


class Trial:
    """One trial of a sweep's study.

    If a killed or failed job of the same name has left a trial open, that trial is continued with its values.

    Args:
        sweep: The sweep's folder, with the study.
        name: The job's name.
        search: The group ``search`` of the configuration.
        seed: Seed of the values that are drawn.
        monitor: The metric to optimise.

    Raises:
        ValueError: If Optuna is not installed.
    """

    def __init__(self, sweep: Path, name: str, search: DictConfig, *, seed: int, monitor: str) -> None:
        require_optuna()
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(sweep / "optuna.log"))),
            study_name="sweep",
            direction="maximize" if best_is(monitor) == "max" else "minimize",
            load_if_exists=True,
            # each job has its own sampler, and with equal seeds all of them would draw the same values
            sampler=optuna.samplers.TPESampler(n_startup_trials=search.random_trials, seed=1000 * seed + search.trial),
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=search.compared_with, n_warmup_steps=search.warmup_epochs + 1
            ),
        )
        mine = next((trial for trial in self.study.get_trials() if trial.user_attrs.get("job") == name), None)
        if mine:
            self._trial = reopened(self.study, mine)
        else:
            self._trial = self.study.ask({str(key): _distribution(values) for key, values in search.space.items()})
            self._trial.set_user_attr("job", name)
        self._monitor = monitor
        self._reported = set(mine.intermediate_values) if mine else set()

    @property
    def values(self) -> dict[str, Any]:
        """The values that were drawn, by key."""
        return self._trial.params

    def watch(self, history: Path, max_epochs: int) -> Callable[[], bool]:
        """Make a function that reports newly completed epochs to the study.

        Args:
            history: The run's table of epochs.
            max_epochs: The last epoch of a run, after which pruning makes no sense.

        Returns:
            The function; it returns whether the trial should be pruned.
        """

        def should_prune() -> bool:
            for row in read_history(history):
                epoch = int(row["epoch"])
                if epoch not in self._reported and self._monitor in row:
                    self._reported.add(epoch)
                    self._trial.report(row[self._monitor], epoch)
                    if epoch < max_epochs and self._trial.should_prune():
                        return True
            return False

        return should_prune

    def tell(self, status: str, value: float) -> None:
        """Close a finished trial with ``value``, or a pruned or diverged one as pruned.

        A failed trial stays open, to be tried again.
        """
        from optuna.trial import TrialState

        if status == "finished":
            self.study.tell(self._trial, value, skip_if_finished=True)
        elif status in ("pruned", "diverged"):
            self.study.tell(self._trial, state=TrialState.PRUNED, skip_if_finished=True)


def reopened(study: "optuna.Study", trial: "optuna.trial.FrozenTrial") -> "optuna.Trial":
    """An active trial, to which values can be reported, from the study's record of an earlier one.

    Optuna has no public function for this. ``tests/sweeps/test_search.py`` fails if the private one changes.
    """
    import optuna

    return optuna.Trial(study, trial._trial_id)


def _distribution(values: Any) -> Any:
    """Optuna's distribution for a list of choices, or for ``low``, ``high`` and ``log`` of integers or floats."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if OmegaConf.is_list(values):
        return CategoricalDistribution(list(values))
    kind = IntDistribution if isinstance(values.low, int) and isinstance(values.high, int) else FloatDistribution
    return kind(values.low, values.high, log=values.get("log", False))
