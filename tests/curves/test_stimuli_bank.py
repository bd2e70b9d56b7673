import json
import math
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
import torch
from torch import nn

from pellucid.curves import (
    STYLES,
    Angle,
    Bank,
    Blank,
    Comb,
    Curve,
    Grating,
    Line,
    Noise,
    Style,
    centre_of,
    draw,
    standard_bank,
)
from pellucid.errors import LayerError, PellucidError
from pellucid.networks import wrap
from small import small_network


@pytest.fixture(scope="module")
def bank() -> Bank:
    return (
        Bank.product(Curve, styles=("line", "fill"), radius=(8, 16), orientation=range(0, 360, 90))
        + Bank.product(Line, styles=("noise",), seeds=(1, 2), orientation=(0, 45))
        + Bank.product(Comb, orientation=30, radius=12, spacing=5, length=4, side=("inside", "outside"))
    )


def test_a_product_has_every_combination_in_every_style(bank: Bank) -> None:
    assert len(bank) == 2 * 2 * 4 + 2 * 2 + 2
    assert bank.stimuli[:5] == (*(Curve(k, 8) for k in (0, 90, 180, 270)), Curve(0, 16))
    assert bank.styles[:9] == ("line",) * 8 + ("fill",)
    assert bank.seeds[16:20] == (1, 1, 2, 2)


def test_columns_hold_every_parameter(bank: Bank) -> None:
    table = bank.columns()
    assert list(table) == [
        "kind", "style", "seed", "orientation", "radius", "arc", "width", "length", "spacing", "side", "tick_width"
    ]  # fmt: skip
    for row, one in enumerate(bank.stimuli):
        assert table["kind"][row] == one.kind
        for name in list(table)[3:]:
            missing = "" if name == "side" else math.nan
            np.testing.assert_equal(table[name][row], getattr(one, name, missing))


def test_rows_are_found_by_their_columns(bank: Bank) -> None:
    rows = bank.where(kind="curve", style="fill", orientation=(90, 180))
    assert [bank.stimuli[row] for row in rows] == [Curve(90, 8), Curve(180, 8), Curve(90, 16), Curve(180, 16)]
    assert len(bank.where(side="inside")) == 1
    taken = bank.take(rows[::-1])
    assert taken.stimuli[0] == Curve(180, 16)
    assert set(taken.styles) == {"fill"}


def test_a_grid_lays_responses_out(bank: Bank) -> None:
    grid = bank.grid("radius", "orientation", kind="curve", style="fill")
    assert grid.rows.tolist() == [8, 16]
    assert grid.columns.tolist() == [0, 90, 180, 270]
    for row, column in np.ndindex(2, 4):
        number = grid.index[row, column]
        assert bank.stimuli[number] == Curve(float(grid.columns[column]), float(grid.rows[row]))
        assert bank.styles[number] == "fill"
    with pytest.raises(PellucidError, match="16 stimuli do not fill 2 values of radius by 4 of orientation"):
        bank.grid("radius", "orientation", kind="curve")


def test_pictures_follow_the_rows(bank: Bank) -> None:
    drawn = bank.draw((20, 26), centre=(9.0, 12.5))
    batches = list(bank.batches((20, 26), batch=5, centre=(9.0, 12.5)))
    assert [len(batch) for batch in batches] == [5, 5, 5, 5, 2]
    torch.testing.assert_close(torch.cat(batches), drawn, atol=1e-6, rtol=0)
    for row, (one, style, seed) in enumerate(zip(bank.stimuli, bank.styles, bank.seeds, strict=True)):
        alone = draw(one, (20, 26), centre=(9.0, 12.5), style=STYLES[style], seed=seed)[0]
        torch.testing.assert_close(drawn[row], alone, atol=1e-6, rtol=0)


