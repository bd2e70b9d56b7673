"""Stimuli as they are made into a study, from a small network and drawn photographs."""

import hashlib
import io
from collections import Counter
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.activations.fingerprints import Fingerprint
from pellucid.causal.stimuli import (
    Sample,
    StimuliConfig,
    UnitActivity,
    extremes,
    image_sets,
    make_stimuli,
    questions,
    stimuli_sheet,
)
from pellucid.causal.stimuli.image_sets import top_count
from pellucid.causal.stimuli.make import _Run
from pellucid.causal.stimuli.optimized import Drawer
from pellucid.errors import ImagesError, ObjectiveError, StudyError
from pellucid.networks import Network, rectified_layers
from pellucid.study.experiments import CONDITIONS, Stimuli
from pellucid.study.experiments.stimuli import picture_path
from photographs import drawn_photographs
from small import small_network

SMALL = StimuliConfig(
    image_sets=2, stride=5, steps=2, catch=2, practice=1, obvious=1, instruction=1, extra_units=2, near=None
)
UNITS = ["relu2:1", "relu2:5"]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_photographs(tmp_path_factory.mktemp("stimuli") / "photographs", 60)


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network()


@pytest.fixture(scope="module")
def made(photographs: Path, network: Network, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stimuli, Path]:
    study = tmp_path_factory.mktemp("made") / "study"
    stimuli = make_stimuli(network, UNITS, photographs, study, name="small", config=SMALL)
    return stimuli, study / "experiments" / "small"


def read(folder: Path, picture: str) -> torch.Tensor:
    with Image.open(picture_path(folder, picture)) as image:
        return torch.from_numpy(np.asarray(image, dtype=np.float32) / 255).permute(2, 0, 1)


def test_the_key_tells_what_the_written_pictures_do_to_the_unit(made: tuple[Stimuli, Path], network: Network) -> None:
    stimuli, folder = made
    assert Stimuli.read(folder) == stimuli
    assert Counter(one.role for one in stimuli.stimuli) == {
        "main": 4, "catch": 2, "practice": 1, "obvious": 1, "instruction": 1,
    }  # fmt: skip
    for one in stimuli.stimuli:
        respond = UnitActivity(network, one.layer, one.unit)
        assert one.base is not None
        for query in (one.base, one.larger, one.smaller):
            value = respond(read(folder, query.picture)[None]).item()
            assert query.activation == pytest.approx(value, rel=1e-4, abs=1e-6)
        for rows in one.config["references"].values():
            for row in rows:
                value = respond(read(folder, row["picture"])[None]).item()
                assert row["activation"] == pytest.approx(value, rel=1e-4, abs=1e-6)


def test_main_queries_are_the_base_but_for_a_patch_of_its_mean_colour(made: tuple[Stimuli, Path]) -> None:
    stimuli, folder = made
    for one in stimuli.of_role("main", "practice"):
        assert one.base is not None
        base = read(folder, one.base.picture)
        for query in (one.larger, one.smaller):
            assert query.patch is not None
            assert query.photograph == one.base.photograph
            top, left, height, width = query.patch
            assert (height, width) == (13, 13)
            covered = read(folder, query.picture)
            patch = (slice(None), slice(top, top + height), slice(left, left + width))
            mean = base[patch].mean(dim=(1, 2), keepdim=True).expand_as(covered[patch])
            torch.testing.assert_close(covered[patch], mean, atol=0.51 / 255, rtol=0)
            covered[patch] = base[patch]
            assert torch.equal(covered, base)


def test_every_condition_has_its_nine_references(made: tuple[Stimuli, Path]) -> None:
    stimuli, folder = made
    for one in stimuli.stimuli:
        assert {name: len(some) for name, some in one.references.items()} == dict.fromkeys(
            [name for name in CONDITIONS if name != "none"], 9
        )
        assert not one.minimal
        natural, mixed, blurred = (one.references[name] for name in ("natural", "mixed", "natural_blur"))
        assert mixed[:5] == natural[4:]
        assert not {*mixed[5:]} & {*one.references["optimized"]}
        for sharp, soft in zip(natural, blurred, strict=True):
            same = (read(folder, sharp) == read(folder, soft)).all(dim=0)
            assert 13 * 13 <= same.sum() < 0.7 * same.numel()
    first, second = (stimuli.of_role("main")[number] for number in (0, 1))
    assert first.references["optimized"] == second.references["optimized"]


