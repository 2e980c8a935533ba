"""The table of the tests of ``evaluate`` on other data, or with other settings."""

import json
from pathlib import Path

from deblurlab.reports.elsewhere_table import elsewhere_table
from deblurlab.reports.reported_run import find_runs
from tests.reports.made_up import made_up


def test_runs_that_were_tested_elsewhere_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    folders = [made_up(tmp_path / name, ssim=0.8) for name in ("A/run", "B/run")]
    folders.append(made_up(tmp_path / "C/run", ssim=0.8, model="resnet16"))
    for folder in folders:
        elsewhere = folder / "evaluate/reds/metrics.json"
        elsewhere.parent.mkdir(parents=True)
        elsewhere.write_text(json.dumps(json.loads((folder / "metrics.json").read_text()) | {"data": "reds"}))
    table = elsewhere_table(find_runs([str(folder) for folder in folders]))
    assert table is not None
    assert [[row.title for row in section] for section in table.sections] == [
        [
            f"UNet16 of CIFAR-10 ({Path('A/run')}), on reds",
            f"UNet16 of CIFAR-10 ({Path('B/run')}), on reds",
            "ResNet16 of CIFAR-10, on reds",
            "blurred input",
        ]
    ]


def test_a_test_with_other_settings_has_a_row_of_its_own(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", ssim=0.8, images=10)
    tests = {"": {}, "-tta": {"tta": True}, "-whole_pictures": {}, "-window_384": {"window": 384}}
    for name, settings in tests.items():
        file = run / f"evaluate/cifar10{name}/metrics.json"
        file.parent.mkdir(parents=True)
        result = json.loads((run / "metrics.json").read_text()) | settings
        result["blurred"]["ssim"] = 0.75 if name == "-whole_pictures" else 0.7  # of other images
        file.write_text(json.dumps(result))
    table = elsewhere_table(find_runs([str(run)]))
    assert table is not None
    assert [[(row.title, row.note) for row in section] for section in table.sections] == [
        [
            ("UNet16 of CIFAR-10, on cifar10-tta", "10 images, tta"),
            ("UNet16 of CIFAR-10, on cifar10-window_384", "10 images, window 384"),
            ("blurred input", ""),
        ],
        [("UNet16 of CIFAR-10, on cifar10-whole_pictures", "10 images"), ("blurred input", "")],
    ]
