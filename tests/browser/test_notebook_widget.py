"""The widget's script in a browser, with a model as a notebook gives it."""

import base64
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from serving import serve_folder

import pellucid.atlas
from pellucid.study import AtlasRecord
from pellucid.study.records import read_cells
from studies import make_study

pytestmark = pytest.mark.browser

MODEL = """
import widget from './widget.js'
const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0))
const state = { ...STATE, _sheets: SHEETS.map((sheet) => new DataView(bytes(sheet).buffer)) }
const heard = {}
window.saved = []
window.model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; for (const one of heard[`change:${name}`] ?? []) one() },
  save_changes: () => window.saved.push(state.selected),
  on: (event, call) => (heard[event] ??= []).push(call),
  off: (event, call) => { heard[event] = heard[event].filter((one) => one !== call) },
}
window.heard = heard
window.leave = widget.render({ model: window.model, el: document.body })
"""


@pytest.fixture
def page(chromium: Browser, tmp_path: Path):
    study = make_study(tmp_path / "study", levels=(4, 8), samples=1000)
    folder = study.path / "atlas" / "blocks.4.2.bn2"
    record = AtlasRecord.read(folder)
    state = {
        "_levels": [
            {
                "grid": level.grid,
                "size": level.icons.size,
                "columns": level.icons.columns,
                "type": "image/png",
                "cells": [
                    [cell.row, cell.column, cell.count, cell.labels[0][0], cell.stable]
                    for cell in read_cells(folder / level.table)
                ],
            }
            for level in record.levels
        ],
        "_classes": list(record.classes),
        "_shown": [],
        "title": "an atlas",
        "height": 400,
        "selected": [],
    }
    sheets = [base64.b64encode((folder / level.icons.file).read_bytes()).decode() for level in record.levels]
    served = tmp_path / "served"
    served.mkdir()
    script = Path(pellucid.atlas.__file__).with_name("widget.js").read_text()
    (served / "widget.js").write_text(script)
    (served / "model.js").write_text(f"const STATE = {json.dumps(state)}\nconst SHEETS = {json.dumps(sheets)}\n{MODEL}")
    (served / "index.html").write_text(
        '<!doctype html><body style="margin:0"><script type="module" src="model.js"></script>'
    )
    problems: list[str] = []
    with serve_folder(served) as origin:
        page = chromium.new_context(viewport={"width": 400, "height": 500}).new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(origin)
        page.wait_for_selector("canvas[data-ready=yes]")
        page.evaluate(f"window.state = {json.dumps(state)}")
        yield page
        page.context.close()
    assert problems == []


def cells(page: Page, level: int) -> list[list[int]]:
    return page.evaluate(f"window.state._levels[{level}].cells")


def test_a_click_chooses_the_cell_that_is_there(page: Page) -> None:
    assert page.get_attribute("canvas", "data-grid") == "8"
    row, column, count, *_ = cells(page, 1)[5]
    page.mouse.click(column * 50 + 25, row * 50 + 25)
    assert page.evaluate("window.saved") == [[8, row, column]]
    said = page.inner_text("[role=status]")
    assert f"average of {count} activations, cell 8.{row}.{column}" in said
    there = {(cell[0], cell[1]) for cell in cells(page, 1)}
    row, column = next((r, c) for r in range(8) for c in range(8) if (r, c) not in there)
    page.mouse.click(column * 50 + 25, row * 50 + 25)
    assert page.evaluate("window.saved.at(-1)") == []


def test_icons_are_drawn_in_their_cells_and_fade_by_class(page: Page) -> None:
    row, column, *_ = cells(page, 1)[0]
    place = f"{column * 50 + 3}, {row * 50 + 3}"
    pixel = f"[...document.querySelector('canvas').getContext('2d').getImageData({place}, 1, 1).data]"
    red, green, blue, opacity = page.evaluate(pixel)
    # studies.color: the place of a cell can be read from its icon's ground
    assert (red, green, blue, opacity) == pytest.approx((40 + 200 * column // 8, 40 + 200 * row // 8, 130, 255), abs=3)
    counts = [len(cells(page, level)) for level in (0, 1)]
    page.evaluate(f"window.model.set('_shown', [Array({counts[0]}).fill(0), Array({counts[1]}).fill(0)])")
    assert page.evaluate(pixel)[3] == 0


def test_the_wheel_and_the_keys_come_nearer(page: Page) -> None:
    page.evaluate("window.model.set('height', 200)")
    assert page.get_attribute("canvas", "data-grid") == "4"
    page.mouse.move(200, 100)
    page.mouse.wheel(0, -400)
    page.wait_for_function("document.querySelector('canvas').dataset.grid === '8'")
    page.focus("canvas")
    for _ in range(3):
        page.keyboard.press("-")
    assert page.get_attribute("canvas", "data-grid") == "4"


def test_what_is_chosen_in_python_is_shown_and_leaving_lets_go(page: Page) -> None:
    row, column, count, *_ = cells(page, 1)[2]
    page.evaluate(f"window.model.set('selected', [8, {row}, {column}])")
    assert f"average of {count} activations" in page.inner_text("[role=status]")
    page.evaluate("window.leave()")
    assert page.evaluate("Object.values(window.heard).flat().length") == 0
