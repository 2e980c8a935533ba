"""The layouts of conf/data find what their authors publish, in trees that are built as the authors' lists name them."""

import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from PIL import Image, ImageFilter

import deblurlab.data
from deblurlab.data import Layout, ListedLayout, PublishedPairs
from deblurlab.data.preparing.check_frames import check_frames
from deblurlab.data.sources.layouts import find_frames
from deblurlab.data.sources.picture_files import size_of_pair
from tests.pictures import picture

CONF = Path(deblurlab.data.__file__).parents[1] / "conf/data"
REALBLUR = {"j": "RealBlur-J_ECC_IMCORR_centroid_itensity_ref", "r": "RealBlur-R_BM3D_ECC_IMCORR_centroid_itensity_ref"}
SPLITS = ("train", "val", "test")


def layout_of(name: str) -> Layout | ListedLayout:
    config = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml").layout)
    assert isinstance(config, dict)
    kind = getattr(deblurlab.data, config.pop("_target_").rpartition(".")[2])
    return kind(**config)


def write_pair(root: Path, sharp: str, blurred: str, seed: int) -> str:
    """Writes the two files of a pair, and returns their line of a list."""
    image = Image.fromarray(picture(seed, 30 + seed % 3, 40))
    for name, side in ((sharp, image), (blurred, image.filter(ImageFilter.GaussianBlur(2)))):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        side.save(root / name)
    return f"{sharp} {blurred} \n"  # the authors' lines end in a blank


def write_realblur(root: Path, letter: str) -> None:
    for number, split in enumerate(("train", "test")):
        lines = [
            write_pair(root, f"{scene}/gt/gt_{one}.png", f"{scene}/blur/blur_{one}.png", one)
            for scene in (f"{REALBLUR[letter]}/scene{scene:03}" for scene in range(number, 4, 2))
            for one in (1, 2, 10)
        ]
        (root / f"RealBlur_{letter.upper()}_{split}_list.txt").write_text("".join(lines))


def write_rsblur(root: Path) -> None:
    for number, split in enumerate(SPLITS):
        lines = [
            write_pair(root, f"{folder}/gt/gt_sharp.png", f"{folder}/real_blur/real_blur.png", one)
            for one in range(4)
            for folder in [f"RSBlur/{number:04}/{number:03}{one:03}"]
        ]
        (root / f"RSBlur_real_{split}.txt").write_text("".join(lines))


def write_hide(root: Path) -> None:
    for number, folder in enumerate(("train", "test/test-close-ups", "test/test-long-shot")):
        for one in range(3):
            name = f"{10 * number + one}fromGOPR{number}.png"
            write_pair(root, f"GT/{name}", f"{folder}/{name}", 0)


def write_bsd(root: Path) -> None:
    for number, split in enumerate(("train", "valid", "test")):
        for one in range(3):
            write_pair(root, *(f"{split}/{number:03}/{side}/RGB/{one:08}.png" for side in ("Sharp", "Blur")), 0)


def write_dpdd(root: Path) -> None:
    """A pair's files have different names, and so have all files of one side, as the camera numbered them."""
    for number, split in enumerate(SPLITS):
        for one in range(4):
            sharp, blurred = (f"1P0A{100 * number + 2 * one + side:04}.png" for side in (0, 1))
            write_pair(root, f"{split}_c/target/{sharp}", f"{split}_c/source/{blurred}", one)


def write_video_pairs(root: Path) -> None:
    for split in SPLITS:
        for one in range(3):
            write_pair(root, *(f"{split}/a_{split}/{side}/{one:06}.png" for side in ("sharp", "blur")), 0)


TREES = {
    "realblur_j": lambda root: write_realblur(root, "j"),
    "realblur_r": lambda root: write_realblur(root, "r"),
    "rsblur": write_rsblur,
    "hide": write_hide,
    "base/bsd": write_bsd,
    "dpdd": write_dpdd,
    "video": write_video_pairs,
}


