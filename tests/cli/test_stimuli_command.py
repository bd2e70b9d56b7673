import csv
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from pellucid.cli.stimuli import parse_range, stimuli
from pellucid.curves import STYLES, Angle, Curve, centre_of, draw
from pellucid.errors import LayerError, PellucidError
from pellucid.networks import load
from pellucid.pictures import to_pixels


def run(*arguments: object) -> str:
    """What the command prints; its errors come through."""
    app = typer.Typer()
    app.command()(stimuli)
    ended = CliRunner().invoke(app, list(map(str, arguments)))
    if ended.exception is not None:
        raise ended.exception
    return ended.output


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_sheet_and_a_table_of_curves(tmp_path: Path) -> None:
    sheet, table = tmp_path / "sheet.png", tmp_path / "table.csv"
    printed = run(
        "curve", "--orientation", "0:360:90", "--radius", "8,inf", "--size", "20x24", "-o", sheet, "-o", table
    )  # fmt: skip
    assert f"wrote {sheet}: 8 stimuli" in printed
    written = rows(table)
    assert [(row["orientation"], row["radius"]) for row in written[3:5]] == [("270", "8"), ("0", "inf")]
    image = pixels(sheet)
    assert image.shape == (2 * 20 + 4, 4 * 24 + 3 * 4, 3)
    np.testing.assert_array_equal(image[:20, 28:52], to_pixels(draw(Curve(90, 8), (20, 24)))[0])


def test_a_folder_of_pictures_with_their_table(tmp_path: Path) -> None:
    run("angle", "--opening", "60,120", "--rounding", 4, "--orientation", "0,30", "--size", 21, "-o", tmp_path / "made")
    pictures = sorted((tmp_path / "made").glob("*.png"))
    assert [path.name for path in pictures] == ["00000.png", "00001.png", "00002.png", "00003.png"]
    expected = to_pixels(draw(Angle(30, 120, 4), 21))[0]
    np.testing.assert_array_equal(pixels(pictures[3]), expected)
    assert [row["opening"] for row in rows(tmp_path / "made" / "stimuli.csv")] == ["60", "60", "120", "120"]


def test_styles_and_what_is_changed_of_them(tmp_path: Path) -> None:
    run(
        "curve", "--orientation", 40, "--size", 31, "--style", "line,fill", "--foreground", "1,0,0.5", "--background",
        0.25, "--seed", "3,4", "--outside", "noise:0.05", "--fade", 9, "-o", tmp_path / "drawn.npy",
    )  # fmt: skip
    drawn = np.load(tmp_path / "drawn.npy")
    assert drawn.shape == (4, 3, 31, 31)
    assert drawn[2, :, 18, 18] == pytest.approx([1, 0, 0.5])  # filled, inside
    assert drawn[0, 0, 10, 12] != drawn[1, 0, 10, 12]  # the seed
    assert np.all(drawn[:, :, 0, 0] == 0.5)  # faded


def test_photographs_as_a_texture(tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    Image.fromarray(np.full((40, 40, 3), 102, dtype=np.uint8)).save(folder / "a.png")
    run(
        "circle", "--radius", 5, "--size", 24, "--inside", "photographs", "--outside", "photographs",
        "--images", folder, "-o", tmp_path / "drawn.npy",
    )  # fmt: skip
    drawn = np.load(tmp_path / "drawn.npy")
    assert drawn[0, :, 0, 0] == pytest.approx([0.4] * 3)
    assert drawn[0, :, 12, 12] == pytest.approx([0.4] * 3)


@pytest.mark.parametrize("kind", ["curve", "angle", "line", "circle", "grating", "comb", "blank"])
def test_every_kind_has_defaults(kind: str, tmp_path: Path) -> None:
    run(kind, "-o", tmp_path / "sheet.webp", "-o", tmp_path / "table.parquet", "--size", 24)
    with Image.open(tmp_path / "sheet.webp") as sheet:
        assert sheet.size[0] >= 24


def test_the_standard_bank_is_a_table(tmp_path: Path) -> None:
    run("standard", "--diameter", 40, "-o", tmp_path / "bank.csv")
    assert len(rows(tmp_path / "bank.csv")) == 1540


def test_stimuli_are_centred_on_a_networks_units(tmp_path: Path) -> None:
    run(
        "curve", "--orientation", 30, "--style", "fill", "--network", "efficientnet_lite0", "--weights", "random",
        "--layer", "blocks.1.1", "-o", tmp_path / "drawn.npy",
    )  # fmt: skip
    network = load("efficientnet_lite0", weights="random")
    expected = draw(Curve(30, 30), network.size, centre=centre_of(network, "blocks.1.1"), style=STYLES["fill"])
    torch.testing.assert_close(torch.from_numpy(np.load(tmp_path / "drawn.npy")), expected)
    with pytest.raises(LayerError, match="has no spatial activations"):
        run(
            "curve", "--network", "efficientnet_lite0", "--weights", "random", "--layer", "classifier",
            "-o", tmp_path / "drawn.npy",
        )  # fmt: skip


def test_ranges_leave_out_their_end() -> None:
    assert parse_range("0:1:0.1", "x") == pytest.approx([0.1 * k for k in range(10)])
    assert parse_range("5,inf", "x") == (5, float("inf"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("curve", "--orientation", "10:0:5"), r"orientation '10:0:5' is empty or endless"),
        (("curve", "--orientation", "0:10"), r"orientation '0:10' is not START:STOP:STEP"),
        (("curve", "--radius", ","), r"radius ',' holds no numbers"),
        (("line", "--radius", "3"), r"--radius says nothing of a line, which has --orientation, --width, --length"),
        (("blank", "--arc", "3"), r"--arc says nothing of a blank, which has no such options"),
        (("curve", "--diameter", "3"), r"--diameter is for the standard bank"),
        (("curve", "--style", "thick"), r"no style 'thick'; there are line, "),
        (("curve", "--centre", "4"), r"a centre is Y,X, not '4'"),
        (("curve", "--layer", "conv1"), r"--layer conv1 needs its --network"),
        (("curve", "--network", "x"), r"--network goes with --layer"),
        (("curve", "--inside", "marble"), r"texture 'marble' is neither noise, noise:DEVIATION, photographs nor none"),
        (("curve", "--inside", "photographs"), r"photographs for a texture are in a folder: --images FOLDER"),
        (("comb", "--side", "left"), r"comb: side = 'left' is neither inside, outside nor both"),
        (("curve", "--foreground", "2"), r"the colour foreground = 2.0 is not in \[0, 1\]"),
        (("curve", "--orientation", "0:360:0.1"), r"3600 pictures are too many for a sheet; write a folder, or \.npy"),
        (("standard",), r"give its --diameter in px"),
        (("standard", "--diameter", "30", "--arc", "5"), r"leave out --arc"),
    ],
)
def test_commands_that_cannot_be_are_refused(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match=message):
        run(*arguments, "-o", tmp_path / "sheet.png")


def test_unknown_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match=r"not '\.gif'"):
        run("curve", "-o", tmp_path / "sheet.gif")
