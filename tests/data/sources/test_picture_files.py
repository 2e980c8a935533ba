from pathlib import Path

from deblurlab.data.sources.picture_files import image_tree, without_partner


def test_symlink_loops_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    assert list(image_tree(tmp_path)) == ["a/1"]


def test_linked_folders_are_entered(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.jpg").touch()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "elsewhere")
    assert list(image_tree(tmp_path / "root")) == ["linked/1"]


def test_each_side_tells_what_it_lacks() -> None:
    blurred = {name: Path(f"blurred/{name}.png") for name in ("a", "c", "b")}
    sharp = {name: Path(f"sharp/{name}.jpg") for name in ("b", "d")}
    assert list(without_partner(blurred, sharp)) == [
        ("sharp", ["a", "c"], [Path("blurred/a.png"), Path("blurred/c.png")]),
        ("blurred", ["d"], [Path("sharp/d.jpg")]),
    ]
    assert list(without_partner(blurred, blurred)) == []