@pytest.mark.parametrize("name", TREES)
def test_each_tree_is_read_split_by_split_and_has_no_problems(name: str, tmp_path: Path) -> None:
    TREES[name](tmp_path)
    layout = layout_of(name)
    data = PublishedPairs(root=str(tmp_path), layout=layout, patch=[16, 20], batch_size=4)
    names = {split: {data.source(split).name(one) for one in range(len(data.source(split).groups))} for split in SPLITS}
    assert all(names.values())
    assert not names["train"] & names["val"]
    assert not names["test"] & (names["train"] | names["val"])
    for pair in (pair for split in layout.counts() for pair in find_frames(tmp_path, split, layout)):
        assert pair.sharp != pair.blurred
        assert size_of_pair(pair)
        blurred, sharp = (str(side.relative_to(tmp_path)).lower() for side in (pair.blurred, pair.sharp))
        assert ("blur" in blurred or "source/" in blurred) == (name != "hide")
        assert any(folder in sharp for folder in ("gt/", "sharp/", "target/"))
    report = check_frames(tmp_path, layout, workers=1, progress=lambda _: None)
    assert report.problems == []
    assert next(iter(data.batches("train"))).blurred.shape[1:] == (3, 16, 20)


def test_what_each_split_has(tmp_path: Path) -> None:
    counts = {}
    for name, write in TREES.items():
        write(tmp_path / name)
        layout = layout_of(name)
        counts[name] = [len(find_frames(tmp_path / name, split, layout)) for split in layout.counts()]
    assert counts == {
        "realblur_j": [6, 6],
        "realblur_r": [6, 6],
        "rsblur": [4, 4, 4],
        "hide": [3, 6],
        "base/bsd": [3, 3, 3],
        "dpdd": [4, 4, 4],
        "video": [3, 3, 3],
    }


@pytest.mark.parametrize("name", TREES)
def test_a_missing_root_names_the_page_to_download_from(name: str, tmp_path: Path) -> None:
    layout = layout_of(name)
    with pytest.raises(ValueError, match="there is no such folder") as error:
        find_frames(tmp_path / "nowhere", "train", layout)
    assert layout.page in str(error.value)
    assert "http" in layout.page or name == "video"


def test_pairs_without_equal_names_are_paired_in_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_dpdd(tmp_path)
    layout = layout_of("dpdd")
    find_frames(tmp_path, "train", layout._replace(published=(4, 4)))
    assert caplog.text == ""
    find_frames(tmp_path, "train", layout)
    assert "split train: 4 pairs of the 350 published. Files are paired in the order of their names" in caplog.text
    pairs = find_frames(tmp_path, "val", layout)
    assert [(pair.blurred.name, pair.sharp.name) for pair in pairs] == [
        (f"1P0A{number + 1:04}.png", f"1P0A{number:04}.png") for number in (100, 102, 104, 106)
    ]
    assert pairs[0].name == "val_c/source/1P0A0101"
    (tmp_path / "val_c/target/1P0A0102.png").unlink()
    message = r"val_c/source holds 4 pictures and .*val_c/target 3: their files have different names"
    with pytest.raises(ValueError, match=message):
        find_frames(tmp_path, "val", layout)
    (problem,) = check_frames(tmp_path, layout, workers=1, progress=lambda _: None).problems
    assert "val_c/target 3: their files have different names" in problem


