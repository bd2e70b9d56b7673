"""The finder, on the network whose units are known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import pellucid
from oracles_finder import best_images, scale_of, tuning
from pellucid.activations.batches import Decoder, Geometry
from pellucid.activations.sources import open_source
from pellucid.activations.views import ViewPlan
from pellucid.curves.finder import FinderConfig, Found, find_curves, found_record, measure, survey
from pellucid.curves.finder.found import Discoveries
from pellucid.curves.finder.search import banks
from pellucid.curves.finder.stages import Stages
from pellucid.curves.nulls import null_network
from pellucid.curves.responses import respond
from pellucid.curves.scales import Scale
from pellucid.curves.sight import sights
from pellucid.curves.stimuli import Curve, draw, standard_bank
from pellucid.errors import ImagesError, PellucidError, StudyError
from pellucid.networks import Network, wrap
from pellucid.networks.taps import tapped
from photographs import photograph_squares

QUICK = FinderConfig(orientations=36, nulls=(), natural=False)


@pytest.fixture(scope="module")
def handnet() -> Network:
    return pellucid.load("handnet")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squares of two photographs."""
    return photograph_squares(tmp_path_factory.mktemp("images") / "squares", 15)


@pytest.fixture(scope="module")
def found(handnet: Network, images: Path) -> Found:
    layers = ["relu0", "conv1", "relu2", "relu3", "relu4"]
    config = replace(QUICK, orientations=24, nulls=("permuted", "shuffled"), null_images=20)
    return find_curves(handnet, images, layers, config=config)


def test_the_finder_finds_all_known_curves_and_nothing_else(found: Found) -> None:
    assert sum(layer.measures.units for layer in found.layers) == 192
    assert found.layer("relu4").units("mature") == list(range(24))
    assert sum(layer.count("mature") for layer in found.layers) == 24
    assert found.layer("relu3").units("proto") == list(range(24))
    assert sum(layer.count("proto") for layer in found.layers) == 24
    assert found.layer("relu4").units("line") == list(range(24, 42))


def test_the_directions_are_those_that_were_built(found: Found) -> None:
    for unit, curve in enumerate(found.layer("relu4").curves("mature").values()):
        assert abs((curve.circular_mean - 15 * unit + 180) % 360 - 180) < 2
        assert curve.resultant > 0.95
        assert curve.echo < 0.01


def test_chance_finds_next_to_nothing(found: Found) -> None:
    discoveries = found.false_discoveries("mature")
    assert discoveries.real == 24
    assert max(discoveries.nulls) <= 1
    assert discoveries.rate <= 0.05
    assert set(found.nulls) == {"permuted 0", "shuffled 0"}


def test_the_curves_are_one_family(found: Found) -> None:
    (family,) = found.families("relu4")
    assert sorted(int(unit.split(":")[1]) for unit in family.units) == list(range(24))
    assert max(gap.degrees for gap in family.gaps) <= 22
    assert found.best_family() == ("relu4", family)


def test_the_record_is_json_and_holds_the_tuning(found: Found) -> None:
    record = json.loads(json.dumps(found_record(found), allow_nan=False))
    by_unit = {row["unit"]: row for row in record["units"]}
    assert len(by_unit["relu4:6"]["tuning"]) == 24
    assert abs(by_unit["relu4:6"]["direction"] - 90) < 2
    (family,) = [one for one in record["families"] if one["kind"] == "mature"]
    assert sorted(family["units"]) == list(range(24))
    assert family["directions"] == sorted(family["directions"])
    assert record["discoveries"]["mature"]["real"] == 24


def test_tuning_is_the_mean_over_radii_by_outward_normal(handnet: Network) -> None:
    sight = sights(handnet, ["relu4"])
    bank = standard_bank(sight["relu4"].diameter, orientations=8, radii=(0.8, 1.5))
    scale = Scale(np.zeros(42), np.ones(42), np.ones(42), 1)
    measures = measure(respond(handnet, bank, sight)["relu4"], bank, scale)
    radii, orientations = [factor * sight["relu4"].diameter for factor in (0.8, 1.5)], [45.0 * k for k in range(8)]
    row, column = sight["relu4"].position
    answers = {}
    for radius in radii:
        for orientation in orientations:
            picture = draw(Curve(orientation, radius), sight["relu4"].size, centre=sight["relu4"].centre)
            answers[radius, orientation] = float(handnet.activations(picture, ["relu4"])["relu4"][0, 4, row, column])
    expected = tuning(answers, orientations, radii)
    assert measures.tuning[4] == pytest.approx([expected[45.0 * k] for k in range(8)], abs=1e-5)
    strongest = max(answers, key=lambda place: answers[place])
    assert measures.radius[4] == pytest.approx(strongest[0])
    assert measures.z[4] == pytest.approx(answers[strongest], rel=1e-4)