def test_the_table_is_written_and_read(bank: Bank, tmp_path: Path) -> None:
    flat = bank + Bank.of([Curve(10, math.inf)])
    flat.save(tmp_path / "table.parquet")
    flat.save(tmp_path / "deep" / "table.csv")
    read = pyarrow.parquet.read_table(tmp_path / "table.parquet")
    assert read.to_pydict() == flat.table().to_pydict()
    assert read["spacing"].to_pylist()[0] is None
    assert read["radius"].to_pylist()[-1] == math.inf
    styles = json.loads(read.schema.metadata[b"styles"])
    assert styles["noise"]["outside"]["deviation"] == 0.15
    assert styles["line"]["fade"] is None
    rows = pyarrow.csv.read_csv(tmp_path / "deep" / "table.csv").to_pydict()
    assert rows["orientation"] == flat.columns()["orientation"].tolist()
    assert rows["side"][-3:] == ["inside", "outside", ""]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Bank.product(Curve, radius=5, orientation=0, styles=("lines",)),
            r"no style 'lines'; there are line, ",
        ),
        (lambda: Bank((Curve(0, 5),), ("plain",), (0,), {}), r"no style 'plain' in the bank"),
        (lambda: Bank((Curve(0, 5),), (), (), {}), r"a bank has one style and one seed for each stimulus"),
        (lambda: Bank.of([Curve(0, 5)]).where(opening=3), r"the bank has no column 'opening'; its columns are kind, "),
        (lambda: Bank.of([Curve(0, 5)]).save(Path("table.txt")), r"written as .parquet or .csv, not '.txt'"),
        (
            lambda: Bank.of([Blank()], styles={"a": Style()}) + Bank.of([Blank()], styles={"a": Style(fill=True)}),
            r"two banks with different styles 'a' cannot be joined",
        ),
    ],
)
def test_banks_that_cannot_be_are_refused(make, message: str) -> None:
    with pytest.raises(PellucidError, match=message):
        make()


def test_the_standard_bank_has_curves_and_what_is_not_a_curve() -> None:
    bank = standard_bank(40)
    assert len(bank) == 1540
    curves = bank.grid("radius", "orientation", kind="curve", style="line")
    assert curves.rows.tolist() == pytest.approx([8, 14, 20, 30, 40, 60])
    assert curves.columns.tolist() == [5 * k for k in range(72)]
    assert set(bank.columns()["kind"]) == {"curve", "line", "angle", "circle", "grating", "blank"}
    assert standard_bank(40).stimuli == bank.stimuli
    pictures = standard_bank(12, orientations=8).draw(24)
    assert float(pictures.min()) >= 0
    assert float(pictures.max()) <= 1
    assert len(pictures.flatten(1).unique(dim=0)) == len(pictures)


def test_the_centre_of_a_unit_is_where_its_gradient_lies() -> None:
    network = small_network(size=(32, 48))
    for layer, position in (("conv1", (5, 9)), ("conv3", (4, 17)), ("conv3", None)):
        y, x = centre_of(network, layer, position)
        images = torch.zeros((1, 3, 32, 48), requires_grad=True)
        maps = network.activations(images, [layer])[layer]
        row, column = position or (maps.shape[2] // 2, maps.shape[3] // 2)
        maps[0, :, row, column].sum().backward()
        assert images.grad is not None
        rows, columns = images.grad.abs().sum(dim=(0, 1)).nonzero(as_tuple=True)
        assert (y, x) == ((rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2)


def test_units_that_see_everything_look_at_their_own_part() -> None:
    network = wrap(nn.Sequential(nn.Conv2d(3, 4, 4, stride=4), nn.GroupNorm(1, 4)), size=(32, 48))
    assert centre_of(network, "0", (2, 5)) == (9.5, 21.5)
    assert centre_of(network, "1", (2, 5)) == (9.5, 21.5)


def test_units_without_a_place_have_no_centre() -> None:
    network = small_network(size=(32, 48))
    with pytest.raises(LayerError, match=r"layer 'head' of .* has no spatial activations"):
        centre_of(network, "head")
    with pytest.raises(LayerError, match=r"has 16x24 positions, none at \(16, 0\)"):
        centre_of(network, "conv3", (16, 0))
    shifted = wrap(nn.Sequential(nn.Conv2d(3, 4, 3, padding=8)), size=(20, 20))
    with pytest.raises(LayerError, match=r"outside of a picture of 20x20 pixels; choose a position nearer"):
        centre_of(shifted, "0", (0, 0))


def test_a_stimulus_at_the_units_centre_drives_that_unit_most() -> None:
    convolution = nn.Conv2d(3, 1, 9, stride=2, padding=4, bias=False)
    white = STYLES["line-inverse"]
    convolution.weight.data.copy_(draw(Curve(0, 12), 9, style=white))
    network = wrap(nn.Sequential(convolution), size=(40, 60))
    for position in ((8, 12), (11, 17)):
        shown = draw(Curve(0, 12), network.size, centre=centre_of(network, "0", position), style=white)
        maps = network.activations(shown, ["0"])["0"][0, 0]
        assert divmod(int(maps.argmax()), maps.shape[1]) == position


def test_other_kinds_have_a_grid_too() -> None:
    bank = Bank.product(Angle, opening=(60, 90, 120), orientation=(0, 30)) + Bank.product(
        Grating, orientation=(0, 30), wavelength=4, styles={"noisy": Style(outside=Noise())}
    )
    assert bank.grid("opening", "orientation", kind="angle").index.tolist() == [[0, 1], [2, 3], [4, 5]]
