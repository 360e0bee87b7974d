"""The plan of the house holds: who may import whom, what rules may reach for, how files are named and sized."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic.script import Script, ScriptDirectory

from app.db.engine.schema import ANNOUNCED, FIRST_DECLARED
from app.db.engine.session import configuration
from app.main import create_app
from app.settings import Settings
from tests.repository.plain_words import SHIPPED, uses_in
from tests.support.running.every import for_each

REPOSITORY = Path(__file__).resolve().parents[2]
TREES = ("app", "packages", "demo", "alembic", "bench", "tests")
SOURCES = sorted(
    path
    for tree in TREES
    for path in (REPOSITORY / tree).rglob("*.py")
    if "node_modules" not in path.parts and path.stat().st_size > 0
)
PURE_SOURCES = [
    path
    for tree in ("app/domain", "packages/sceau_credentials/src/sceau_credentials")
    for path in (REPOSITORY / tree).rglob("*.py")
]

MOST_LINES = 600
LONG_FILES = {
    "alembic/versions/0001_the_nouns_of_a_campus.py": "one revision cannot be cut, and a list of tables reads in one go",
}
NAMES_FOR_ANYTHING = {"util", "utils", "helper", "helpers", "manager", "managers", "base", "common", "misc"}

NETWORK = {
    "aiohttp",
    "ftplib",
    "http",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "ssl",
    "urllib.request",
    "urllib3",
}
CLOCKS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "time.monotonic",
}
SURROUNDINGS = {"os.environ", "os.getenv"}
QUERIES = {"Session", "select"}


def _name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


# --- who may import whom -------------------------------------------------------------------------


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([command, "--no-cache", "--no-logo"], cwd=folder, capture_output=True, text=True)


ADDS_ONLY = frozenset(
    (
        "add_column",
        "create_table",
        "create_index",
        "create_check_constraint",
        "execute",
        "bulk_insert",
        "get_bind",
    )
)
"""Operations under which a program of the previous revision works on."""


def migrations_that_declare() -> dict[str, Script]:
    script = ScriptDirectory.from_config(configuration(""))
    return {each.revision: each for each in script.walk_revisions() if each.revision >= FIRST_DECLARED}


def undeclared(module: object) -> str:
    """What the declaration of a migration lacks."""
    online = getattr(module, "online", None)
    if not isinstance(online, bool):
        return "add `online = True`, or `online = False` and `announced`: see alembic/script.py.mako"
    if not online and getattr(module, "announced", None) not in ANNOUNCED:
        return f"`announced` must be one of {sorted(ANNOUNCED)}"
    return ""


def not_online(source: str) -> set[str]:
    """Operations in `upgrade` that a program of the previous revision may not survive."""
    (upgrade,) = (
        each
        for each in ast.parse(source).body
        if isinstance(each, ast.FunctionDef) and each.name == "upgrade"
    )
    called = {
        each.func.attr: each
        for each in ast.walk(upgrade)
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and isinstance(each.func.value, ast.Name)
        and each.func.value.id in ("op", "batch")
    }
    required = {
        f"add_column of {column.args[0].value}"
        for add in ast.walk(upgrade)
        if isinstance(add, ast.Call) and isinstance(add.func, ast.Attribute) and add.func.attr == "add_column"
        for column in ast.walk(add)
        if isinstance(column, ast.Call) and isinstance(column.func, ast.Attribute) and column.func.attr == "Column"
        and isinstance(column.args[0], ast.Constant)
        and {each.arg: ast.unparse(each.value) for each in column.keywords}.get("nullable") == "False"
        and "server_default" not in {each.arg for each in column.keywords}
    }  # fmt: skip
    statements = {
        word
        for each in ast.walk(upgrade)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
        for word in ("DROP TABLE", "DROP COLUMN", "RENAME ")
        if word in each.value.upper()
    }
    return (called.keys() - ADDS_ONLY - {"batch_alter_table"}) | required | statements


def test_every_new_migration_declares_whether_the_service_goes_on():
    found = {
        revision: undeclared(each.module)
        or (each.module.online and not_online(Path(each.path).read_text()))
        or ""
        for revision, each in migrations_that_declare().items()
    }
    assert {revision: fault for revision, fault in found.items() if fault} == {}


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("op.drop_table('x')", "drop_table"),
        ("op.add_column('x', sa.Column('y', sa.Text(), nullable=False))", "add_column of y"),
        ("op.execute('ALTER TABLE x DROP COLUMN y')", "DROP COLUMN"),
        ("with op.batch_alter_table('x') as batch:\n        batch.alter_column('y')", "alter_column"),
    ],
)
def test_the_look_for_migrations_that_stop_the_service_finds_them(statement: str, fault: str):
    assert not_online(f"def upgrade():\n    {statement}\n") == {fault}


@pytest.mark.parametrize(
    "statement",
    [
        "op.add_column('x', sa.Column('y', sa.Text(), nullable=True))",
        "op.add_column('x', sa.Column('y', sa.Text(), nullable=False, server_default=''))",
        "op.create_table('x', sa.Column('y', sa.Text(), nullable=False))",
    ],
)
def test_the_look_for_migrations_that_stop_the_service_leaves_the_rest_alone(statement: str):
    assert not_online(f"def upgrade():\n    {statement}\n") == set()


@pytest.mark.parametrize(
    ("declared", "is_complete"),
    [
        ({"online": True}, True),
        ({"online": False, "announced": "removes"}, True),
        ({"online": False}, False),
        ({"online": False, "announced": "because"}, False),
        ({}, False),
    ],
)
def test_a_migration_without_a_whole_declaration_is_found(declared: dict[str, object], is_complete: bool):
    assert (undeclared(SimpleNamespace(**declared)) == "") is is_complete


def test_import_contracts_are_kept():
    linted = _lint_imports(REPOSITORY)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("module", "planted", "broken"),
    [
        ("sceau_credentials/errors.py", "import httpx", "The credential library stands alone"),
        ("app/domain/people/__init__.py", "def late():\n    from app.db.engine import session", "Layers: each may use only those below"),
        ("app/services/__init__.py", "import sqlmodel", "Only db writes SQL: services and faces never import the ORM"),
        ("app/services/__init__.py", "import jinja2", "Nothing below the faces knows the web framework"),
    ],
)  # fmt: skip
def test_import_contracts_notice_a_planted_fault(tmp_path: Path, module: str, planted: str, broken: str):
    for tree in ("app", "demo", "packages/sceau_credentials/src/sceau_credentials"):
        shutil.copytree(
            REPOSITORY / tree,
            tmp_path / Path(tree).name,
            ignore=shutil.ignore_patterns("static", "templates", "__pycache__"),
        )
    shutil.copyfile(REPOSITORY / "pyproject.toml", tmp_path / "pyproject.toml")
    with (tmp_path / module).open("a", encoding="utf-8") as source:
        source.write(f"\n{planted}\n")

    linted = _lint_imports(tmp_path)

    assert linted.returncode != 0
    assert f"{broken} BROKEN" in linted.stdout


# --- who may use it ------------------------------------------------------------------------------


def test_the_application_starts_because_every_route_says_who_may_use_it(tmp_path: Path):
    """Here too, because here is where it is seen before anything lands; tests/security has the rest."""
    settings = Settings(
        base_url="http://localhost:8000",
        database_url=f"sqlite:///{tmp_path}/database/sceau.sqlite",
        development_dir=tmp_path / "secrets",
        fetch=False,
    )
    assert create_app(settings).routes


# --- what rules may reach for --------------------------------------------------------------------


def _reached_for(tree: ast.Module) -> Iterator[str]:
    """Sessions, clocks, the network and the environment, wherever in the module they are named."""
    for node in ast.walk(tree):
        for name in _names_in(node):
            parts = name.split(".")
            tail = ".".join(parts[-2:])
            prefixes = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
            imports = isinstance(node, ast.Import | ast.ImportFrom)
            # A bare name may be our own noun (people have sessions too); the ORM's comes by import or with a dot.
            queries = len(parts) > 1 and parts[-1] in QUERIES and parts[0] != "app"
            if queries or tail in CLOCKS | SURROUNDINGS or (imports and prefixes & NETWORK):
                yield f"line {node.lineno}: {name}"


def _names_in(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names if node.level == 0]
    if isinstance(node, ast.Attribute | ast.Name):
        return [ast.unparse(node)]
    return []


def test_rules_and_the_credential_library_reach_for_no_session_clock_or_network():
    reached = {_name(path): found for path in PURE_SOURCES if (found := list(_reached_for(_tree(path))))}
    assert reached == {}


@for_each(
    "source",
    [
        "from sqlmodel import Session",
        "from sqlmodel import Field, select",
        "import sqlmodel\nrows = sqlmodel.select(1)",
        "from datetime import datetime\nat = datetime.now()",
        "import datetime\nat = datetime.datetime.now(datetime.UTC)",
        "from datetime import date\nclock = date.today",
        "import time\nstarted = time.time()",
        "from time import time",
        "import httpx",
        "from urllib import request",
        "import urllib.request",
        "from urllib.request import urlopen",
        "def late():\n    import socket",
        "import os\nhome = os.environ['HOME']",
        "from os import environ",
    ],
)
def test_the_look_for_sessions_clocks_and_networks_finds_them(source: str):
    assert list(_reached_for(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "from urllib.parse import urlsplit",
        "from sqlmodel import Field, SQLModel",
        "def at(now): return now",
        "selected = 1",
    ],
)
def test_the_look_for_sessions_clocks_and_networks_leaves_the_rest_alone(source: str):
    assert not list(_reached_for(ast.parse(source)))


def test_no_day_is_that_of_the_clock_in_utc():
    """For people a day begins at midnight in France, or at their campus, one or two hours before."""
    application = [path for path in SOURCES if path.is_relative_to(REPOSITORY / "app")]
    assert [_name(path) for path in application if "clock().date()" in path.read_text("utf-8")] == []


# --- how files are named, opened and sized -------------------------------------------------------


def _locks_without_reading_again(source: str) -> list[int]:
    calls = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call)]
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr != "refresh"
        and (
            call.func.attr == "with_for_update"
            or any(each.arg == "with_for_update" for each in call.keywords)
        )
    ]


def test_what_is_locked_is_read_again():
    """A row that the session read before shows old values otherwise: `app.db.engine.queries.locked`."""
    faults = [
        f"{path.relative_to(REPOSITORY)}:{line}"
        for path in (REPOSITORY / "app").rglob("*.py")
        if path != REPOSITORY / "app/db/engine/queries.py"
        for line in _locks_without_reading_again(path.read_text())
    ]
    assert not faults


@for_each(
    ("source", "found"),
    [
        ("session.exec(query.with_for_update())", [1]),
        ("session.get(Organisation, key, with_for_update=True)", [1]),
        ("session.refresh(row, with_for_update=True)", []),
        ("session.exec(locked(query))", []),
    ],
)
def test_locks_that_read_nothing_again_are_found(source: str, found: list[int]):
    assert _locks_without_reading_again(source) == found


def test_every_module_opens_with_a_sentence():
    openings = {_name(path): ast.get_docstring(_tree(path)) or "" for path in SOURCES}
    assert [
        name
        for name, opening in openings.items()
        if opening.split("\n\n")[0].rstrip("`")[-1:] not in ".?!" or not opening
    ] == []


def test_nothing_in_a_package_has_the_name_of_a_folder_or_module_in_it():
    """An import of `app.language.locales`, the folder, took the place of a function of that name."""
    found = []
    for source in (
        path for path in SOURCES if path.name == "__init__.py" and path.is_relative_to(REPOSITORY / "app")
    ):
        tree = ast.parse(source.read_text(encoding="utf-8"))
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        inside = {one.stem for one in source.parent.iterdir() if one.is_dir() or one.suffix == ".py"}
        found += [f"{source.relative_to(REPOSITORY)}: {name}" for name in sorted(defined & inside)]
    assert found == []


def test_a_file_is_short_or_has_a_reason():
    lengths = {_name(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {
        name: lines for name, lines in lengths.items() if lines > MOST_LINES and name not in LONG_FILES
    } == {}
    assert [name for name in LONG_FILES if lengths.get(name, 0) <= MOST_LINES] == [], (
        "take these off the list"
    )


def test_no_module_has_a_name_that_could_hold_anything():
    assert [
        _name(path)
        for path in SOURCES
        for part in path.relative_to(REPOSITORY).with_suffix("").parts
        if set(part.split("_")) & NAMES_FOR_ANYTHING
    ] == []


@pytest.mark.parametrize("folder", SHIPPED)
def test_prose_uses_standard_terms(folder):
    found = [f"{_name(path)}:{line}: {word}" for path, line, word, _ in uses_in(REPOSITORY / folder)]
    assert found == [], "see python -m tests.repository.plain_words"