def test_no_photograph_is_in_two_image_sets_of_a_unit(made: tuple[Stimuli, Path]) -> None:
    stimuli, _ = made
    for address in {one.address for one in stimuli.of_role("main")}:
        own = [one for one in stimuli.of_role("main") if one.address == address]
        used = [one.base.photograph for one in own if one.base]
        used += [row["photograph"] for one in own for row in one.config["references"]["natural"]]
        assert len(used) == len({*used}) == 20
    assert {one.address for one in stimuli.of_role("main")} == {*UNITS}
    assert not {*UNITS} & {one.address for one in stimuli.of_role("catch", "practice", "obvious", "instruction")}


def test_the_smaller_query_of_what_nobody_fails_is_of_another_photograph(made: tuple[Stimuli, Path]) -> None:
    stimuli, _ = made
    for one in stimuli.of_role("catch", "obvious"):
        assert one.base is not None
        assert one.smaller.photograph != one.base.photograph
        assert one.smaller.patch is not None
        assert one.larger.activation > one.smaller.activation


def test_names_tell_nothing_and_nothing_else_lies_there(made: tuple[Stimuli, Path]) -> None:
    stimuli, folder = made
    assert {path.stem for path in (folder / "pictures").iterdir()} == {*stimuli.pictures}
    for name, about in stimuli.pictures.items():
        content = picture_path(folder, name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == about.sha256
        assert not about.sha256.startswith(name)
        with Image.open(io.BytesIO(content)) as image:
            assert image.size == (32, 32)
            assert not image.info
    assert (folder / "settings.toml").is_file()


def test_the_same_seed_gives_the_same_digest_in_another_folder_and_another_seed_another(
    made: tuple[Stimuli, Path], photographs: Path, network: Network, tmp_path: Path
) -> None:
    again = make_stimuli(network, UNITS, photographs, tmp_path / "again", name="small", config=SMALL)
    assert again.digest() == made[0].digest()
    other = make_stimuli(
        network, UNITS[:1], photographs, tmp_path / "other", name="small", config=replace(SMALL, seed=1)
    )
    assert not {*other.pictures} & {*again.pictures}


@pytest.mark.parametrize("where", ["scans", "drawing", "references"])
def test_a_run_that_was_killed_goes_on_and_gives_the_same(
    where: str,
    made: tuple[Stimuli, Path],
    photographs: Path,
    network: Network,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scans, plain = [], questions.scan

    def counted(*arguments: Any, **options: Any) -> Any:
        scans.append(1)
        if where == "scans" and len(scans) == 4 and not killed:
            raise KeyboardInterrupt
        return plain(*arguments, **options)

    def killing(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    killed: list[int] = []
    monkeypatch.setattr(questions, "scan", counted)
    with monkeypatch.context() as once:
        if where == "drawing":
            once.setattr(Drawer, "draw", killing)
        if where == "references":
            once.setattr(questions.UnitQuestions, "revealed", killing)
        with pytest.raises(KeyboardInterrupt):
            make_stimuli(network, UNITS, photographs, tmp_path / "study", name="small", config=SMALL)
    killed.append(1)
    stray = tmp_path / "study" / "experiments" / "small" / "pictures" / "0123456789abcdef.png"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"left over")
    monkeypatch.setattr(import_module("pellucid.causal.stimuli.photograph_activity"), "_measured", killing)
    again = make_stimuli(network, UNITS, photographs, tmp_path / "study", name="small", config=SMALL)
    assert again.digest() == made[0].digest()
    assert len(scans) == (9 + 1 if where == "scans" else 9)  # each photograph once, but for the one of the kill
    assert not stray.exists()


def test_made_stimuli_are_not_made_again_and_another_configuration_is_refused(
    made: tuple[Stimuli, Path], photographs: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    stimuli, folder = made
    monkeypatch.setattr(_Run, "all", None)
    study = folder.parents[1]
    assert make_stimuli(network, UNITS, photographs, study, name="small", config=SMALL) == stimuli
    with pytest.raises(StudyError, match="another configuration"):
        make_stimuli(network, UNITS, photographs, study, name="small", config=replace(SMALL, stride=6))


def test_a_picture_that_was_lost_is_missed(made: tuple[Stimuli, Path], photographs: Path, network: Network) -> None:
    stimuli, folder = made
    path = picture_path(folder, next(iter(stimuli.pictures)))
    content = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(ImagesError, match="lost 1 of its pictures"):
            make_stimuli(network, UNITS, photographs, folder.parents[1], name="small", config=SMALL)
    finally:
        path.write_bytes(content)


def test_broken_photographs_are_left_out_and_told(photographs: Path, network: Network, tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    drawn_photographs(folder, 60)
    (folder / "005.png").write_bytes((folder / "005.png").read_bytes()[:60])
    (folder / "zz.jpg").write_text("no picture")
    told: list[str] = []
    config = replace(SMALL, conditions=("natural",), catch=0, practice=0, obvious=0, instruction=0)
    stimuli = make_stimuli(
        network, UNITS[:1], folder, tmp_path / "study", name="broken", config=config, tell=told.append
    )
    assert [line.split()[0] for line in told] == ["005.png", "zz.jpg"]
    assert stimuli.config["notes"] == told
    assert len(stimuli.stimuli) == 2


def test_two_choice_asks_about_two_photographs_with_references_of_both_kinds(
    photographs: Path, network: Network, tmp_path: Path
) -> None:
    config = replace(SMALL, task="two_choice")
    stimuli = make_stimuli(network, UNITS[:1], photographs, tmp_path / "study", name="two", config=config)
    folder = tmp_path / "study" / "experiments" / "two"
    for one in stimuli.stimuli:
        assert one.base is None
        assert one.larger.patch is None
        least = [row["activation"] for row in one.config["minimal"]["natural"]]
        most = [row["activation"] for row in one.config["references"]["natural"]]
        assert max(least) < min(most)
        assert one.smaller.activation <= min(least) + 1e-6
        assert one.larger.activation >= max(most) - 1e-6
        assert {name: len(some) for name, some in one.minimal.items()} == dict.fromkeys(one.references, 9)
    for one in stimuli.of_role("catch", "obvious"):
        assert all(one.larger.picture in some for some in one.references.values())
        assert all(one.smaller.picture in some for some in one.minimal.values())
    assert stimuli_sheet(folder, roles=("main", "catch")).width > 1000


def test_minimal_references_can_be_had_in_the_counterfactual_task(
    photographs: Path, network: Network, tmp_path: Path
) -> None:
    config = replace(SMALL, minimal=True, catch=0, practice=0, obvious=0, instruction=0, conditions=("optimized",))
    stimuli = make_stimuli(network, ["conv3:2"], photographs, tmp_path / "study", name="minimal", config=config)
    for one in stimuli.stimuli:
        least, most = (
            np.mean([row["activation"] for row in one.config[kind]["optimized"]]) for kind in ("minimal", "references")
        )
        assert least < most


def silenced(network: Network, *units: int) -> Network:
    """The same network with some units of relu2 silent."""
    other = small_network()
    with torch.no_grad():
        convolution = other.module.get_submodule("conv2")
        assert isinstance(convolution, torch.nn.Conv2d)
        assert convolution.bias is not None
        convolution.bias[list(units)] = -100
    return other


def test_a_dead_unit_is_refused_where_it_is_named_and_passed_over_where_units_are_drawn(
    photographs: Path, network: Network, tmp_path: Path
) -> None:
    config = replace(SMALL, conditions=("none",), catch=0, practice=0, obvious=0, instruction=0)
    dead = silenced(network, *range(9))
    with pytest.raises(ObjectiveError, match="relu2:1 responds to 0 of 60 photographs"):
        make_stimuli(dead, ["relu2:1"], photographs, tmp_path / "named", name="dead", config=config)
    drawn = make_stimuli(dead, Sample(2, 2, ("relu2",)), photographs, tmp_path / "drawn", name="dead", config=config)
    assert {one.unit for one in drawn.stimuli} <= {9, 10, 11}
    assert len({one.unit for one in drawn.stimuli}) == 2
    with pytest.raises(ObjectiveError, match="relu2 has no further unit"):
        make_stimuli(dead, Sample(4, 4, ("relu2",)), photographs, tmp_path / "four", name="dead", config=config)


def test_a_limit_that_no_pair_obeys_is_refused_with_a_remedy(
    photographs: Path, network: Network, tmp_path: Path
) -> None:
    config = replace(SMALL, min_difference=50.0)
    with pytest.raises(ObjectiveError, match="loosen these limits"):
        make_stimuli(network, UNITS, photographs, tmp_path / "study", name="far", config=config)


def test_a_pair_that_eight_bits_undo_is_replaced_and_told(
    photographs: Path, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured, calls = questions.UnitQuestions.measured, []

    def undone(self: Any, images: Any) -> list[float]:
        calls.append(1)
        values = measured(self, images)
        return [values[0], values[2], values[1]] if len(calls) == 1 else values

    monkeypatch.setattr(questions.UnitQuestions, "measured", undone)
    config = replace(SMALL, conditions=("none",), catch=0, practice=0, obvious=0, instruction=0)
    stimuli = make_stimuli(network, UNITS[:1], photographs, tmp_path / "study", name="undone", config=config)
    assert "pair 1 lost its order" in stimuli.config["notes"][0]
    assert len(stimuli.stimuli) == 2


def test_units_are_drawn_from_rectified_layers_evenly_and_from_a_seed(network: Network) -> None:
    assert rectified_layers(network) == ["relu1", "relu2", "act3"]
    assert Sample(1).chosen_layers(network) == ("relu2",)
    assert Sample(6, 2).chosen_layers(network) == ("relu1", "relu2", "act3")
    with pytest.raises(ObjectiveError, match="take 4 layers, of which there are 3"):
        Sample(4).chosen_layers(network)
    with pytest.raises(ObjectiveError, match="3 units cannot be drawn 2"):
        Sample(3, 2)


@pytest.mark.parametrize(
    ("units", "message"),
    [
        (["relu2:12"], "units 0 to 11, not 12"),
        (["relu2:1", "relu2:1"], "named twice"),
        (["relu2:1@0,0"], "not a unit of Small as a whole"),
        ([], "at least one unit"),
    ],
)
def test_units_that_are_none_are_refused(
    units: list[str], message: str, photographs: Path, network: Network, tmp_path: Path
) -> None:
    with pytest.raises(ObjectiveError, match=message):
        make_stimuli(network, units, photographs, tmp_path / "study", name="none", config=SMALL)


def test_image_sets_take_one_of_each_bin_and_queries_from_the_top() -> None:
    chosen = list(range(1000, 800, -1))  # the most extreme first
    sets = image_sets(chosen, 10, seed=3)
    assert [one.query for one in sets] == list(range(981, 991))  # ranks 20 to 11, as published
    assert [one.ranks[0] for one in sets] == list(range(20, 10, -1))
    for one in sets:
        bins = [(place - 801) // 20 for place in one.references]
        assert bins == list(range(9))
    used = [place for one in sets for place in (*one.queries, *one.references)]
    assert len(used) == len({*used})
    with pytest.raises(ObjectiveError, match="not enough for 21 image sets"):
        image_sets(chosen, 21, seed=3)


def test_extremes_leave_out_near_duplicates_silent_and_unread_photographs() -> None:
    random = np.random.default_rng(0)
    values = np.array([3.0, 2.9, np.nan, 0.0, 1.0, 0.0, 5.0], np.float32)
    prints: list[Fingerprint | None] = [
        Fingerprint.of(Image.fromarray(random.integers(0, 256, (40, 40, 3), dtype=np.uint8))) for _ in values
    ]
    prints[1] = prints[6]
    assert extremes(values, prints, 7, seed=0) == [6, 0, 4]
    assert extremes(values, prints, 7, seed=0, near=None) == [6, 0, 1, 4]
    assert {*extremes(values, prints, 2, seed=0, largest=False)} == {3, 5}
    orders = {tuple(extremes(values, prints, 2, seed=seed, largest=False)) for seed in range(20)}
    assert len(orders) == 2


def test_fewer_photographs_make_smaller_tops() -> None:
    assert [top_count(count, 2) for count in (600_000, 1800, 900, 100)] == [200, 200, 100, 20]
    with pytest.raises(ObjectiveError, match="more than half"):
        top_count(100, 6)


def test_choices_that_cannot_be_are_refused() -> None:
    with pytest.raises(ObjectiveError, match="each once"):
        StimuliConfig(conditions=("natural", "natural"))
    with pytest.raises(ObjectiveError, match="not 'guessing'"):
        StimuliConfig(task="guessing")
    with pytest.raises(ObjectiveError, match="must be positive"):
        StimuliConfig(image_sets=0)
