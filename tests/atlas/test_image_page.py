import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.activations import HarvestConfig, harvest
from pellucid.activations.images import open_image
from pellucid.activations.views import views
from pellucid.atlas import AtlasConfig, build
from pellucid.atlas.atlas_map import AtlasMap
from pellucid.atlas.icons import IconConfig
from pellucid.atlas.image_page import ImageConfig, image_page
from pellucid.atlas.image_parts import image_parts
from pellucid.errors import AtlasError, LayerError, StudyError
from pellucid.networks import Network, wrap
from pellucid.study import Manifest, PageRecord, Study, read_catalog
from photographs import drawn_photographs
from small import Small, small_network
from trees import tree

ICONS = IconConfig(size=16, steps=4, batch=64)
CONFIG = ImageConfig(groups=2, icons=ICONS)


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network(size=(12, 16))


@pytest.fixture(scope="module")
def study(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("image")
    images = drawn_photographs(folder / "images", 16)
    made = harvest(network, images, "act3", folder / "study", config=HarvestConfig(positions=12, border=1))
    config = AtlasConfig(grids=(2, 4), min_count=3, layout="pca", patches=1, patch_size=8, icons=ICONS)
    build(network, made, "act3", config=config)
    return made


@pytest.fixture(scope="module")
def photograph(study: Study) -> Image.Image:
    return open_image(study.path.parent / "images" / "001.png")


def test_positions_attributions_and_groups_are_those_of_the_network(network: Network, photograph: Image.Image) -> None:
    box = views(photograph.size, (1.0,), network.crop)[0]
    parts = image_parts(network, photograph, box, network.spatial_layer("act3"), groups=3)
    assert parts.grid == (6, 8)
    assert parts.vectors.shape == (48, 16)
    # The head is linear in the mean of the map: what positions say of a class adds up to its logit without the bias.
    assert isinstance(network.module, Small)
    bias = network.module.head.bias.detach().numpy()
    np.testing.assert_allclose(parts.attribution.sum(axis=0) + bias, parts.logits, atol=1e-4)
    weight = network.module.head.weight.detach().numpy()
    for position in (0, 17, 47):
        np.testing.assert_allclose(parts.attribution[position], weight @ parts.vectors[position] / 48, atol=1e-5)
    assert parts.strongest == np.linalg.norm(parts.vectors, axis=1).argmax()
    assert list(parts.units) == np.argsort(-parts.vectors[parts.strongest])[:3].tolist()
    # A group's effect is that of the part of the activations that is its own.
    for group in range(3):
        part = np.outer(parts.group_maps[group], parts.group_vectors[group])
        effect = (part @ weight.T / 48).sum(axis=0)[list(parts.group_classes)]
        np.testing.assert_allclose(parts.group_effects[group], effect, atol=1e-5)
    assert sum(group["share"] for group in parts.groups()) == pytest.approx(1, abs=1e-4)


def test_the_page_leads_from_neurons_to_the_atlas(network: Network, study: Study, photograph: Image.Image) -> None:
    record = image_page(network, study, photograph, "act3", title="001.png", config=CONFIG)
    folder = study.path / "pages" / "image" / "001@act3"
    assert PageRecord.read(folder) == record
    content = record.content
    assert content["grid"] == [6, 8]
    for key in ("norms", "positions", "cells"):
        assert len(content[key]) == 48
    assert all(len(values) == 48 for values in content["attribution"].values())
    assert [str(label) for label, _ in content["logits"]] == list(content["attribution"])
    assert len(content["neurons"]) == 3
    assert content["pair"]["units"] == [neuron["unit"] for neuron in content["neurons"][:2]]
    assert all(value > 0 for best in content["positions"] for _, value in best)
    for file in record.files:
        assert (folder / file).is_file()
    assert not list(folder.glob(".icons-*"))
    with Image.open(folder / content["icons"]["file"]) as sheet:
        assert sheet.size == (8 * 16, 6 * 16)
    assert len(content["groups"]) == 2
    assert content["atlas"] == "act3"
    # Each position has the finest cell that is drawn where it comes to stand.
    atlas = AtlasMap.open(study)
    box = views(photograph.size, (1.0,), network.crop)[0]
    parts = image_parts(network, photograph, box, network.spatial_layer("act3"))
    points = atlas.place(parts.vectors).points
    for position, cell in enumerate(content["cells"]):
        there = {
            level.grid: int(atlas.cell_of(points[position : position + 1], level)[0]) for level in atlas.record.levels
        }
        finest = max((grid for grid, number in there.items() if number >= 0), default=None)
        if finest is None:
            assert cell is None
        else:
            table = atlas.cells(atlas.level(finest))
            assert cell == [finest, table.row[there[finest]], table.column[there[finest]]]
    assert "001@act3" in [page["name"] for page in read_catalog(study.path).pages]


def test_a_finished_page_is_kept_and_another_setting_makes_another(
    network: Network, study: Study, photograph: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_page(network, study, photograph, "act3", title="again.png", config=CONFIG)
    before = tree(study.path)
    module = sys.modules["pellucid.atlas.image_page"]
    with monkeypatch.context() as patch:
        patch.setattr(module, "draw_icons", lambda *_: pytest.fail("an icon was drawn again"))
        image_page(network, study, photograph, "act3", title="again.png", config=CONFIG)
    assert tree(study.path) == before
    image_page(network, study, photograph, "act3", title="again.png", config=ImageConfig(groups=1, icons=ICONS))
    assert tree(study.path) != before


def test_positions_where_nothing_fires_stay_grey(network: Network, study: Study) -> None:
    convolution = torch.nn.Conv2d(3, 4, 1, bias=False)
    convolution.weight.data.abs_()
    module = torch.nn.Sequential(convolution, torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    dark = wrap(module, mean=(0, 0, 0), std=(1, 1, 1), size=8, name="dark")
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:] = 200
    place = Study.create(study.path.parent / "dark", Manifest({**dark.describe(), "crop": 1.0}, {}))
    record = image_page(
        dark, place, Image.fromarray(picture).resize((64, 64), Image.Resampling.NEAREST), "1", title="half.png",
        config=ImageConfig(groups=1, icons=ICONS),
    )  # fmt: skip
    norms = np.array(record.content["norms"]).reshape(8, 8)
    silent = norms == 0
    assert silent[:, 0].all()
    assert not silent[:, -1].any()
    with Image.open(place.path / "pages" / "image" / "half@1" / "icons.webp") as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    assert np.abs(pixels[:16, :16] - 128).max() <= 3
    assert record.content["cells"] == [None] * 64
    assert record.content["atlas"] == ""
    with pytest.raises(AtlasError, match="nothing in 1 fires for this photograph"):
        image_page(dark, place, Image.new("RGB", (20, 20)), "1", title="black", config=ImageConfig(icons=ICONS))


def test_what_cannot_be_shown_is_refused(
    network: Network, study: Study, photograph: Image.Image, tmp_path: Path
) -> None:
    with pytest.raises(LayerError, match="has no spatial activations"):
        image_page(network, study, photograph, "head", title="x")
    with pytest.raises(StudyError, match="made with other weights"):
        image_page(small_network(size=(12, 16), seed=1), study, photograph, "act3", title="x")
    with pytest.raises(AtlasError, match=r"has a 40x40 map: 1600 icons are too many for a page \(at most 1024\)"):
        image_page(small_network(size=40), study, photograph, "relu1", title="x")
    with pytest.raises(StudyError, match="cannot be the name of a page"):
        image_page(network, study, photograph, "act3", title="x", name="../x", config=CONFIG)
    with pytest.raises(AtlasError, match="units = 1 at least 2: a pair is drawn of them"):
        ImageConfig(units=1)
