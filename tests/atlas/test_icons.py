"""Icons: what they are drawn for, and that nothing decides over them but the cell and the configuration."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from oracles_icons import apart_value, cosine_value, lucid_value, near_value, whitened_value
from pellucid.atlas import icons as drawing
from pellucid.atlas.icon_engines import IconBatch, IconEngine, Keep, LocalIcons
from pellucid.atlas.icon_objectives import OBJECTIVES, icon_objective
from pellucid.atlas.icons import (
    IconConfig,
    IconWork,
    Parents,
    describe,
    draw_icons,
    parent_cells,
    whitening,
)
from pellucid.atlas.jittered import encode_centers, jittered_cosines
from pellucid.atlas.movements import MOVEMENTS, movements
from pellucid.cli.atlas import build
from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.visualize import Jitter
from pellucid.visualize.transforms import During
from small import small_network

CONFIG = IconConfig(size=16, steps=24, batch=4)
CELLS = 7


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network(size=24)


@pytest.fixture(scope="module")
def activations(network: Network) -> np.ndarray:
    """What random smooth pictures give at the centre of a layer: (60, 16)."""
    images = torch.rand(60, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    images = torch.nn.functional.interpolate(images, size=(16, 16), mode="bilinear")
    return centers(network, images).numpy()


@pytest.fixture(scope="module")
def means(activations: np.ndarray) -> np.ndarray:
    return activations[:CELLS]


@pytest.fixture(scope="module")
def metric(activations: np.ndarray) -> torch.Tensor:
    return whitening(activations, 1e-2).float()


@dataclass
class Watched(IconEngine):
    """Draws as `LocalIcons` does, the last batch first, and notes which cells; may stop after some batches."""

    stop: int | None = None
    drawn: list[list[int]] = field(default_factory=list)

    def run(self, network: Network, work: Callable, batches: Sequence[IconBatch], keep: Keep) -> None:
        for batch in reversed(batches):
            if self.stop is not None and len(self.drawn) == self.stop:
                raise KeyboardInterrupt
            self.drawn.append(batch.cells.tolist())
            LocalIcons().run(network, work, [batch], keep)


def drawn(
    network: Network, means: np.ndarray, folder: Path, config: IconConfig = CONFIG, **options: object
) -> np.ndarray:
    return draw_icons(network, "act3", means, config, folder, lambda _: None, **options)  # pyright: ignore


@pytest.fixture(scope="module")
def expected(network: Network, means: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return drawn(network, means, tmp_path_factory.mktemp("icons"))


def test_objectives_are_the_plain_ones(activations: np.ndarray) -> None:
    values = activations.astype(np.float64)
    h, v = torch.from_numpy(values[:9]), torch.from_numpy(values[20])
    metric = whitening(values, 0.05)
    maps = {"act3": h[:, :, None, None].expand(-1, -1, 3, 3)}
    truths = {
        "cosine": lambda one: cosine_value(one, values[20], 3.0),
        "apart": lambda one: apart_value(one, values[20], values.mean(axis=0), 3.0, 2.0),
        "dot": lambda one: cosine_value(one, values[20], 0.0),
        "near": lambda one: near_value(one, values[20]),
        "whitened": lambda one: whitened_value(one, values[20], values, 0.05, 3.0),
        "lucid": lambda one: lucid_value(one, values[20], values, 0.05, 3.0),
    }
    assert set(truths) == {*OBJECTIVES, "apart"}
    center = torch.from_numpy(values.mean(axis=0))
    for name, truth in truths.items():
        more = ("cosine", 2.0) if name == "apart" else (name, 0.0)
        objective = icon_objective(more[0], "act3", v, 3.0, metric, more[1], center)
        found = objective(maps)
        np.testing.assert_allclose(found, [truth(one) for one in values[:9]], rtol=1e-8)
        other = icon_objective(more[0], "act3", torch.from_numpy(values[21]), 3.0, metric, more[1], center)
        stacked = objective.stack([objective, other] * 4 + [objective])
        assert stacked is not None
        np.testing.assert_allclose(stacked(maps)[::2], found[::2], rtol=1e-12)
        np.testing.assert_allclose(stacked(maps)[1], other({"act3": maps["act3"][1:2]})[0], rtol=1e-12)
        assert str(objective) != str(other)


def test_lucids_power_does_nothing_in_wide_layers() -> None:
    random = np.random.default_rng(0)
    values = np.abs(random.normal(size=(2000, 200)) @ random.normal(size=(200, 200)))
    metric = whitening(values, 1e-2)
    maps = {"wide": torch.from_numpy(values[:50, :, None, None])}
    for cell in values[:5]:
        fourth, none = (icon_objective("lucid", "wide", torch.from_numpy(cell), p, metric)(maps) for p in (4.0, 0.0))
        np.testing.assert_allclose(fourth, none * 0.1**4, rtol=1e-9)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_leads_to_its_cells(
    network: Network, means: np.ndarray, metric: torch.Tensor, tmp_path: Path, name: str
) -> None:
    work = IconWork("act3", replace(CONFIG, objective=name), metric, torch.from_numpy(means.mean(axis=0)))
    values = []
    for steps in (1, 40):
        config = replace(CONFIG, objective=name, steps=steps, movements="none")
        icons = drawn(network, means, tmp_path / f"{steps}", config, metric=metric)
        maps = {"act3": encode_centers(network, "act3", icons)[:, :, None, None]}
        values.append(torch.stack([work.objective(mean)(maps) for mean in torch.from_numpy(means)]))
    begun, drawn_well = values  # (cells, icons)
    assert (drawn_well.diagonal() > begun.diagonal()).double().mean() > 0.8
    assert drawn_well.diagonal().mean() > drawn_well.mean()  # they answer to their own cells more than to others


def centers(network: Network, images: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network.activations(images, ["act3"])["act3"][:, :, 4, 4]


def test_an_icon_does_not_depend_on_batch_order_or_engine(
    network: Network, means: np.ndarray, expected: np.ndarray, tmp_path: Path
) -> None:
    for batch in (1, 3, 16):
        other = drawn(network, means, tmp_path / str(batch), replace(CONFIG, batch=batch))
        assert np.abs(other.astype(int) - expected).max() <= 2
    order = np.random.default_rng(0).permutation(CELLS)
    shuffled = drawn(network, means[order], tmp_path / "order")
    assert np.abs(shuffled.astype(int) - expected[order]).max() <= 2
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = drawn(network, means, tmp_path / "thread")
    finally:
        torch.set_num_threads(threads)
    assert np.array_equal(alone, expected)
    watched = Watched()
    assert np.array_equal(drawn(network, means, tmp_path / "watched", engine=watched), expected)
    assert watched.drawn == [[4, 5, 6], [0, 1, 2, 3]]
    assert not np.array_equal(drawn(network, means, tmp_path / "seed", replace(CONFIG, seed=1)), expected)


def test_what_was_drawn_is_not_drawn_again(
    network: Network, means: np.ndarray, expected: np.ndarray, tmp_path: Path
) -> None:
    stopped, advanced = Watched(stop=1), []
    with pytest.raises(KeyboardInterrupt):
        drawn(network, means, tmp_path, engine=stopped)
    resumed = Watched()
    icons = draw_icons(network, "act3", means, CONFIG, tmp_path, advanced.append, engine=resumed)
    assert np.array_equal(icons, expected)
    assert (stopped.drawn, resumed.drawn, advanced) == ([[4, 5, 6]], [[0, 1, 2, 3]], [3, 4])
    finished = Watched()
    again = drawn(network, means, tmp_path, replace(CONFIG, batch=3), engine=finished)
    assert np.array_equal(again, expected)
    assert finished.drawn == []


def test_a_run_goes_on_in_batches_of_another_size(
    network: Network, means: np.ndarray, expected: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        drawn(network, means, tmp_path, engine=Watched(stop=1))
    watched = Watched()
    icons = drawn(network, means, tmp_path, replace(CONFIG, batch=3), engine=watched)
    assert watched.drawn == [[3], [0, 1, 2]]
    assert np.abs(icons.astype(int) - expected).max() <= 2
    assert describe(CONFIG) == describe(replace(CONFIG, batch=3))


def test_cells_start_from_the_icons_of_their_parents(
    network: Network, means: np.ndarray, expected: np.ndarray, tmp_path: Path
) -> None:
    of = np.array([0, 0, -1, 1, 1, -1, 1])
    parents = Parents(expected[:2], of)
    config = replace(CONFIG, from_parent=True, child_steps=1)
    watched = Watched()
    icons = drawn(network, means, tmp_path / "children", config, parents=parents, engine=watched)
    assert watched.drawn == [[2, 5], [6], [0, 1, 3, 4]]
    for cell, parent in enumerate(of):
        if parent >= 0:
            own, other = (np.abs(icons[cell].astype(int) - expected[one]).mean() for one in (parent, 1 - parent))
            assert own < other / 2
        else:
            assert np.abs(icons[cell].astype(int) - expected[0]).mean() > 5
    ignored = drawn(network, means, tmp_path / "ignored", parents=parents)
    assert np.array_equal(ignored, expected)
    small = Parents(expected[:2, ::2, ::2].copy(), of)
    enlarged = drawn(network, means, tmp_path / "enlarged", config, parents=small)
    assert np.abs(enlarged[0].astype(int) - expected[0]).mean() < 20
    assert describe(config) != describe(CONFIG)


def test_a_parent_is_the_cell_that_holds_the_centre() -> None:
    random = np.random.default_rng(0)
    for coarse, fine in ((2, 4), (3, 5), (5, 10), (4, 4)):
        kept = np.flatnonzero(random.uniform(size=coarse * coarse) < 0.7)
        rows, columns = kept // coarse, kept % coarse
        every = np.arange(fine * fine)
        found = parent_cells((rows, columns, coarse), (every // fine, every % fine, fine))
        for cell, parent in zip(every, found, strict=True):
            place = tuple(int((part + 0.5) / fine * coarse) for part in divmod(int(cell), fine))
            there = [index for index, one in enumerate(zip(rows, columns, strict=True)) if one == place]
            assert [parent] == (there or [-1])


def test_the_best_of_several_tries_is_kept(network: Network, means: np.ndarray, tmp_path: Path) -> None:
    config = replace(CONFIG, steps=3)
    single = [drawn(network, means, tmp_path / f"{seed}", replace(config, seed=seed)) for seed in (5, 6, 7)]
    best = drawn(network, means, tmp_path / "best", replace(config, seed=5, tries=3))
    work = IconWork(
        "act3", replace(config, seed=5), center=torch.from_numpy(means.astype(np.float64).mean(axis=0)).float()
    )
    names = [f"5|{work.objective(mean)}" for mean in torch.from_numpy(means)]
    scores = torch.stack([jittered_cosines(network, "act3", one, torch.from_numpy(means), names) for one in single])
    assert len(set(scores.argmax(dim=0).tolist())) > 1
    for cell, number in enumerate(scores.argmax(dim=0)):
        assert np.abs(best[cell].astype(int) - single[int(number)][cell]).max() <= 2


def test_moved_pictures_are_seen_in_the_views_of_their_names(
    network: Network, means: np.ndarray, expected: np.ndarray
) -> None:
    wanted = torch.from_numpy(means)
    names = [f"name {index}" for index in range(CELLS)]
    together = jittered_cosines(network, "act3", expected, wanted, names)
    alone = [
        jittered_cosines(network, "act3", expected[i : i + 1], wanted[i : i + 1], names[i : i + 1]) for i in range(7)
    ]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-5)
    assert not torch.allclose(together, jittered_cosines(network, "act3", expected, wanted, names[::-1]), atol=1e-4)
    still = torch.nn.functional.cosine_similarity(encode_centers(network, "act3", expected), wanted)
    assert (together < still + 0.05).all()


def test_movements_differ_and_none_are_none() -> None:
    assert movements("none", 96) == ()
    assert len({repr(movements(name, 96)) for name in MOVEMENTS}) == len(MOVEMENTS)
    assert movements("article", 96)[:5] == (Jitter(4), Jitter(4), Jitter(8), Jitter(8), Jitter(8))
    assert movements("article", 96, 0.25)[5] == During(movements("article", 96)[5], 0.0, 0.75)
    assert movements("article", 40)[:5] == (Jitter(2), Jitter(2), Jitter(4), Jitter(4), Jitter(4))


def test_impossible_configurations_are_refused(network: Network, means: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(AtlasError, match="no objective 'cosin' of icons; there are cosine, dot, near, whitened, lucid"):
        IconConfig(objective="cosin")
    with pytest.raises(AtlasError, match="no movements 'all' of icons; there are article, lucid, none"):
        IconConfig(movements="all")
    with pytest.raises(AtlasError, match="tries = 0 of the icons must be at least 1"):
        IconConfig(tries=0)
    with pytest.raises(AtlasError, match=r"settle = 1\.5 of the icons is a share"):
        IconConfig(settle=1.5)
    with pytest.raises(AtlasError, match="power = nan of the icons must not be negative"):
        IconConfig(power=float("nan"))
    with pytest.raises(AtlasError, match=r"apart = -1\.0 of the icons must not be negative"):
        IconConfig(apart=-1.0)
    with pytest.raises(AtlasError, match="the objective 'lucid' needs the activations' whitening"):
        drawn(network, means, tmp_path, replace(CONFIG, objective="lucid"))


def test_an_error_of_the_network_comes_through(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the model's own fault")

    monkeypatch.setattr(drawing, "render", fail)
    with pytest.raises(RuntimeError, match="the model's own fault"):
        drawn(network, np.ones((2, 16), np.float32), tmp_path)


def test_the_command_has_the_defaults_of_the_configuration() -> None:
    given = inspect.signature(build).parameters
    for field_of in fields(IconConfig):
        name = {"size": "icon_size"}.get(field_of.name, field_of.name)
        if name != "ridge":
            assert given[name].default == field_of.default, name
