"""The public surface: what `pellucid.NAME` gives."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import pellucid

EXPORTS: list[str] = vars(pellucid)["__all__"]
STUB = Path(pellucid.__file__).with_suffix(".pyi")
DECLARED = {
    alias.asname or alias.name: (f"pellucid.{node.module}" if node.level else node.module or "", alias.name)
    for node in ast.walk(ast.parse(STUB.read_text()))
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}


def test_the_stub_declares_what_the_package_exports():
    assert set(EXPORTS) == set(DECLARED)


def test_the_stub_re_exports_in_the_form_that_type_checkers_take_for_public():
    imports = [node for node in ast.walk(ast.parse(STUB.read_text())) if isinstance(node, ast.ImportFrom)]
    assert all(alias.asname == alias.name for node in imports for alias in node.names)


@pytest.mark.parametrize("name", EXPORTS)
def test_a_public_name_loads_and_is_explained(name: str):
    module, original = DECLARED[name]
    value = getattr(pellucid, name)
    assert value is getattr(import_module(module), original)
    assert (inspect.getdoc(value) or "").strip()


@pytest.mark.parametrize("name", EXPORTS)
def test_the_methods_of_a_public_class_are_explained(name: str):
    value = getattr(pellucid, name)
    if inspect.isclass(value):
        bare = [method for method, member in vars(value).items() if _is_public(method, member) and not member.__doc__]
        assert bare == []


def _is_public(name: str, member: object) -> bool:
    return not name.startswith("_") and (isinstance(member, classmethod | staticmethod | property) or callable(member))


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="no_such_name"):
        pellucid.no_such_name  # noqa: B018 # pyright: ignore[reportAttributeAccessIssue]


def test_the_version_is_a_release_number():
    assert all(part.isdigit() for part in pellucid.__version__.split("."))
