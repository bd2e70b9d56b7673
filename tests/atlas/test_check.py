"""The check of an atlas against slow, plain twins, on sheets that are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from oracles_icons import rank_of_own
from pellucid.activations import HarvestConfig, harvest, read_samples
from pellucid.atlas import AtlasConfig, build, check, tables
from pellucid.atlas.classes import read_class_means
from pellucid.atlas.icons import IconConfig
from pellucid.atlas.jittered import center_attributions, encode_centers
from pellucid.atlas.likeness import agreement, likeness
from pellucid.atlas.sheets import read_icons
from pellucid.errors import StudyError
from pellucid.networks import Network
from pellucid.pictures import sheet
from pellucid.study import AtlasRecord, SheetRecord, Study
from pellucid.study.records import read_cells
from photographs import drawn_photographs
from small import small_network

CONFIG = AtlasConfig(
    grids=(3,), min_count=4, neighbors=10, patches=2, patch_size=16, icons=IconConfig(size=16, steps=24, batch=4)
)


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network(size=24)


@pytest.fixture(scope="module")
def study(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("check")
    images = drawn_photographs(folder / "images", 16)
    made = harvest(network, images, "act3", folder / "study", config=HarvestConfig(positions=12, shard=8))
    build(network, made, "act3", config=CONFIG)
    return made


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    first, second = first.astype(np.float64), second.astype(np.float64)
    return (first @ second.T) / np.outer(np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1))


def others(matrix: np.ndarray) -> float:
    return float(matrix[~np.eye(len(matrix), dtype=bool)].mean())


def test_the_check_is_the_plain_one(network: Network, study: Study) -> None:
    folder = study.path / "atlas" / "act3"
    level = AtlasRecord.read(folder).levels[0]
    cells = tables.read_cells(folder / "cells-3.parquet")
    icons = read_icons(folder, level.icons, cells.row, cells.column)
    seen = encode_centers(network, "act3", icons).numpy()
    found = check(network, study)
    one = found.levels[0]
    assert (one.grid, one.cells, found.cells) == (3, len(cells.row), len(cells.row))

    plain = cosines(seen, cells.mean)
    assert one.icon == pytest.approx(plain.diagonal().mean(), abs=1e-6)
    assert one.icon_p10 == pytest.approx(np.quantile(plain.diagonal(), 0.1), abs=1e-6)
    assert one.shuffled == pytest.approx(others(plain), abs=1e-6)
    activations = read_samples(study, "act3").activation.astype(np.float64)
    center = activations.mean(axis=0)
    centred = cosines(seen - center, cells.mean - center)
    assert one.icon_centred == pytest.approx(centred.diagonal().mean(), abs=1e-4)
    assert one.shuffled_centred == pytest.approx(others(centred), abs=1e-4)
    covariance = activations.T @ activations / len(activations)
    covariance += 1e-2 * np.trace(covariance) / 16 * np.eye(16)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors / np.sqrt(values) @ vectors.T
    white = cosines(seen @ root, cells.mean @ root)
    assert one.icon_whitened == pytest.approx(white.diagonal().mean(), abs=1e-4)
    assert one.shuffled_whitened == pytest.approx(others(white), abs=1e-4)

    ranks = [rank_of_own(seen[cell], cells.mean, cell) for cell in range(level.cells)]
    assert one.own_first == pytest.approx(np.mean([rank < 1 for rank in ranks]))
    assert one.own_five == pytest.approx(np.mean([rank < 5 for rank in ranks]))
    assert (one.chance_first, one.chance_five) == (1 / level.cells, min(1, 5 / level.cells))
    assert one.unstable == pytest.approx(np.mean([not cell.stable for cell in read_cells(folder / level.table)]))
    for name in ("icon", "icon_centred", "icon_whitened", "own_first", "shuffled"):
        assert getattr(found, name) == getattr(one, name)  # there is one level
    assert one.best_patch is not None
    assert one.patch_first is not None
    assert one.neighbours is not None
    assert found.as_dict()["levels"][0]["labels"]["first"] == one.labels.first  # pyright: ignore


def test_icons_are_asked_for_their_classes(network: Network, study: Study) -> None:
    folder = study.path / "atlas" / "act3"
    level = AtlasRecord.read(folder).levels[0]
    cells = tables.read_cells(folder / "cells-3.parquet")
    icons = read_icons(folder, level.icons, cells.row, cells.column)
    means = read_class_means(folder, level)
    # Of what pooling and a linear head make of the centre, attribution is the activation times the weights.
    seen = encode_centers(network, "act3", icons).numpy()
    positions = encode_positions(network, icons)
    icon_classes = seen @ network.module.head.weight.detach().numpy().T / positions  # pyright: ignore
    np.testing.assert_allclose(center_attributions(network, "act3", icons).numpy(), icon_classes, rtol=1e-4, atol=1e-6)
    own = means.argmax(axis=1)
    first = icon_classes.argmax(axis=1)
    five = np.argsort(-icon_classes, axis=1)[:, :5]
    labels = check(network, study).levels[0].labels
    assert labels is not None
    count = len(own)
    pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
    assert labels.first == pytest.approx(np.mean(first == own))
    assert labels.first_shuffled == pytest.approx(np.mean([first[i] == own[j] for i, j in pairs]))
    assert labels.five == pytest.approx(np.mean([own[i] in five[i] for i in range(count)]))
    assert labels.five_shuffled == pytest.approx(np.mean([own[j] in five[i] for i, j in pairs]))
    correlations = np.array(
        [[np.corrcoef(icon_classes[i], means[j])[0, 1] for j in range(count)] for i in range(count)]
    )
    assert labels.correlation == pytest.approx(correlations.diagonal().mean(), abs=1e-5)
    assert labels.correlation_shuffled == pytest.approx(others(correlations), abs=1e-5)


def encode_positions(network: Network, icons: np.ndarray) -> int:
    """Positions that the head takes the mean of."""
    images = torch.zeros(1, 3, *icons.shape[1:3])
    with torch.no_grad():
        maps = network.activations(images, ["act3"])["act3"]
    return maps.shape[2] * maps.shape[3]


def test_wrong_icons_are_found_out(network: Network, study: Study, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    cells, icons = random.normal(size=(50, 8)), random.normal(size=(50, 8))
    right = likeness(torch.from_numpy(cells * 3), torch.from_numpy(cells))
    assert (right.within(1), float(right.own.min())) == (1.0, pytest.approx(1.0))
    wrong = likeness(torch.from_numpy(icons), torch.from_numpy(cells))
    assert wrong.within(1) < 0.2
    assert abs(float(wrong.own.mean()) - wrong.shuffled) < 0.2
    others_cells = likeness(torch.from_numpy(cells[:3]), torch.from_numpy(cells), torch.tensor([1, 2, 0]))
    assert others_cells.within(1) == 0.0
    same = agreement(torch.from_numpy(cells), torch.from_numpy(cells))
    assert (same.first, same.five, same.correlation) == (1.0, 1.0, pytest.approx(1.0))
    assert same.first_shuffled < 0.3


def test_tiled_sheets_give_the_icons_of_their_cells(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows, columns = np.array([0, 0, 1, 3, 5, 5]), np.array([0, 4, 1, 2, 0, 5])
    icons = random.integers(0, 256, (6, 4, 4, 3), dtype=np.uint8)
    squares = sorted({(int(r), int(c)) for r, c in zip(rows // 3, columns // 3, strict=True)})
    record = SheetRecord("{row}-{column}.png", 4, 2, tile=3, squares=tuple(squares))
    for row, column in squares:
        inside = (rows // 3 == row) & (columns // 3 == column)
        sheet(icons[inside], 2).save(tmp_path / f"{row}-{column}.png")
    assert np.array_equal(read_icons(tmp_path, record, rows, columns), icons)
    sheet(icons, 3).save(tmp_path / "whole.png")
    assert np.array_equal(read_icons(tmp_path, SheetRecord("whole.png", 4, 3), rows, columns), icons)
    (tmp_path / "1-1.png").write_bytes(b"cut off")
    with pytest.raises(StudyError, match=r"1-1\.png cannot be read; build the atlas again"):
        read_icons(tmp_path, record, rows, columns)


def test_an_atlas_that_is_not_there_is_refused(network: Network, study: Study) -> None:
    with pytest.raises(StudyError, match="has no atlas of 'conv2'; it has act3"):
        check(network, study, "conv2")
    folder = study.path / "atlas" / "act3"
    record = AtlasRecord.read(folder)
    replace(record, kind="network", network="Other").write(folder)
    try:
        with pytest.raises(StudyError, match="the atlas 'act3' is of Other; check it in a study of that network"):
            check(network, study, "act3")
    finally:
        record.write(folder)
