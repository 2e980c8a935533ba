"""Where a run comes from is kept, one entry per start."""

import json
import subprocess
from pathlib import Path

import pytest

from deblurlab.run.provenance import add_start, provenance, read_starts


def test_each_start_is_kept_with_its_command_versions_and_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    (tmp_path / "file").write_text("one")
    for words in (["init", "--quiet"], ["add", "file"], ["commit", "--quiet", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    for text, expected in (("one", commit), ("two", f"{commit}+changes")):
        (tmp_path / "file").write_text(text)
        start = provenance(arguments=["deblurlab", "train", "data.root=My photos"], device="cpu")
        assert start["commits"]["folder"] == expected
        assert start["command"] == "deblurlab train 'data.root=My photos'"
        assert start["versions"].keys() >= {"torch", "lightning"}
        add_start(tmp_path / "starts.json", start)
    assert len(json.loads((tmp_path / "starts.json").read_text())) == 2


@pytest.mark.parametrize("content", ["", "{", "{}", "[1]", '[{"machine": {}}]', '[{"machine": {"device": 1}}]'])
def test_a_damaged_record_is_named(content: str, tmp_path: Path) -> None:
    file = tmp_path / "provenance.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"provenance\.json is damaged: .*Delete it"):
        read_starts(file)