def test_what_a_list_names_and_is_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_realblur(tmp_path, "j")
    layout, folder = layout_of("realblur_j"), tmp_path / REALBLUR["j"]
    for side in ("gt", "blur"):
        (folder / f"scene000/{side}/{side}_2.png").unlink()
    assert len(find_frames(tmp_path, "train", layout)) == 5
    assert "1 of the 6 pairs that RealBlur_J_train_list.txt names are not there" in caplog.text
    (folder / "scene000/gt/gt_1.png").unlink()
    with pytest.raises(ValueError, match=r"the sharp side of scene000 lacks 1 of the frames of .* first blur_1\.png"):
        find_frames(tmp_path, "train", layout)
    report = check_frames(tmp_path, layout, workers=1, progress=lambda _: None)
    assert report.problems == [f"{tmp_path}: the sharp side of scene000 lacks 1 frame: blur/blur_1"]
    (tmp_path / "RealBlur_J_train_list.txt").write_text("a.png\n")
    with pytest.raises(ValueError, match=r"RealBlur_J_train_list\.txt, line 1: expected two paths as in"):
        find_frames(tmp_path, "train", layout)
    (tmp_path / "RealBlur_J_train_list.txt").unlink()
    with pytest.raises(ValueError, match=r"there is no list RealBlur_J_train_list\.txt"):
        find_frames(tmp_path, "train", layout)


@pytest.mark.parametrize(
    ("sharp", "blurred"),
    [
        ("A/scene1/gt/1.png", "A/scene1/blur/1.jpg"),
        ("A/scene1/gt/2.png", "A/scene1/blur/1.png"),
        ("B/scene1/gt/1.png", "B/scene1/blur/1.png"),
    ],
)
def test_two_lines_of_a_list_that_name_one_pair(sharp: str, blurred: str, tmp_path: Path) -> None:
    """The later one replaced the earlier one."""
    layout = ListedLayout(title="", page="", train="list.txt", test="list.txt", example="", published=(2, 2))
    lines = ["\n", write_pair(tmp_path, "A/scene1/gt/1.png", "A/scene1/blur/1.png", 0)]
    other = write_pair(tmp_path, sharp, blurred, 1)
    (tmp_path / "list.txt").write_text("".join([*lines, other]))
    with pytest.raises(ValueError, match=r"list\.txt, lines 2 and 3: A/scene1/blur/1\.png with .* are both the pair"):
        find_frames(tmp_path, "train", layout)
    problems = check_frames(tmp_path, layout, workers=1, progress=lambda _: None).problems
    told = f"{blurred} with {sharp} are both the pair scene1/blur/1: take one of these lines out"
    assert any(problem.endswith(told) for problem in problems)
    if sharp.startswith("B/"):  # a pair that is not there is in nobody's way
        shutil.rmtree(tmp_path / "B")
        (pair,) = find_frames(tmp_path, "train", layout)
        assert [str(pair.sharp), str(pair.blurred)] == [f"{tmp_path}/{path}" for path in lines[1].split()]


def test_a_line_that_appears_twice_is_one_pair(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_realblur(tmp_path, "j")
    list_file = tmp_path / "RealBlur_J_train_list.txt"
    lines = list_file.read_text().splitlines()
    pairs = find_frames(tmp_path, "train", layout_of("realblur_j"))
    assert caplog.text == ""
    list_file.write_text("\n".join([*lines, lines[2].replace("/gt/", "//gt/"), lines[0]]))
    assert find_frames(tmp_path, "train", layout_of("realblur_j")) == pairs
    assert f"{list_file}: 2 lines left out that repeat another, first {len(lines) + 1}" in caplog.text


@pytest.mark.parametrize("name", ["gopro", "reds"])
def test_frames_of_gopro_and_reds_keep_their_size(name: str, real_data: Path) -> None:
    config = OmegaConf.load(CONF / f"{name}_full.yaml")
    crops = {"crops": config.crops, "rotations": config.rotations}
    data = PublishedPairs(
        root=str(real_data / name), layout=layout_of(f"base/{name}"), patch=[720, 1280], batch_size=2, **crops
    )
    assert next(iter(data.batches("test"))).sharp.shape == (2, 3, 720, 1280)
    assert next(iter(data.batches("train"))).sharp.shape == (2, 3, 256, 256)
    # the patches that validation takes without another patch= cover a frame
    assert [size % side for size, side in zip((720, 1280), config.patch, strict=True)] == [0, 0]
