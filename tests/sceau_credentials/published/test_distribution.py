"""The library's own wheel is complete, and works with only its declared dependencies installed."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any, get_origin

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from trove_classifiers import classifiers

import sceau_credentials

REPOSITORY = Path(__file__).resolve().parents[3]
LIBRARY = REPOSITORY / "packages" / "sceau_credentials"
README = (LIBRARY / "README.md").read_text("utf-8")
GUIDE = (REPOSITORY / "docs" / "library.md").read_text("utf-8")
MOST_DEPENDENCIES = 6
MOST_LINES = 15

SAME_EVERYWHERE = """
import json
from datetime import UTC, datetime
from pathlib import Path
from sceau_credentials import LocalSigningKey, OpenBadgeCredential, Signer, StatusList, issue, issue_many

signers = [Signer(f"did:web:badges.example#key-1{end}", LocalSigningKey.from_seed(bytes(range(32)))) for end in ("", "-jwk")]
how = {"signer": signers[0], "jwt_signer": signers[1], "at": datetime(2026, 6, 30, 12, tzinfo=UTC)}
document = json.loads(Path("badge.json").read_text("utf-8"))
many = [document | {"id": f"urn:uuid:3f1c7b1e-52a4-4c8e-9d55-{number:012x}"} for number in range(5)]
print(issue(OpenBadgeCredential.from_document(document), **how))
print(issue_many(many, **how))
bits = StatusList()
bits.set(94_567)
print(StatusList.decode(bits.encode()).to_bytes() == bits.to_bytes(), bits.encode())
"""
WITHOUT_EXTRAS = """
import importlib, pkgutil
from importlib.util import find_spec
from datetime import UTC, datetime
import sceau_credentials
from sceau_credentials import NoDocuments, unbake, verify
from sceau_credentials.errors import ImageError

assert not [name for name in ("app", "nacl", "pybase64", "pypdf", "fastapi", "sqlalchemy") if find_spec(name)]
for module in pkgutil.walk_packages(sceau_credentials.__path__, "sceau_credentials."):
    if module.name != "sceau_credentials.baking.pdf":
        importlib.import_module(module.name)
try:
    unbake(b"%PDF-1.7")
except ImageError as error:
    print(error)
report = verify(b"%PDF-1.7", documents=NoDocuments(), at=datetime.now(UTC))
print(report.verdict, report.check("readable").reason, report.check("readable").details["cause"])
"""


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, the source distribution and what an installer unpacks of the wheel."""
    folder = tmp_path_factory.mktemp("library")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder],
        cwd=LIBRARY,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "unpacked")
    return folder


@pytest.fixture(scope="module")
def metadata(built: Path) -> Metadata:
    """Parsed as strictly as by a registry."""
    (written,) = (built / "unpacked").glob("*.dist-info/METADATA")
    return Metadata.from_email(written.read_bytes(), validate=True)


@pytest.fixture(scope="module")
def alone(built: Path, metadata: Metadata) -> tuple[Path, Path]:
    """The Python of an environment with the wheel and its dependencies, and a folder with the README's badge."""
    environment, folder = built / "environment", built / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (site,) = environment.glob("lib/python3*/site-packages")
    for entry in (built / "unpacked").iterdir():
        entry.rename(site / entry.name)
    for needed in _needed(map(str, metadata.requires_dist or [])):
        for name in {file.parts[0] for file in needed.files or []} - {"..", "__pycache__"}:
            (site / name).symlink_to(str(needed.locate_file(name)))
    folder.mkdir()
    (badge,) = blocks(README, "json")
    (folder / "badge.json").write_text(badge, "utf-8")
    return environment / "bin" / "python", folder


