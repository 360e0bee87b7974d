"""`python -m tests.repository.shape`: the offenders of each shape rule, and the figures of the code base."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from tests.repository.requests_entered import requests_entered

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = (
    ("app", "app"),
    ("demo", "demo"),
    ("packages/sceau_credentials/src/sceau_credentials", "sceau_credentials"),
)
"""Folders of shipped code, and the package that each is imported as."""

MOST_ENTRIES = 15
MOST_LINES = 600
SHORT = 110
SUBJECTS = frozenset(
    [
        "accounts",
        "people",
        "campus",
        "frameworks",
        "badges",
        "activities",
        "imports",
        "awards",
        "activity_log",
        "publishing",
        "verification",
        "trust",
        "learners",
        "messages",
        "reports",
    ]
)
LAYERS_BY_SUBJECT = ("app/domain", "app/db", "app/services", "app/web", "app/web/templates", "app/api")
WITHOUT_SUBJECT = frozenset({"core", "engine", "templates", "static", "frame", "macros"})
IN_ORDER_OF_TIME = "alembic/versions"  # revisions only ever grow in number


def main() -> int:
    files = _tracked()
    modules = _modules(files)
    importers = _importers(modules)
    alone = [
        (name, *importers[name], lines)
        for name, path in modules.items()
        if path.name != "__init__.py" and len(importers[name]) == 1 and (lines := _lines(path)) < SHORT
    ]
    entries = _entries(files)
    _say(
        f"folders of more than {MOST_ENTRIES} entries",
        [f"{folder}: {count}" for folder, count in entries.most_common() if count > MOST_ENTRIES],
    )
    _say(
        f"files of more than {MOST_LINES} lines",
        [f"{file}: {_lines(REPOSITORY / file)}" for file in files if _is_long(file)],
    )
    _say(
        f"modules of fewer than {SHORT} lines with one importer",
        [f"{name} ({lines} lines) <- {importer}" for name, importer, lines in sorted(alone)],
    )
    _say("names on a layer that are no subject", sorted(_no_subjects(files)))
    shipped = [folder for folder in entries if folder.startswith(tuple(root for root, _ in ROOTS))]
    largest = max(shipped, key=lambda folder: entries[folder])
    lines = sum(map(_lines, modules.values()))
    imports = sum(map(_import_lines, modules.values()))
    functions, items = _tests(files)
    print("\nFigures of app, library and demo")
    for what, figure in (
        ("lines of Python", str(lines)),
        ("modules", str(len(modules))),
        ("largest folder", f"{entries[largest]} ({largest})"),
        (f"modules with one importer and < {SHORT} lines", str(len(alone))),
        ("share of import lines", f"{imports / lines:.1%}"),
        ("test items per test function", f"{items / functions:.2f} ({items} / {functions})"),
    ):
        print(f"  {what:<70} {figure}")
    for what, entered, called in requests_entered(REPOSITORY):
        print(f"  {f'files entered, functions called by {what}':<70} {entered}, {called}")
    return 0


def _say(rule: str, offenders: list[str]) -> None:
    print(f"\n{rule}: {len(offenders)}")
    for offender in offenders:
        print(f"  {offender}")


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return sorted({file for file in listed.stdout.split("\0") if file and (REPOSITORY / file).is_file()})


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def _is_long(file: str) -> bool:
    return file.endswith(".py") and _lines(REPOSITORY / file) > MOST_LINES


def _entries(files: list[str]) -> Counter[str]:
    """Modules, templates and sub-folders of each folder that holds code."""
    inside: defaultdict[str, set[str]] = defaultdict(set)
    for file in map(PurePosixPath, files):
        if file.suffix not in (".py", ".html") or file.name == "__init__.py":
            continue
        below = file
        for folder in file.parents:
            if str(folder) not in (".", IN_ORDER_OF_TIME):
                inside[str(folder)].add(below.name)
            below = folder
    return Counter({folder: len(names) for folder, names in inside.items()})


def _modules(files: list[str]) -> dict[str, Path]:
    found = {}
    for root, package in ROOTS:
        for file in files:
            if file.startswith(f"{root}/") and file.endswith(".py"):
                parts = (package, *PurePosixPath(file).relative_to(root).with_suffix("").parts)
                found[".".join(parts).removesuffix(".__init__")] = REPOSITORY / file
    return found


def _importers(modules: Mapping[str, Path]) -> dict[str, set[str]]:
    importers: dict[str, set[str]] = {name: set() for name in modules}
    for importer, path in modules.items():
        for imported in _imported(ast.parse(path.read_text("utf-8")), modules):
            importers[imported].add(importer)
    return importers


def _imported(tree: ast.Module, modules: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in modules:
                    yield full
                elif node.module in modules:
                    yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)


def _no_subjects(files: list[str]) -> Iterator[str]:
    """What lies on a layer under a name that other layers do not share."""
    for layer in LAYERS_BY_SUBJECT:
        names = {
            PurePosixPath(file).relative_to(layer).parts[0] for file in files if file.startswith(f"{layer}/")
        }
        yield from (
            f"{layer}/{name}"
            for name in names
            if PurePosixPath(name).stem not in SUBJECTS | WITHOUT_SUBJECT | {"__init__", "routes"}
        )


def _import_lines(path: Path) -> int:
    return sum(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
    )


def _tests(files: list[str]) -> tuple[int, int]:
    """Test functions as they are written, and the items that pytest makes of them."""
    functions = sum(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        for file in files
        if file.startswith("tests/") and PurePosixPath(file).name.startswith("test_") and file.endswith(".py")
        for node in ast.walk(ast.parse((REPOSITORY / file).read_text("utf-8")))
    )
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=REPOSITORY, capture_output=True, text=True,
    )  # fmt: skip
    found = re.search(r"^(\d+) tests? collected", collected.stdout, re.MULTILINE)
    if found is None:
        sys.exit(collected.stdout + collected.stderr)
    return functions, int(found[1])


if __name__ == "__main__":
    sys.exit(main())
