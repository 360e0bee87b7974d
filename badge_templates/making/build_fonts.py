"""Make the typefaces that badge words are outlined from and papers are set in. Needs fonttools and brotli, at making time only.

npm install @fontsource-variable/newsreader@5.3.0 @fontsource-variable/atkinson-hyperlegible-next@5.3.0
python badge_templates/making/build_fonts.py node_modules
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from fontTools import subset
from fontTools.merge import Merger
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

FONTS = Path(__file__).resolve().parents[1] / "fonts"
SPACE, HYPHEN = 0x20, 0x2D
NARROW_SPACES, FIRM_HYPHEN = (0x202F, 0x2009), 0x2011
FAMILY, UNIQUE, FULL, POSTSCRIPT, TYPOGRAPHIC_FAMILY, POSTSCRIPT_PREFIX = 1, 3, 4, 6, 16, 25
KEPT_NAMES = [0, 1, 2, 3, 4, 5, 6, 13, 14]
VARIATION_TABLES = ("STAT", "HVAR", "MVAR", "avar")


class Recipe(NamedTuple):
    made: str
    family: str
    source: str
    alphabets: tuple[str, ...]
    axes: dict[str, float]


RECIPES = (
    Recipe(
        "sceau-serif-600.ttf",
        "Sceau Serif",
        "@fontsource-variable/newsreader/files/newsreader-{}-opsz-normal.woff2",
        ("latin", "latin-ext", "vietnamese"),
        {"wght": 600, "opsz": 24},
    ),
    Recipe(
        "sceau-sans-600.ttf",
        "Sceau Sans",
        "@fontsource-variable/atkinson-hyperlegible-next/files/atkinson-hyperlegible-next-{}-wght-normal.woff2",
        ("latin", "latin-ext"),
        {"wght": 600},
    ),
    Recipe(
        "sceau-serif-400.ttf",
        "Sceau Serif",
        "@fontsource-variable/newsreader/files/newsreader-{}-opsz-normal.woff2",
        ("latin", "latin-ext", "vietnamese"),
        {"wght": 400, "opsz": 24},
    ),
    Recipe(
        "sceau-sans-400.ttf",
        "Sceau Sans",
        "@fontsource-variable/atkinson-hyperlegible-next/files/atkinson-hyperlegible-next-{}-wght-normal.woff2",
        ("latin", "latin-ext"),
        {"wght": 400},
    ),
)


def build(recipe: Recipe, packages: Path) -> None:
    with TemporaryDirectory() as folder:
        parts = [_part(recipe, alphabet, packages, Path(folder)) for alphabet in recipe.alphabets]
        font = Merger().merge([str(part) for part in parts])
        drawn_at = TTFont(parts[0])["head"].created
    _rename(font, recipe.family)
    _keep_what_outlines_need(font)
    # The moment of making would change the digest at every making.
    font["head"].created = font["head"].modified = drawn_at
    font.recalcTimestamp = False
    made = FONTS / recipe.made
    font.save(made)
    print(f"{recipe.made}: {made.stat().st_size} bytes, SHA-256 {sha256(made.read_bytes()).hexdigest()}")


def _part(recipe: Recipe, alphabet: str, packages: Path, folder: Path) -> Path:
    font = TTFont(packages / recipe.source.format(alphabet))
    font = instancer.instantiateVariableFont(font, recipe.axes)
    font.flavor = None
    if alphabet == "latin":
        _map_french_spaces(font)
    for table in VARIATION_TABLES:
        if table in font:
            del font[table]
    part = folder / f"{alphabet}.ttf"
    font.save(part)
    return part


def _map_french_spaces(font: TTFont) -> None:
    for table in font["cmap"].tables:
        if table.isUnicode() and SPACE in table.cmap:
            lacking = {**dict.fromkeys(NARROW_SPACES, table.cmap[SPACE]), FIRM_HYPHEN: table.cmap[HYPHEN]}
            table.cmap = {**lacking, **table.cmap}


def _rename(font: TTFont, family: str) -> None:
    for record in font["name"].names:
        if record.nameID in (FAMILY, UNIQUE, FULL, TYPOGRAPHIC_FAMILY):
            record.string = family
        elif record.nameID in (POSTSCRIPT, POSTSCRIPT_PREFIX):
            record.string = family.replace(" ", "")


def _keep_what_outlines_need(font: TTFont) -> None:
    options = subset.Options()
    options.layout_features, options.name_IDs = ["kern", "liga"], KEPT_NAMES
    options.hinting, options.notdef_outline = False, True
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=list(font.getBestCmap()))
    subsetter.subset(font)


if __name__ == "__main__":
    for recipe in RECIPES:
        build(recipe, Path(sys.argv[1]))
