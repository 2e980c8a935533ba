"""The table of a profile holds what ran since the last one."""

import logging

import pytest

from deblurlab.callbacks import StepProfiler


def test_the_test_s_table_does_not_repeat_the_training_s(caplog: pytest.LogCaptureFixture) -> None:
    profiler = StepProfiler()
    for action, title in ((".training_step", "forward and loss"), (".test_step", "test batches")):
        with caplog.at_level(logging.INFO):
            caplog.clear()
            profiler.recorded_durations[f"[Strategy]SingleDeviceStrategy{action}"] += [0.25, 0.75]
            profiler.describe()
        _, line = caplog.messages[0].splitlines()
        assert line.split() == [*title.split(), "2", "500.0", "1.0"]
