import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from pellucid.activations import HarvestConfig, harvest, read_samples
from pellucid.activations.store import read_image_list
from pellucid.atlas import AtlasConfig, build, check, tables
from pellucid.atlas.check import check_layout, encode_centers
from pellucid.atlas.icons import IconConfig, whitening
from pellucid.atlas.layout import UMAP
from pellucid.errors import AtlasError, StudyError
from pellucid.networks import Network
from pellucid.pictures import cut
from pellucid.study import AtlasRecord, Study
from pellucid.study.records import read_cells
from photographs import drawn_photographs
from small import small_network
from trees import tree

CONFIG = AtlasConfig(
    grids=(2, 4), min_count=4, neighbors=10, patches=2, patch_size=16, icons=IconConfig(size=16, steps=24, batch=4)
)


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network(size=24)


@pytest.fixture(scope="module")
def study(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("atlas")
    images = drawn_photographs(folder / "images", 20)
    made = harvest(network, images, "act3", folder / "study", config=HarvestConfig(positions=12, shard=8))
    build(network, made, "act3", config=CONFIG)
    return made


def test_cells_hold_what_the_samples_say(network: Network, study: Study) -> None:
    folder = study.path / "atlas" / "act3"
    record = AtlasRecord.read(folder)
    samples = read_samples(study, "act3", attribution=True)
    points = tables.read_layout(folder / "layout.parquet")
    paths = read_image_list(study)
    assert (record.samples, record.images, record.classes[3]) == (240, 20, "class 3")
    for level in record.levels:
        cells = read_cells(folder / level.table)
        kept = tables.read_cells(folder / f"cells-{level.grid}.parquet")
        assert len(cells) == level.cells
        for index, cell in enumerate(cells):
            inside = (np.minimum((points * level.grid).astype(int), level.grid - 1) == [cell.column, cell.row]).all(
                axis=1
            )
            assert cell.count == inside.sum() >= CONFIG.min_count
            mean = samples.activation[inside].astype(np.float64).mean(axis=0)
            np.testing.assert_allclose(kept.mean[index], mean, rtol=1e-5)
            attribution = samples.attribution[inside].astype(np.float64).mean(axis=0)
            assert [label for label, _ in cell.labels] == np.argsort(-attribution)[:5].tolist()
            np.testing.assert_allclose([value for _, value in cell.labels], np.sort(attribution)[::-1][:5], atol=1e-5)
            assert all(inside[sample] for sample in kept.patches[index])
            assert cell.patches == tuple(paths[samples.image[sample]] for sample in kept.patches[index])
            assert len(set(cell.patches)) == len(cell.patches)


def test_icons_lead_back_to_their_cells(network: Network, study: Study) -> None:
    result = check(network, study)
    coarse = result.levels[0]
    assert coarse.icon > 0.8
    assert result.icon > result.shuffled
    assert coarse.icon > coarse.shuffled
    assert coarse.icon_centred > coarse.shuffled_centred
    assert coarse.icon > coarse.mean_icon
    assert coarse.best_patch is not None
    # The check counts by the sheet: other pictures there, other numbers.
    folder = study.path / "atlas" / "act3"
    record = AtlasRecord.read(folder)
    level = record.levels[0]
    with Image.open(folder / level.icons.file) as sheet:
        icons = cut(sheet, level.icons.size, level.icons.columns, level.cells)
    means = torch.from_numpy(tables.read_cells(folder / f"cells-{level.grid}.parquet").mean)
    seen = encode_centers(network, "act3", icons)
    cosines = F.cosine_similarity(seen[:, None], means[None], dim=2)
    own = cosines.diagonal()
    others = (cosines.sum() - own.sum()) / (len(means) * (len(means) - 1))
    assert coarse.icon == pytest.approx(float(own.mean()), abs=1e-6)
    assert coarse.shuffled == pytest.approx(float(others), abs=1e-6)
    assert coarse.own_first == float((cosines.max(dim=1).values == own).float().mean())
    assert encode_centers(network, "act3", icons[:1]).shape == (1, 16)


def test_a_second_run_draws_nothing(network: Network, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(study.path)
    # The package's own name `build` is the function: its module has to be asked for.
    modules = sys.modules["pellucid.atlas.icons"], sys.modules["pellucid.atlas.build"]
    monkeypatch.setattr(modules[0], "render", lambda *_, **__: pytest.fail("an icon was drawn again"))
    monkeypatch.setattr(UMAP, "place", lambda *_: pytest.fail("the layout was made again"))
    build(network, study, "act3", config=CONFIG)
    assert tree(study.path) == before


def test_other_settings_make_another_atlas(network: Network, study: Study, tmp_path: Path) -> None:
    first = tree(study.path)
    build(network, study, "act3", config=replace(CONFIG, min_count=6))
    assert tree(study.path) != first
    build(network, study, "act3", config=CONFIG)
    assert tree(study.path) == first


def test_what_cannot_be_built_is_refused(network: Network, study: Study) -> None:
    before = tree(study.path)
    with pytest.raises(AtlasError, match=r"no cell of the 40x40 grid holds 200 activations \(the fullest has"):
        build(network, study, "act3", config=replace(CONFIG, grids=(40,), min_count=200))
    with pytest.raises(StudyError, match="made with other weights than those of Small"):
        build(small_network(size=24, seed=1), study, "act3", config=CONFIG)
    with pytest.raises(StudyError, match="no finished harvest of layer 'conv2'; it has act3"):
        build(network, study, "conv2", config=CONFIG)
    with pytest.raises(AtlasError, match=r"grids = \(4, 2\) must grow"):
        build(network, study, "act3", config=replace(CONFIG, grids=(4, 2)))
    with pytest.raises(StudyError, match="has no atlas of 'conv2'; it has act3"):
        check(network, study, "conv2")
    assert tree(study.path) == before


class Killed(BaseException):
    """What nobody catches."""


def dies_at(monkeypatch: pytest.MonkeyPatch, write: int, after: bool) -> list[Path]:
    """Let the process end at a number of writes from now, before or after the file gets its name."""
    replace_file = Path.replace
    left = []

    def counted(self: Path, target: Path) -> Path:
        left.append(self)
        if len(left) < write:
            return replace_file(self, target)
        if after:
            replace_file(self, target)
        raise Killed("between two writes")

    monkeypatch.setattr(Path, "replace", counted)
    return left


@pytest.mark.parametrize("from_parent", [False, True])
def test_an_atlas_broken_at_ten_moments_is_the_unbroken_one(
    network: Network, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_parent: bool
) -> None:
    monkeypatch.setattr("pellucid.atlas.tiles.MOST_IN_ONE", 6)  # the finer levels are tiled
    monkeypatch.setattr("pellucid.atlas.tiles.TILE", 2)
    icons = IconConfig(size=16, steps=2, batch=3, from_parent=from_parent, child_steps=1)
    config = AtlasConfig(grids=(2, 3, 5), min_count=3, layout="pca", patches=2, patch_size=8, icons=icons)
    for name in ("whole", "broken"):
        shutil.copytree(study.path, tmp_path / name, ignore=shutil.ignore_patterns("atlas"))
    build(network, Study.open(tmp_path / "whole"), "act3", config=config)
    broken = Study.open(tmp_path / "broken")
    random = np.random.default_rng(7)
    for _ in range(10):
        with monkeypatch.context() as patch:
            written = dies_at(patch, int(random.integers(1, 6)), bool(random.integers(2)))
            with pytest.raises(Killed, match="between two writes"):
                build(network, broken, "act3", config=config)
        written[-1].write_bytes(b"half of a file")  # as a process that is killed leaves it
        assert not (broken.path / "atlas" / "act3" / "atlas.json").exists()
    build(network, broken, "act3", config=config)
    assert tree(broken.path) == tree(tmp_path / "whole")


def test_whitening_makes_the_covariance_the_identity() -> None:
    values = np.random.default_rng(0).normal(size=(500, 6)) @ np.diag([1, 2, 3, 4, 5, 6])
    root = whitening(values, ridge=0.0)
    whitened = torch.from_numpy(values) @ root
    torch.testing.assert_close(whitened.T @ whitened / 500, torch.eye(6, dtype=torch.float64))
    assert torch.isfinite(whitening(np.zeros((50, 4)) + np.eye(4)[0], ridge=1e-2)).all()  # dead channels


def test_the_layout_is_compared_with_plainer_ones() -> None:
    points = np.random.default_rng(0).uniform(size=(300, 2)).astype(np.float32)
    angle = points[:, 0] * 1.5
    values = np.stack([np.cos(angle), np.sin(angle), 0.5 * points[:, 1]], axis=1)
    result = check_layout(values, points)
    assert result.layout > 0.9 > 0.65 > result.shuffled > 0.35


def test_a_killed_atlas_goes_on_to_the_same_study(tmp_path: Path) -> None:
    drawn_photographs(tmp_path / "images", 12)
    script = (
        "import sys, time; sys.path.insert(0, {tests!r})\n"
        "import pellucid.atlas.icons as icons\n"
        "from pellucid.atlas import AtlasConfig, build\n"
        "from pellucid.activations import HarvestConfig, harvest\n"
        "from small import small_network\n"
        "draw = icons.render\n"
        "def slowly(*args, **kwargs):\n"
        "    time.sleep({pause}); return draw(*args, **kwargs)\n"
        "icons.render = slowly\n"
        "network = small_network(size=24)\n"
        "study = harvest(network, '../images', 'act3', 'study', config=HarvestConfig(positions=12))\n"
        "build(network, study, 'act3', config=AtlasConfig(grids=(2, 4), min_count=4, layout='pca',\n"
        "    icons=icons.IconConfig(size=16, steps=8, batch=2)))\n"
    )
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    command = [sys.executable, "-W", "ignore", "-c"]
    tests = str(Path(__file__).parents[1])
    subprocess.run([*command, script.format(tests=tests, pause=0)], cwd=tmp_path / "whole", check=True)
    slow = subprocess.Popen([*command, script.format(tests=tests, pause=0.5)], cwd=tmp_path / "broken")
    folder = tmp_path / "broken" / "study" / "atlas" / "act3"
    deadline = time.monotonic() + 120
    while not list(folder.glob(".icons-*/000002-2.npz")):
        assert time.monotonic() < deadline
        assert slow.poll() is None
        time.sleep(0.05)
    slow.send_signal(signal.SIGKILL)
    slow.wait()
    assert not (folder / "atlas.json").exists()
    subprocess.run([*command, script.format(tests=tests, pause=0)], cwd=tmp_path / "broken", check=True)
    assert tree(tmp_path / "broken" / "study") == tree(tmp_path / "whole" / "study")
