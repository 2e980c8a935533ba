"""Where runs go that were given no folder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deblurlab.app.resolvers import run_folder


def test_runs_that_start_in_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(5) as pool:
        made = list(pool.map(lambda _: run_folder(str(tmp_path / "outputs"), "10-00-00", None), range(5)))
    names = ["10-00-00", *(f"10-00-00_{number}" for number in range(2, 6))]
    assert sorted(made) == [str(tmp_path / "outputs" / name) for name in names]
    assert all(Path(folder).is_dir() for folder in made)
