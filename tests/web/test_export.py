"""An export is the page and the data as plain files, and can be repeated."""

import json
from pathlib import Path

import pytest

from pellucid.errors import StudyError
from pellucid.study import read_catalog
from pellucid.web.export import export
from studies import make_study
from trees import tree

MARK = ".pellucid-export.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study", levels=(2, 4), names=("early", "late"), samples=200).path


@pytest.fixture
def static(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text('<!doctype html><script src="./assets/index-1.js"></script>')
    (folder / "assets" / "index-1.js").write_text("export {}")
    (folder / "experiment.html").write_text("a page that needs its server")
    (folder / "assets" / "experiment-1.js").write_text("export {}")
    return folder


def test_it_holds_the_page_and_all_that_the_catalog_lists(root: Path, static: Path, tmp_path: Path):
    target = export(root, tmp_path / "site", static=static)
    catalog = read_catalog(root)
    assert target == tmp_path / "site"
    assert set(tree(target)) == {
        MARK,
        "index.html",
        "assets/index-1.js",
        "data/catalog.json",
        *(f"data/{name}" for name in catalog.files),
    }
    assert json.loads((target / "data" / "catalog.json").read_text()) == catalog.public()
    for name in catalog.files:
        assert (target / "data" / name).read_bytes() == (root / name).read_bytes()
    assert (target / "index.html").read_bytes() == (static / "index.html").read_bytes()


def test_a_second_export_gives_the_same_files(root: Path, static: Path, tmp_path: Path):
    first = tree(export(root, tmp_path / "site", static=static))
    assert tree(export(root, tmp_path / "site", static=static)) == first


def test_an_empty_folder_will_do(root: Path, static: Path, tmp_path: Path):
    (tmp_path / "site").mkdir()
    assert (export(root, tmp_path / "site", static=static) / "index.html").is_file()


def test_stale_files_go_and_those_of_others_stay(root: Path, static: Path, tmp_path: Path):
    target = export(root, tmp_path / "site", static=static)
    (target / "CNAME").write_text("example.org")
    (target / "data" / "atlas" / "late" / "notes.txt").write_text("mine")
    other = make_study(tmp_path / "other", levels=(4,), names=("early",), samples=200).path
    (static / "assets" / "index-1.js").rename(static / "assets" / "index-2.js")
    export(other, target, static=static)
    assert (target / "CNAME").read_text() == "example.org"
    assert [path.name for path in (target / "data" / "atlas" / "late").iterdir()] == ["notes.txt"]
    assert not (target / "assets" / "index-1.js").exists()
    assert not (target / "data" / "atlas" / "early" / "level-2.json").exists()
    assert (target / "data" / "atlas" / "early" / "level-4.json").is_file()


def test_folders_that_become_empty_go_too(root: Path, static: Path, tmp_path: Path):
    target = export(root, tmp_path / "site", static=static)
    other = make_study(tmp_path / "other", levels=(4,), names=("early",), samples=200).path
    export(other, target, static=static)
    assert [path.name for path in (target / "data" / "atlas").iterdir()] == ["early"]


@pytest.mark.parametrize("writes", [0, 1, 3, 8, 14, 17])
def test_an_interrupted_export_can_be_repeated(
    root: Path, static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
):
    replace, done = Path.replace, []

    def interrupted(self: Path, target: Path) -> Path:
        if len(done) == writes:
            raise KeyboardInterrupt
        done.append(target)
        return replace(self, target)

    site = tmp_path / "site"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt, match=r"^$"):
            export(root, site, static=static)
    assert not (site / "index.html").exists()
    whole = tree(export(root, tmp_path / "whole", static=static))
    assert tree(export(root, site, static=static)) == whole


def test_a_folder_with_other_files_is_refused_and_left_as_it_is(root: Path, static: Path, tmp_path: Path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "thesis.tex").write_text("mine")
    with pytest.raises(StudyError, match="site is not empty and is no earlier export; choose an empty or a new folder"):
        export(root, site, static=static)
    assert [path.name for path in site.iterdir()] == ["thesis.tex"]


def test_the_study_itself_is_refused(root: Path, static: Path):
    before = tree(root)
    with pytest.raises(StudyError, match="is not empty and is no earlier export"):
        export(root, root, static=static)
    assert tree(root) == before


def test_a_file_is_refused(root: Path, static: Path, tmp_path: Path):
    (tmp_path / "site").write_text("mine")
    with pytest.raises(StudyError, match="site is a file; an export is a folder"):
        export(root, tmp_path / "site", static=static)


def test_a_damaged_mark_is_refused(root: Path, static: Path, tmp_path: Path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / MARK).write_text("[]")
    with pytest.raises(StudyError, match="is not the list of an export"):
        export(root, tmp_path / "site", static=static)


def test_a_mark_that_names_files_elsewhere_removes_none_of_them(root: Path, static: Path, tmp_path: Path):
    target = export(root, tmp_path / "site", static=static)
    (tmp_path / "precious.txt").write_text("mine")
    mark = json.loads((target / MARK).read_text())
    mark["files"] += ["../precious.txt", str(tmp_path / "precious.txt")]
    (target / MARK).write_text(json.dumps(mark))
    export(root, target, static=static)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_study_with_a_missing_file_is_refused_before_anything_is_written(root: Path, static: Path, tmp_path: Path):
    (root / "atlas" / "late" / "icons-4.png").unlink()
    with pytest.raises(
        StudyError, match=r"lists 'atlas/late/icons-4\.png', which is not in it; make what it belongs to again"
    ):
        export(root, tmp_path / "site", static=static)
    assert not (tmp_path / "site").exists()


def test_a_folder_without_a_study_is_refused(tmp_path: Path, static: Path):
    with pytest.raises(StudyError, match=r"it has no study\.json"):
        export(tmp_path, tmp_path / "site", static=static)


def test_a_page_that_was_never_built_is_refused(root: Path, tmp_path: Path):
    with pytest.raises(StudyError, match=r"no page in .*: it has no index\.html"):
        export(root, tmp_path / "site", static=tmp_path / "nowhere")
    assert not (tmp_path / "site").exists()
