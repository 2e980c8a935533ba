"""The short form of ``python -m tests.faults``: no traceback, no hang, nothing silently wrong."""

from pathlib import Path

import pytest

from tests.faults.__main__ import campaigns
from tests.faults.counting import table

SEED = 20261125


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_short_form_of_all_campaigns(tmp_path: Path) -> None:
    done = list(campaigns(SEED, 0.02, tmp_path))
    print(table(done))
    assert [bug for campaign in done for bug in campaign.bugs] == []
