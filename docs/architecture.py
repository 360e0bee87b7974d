"""Draw docs/architecture.svg from the imports: one row a layer, one box a package, its lines of code, and who imports whom."""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path

import grimp

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = "app"
WIDTH, ROW, GAP, MARGIN = 960, 64, 26, 12
LEAST = 5
"""Fewer modules than this that import another package are not drawn."""


def main() -> None:
    graph = grimp.build_graph(PACKAGE)
    lines = {
        name: sum(
            len(_path(module).read_text().splitlines()) for module in graph.modules if _is_in(module, name)
        )
        for name in (f"{PACKAGE}.{each}" for row in layers() for each in row)
    }
    target = REPOSITORY / "docs" / "architecture.svg"
    target.write_text(picture(graph, lines), encoding="utf-8")


def layers() -> list[list[str]]:
    """As the import contract names them, highest first."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    contract = next(
        each
        for each in settings["tool"]["importlinter"]["contracts"]
        if each["type"] == "layers" and each.get("containers") == [PACKAGE]
    )
    prefix = f"{PACKAGE}."
    return [
        [name.strip(" ()").removeprefix(prefix) for name in row.replace("|", ":").split(":")]
        for row in contract["layers"]
    ]


def picture(graph: grimp.ImportGraph, lines: dict[str, int]) -> str:
    rows = layers()
    height = len(rows) * (ROW + GAP) + MARGIN
    boxes: dict[str, tuple[float, float, float]] = {}
    for number, row in enumerate(rows):
        width = (WIDTH - 2 * MARGIN - (len(row) - 1) * GAP) / len(row)
        for place, name in enumerate(row):
            boxes[f"{PACKAGE}.{name}"] = (
                MARGIN + place * (width + GAP),
                MARGIN + number * (ROW + GAP),
                width,
            )
    arrows = [
        _arrow(boxes[importer], boxes[imported], count)
        for importer in boxes
        for imported in boxes
        if importer != imported and (count := _imports(graph, importer, imported)) >= LEAST
    ]
    drawn = [_box(name, lines[name], *place) for name, place in boxes.items()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="14"><title>Layers of {PACKAGE} and the imports between them</title>'
        + "".join(arrows + drawn)
        + "</svg>\n"
    )


def _imports(graph: grimp.ImportGraph, importer: str, imported: str) -> int:
    """How many modules of the one import a module of the other."""
    return sum(
        any(_is_in(each, imported) for each in graph.find_modules_directly_imported_by(module))
        for module in graph.modules
        if _is_in(module, importer)
    )


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _path(module: str) -> Path:
    path = REPOSITORY.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _box(name: str, lines: int, x: float, y: float, width: float) -> str:
    label = escape(name.partition(".")[2])
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{ROW}" rx="6" fill="#f4f1ea" stroke="#3b4a5a"/>'
        f'<text x="{x + width / 2:.0f}" y="{y + 27:.0f}" text-anchor="middle" fill="#1d2733">{label}</text>'
        f'<text x="{x + width / 2:.0f}" y="{y + 47:.0f}" text-anchor="middle" fill="#52606d" font-size="12">'
        f"{lines:,} lines</text>"
    )


def _arrow(start: tuple[float, float, float], end: tuple[float, float, float], count: int) -> str:
    (x1, y1, w1), (x2, y2, w2) = start, end
    stroke = min(4.0, 0.5 + count / 40)
    return (
        f'<path d="M{x1 + w1 / 2:.0f} {y1 + ROW:.0f} L{x2 + w2 / 2:.0f} {y2:.0f}" stroke="#9aa5b1" '
        f'stroke-width="{stroke:.1f}" fill="none"><title>{count} modules</title></path>'
    )


if __name__ == "__main__":
    main()
