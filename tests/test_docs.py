"""The documentation is true: its examples run, and every command and option stands in it."""

import re
import shlex
import shutil
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import typer
from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

from pellucid.cli import app, main

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PHOTOGRAPHS = {
    "sklearn": ["datasets/images/china.jpg", "datasets/images/flower.jpg"],
    "skimage": ["data/chelsea.png", "data/coffee.png"],
}
Command = Any  # of click, which typer keeps a copy of in later versions
PROGRAM: Command = typer.main.get_command(app)


def run(command: str) -> None:
    """Run one line of a shell block, `pellucid ...`, as the installed program does."""
    program, *arguments = shlex.split(command, comments=True)
    assert program == "pellucid", f"only pellucid runs in the documentation's bash blocks, not {program!r}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [program, *arguments])
        with pytest.raises(SystemExit, match=r"^0$"):
            main()


def run_block(example: Example) -> None:
    """Run a shell block line by line."""
    for command in commands(example.parsed):
        run(command)


def commands(block: str) -> list[str]:
    """The lines of a block, joined where they end in a backslash."""
    return [line for line in block.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the few photographs that installed packages bring."""
    folder = tmp_path_factory.mktemp("documentation") / "photographs"
    folder.mkdir()
    for package, names in PHOTOGRAPHS.items():
        for name in names:
            shutil.copy(str(files(package) / name), folder)
    return folder


@pytest.fixture(scope="session")
def study(photographs: Path) -> Path:
    """A small study with an atlas, for the pages that start from one."""
    folder = photographs.parent / "study"
    run(f"pellucid atlas --images {photographs} -o {folder} --crops 1,0.8 --positions 10 --grids 3 --steps 4")
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(page: Path, photographs: Path, request: pytest.FixtureRequest, tmp_path, monkeypatch):
    """```python and ```bash blocks run from top to bottom in a folder with photographs; ```sh blocks do not run."""
    shutil.copytree(photographs, tmp_path / "photographs")
    if "<!-- starts with a study -->" in page.read_text():
        shutil.copytree(request.getfixturevalue("study"), tmp_path / "study")
    monkeypatch.chdir(tmp_path)
    document = Document.parse(str(page), PythonCodeBlockParser(), CodeBlockParser("bash", run_block), SkipParser())
    for example in document.examples():
        example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shell_examples_name_what_exists(page: Path, tmp_path, monkeypatch):
    """Also those that are not run: their commands and options parse."""
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        for command in commands(block):
            program, *arguments = shlex.split(command, comments=True)
            if program == "pellucid" and "--help" not in arguments:
                parse(PROGRAM, program, arguments)


def parse(command: Command, name: str, arguments: list[str]) -> None:
    """Parse a command line without running it."""
    while arguments and arguments[0] in subcommands(command):
        name, *arguments = arguments
        command = subcommands(command)[name]
    if name == "atlas":  # `build` may be left out
        return parse(subcommands(command)["build"], "build", arguments)
    with command.make_context(name, arguments):
        pass


def subcommands(command: Command) -> dict[str, Command]:
    """The commands of a group, none of any other command."""
    return getattr(command, "commands", {})


def leaves(command: Command, name: str) -> dict[str, Command]:
    """Every command that does something, by what one types for it."""
    inner = subcommands(command)
    own = {} if inner and not command.params else {name: command}
    return own | {key: leaf for part in inner.values() for key, leaf in leaves(part, f"{name} {part.name}").items()}


REFERENCE = (ROOT / "docs" / "reference.md").read_text()
SECTIONS = dict(re.findall(r"^## `(pellucid[^`]*)`\n(.*?)(?=^## |\Z)", REFERENCE, re.MULTILINE | re.DOTALL))
COMMANDS = leaves(PROGRAM, "pellucid")
OPTIONS = [
    (name, parameter)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if parameter.param_type_name == "option" and not parameter.hidden
]


def test_the_reference_has_every_command_and_no_other():
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=lambda value: getattr(value, "name", value))
def test_the_reference_has_every_option_with_its_default(name: str, option: Any):
    row = re.search(rf"^\| `{option.opts[0]}\b[^|]*\| ([^|]*) \|", SECTIONS.get(name, ""), re.MULTILINE)
    assert row, f"docs/reference.md, section {name}: no row for {', '.join(option.opts)}"
    for spelling in (*option.opts, *option.secondary_opts):
        assert f"`{spelling}" in row[0], f"{name}: the row does not name {spelling}"
    if option.required:
        assert row[1] == "required"
    elif isinstance(option.default, bool):
        assert row[1] == ("on" if option.default else "off")
    elif option.default not in (None, ""):
        assert row[1] == str(option.default)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_reference_has_no_option_that_is_gone(name: str):
    rows = re.findall(r"^\| `(--[\w-]+)", SECTIONS.get(name, ""), re.MULTILINE)
    assert set(rows) <= {spelling for command, option in OPTIONS if command == name for spelling in option.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_every_option(name: str):
    assert COMMANDS[name].help
    assert [option.name for command, option in OPTIONS if command == name and not option.help] == []