def test_a_survey_is_what_a_plain_loop_finds(handnet: Network, images: Path) -> None:
    source = open_source(images)
    found = survey(handnet, source, ["relu4", "conv1"], images=range(7), examples=3, workers=0)
    decoder = Decoder(source, ViewPlan(center=handnet.crop), Geometry.of(handnet))
    for layer in ("relu4", "conv1"):
        maps = []
        for number in range(7):
            view = decoder[number].views
            assert view is not None
            maps.append(tapped(handnet, view.float() / 255, [layer])[layer, "post"][0])
        mean, deviation, fires = scale_of(maps)
        assert found[layer].scale.mean == pytest.approx(mean, rel=1e-5, abs=1e-8)
        assert found[layer].scale.deviation == pytest.approx(deviation, rel=1e-4, abs=1e-7)
        assert found[layer].scale.fires == pytest.approx(fires)
        for unit in (0, 5, 11):
            best, expected = found[layer].best, best_images(maps, unit, 3)
            assert best.values[unit] == pytest.approx([value for _, _, value in expected], rel=1e-5)
            if expected[0][2] > 0:
                assert best.images[unit][0] == expected[0][0]
                assert best.positions[unit][0] == expected[0][1]


def test_images_that_cannot_be_read_are_left_out(handnet: Network, images: Path, tmp_path: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for name in ("china-00.png", "flower-03.png"):
        (folder / name).write_bytes((images / name).read_bytes())
    (folder / "broken.png").write_bytes(b"no picture")
    assert survey(handnet, open_source(folder), ["relu4"], workers=0)["relu4"].scale.positions == 2 * 16 * 16
    only = tmp_path / "only"
    only.mkdir()
    (only / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ImagesError, match="none of the 1 images can be read"):
        survey(handnet, open_source(only), ["relu4"], workers=0)


def test_layers_that_look_alike_share_a_bank(handnet: Network) -> None:
    plans = banks(sights(handnet, ["relu3", "conv3", "relu4"]), 24)
    assert sorted(sorted(layers) for _, layers in plans) == [["conv3", "relu3"], ["relu4"]]


def test_a_search_goes_on_where_it_stopped(handnet: Network, images: Path, tmp_path: Path, monkeypatch) -> None:
    import pellucid.curves.finder.search as search

    layers, study = ["relu2", "relu3"], tmp_path / "study"
    brief = replace(QUICK, orientations=12)
    whole = find_curves(handnet, images, layers, config=brief, study=tmp_path / "whole")
    calls = []

    def stopping(*given, **options):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return respond(*given, **options)

    monkeypatch.setattr(search, "respond", stopping)
    with pytest.raises(KeyboardInterrupt):
        find_curves(handnet, images, layers, config=brief, study=study)
    kept = sorted((study / "curves" / "parts").iterdir())
    assert len(kept) == 2  # the survey, and what the first layer answered
    kept[0].write_bytes(kept[0].read_bytes()[:100])  # damaged: made again
    monkeypatch.setattr(search, "respond", respond)
    again = find_curves(handnet, images, layers, config=brief, study=study)
    assert found_record(again) == found_record(whole)
    assert not (study / "curves" / "parts").exists()
    assert (study / "curves" / "found.json").read_bytes() == (tmp_path / "whole/curves/found.json").read_bytes()


def test_a_study_of_another_network_is_refused(handnet: Network, images: Path, tmp_path: Path) -> None:
    find_curves(handnet, images, ["relu3"], config=replace(QUICK, orientations=8), study=tmp_path / "study")
    other = pellucid.load("handnet_positive")
    with pytest.raises(StudyError, match="was made with network"):
        find_curves(other, images, ["relu3"], config=replace(QUICK, orientations=8), study=tmp_path / "study")


def test_stages_are_known_by_what_they_depend_on(tmp_path: Path) -> None:
    stages = Stages(tmp_path / "parts")
    made = []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"values": np.arange(3)}

    assert stages.get(["a", 1], make)["values"].tolist() == [0, 1, 2]
    assert stages.get(["a", 1], make)["values"].tolist() == [0, 1, 2]
    assert len(made) == 1
    stages.get(["a", 2], make)
    assert len(made) == 2
    stages.clear()
    stages.clear()
    assert not (tmp_path / "parts").exists()


