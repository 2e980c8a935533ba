"""What the search needs of Optuna beyond its public names: this fails when a new version has it otherwise."""

from pathlib import Path

import pytest

from deblurlab.sweeps.search import reopened

optuna = pytest.importorskip("optuna", reason="Optuna, the extra `optuna`, is not installed")


def test_an_open_trial_is_reopened_by_another_process(tmp_path: Path) -> None:
    """Another process: the study is read anew from its file."""

    def study() -> "optuna.Study":
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(tmp_path / "log")))
        return optuna.create_study(
            study_name="one", storage=storage, load_if_exists=True, pruner=optuna.pruners.ThresholdPruner(upper=10)
        )

    first = study().ask({"lr": optuna.distributions.FloatDistribution(1e-4, 1e-1)})
    first.report(1.0, 1)

    again = study()
    (record,) = again.get_trials()
    trial = reopened(again, record)
    assert (trial.number, trial.params) == (first.number, first.params)
    assert not trial.should_prune()
    trial.report(11.0, 2)
    assert trial.should_prune()
    again.tell(trial, 0.5)

    (end,) = study().get_trials()
    assert end.intermediate_values == {1: 1.0, 2: 11.0}
    assert (end.state, end.value) == (optuna.trial.TrialState.COMPLETE, 0.5)


def test_a_diverged_trial_is_a_result_of_the_search(tmp_path: Path) -> None:
    from omegaconf import OmegaConf

    from deblurlab.sweeps.search import Trial

    search = OmegaConf.create(
        {"trial": 0, "space": {"lr": [0.1, 0.2]}, "random_trials": 1, "compared_with": 1, "warmup_epochs": 0}
    )
    trial = Trial(tmp_path, "one", search, seed=0, monitor="val/ssim")
    trial.tell("diverged", float("nan"))
    assert [one.state.name for one in trial.study.trials] == ["PRUNED"]
