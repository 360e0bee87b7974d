"""Static files."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from app.http import static_files
from app.http.static_files import FOLDER, asset
from tests.app.http.pages.small_site import reader_of, small_site


@pytest.fixture
def reader():
    return reader_of(small_site())


def test_a_file_named_with_its_version_may_be_cached_forever(reader):
    answer = reader.get(asset("sceau.css"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")


@pytest.mark.parametrize("path", ["/static/mark.svg", "/static/0123456789ab/mark.svg"])
def test_a_file_with_no_or_another_version_is_revalidated_soon(reader, path):
    answer = reader.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=3600"


def test_a_file_that_has_not_changed_is_not_sent_twice(reader):
    first = reader.get("/static/mark.svg")
    again = reader.get("/static/mark.svg", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["../render.py", "..%2frender.py", "%2e%2e/render.py", "x/../../render.py", "css/tokens.css"]
)
def test_only_the_listed_files_can_be_reached(reader, path):
    assert reader.get("/static/" + path).status_code == 404


def test_every_file_named_in_the_stylesheet_exists(reader):
    styles = static_files.files()["sceau.css"].body.decode()
    named = [name for name in re.findall(r"url\(([^)]+)\)", styles) if not name.startswith('"data:')]
    assert named
    for name in named:
        assert reader.get(asset(name)).status_code == 200


def test_a_stylesheet_is_served_minified():
    for file in (file for name, file in static_files.files().items() if name.endswith(".css")):
        assert not re.search(r" \{|;\}|/\*|\n", file.body.decode())


def test_no_stylesheet_is_omitted():
    assert {path.stem for path in (FOLDER / "css").iterdir()} == {
        *static_files.STYLE_ORDER,
        *(part for parts in static_files.SEPARATE_STYLES.values() for part in parts),
    }


def test_an_unknown_asset_is_a_programming_error():
    with pytest.raises(KeyError):
        asset("img/licorne.svg")


def test_the_record_of_the_fonts_is_correct():
    recorded = re.findall(
        r"^\| `([0-9a-f]{64})` \| `([^`]+)` \|$", (FOLDER / "fonts/README.md").read_text(), re.M
    )
    for digest, name in recorded:
        assert hashlib.sha256((FOLDER / "fonts" / name).read_bytes()).hexdigest() == digest
    present = {path.name for path in (FOLDER / "fonts").iterdir()} - {"README.md"}
    assert {name for _, name in recorded} == present


def test_every_size_class_of_the_templates_has_a_rule():
    """A class that only a template composes is easily mistaken for an unused rule."""
    templates = Path(static_files.__file__).parents[1] / "web" / "templates"
    used = {
        name
        for path in templates.rglob("*.html")
        for name in re.findall(r'["\s](px\d+)(?=["\s{])', path.read_text("utf-8"))
    }
    rules = "".join(path.read_text("utf-8") for path in (FOLDER / "css").glob("*.css"))
    assert {"px96", "px64", "px40"} <= used
    assert {name for name in used if f".{name} {{" not in rules} == set()