def _needed(requirements: Iterable[str]) -> list[Distribution]:
    """What an installer would install, without any extra, in the versions of this environment."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(each) for each in requirements]
    while waiting:
        each = waiting.pop()
        name = canonicalize_name(each.name)
        if name not in found and (each.marker is None or each.marker.evaluate({"extra": ""})):
            found[name] = distribution(name)
            assert each.specifier.contains(found[name].version), each
            waiting += [Requirement(more) for more in found[name].requires or []]
    return list(found.values())


def run(python: Path | str, program: str, folder: Path) -> str:
    done = subprocess.run([python, "-I", "-c", program], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_contains_every_file_of_the_library(built: Path):
    source = LIBRARY / "src"
    shipped = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    (wheel,) = built.glob("*.whl")
    assert shipped - set(zipfile.ZipFile(wheel).namelist()) == set()
    assert "sceau_credentials/py.typed" in shipped
    assert any(name.startswith("sceau_credentials/canonical/contexts/") for name in shipped)
    assert any(name.endswith(".schema.json") for name in shipped)


def test_the_source_distribution_contains_what_a_wheel_is_built_from(built: Path):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "src/sceau_credentials/py.typed",
    } <= names
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_metadata_are_accepted_by_a_registry(metadata: Metadata):
    assert metadata.description == README
    assert metadata.description_content_type == "text/markdown"
    assert metadata.license_files == ["LICENSE"]
    assert set(metadata.classifiers or []) <= classifiers
    assert metadata.classifiers
    assert all(url.startswith("https://") for url in (metadata.project_urls or {}).values())
    assert (LIBRARY / "LICENSE").read_bytes() == (REPOSITORY / "LICENSE").read_bytes()


def test_the_library_has_at_most_six_dependencies(metadata: Metadata):
    always = [each for each in metadata.requires_dist or [] if each.marker is None]
    assert len(always) <= MOST_DEPENDENCIES


def test_service_has_what_the_library_asks_for_with_every_extra(metadata: Metadata):
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    served = {
        canonicalize_name(each.name): each.specifier for each in map(Requirement, project["dependencies"])
    }
    asked = {canonicalize_name(each.name): each.specifier for each in metadata.requires_dist or []}
    assert {name: served.get(name) for name in asked} == asked


def test_example_of_the_readme_runs_alone_in_fifteen_lines(alone: tuple[Path, Path]):
    (example,) = blocks(README, "python")
    assert len([line for line in example.splitlines() if line]) <= MOST_LINES
    verdict, *answers = run(alone[0], example, alone[1]).splitlines()
    assert verdict == "valid"
    assert "proof: signature_holds" in answers


def test_pdf_without_its_extra_is_reported_and_never_called_invalid(alone: tuple[Path, Path]):
    assert run(alone[0], WITHOUT_EXTRAS, alone[1]).splitlines() == [
        "pdf_extra_missing: to read PDF, install sceau-credentials[pdf]",
        "undetermined pdf_not_read pdf_extra_missing",
    ]


def test_signed_bytes_are_the_same_with_and_without_extras(alone: tuple[Path, Path]):
    assert run(alone[0], SAME_EVERYWHERE, alone[1]) == run(sys.executable, SAME_EVERYWHERE, alone[1])


def test_the_library_exports_everything_that_issuing_and_verifying_need():
    assert {"make_template", "issue_many", "verify", "StatusList"} <= set(sceau_credentials.__all__)


def test_every_public_name_has_a_docstring():
    rows = re.findall(r"^\| ([`\w, ]+) \| ", README.partition("## What is public")[2], re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row) if name != "errors"]
    modules = [sceau_credentials, *(import_module(f"sceau_credentials.{name}") for name in named)]
    assert len(modules) >= 10
    assert [
        f"{module.__name__}.{name}"
        for module in modules
        for name in module.__all__
        if not _own_docstring(getattr(module, name))
    ] == []


def _own_docstring(named: Any) -> str:
    """Neither inherited nor the signature that a dataclass writes there; constants and names of types are their own."""
    if not callable(named) or get_origin(named) is not None:
        return "a value"
    said = (vars(named).get("__doc__") if isinstance(named, type) else named.__doc__) or ""
    return "" if said.startswith(f"{named.__name__}(") else said


def test_scripts_of_users_are_clean_under_mypy_strict(alone: tuple[Path, Path]):
    python, folder = alone
    (folder / "example.py").write_text(blocks(README, "python")[0], "utf-8")
    (folder / "guide.py").write_text("\n".join(blocks(GUIDE, "python")), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "--cache-dir", folder / "cache", "example.py", "guide.py"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
