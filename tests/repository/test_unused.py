"""What is shipped is used by what is shipped: functions and classes, style sheets, scripts, macros."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "packages/sceau_credentials/src"
STATIC = REPOSITORY / "app/http/static"
TEMPLATES = REPOSITORY / "app/web/templates"

_NAME = re.compile(r"[A-Za-z_]\w*")
_LIKE_A_CLASS = re.compile(r"[A-Za-z_][\w-]*")

FOR_OTHERS = {
    "NoLimits": "operators who limit requests in front of the service; measurements",
    "mark_everything": "migrations",
    "recounts": "migrations",
    "served_by_newest": "migrations",
    "take_down": "migrations",
}
"""Names of the application that nothing shipped asks for, and who does."""
COMPOSED = re.compile(r"[sp]\d")
"""Classes of charts and tallies, whose number is written by a template."""


@dataclass
class Sources:
    """What Python that is shipped defines and asks for."""

    defined: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    """Of its texts."""


@pytest.fixture(scope="module")
def sources() -> Sources:
    found = Sources()
    for folder in (REPOSITORY / "app", REPOSITORY / "demo", LIBRARY):
        for file in folder.rglob("*.py"):
            tree = ast.parse(file.read_text("utf-8"))
            found.defined.update(_defined(tree) if folder is not LIBRARY else ())
            for node, text in _asked(tree):
                found.asked.update(_NAME.findall(text))
                if isinstance(node, ast.Constant):
                    found.written.update(_LIKE_A_CLASS.findall(text))
    return found


@pytest.fixture(scope="module")
def pages() -> str:
    """Templates and scripts, without the comments of templates."""
    files = [*TEMPLATES.rglob("*.html"), *(STATIC / "js").glob("*.js")]
    text = "\n".join(file.read_text("utf-8") for file in sorted(files))
    return re.sub(r"{#.*?#}", "", text, flags=re.DOTALL)


def test_each_function_and_class_of_the_application_is_asked_for(sources: Sources, pages: str):
    """By its name alone: of several of one name, one that is asked for excuses all."""
    assert sources.defined - sources.asked - {*_NAME.findall(pages)} == set(FOR_OTHERS)


def _asked(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    documented = set[int]()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=value):
                documented.add(id(value))
            case (
                ast.Name(id=name)
                | ast.Attribute(attr=name)
                | ast.keyword(arg=str(name))
                | ast.alias(name=name)
            ):
                yield node, name
            case ast.Constant(value=str(text)) if id(node) not in documented:
                yield node, text


def _defined(tree: ast.AST) -> Iterator[str]:
    """Without what a decorator or a class of other people's asks for."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            registered = node.decorator_list and not isinstance(node, ast.ClassDef)
            if not registered and not node.name.startswith("__"):
                yield node.name
            if not isinstance(node, ast.ClassDef) or not node.bases:
                yield from _defined(node)
        elif not isinstance(node, ast.ClassDef):
            yield from _defined(node)


def test_each_class_of_the_style_sheets_is_written_somewhere(sources: Sources, pages: str):
    styled = {
        name
        for sheet in (STATIC / "css").glob("*.css")
        for selector in _selectors(sheet.read_text("utf-8"))
        for name in re.findall(r"\.([A-Za-z_][\w-]*)", selector)
    }
    unwritten = styled - sources.written - {*_LIKE_A_CLASS.findall(pages)}
    assert {name for name in unwritten if not COMPOSED.fullmatch(name)} == set()


def _selectors(css: str) -> Iterator[str]:
    without_notes = re.sub(r"/\*.*?\*/|url\([^)]*\)", "", css, flags=re.DOTALL)
    yield from re.findall(r"([^{};]+)\{", without_notes)


def test_each_script_style_sheet_and_macro_is_loaded(sources: Sources, pages: str):
    named = sources.written | {*_LIKE_A_CLASS.findall(pages)}
    files = [*(STATIC / "js").glob("*.js"), *(STATIC / "css").glob("*.css")]
    assert [file.name for file in files if file.stem not in named] == []
    called = Counter(re.findall(r"\b(\w+) *\(", pages))
    called.update(
        re.findall(r"\bmacros\.(\w+)", (REPOSITORY / "app/http/pages/render.py").read_text("utf-8"))
    )
    assert [name for name in re.findall(r"{%-? *macro +(\w+)", pages) if called[name] < 2] == []


def test_what_a_template_imports_it_uses():
    unused = []
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text("utf-8")
        names = re.findall(r'{%-? *import *"[^"]+" *as *(\w+)', text)
        for names_of in re.findall(r'{%-? *from *"[^"]+" *import *([^%]+?) *-?%}', text):
            names += [
                part.split(" as ")[-1].strip() for part in names_of.removesuffix("with context").split(",")
            ]
        unused += [f"{file.name}: {name}" for name in names if len(re.findall(rf"\b{name}\b", text)) < 2]
    assert unused == []
