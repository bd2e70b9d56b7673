import json
from pathlib import Path

from PIL import Image
from safetensors.torch import save_file

import pellucid
from commands import pellucid_command
from photographs import drawn_photographs
from trees import tree

LITE = "efficientnet_lite0"


def refused(*arguments: object, cwd: Path | None = None) -> str:
    """The one line with which a command ends that cannot be done."""
    ended = pellucid_command(*arguments, cwd=cwd)
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    lines = [line for line in ended.stderr.splitlines() if line.startswith("error:")]
    assert len(lines) == 1, ended.stderr
    assert ended.stderr.splitlines()[-1] == lines[0]
    return lines[0]


def test_layers_are_listed() -> None:
    ended = pellucid_command("layers", "efficientnet_lite0", "--no-fields")
    assert ended.returncode == 0, ended.stderr
    assert "blocks.4.2.bn2  " in ended.stdout
    assert "14x14" in ended.stdout
    assert "159 layers of efficientnet_lite0 at 224x224 pixels" in ended.stdout


def test_render_writes_pictures(tmp_path: Path) -> None:
    ended = pellucid_command(
        "render", LITE, "blocks.1.1.bn2:3", "blocks.1.1.bn2:5 - 0.5*blocks.1.1.bn2:6", "-o", tmp_path / "x" / "two.png",
        "--steps", 3, "--size", "40x64", "--snapshots", "1",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    with Image.open(tmp_path / "x" / "two.png") as image:
        assert image.size == (64 * 2 + 4, 40)
    assert (tmp_path / "x" / "two-step1.png").is_file()


def test_an_atlas_of_a_folder(real_atlas: Path, tmp_path: Path) -> None:
    checked = pellucid_command("atlas", "check", real_atlas, "--json")
    assert checked.returncode == 0, checked.stderr
    result = json.loads(checked.stdout)
    assert [level["grid"] for level in result["levels"]] == [3, 6]
    assert result["icon"] > result["shuffled"] + 0.1
    assert result["levels"][0]["own_first"] > 0.8
    assert result["layout"]["layout"] > result["layout"]["shuffled"] + 0.2
    table = pellucid_command("atlas", "check", real_atlas)
    assert "trustworthiness (cosine, k = 15" in table.stdout
    exported = pellucid_command("export", real_atlas, tmp_path / "site")
    assert exported.returncode == 0, exported.stderr
    assert (tmp_path / "site" / "index.html").is_file()
    catalog = json.loads((tmp_path / "site" / "data" / "catalog.json").read_text())
    assert catalog["atlases"][0]["layer"] == "blocks.4.2.bn2"


def test_the_same_command_again_changes_nothing(real_atlas: Path) -> None:
    before = tree(real_atlas)
    ended = pellucid_command("atlas", real_atlas, "--grids", "3,6", "--min-count", 5, "--neighbors", 15, "--steps", 64)
    assert ended.returncode == 0, ended.stderr
    assert tree(real_atlas) == before


def test_bad_input_is_one_clear_line_and_leaves_nothing(tmp_path: Path) -> None:
    images = drawn_photographs(tmp_path / "images", 2)
    (tmp_path / "empty").mkdir()
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "x.jpg").write_text("not a picture")
    out = tmp_path / "out"
    harvest = ("harvest", LITE, "-o", out)
    assert "did you mean 'efficientnet_lite0'" in refused("layers", "efficentnet_lite0")
    assert "no layer 'blocks.3.1.bn4' in efficientnet_lite0; did you mean 'blocks.3.1.bn" in refused(
        "render", LITE, "blocks.3.1.bn4:1", "-o", tmp_path / "x.png"
    )
    assert "480 units, 0 to 479; there is no unit 999" in refused(
        "render", LITE, "blocks.3.1.bn2:999", "-o", tmp_path / "x.png"
    )
    assert "cannot read 'nonsense'" in refused("render", LITE, "nonsense", "-o", tmp_path / "x.png")
    assert "written as .png" in refused("render", LITE, "blocks.3.1.bn2:9", "-o", tmp_path / "x.bmp")
    assert "neither a number of pixels" in refused("render", LITE, "conv_stem:1", "-o", "x.png", "--size", "big")
    assert "cannot use device 'cuda:7'" in refused("layers", LITE, "--device", "cuda:7")
    assert "no spatial activations" in refused(*harvest, "--images", images, "--layer", "classifier", "--positions", 5)
    assert "no photographs in" in refused(*harvest, "--images", tmp_path / "empty", "--layer", "blocks.4.2.bn2")
    assert "none of the 1 images can be read" in refused(
        *harvest, "--images", tmp_path / "words", "--layer", "blocks.4.2.bn2"
    )
    assert "no folder" in refused(*harvest, "--images", tmp_path / "nowhere", "--layer", "blocks.4.2.bn2")
    assert "not numbers separated by commas" in refused(
        *harvest, "--images", images, "--layer", "blocks.4.2.bn2", "--crops", "1,x"
    )
    assert "no study in" in refused("atlas", out)
    assert "no study in" in refused("atlas", "check", tmp_path / "empty")
    assert "no study in" in refused("serve", tmp_path / "empty")
    assert "no study in" in refused("export", tmp_path / "empty", out)
    assert "give a study, or a folder" in refused("atlas", "--grids", "5")
    assert not out.exists()
    assert not (tmp_path / "x.png").exists()


def test_a_truncated_weights_file(tmp_path: Path) -> None:
    save_file(pellucid.load("resnet10t", weights="random").module.state_dict(), tmp_path / "w.safetensors")
    whole = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "w.safetensors").write_bytes(whole[: len(whole) // 2])
    assert "damaged" in refused("layers", "resnet10t", "--weights", tmp_path / "w.safetensors")
    assert "no weights file" in refused("layers", "resnet10t", "--weights", tmp_path / "nowhere.pth")


def test_a_grid_with_no_cell(real_atlas: Path) -> None:
    before = tree(real_atlas)
    line = refused("atlas", real_atlas, "--grids", "50", "--min-count", 500, "--neighbors", 15)
    assert "no cell of the 50x50 grid holds 500 activations" in line
    assert tree(real_atlas) == before
