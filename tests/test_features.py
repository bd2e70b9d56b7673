"""The table of features is true: what it names exists, and so do the tests that prove it."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from test_docs import COMMANDS, ROOT

PAGE = ROOT / "docs" / "features.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| feature |")
]
PLACES = [
    import_module(name)
    for name in (
        "pellucid", "pellucid.visualize", "pellucid.visualize.activation_grid", "pellucid.visualize.devices",
        "pellucid.visualize.factors", "pellucid.visualize.gradients", "pellucid.visualize.transforms",
        "pellucid.networks", "pellucid.networks.pooling", "pellucid.networks.rectifiers", "pellucid.attribution",
        "pellucid.evaluate", "pellucid.atlas", "pellucid.activations", "pellucid.activations.summary",
        "pellucid.activations.examples", "pellucid.activations.quilt", "pellucid.activations.distribution",
        "pellucid.curves", "pellucid.causal", "pellucid.causal.simulation", "pellucid.web.experiment",
        "pellucid.atlas.align", "pellucid.atlas.aligned_layout", "pellucid.atlas.class_atlas",
        "pellucid.atlas.comparison", "pellucid.atlas.drawing", "pellucid.atlas.figure", "pellucid.atlas.histogram",
        "pellucid.atlas.icon_engines", "pellucid.atlas.icons", "pellucid.atlas.image_page", "pellucid.atlas.labels",
        "pellucid.atlas.live", "pellucid.atlas.networks", "pellucid.atlas.paint", "pellucid.atlas.patching",
        "pellucid.atlas.query", "pellucid.atlas.widget",
    )
]  # fmt: skip


@cache
def functions_in(file: Path) -> frozenset[str]:
    """The tests of a file."""
    found = [node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)]
    return frozenset(name for name in found if name.startswith("test_"))


def code(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def test_every_row_has_its_four_cells():
    assert len(ROWS) > 100
    assert [row for row in ROWS if len(row) != 4] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_feature_has_a_test(row: list[str]):
    named = [text.partition("::")[::2] for text in code(row[3])]
    assert named, f"{row[0]}: no test is named"
    for file, name in named:
        assert (ROOT / file).is_file(), f"{row[0]}: there is no {file}"
        assert name in functions_in(ROOT / file), f"{row[0]}: {file} has no {name}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_is_called_exists(row: list[str]):
    for text in code(row[1]):
        if text.startswith("python "):
            continue
        for node in ast.walk(ast.parse(text.replace("(...)", "()"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in ("sum", "range"):
                assert any(hasattr(place, node.func.id) for place in PLACES), f"{row[0]}: there is no {node.func.id}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_commands_and_options_exist(row: list[str]):
    for text in code(row[2]):
        words = text.removeprefix("pellucid ").split()
        if text == "pellucid --help":
            continue
        name = "pellucid atlas build" if words[0] == "atlas" else f"pellucid {words[0]}"
        name = name if name in COMMANDS else f"{name} {words[1]}"
        known = {spelling for option in COMMANDS[name].params for spelling in (*option.opts, *option.secondary_opts)}
        assert {word for word in words if re.fullmatch(r"--[a-z].*", word)} <= known, f"{row[0]}: {text}"
