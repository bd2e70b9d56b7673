from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import pellucid.atlas.patching.running as running
from colours import colour_network, coloured_photographs, flat
from pellucid.activations import open_source
from pellucid.atlas.page_names import page_name
from pellucid.atlas.patching import PatchConfig, Photographs, choose_photographs, patch_page
from pellucid.atlas.patching.examples import choose_examples
from pellucid.errors import StudyError
from pellucid.networks import Network
from pellucid.study import Manifest, PageRecord, Study, read_catalog
from trees import tree

PATCHES = {"green": flat((0, 255, 0), (300, 120)), "grass": flat((20, 200, 10))}
CONFIG = PatchConfig(sizes=(0.3, 0.9), corners=(0, 1, 3), batch=4)


@pytest.fixture(scope="module")
def network() -> Network:
    return colour_network()


@pytest.fixture(scope="module")
def photographs(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Photographs:
    folder = coloured_photographs(tmp_path_factory.mktemp("colours") / "images", {"red": 6, "blue": 3})
    return choose_photographs(network, open_source(folder), 1, of=0)


@pytest.fixture
def study(network: Network, tmp_path: Path) -> Study:
    return Study.create(tmp_path / "study", Manifest(network.describe(), {}))


def made(network: Network, study: Study, photographs: Photographs, **options) -> PageRecord:
    return patch_page(
        network, study, photographs, PATCHES, 1, of=0, also=[2, 1], config=CONFIG, resamples=200, **options
    )


def test_the_page_holds_pictures_tables_and_every_trial(
    network: Network, study: Study, photographs: Photographs
) -> None:
    record = made(network, study, photographs)
    folder = study.path / "pages" / "patch" / "red-green"
    content = PageRecord.read(folder).content
    assert content == record.content
    assert record.title == "red → green: 2 patches on 6 photographs"
    assert (content["source"], content["target"], content["also"], content["images"]) == (0, 1, [2], 6)
    assert content["corners"] == ["top left", "top right", "bottom right"]
    assert len(content["table"]) == (2 + 1) * 2 * 3
    assert [patch["alone"][0][0] for patch in content["patches"]] == [1, 1]
    assert content["control"]["name"] == "noise"
    for file in record.files:
        assert (folder / file).is_file()
    with Image.open(folder / content["patches"][0]["file"]) as shown:
        assert shown.size == (256, 102)
    trials = pq.read_table(folder / "trials.parquet")
    assert len(trials) == 6 * 6 * 2 * 3
    some = trials.filter((np.array(trials["patch"]) == "grass") & (np.array(trials["size"]) == 0.9)).to_pydict()
    rows = [row for row in content["table"] if row["patch"] == "grass" and row["size"] == 0.9]
    assert sum(row["to_target"] for row in rows) == sum(after == 1 for after in some["after"])
    rises = np.array(some["logit_1"]) - np.array(some["logit_1_before"])
    assert np.mean([row["logit"] for row in rows]) == pytest.approx(rises.mean(), abs=1e-4)
    catalog = read_catalog(study.path)
    assert {"kind": "patch", "name": "red-green", "title": record.title, "url": "pages/patch/red-green/page.json"} in (
        catalog.pages
    )


def test_examples_show_what_the_network_saw(network: Network, study: Study, photographs: Photographs) -> None:
    record = made(network, study, photographs, examples=3)
    folder = study.path / "pages" / "patch" / "red-green"
    assert len({example["image"] for example in record.content["examples"]}) == 3
    for example in record.content["examples"]:
        assert example["before"][0][0] == 0
        assert example["after"][0][0] == 1
        assert example["size"] == 0.9
        with Image.open(folder / example["image"]) as bare, Image.open(folder / example["patched"]) as patched:
            before, after = (np.asarray(each.convert("RGB")).astype(float) for each in (bare, patched))
        changed = np.abs(before - after).max(axis=2) > 40
        assert 0.7 * 18 * 18 < changed.sum() <= 20 * 20
        assert after[..., 1].mean() > before[..., 1].mean() + 50


def test_a_second_run_pastes_nothing(
    network: Network, study: Study, photographs: Photographs, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(network, study, photographs)
    before = tree(study.path)
    monkeypatch.setattr(running, "pasted", lambda *_: pytest.fail("a patch was pasted again"))
    made(network, study, photographs)
    assert tree(study.path) == before


def test_a_run_that_was_stopped_goes_on_to_the_same_page(
    network: Network, study: Study, photographs: Photographs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(network, study, photographs)
    other = Study.create(tmp_path / "other", Manifest(network.describe(), {}))
    honest, left = running.pasted, [40]

    def stopping(*arguments):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return honest(*arguments)

    monkeypatch.setattr(running, "pasted", stopping)
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        made(network, other, photographs)
    assert len(list(other.path.glob("pages/patch/red-green/.trials-*/*.npz"))) == 1
    monkeypatch.setattr(running, "pasted", honest)
    made(network, other, photographs)
    assert {name: content for name, content in tree(other.path).items() if "pages" in str(name)} == {
        name: content for name, content in tree(study.path).items() if "pages" in str(name)
    }


def test_a_control_of_ones_own_takes_the_place_of_noise(
    network: Network, study: Study, photographs: Photographs
) -> None:
    record = made(network, study, photographs, control=("white", flat((255, 255, 255))), name="white")
    assert record.content["control"] == {"name": "white", "file": "control.webp"}
    assert [control["name"] for control in record.content["controls"]] == ["white", "grey", "self", "unrelated"]
    rows = [row for row in record.content["table"] if row["patch"] == "white" and row["size"] == 0.9]
    assert all(row["also"][0][1] > 4 for row in rows)  # white raises blue, too


def test_examples_are_of_several_photographs_and_patches(network: Network, photographs: Photographs) -> None:
    trials = running.run_trials(network, photographs, PATCHES, (1,), config=CONFIG)
    chosen = choose_examples(trials, 4)
    assert len({image for *_, image in chosen}) == 4
    assert {patch for patch, *_ in chosen} == {0, 1}
    assert len(choose_examples(trials, 50)) == 6  # no photograph twice
    assert all(trials.top[at] == 1 for at in chosen)
    # Photographs that were not taken for what they are come last.
    wrong = replace(trials, of=np.where(np.arange(6) < 5, 2, trials.of))
    assert choose_examples(wrong, 1)[0][3] == 5


def test_hostile_names_are_refused(network: Network, study: Study, photographs: Photographs) -> None:
    for name in ("../other", "a/b", ".hidden", "x" * 101):
        with pytest.raises(StudyError, match="cannot be the name of a page"):
            made(network, study, photographs, name=name)
    assert not (study.path / "pages").exists()


def test_pages_are_named_after_what_they_are_about() -> None:
    assert page_name("potter's wheel", "Große Katze") == "potter_s_wheel-Gro_e_Katze"
    assert page_name("../../etc") == "etc"
    assert page_name("_@", "\n") == "page"
    assert len(page_name("x" * 300)) == 100
