"""The house rules that no linter knows."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pellucid

TESTS = Path(__file__).parent
PACKAGE = Path(pellucid.__file__).parent
EMPTY_NAMES = {"utils", "util", "common", "helpers", "helper", "core", "misc"}
LONGEST = 400  # lines of a module


def modules(*folders: Path) -> list[Path]:
    return sorted(file for folder in folders for file in folder.rglob("*.py"))


@pytest.mark.parametrize(
    "name",
    [
        "pellucid",
        "pellucid.activations.distribution",
        "pellucid.activations.examples",
        "pellucid.activations.quilt",
        "pellucid.activations.sources",
        "pellucid.activations.summary",
        "pellucid.causal.analysis",
        "pellucid.causal.design",
        "pellucid.causal.responses",
        "pellucid.causal.simulation",
        "pellucid.curves.families",
        "pellucid.curves.labels",
        "pellucid.curves.rule",
        "pellucid.curves.tuning_curves",
        "pellucid.study",
        "pellucid.units",
        "pellucid.web",
        "pellucid.web.experiment",
    ],
)
def test_importing_loads_no_torch(name: str):
    # A fresh process: this one has torch already.
    found = f"import sys, {name}; print(sorted({{'torch', 'torchvision', 'timm'}} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"


def test_every_file_is_named_by_what_it_holds():
    named = [path for path in (*PACKAGE.rglob("*"), *TESTS.rglob("*")) if path.stem.strip("_") in EMPTY_NAMES]
    assert named == []


def test_modules_are_short():
    long = {file.name: count for file in modules(PACKAGE) if (count := len(file.read_text().splitlines())) > LONGEST}
    assert long == {}


def test_every_expected_error_is_pinned_by_its_message():
    bare = [
        f"{file.relative_to(TESTS)}:{call.lineno}"
        for file in modules(TESTS)
        for call in calls(file, "raises")
        if "match" not in {keyword.arg for keyword in call.keywords}
        and ast.unparse(call.args[0]) != "KeyboardInterrupt"  # it has no message
    ]
    assert bare == []


def test_weights_are_read_without_running_code():
    unsafe = [
        f"{file.relative_to(PACKAGE)}:{call.lineno}"
        for file in modules(PACKAGE)
        for call in calls(file, "load")
        if ast.unparse(call.func) == "torch.load"
        and "weights_only=True" not in {ast.unparse(keyword) for keyword in call.keywords}
    ]
    assert unsafe == []


def calls(file: Path, name: str) -> Iterator[ast.Call]:
    """Calls of a method or attribute `name`."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield node
