"""An atlas of a real network and real photographs, from the command line to the card in the browser."""

from pathlib import Path
from typing import Any

import pytest
from page import AtlasPage
from serving import serve_app, serve_folder

from pellucid.atlas import tables
from pellucid.networks import Labels
from pellucid.study import AtlasRecord
from pellucid.study.records import read_cells
from pellucid.web.app import make_app
from pellucid.web.export import export

pytestmark = pytest.mark.browser
LAYER = "blocks.4.2.bn2"


@pytest.mark.parametrize("kind", ["served", "exported"])
def test_the_page_says_what_the_study_holds(kind: str, real_atlas: Path, tmp_path: Path, open_page: Any) -> None:
    folder = real_atlas / "atlas" / LAYER
    record = AtlasRecord.read(folder)
    if kind == "served":
        serving = serve_app(make_app(real_atlas))
    else:
        export(real_atlas, tmp_path / "deep" / "site")
        serving = serve_folder(tmp_path)
    with serving as origin:
        page: AtlasPage = open_page(origin if kind == "served" else f"{origin}deep/site/")
        seen = []
        for grid in (3, 6, None, None):
            page.choose_grid(grid)
            level = next(level for level in record.levels if level.grid == page.grid)
            cells = read_cells(folder / level.table)
            counts = tables.read_cells(folder / f"cells-{level.grid}.parquet").count
            assert page.cells() == level.cells == len(cells)
            for cell in page.reachable()[:: 1 + level.cells // 6]:
                card = page.hover_cell(cell)
                assert card.count == f"Average of {counts[cell]:,} activations"
                assert card.title == record.classes[cells[cell].labels[0][0]]
                assert card.classes == cells[cell].labels
                assert set(card.photographs) <= {"china.jpg", "flower.jpg"}
            seen.append(page.grid)
            page.zoom_in()
        assert seen == [3, 6, 6, 6]
        before = page.position
        page.drag(-120, 60)
        assert page.position != before
        assert page.colors() > 100


def test_the_labels_are_those_of_the_network(real_atlas: Path, lite0: Any) -> None:
    assert isinstance(lite0.labels, Labels)
    assert AtlasRecord.read(real_atlas / "atlas" / LAYER).classes == lite0.labels.names
