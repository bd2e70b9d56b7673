import sys
from importlib import reload
from pathlib import Path

import numpy as np
import pytest

from pellucid.atlas.classes import describe_classes, write_class_means
from pellucid.errors import AtlasError, StudyError
from pellucid.study import AtlasRecord, Study
from studies import CLASSES, make_study

pytest.importorskip("anywidget", reason="the widget is an extra: pip install 'pellucid[notebook]'")

from traitlets import TraitError

from pellucid.atlas import widget as module
from pellucid.atlas.widget import AtlasWidget


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study", levels=(4, 8), samples=1000)


def test_a_widget_holds_the_levels_and_their_icons(study: Study) -> None:
    widget = AtlasWidget(study, height=300)
    folder = study.path / "atlas" / "blocks.4.2.bn2"
    record = AtlasRecord.read(folder)
    state = widget.get_state()
    assert (state["title"], state["height"], state["selected"]) == ("drawn_network, blocks.4.2.bn2", 300, [])
    assert [level["grid"] for level in state["_levels"]] == [4, 8]
    assert [len(level["cells"]) for level in state["_levels"]] == [level.cells for level in record.levels]
    assert state["_sheets"] == [(folder / level.icons.file).read_bytes() for level in record.levels]
    assert state["_classes"] == list(CLASSES)
    assert "export default" in state["_esm"]


def test_python_hears_of_the_chosen_cell(study: Study) -> None:
    widget, heard = AtlasWidget(study.path), []
    widget.observe(lambda change: heard.append(change["new"]), "selected")
    row, column, *_ = widget.get_state()["_levels"][1]["cells"][3]
    widget.set_state({"selected": [8, row, column]})  # as the notebook does
    assert heard == [[8, row, column]]
    assert widget.cell == (8, row, column, 1.0)
    widget.selected = []
    assert widget.cell is None
    for wrong in ([8, 99, 0], [5, 0, 0], [8, row]):
        with pytest.raises(TraitError, match="is no cell of this atlas: give"):
            widget.selected = wrong


def test_a_class_fades_the_cells_that_do_not_speak_for_it(study: Study) -> None:
    folder = study.path / "atlas" / "blocks.4.2.bn2"
    record = AtlasRecord.read(folder)
    levels, means = [], []
    for level in record.levels:
        chunks = describe_classes(level.grid, level.cells, len(CLASSES))
        assert chunks is not None
        means.append(np.random.default_rng(0).normal(size=(level.cells, len(CLASSES))).astype(np.float32))
        write_class_means(folder, chunks, means[-1])
        levels.append(level.__class__(**{**vars(level), "classes": chunks}))
    AtlasRecord(**{**vars(record), "levels": tuple(levels)}).write(folder)
    widget = AtlasWidget(study)
    widget.label = 11
    for shown, values in zip(widget.get_state()["_shown"], means, strict=True):
        raised = values[:, 11].clip(min=0)
        np.testing.assert_allclose(shown, raised / raised.max(), atol=6e-4)
    widget.label = -1
    assert widget.get_state()["_shown"] == []
    with pytest.raises(AtlasError, match="holds no attribution of class 16"):
        widget.label = 16


def test_what_has_no_atlas_or_too_large_a_one_has_no_widget(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StudyError, match="has no atlas 'conv2'; it has"):
        AtlasWidget(study, "conv2")
    monkeypatch.setattr(module, "_MOST", 3)
    with pytest.raises(AtlasError, match="are too large for a notebook; use 'pellucid serve'"):
        AtlasWidget(study)


def test_without_anywidget_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "anywidget", None)
        with pytest.raises(AtlasError, match=r"pip install 'pellucid\[notebook\]'"):
            reload(module)
    reload(module)