@pytest.mark.parametrize("kind", ["permuted", "shuffled", "random"])
def test_a_null_network_is_another_one_and_leaves_the_first_alone(handnet: Network, kind) -> None:
    before = handnet.digest
    null = null_network(handnet, kind, seed=3)
    assert null.digest != before
    assert pellucid.load("handnet").digest == before
    assert null_network(handnet, kind, seed=3).digest == null.digest
    assert null_network(handnet, kind, seed=4).digest != null.digest
    one, other = (dict(network.module.named_parameters())["conv4.weight"] for network in (handnet, null))
    if kind != "random":
        assert torch.equal(one.flatten().sort().values, other.flatten().sort().values)
    if kind == "permuted":
        # Every kernel is still there, heard from another channel.
        for unit in (0, 30):
            assert {tuple(k.flatten().tolist()) for k in one[unit]} == {
                tuple(k.flatten().tolist()) for k in other[unit]
            }


def test_normalizations_of_a_null_network_fit_the_images() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten())
    network = wrap(module.eval(), size=(12, 12))
    images = torch.rand(8, 3, 12, 12)
    null = null_network(network, "shuffled", [images])
    values = null.activations(images, ["1"])["1"]
    assert values.mean(dim=(0, 2, 3)) == pytest.approx(torch.zeros(6).numpy(), abs=1e-4)
    assert not null.module.training
    assert [part.momentum for part in null.module.modules() if isinstance(part, nn.BatchNorm2d)] == [0.1]


def test_an_unknown_null_is_refused(handnet: Network) -> None:
    with pytest.raises(PellucidError, match="no null 'noise'"):
        FinderConfig(nulls=("noise",))  # type: ignore[arg-type]
    with pytest.raises(PellucidError, match="orientations = 7"):
        FinderConfig(orientations=7)


def test_false_discovery_rates() -> None:
    assert Discoveries(20, (1, 0)).rate == pytest.approx(0.025)
    assert Discoveries(20, (0, 0)).rate == 0
    # No event in two networks: fewer than 3.0 / 2 in one, with 95 % confidence.
    assert Discoveries(20, (0, 0)).most == pytest.approx(2.9957 / 2 / 20, rel=1e-4)
    assert Discoveries(2, (9,)).rate == 1
    assert np.isnan(Discoveries(0, (1,)).rate)
    assert np.isnan(Discoveries(5, ()).most)


def test_a_scale_of_a_harvest_is_that_of_the_rectified_values(handnet: Network, images: Path, tmp_path: Path) -> None:
    from pellucid.activations import read_summary, summarize

    study = summarize(handnet, images, ["relu4", "conv3"], tmp_path / "study")
    exact = survey(handnet, open_source(images), ["relu4", "conv3"], workers=0)
    for layer, tolerance in (("relu4", 1e-4), ("conv3", 0.03)):  # of a linear layer by its histogram
        scale = Scale.of(read_summary(study, layer, "post"))
        assert scale.deviation == pytest.approx(exact[layer].scale.deviation, rel=tolerance)
        assert scale.mean == pytest.approx(exact[layer].scale.mean, rel=tolerance, abs=1e-3)
        assert scale.fires == pytest.approx(exact[layer].scale.fires)
        strength = scale.strength(np.zeros(scale.mean.size))
        assert (strength[scale.deviation > 0] <= 0).all()


def test_curve_detectors_are_confirmed_by_photographs_and_kept(handnet: Network, images: Path, tmp_path: Path) -> None:
    config = replace(QUICK, orientations=24, natural=True, examples=4, step=30.0)
    found = find_curves(handnet, images, ["relu4"], config=config, study=tmp_path / "study")
    assert sorted(found.confirmations) == sorted(f"relu4:{unit}" for unit in range(24))
    differences = [one.difference for one in found.confirmations.values()]
    assert np.abs(differences).max() < 15
    assert sum(one.confirmed for one in found.confirmations.values()) >= 20
    row = found.layer_rows()[0]
    assert row["confirmed"] == sum(one.confirmed for one in found.confirmations.values())
    told = {row["unit"]: row for row in found_record(found)["units"]}
    assert told["relu4:3"]["natural_difference"] == pytest.approx(found.confirmations["relu4:3"].difference)
