"""A release: an SBOM that is the lock, images by digest, provenance and checksums of every file, the same each time."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from release.__main__ import LOCKS, ReleaseRefused, Source, main, pin_images, read_images, write_release
from release.bom import LockUnreadable, bill_of_materials, read_lock

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = (REPOSITORY / "requirements.lock").read_text()
COMPOSE = (REPOSITORY / "docs/operate/deploy/compose.yaml").read_text()
SOURCE = Source(REPOSITORY, "c" * 40, datetime(2026, 11, 28, 9, tzinfo=UTC))
DIGEST = "sha256:" + "5" * 64
IMAGES = {tag: f"{tag.partition(':')[0]}@{DIGEST}" for tag in ("sceau:latest", "postgres:15", "caddy:2")}


@pytest.fixture(scope="module")
def bom() -> dict[str, Any]:
    return json.loads(bill_of_materials("1.2.3", "EUPL-1.2", LOCK, made_at="2026-11-28T09:00:00Z"))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    write_release(SOURCE, folder := tmp_path_factory.mktemp("release"), IMAGES)
    return folder


def test_the_bill_lists_each_locked_distribution_once_with_its_hashes(bom: dict[str, Any]):
    locked = set(re.findall(r"^([a-z0-9-]+)(?:\[.*?\])?==(\S+)", LOCK, re.MULTILINE))
    listed = [(each["name"], each["version"]) for each in bom["components"]]
    assert sorted(listed) == sorted(locked)
    hashes = [digest["content"] for each in bom["components"] for digest in each["hashes"]]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", LOCK))


def test_the_bill_has_what_cyclonedx_asks_for(bom: dict[str, Any]):
    assert (bom["bomFormat"], bom["specVersion"], bom["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bom["serialNumber"])
    assert bom["metadata"]["component"]["version"] == "1.2.3"
    for each in bom["components"]:
        assert each["type"] == "library"
        assert each["purl"] == each["bom-ref"] == f"pkg:pypi/{each['name']}@{each['version']}"
        assert {digest["alg"] for digest in each["hashes"]} == {"SHA-256"}
        assert each["scope"] in ("required", "optional")
    refs = [each["bom-ref"] for each in bom["components"]]
    assert len(set(refs)) == len(refs)


def test_the_bill_lists_what_npm_installs_to_be_served():
    text = bill_of_materials(
        "1.2.3", "EUPL-1.2", LOCK, made_at="2026-11-28T09:00:00Z",
        node_lock=(REPOSITORY / "app/http/qr_reader/package-lock.json").read_text(),
    )  # fmt: skip
    found = [each for each in json.loads(text)["components"] if each["purl"].startswith("pkg:npm/")]
    assert [each["name"] for each in found] == ["qr"]
    assert [len(digest["content"]) for each in found for digest in each["hashes"]] == [128]


def test_the_bill_shows_who_needs_whom(bom: dict[str, Any]):
    needs = {each["ref"]: set(each["dependsOn"]) for each in bom["dependencies"]}
    refs = {each["bom-ref"]: each["name"] for each in bom["components"]}
    assert needs.keys() == {*refs, "sceau"}
    assert set().union(*needs.values()) == refs.keys(), "each is needed by something, and nothing else is"
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    asked = {Requirement(each).name.lower() for each in project["dependencies"]}
    assert asked <= {refs[ref] for ref in needs["sceau"]}
    fastapi = next(ref for ref, name in refs.items() if name == "fastapi")
    assert "starlette" in {refs[ref] for ref in needs[fastapi]}


def test_the_bill_names_licences(bom: dict[str, Any]):
    named = {each["name"]: json.dumps(each.get("licenses", "")) for each in bom["components"]}
    assert "BSD-3-Clause" in named["httpx"]
    assert "Apache" in named["cryptography"]
    required = [each for each in bom["components"] if each["scope"] == "required"]
    assert sum("licenses" in each for each in required) >= 0.9 * len(required)


def test_what_one_platform_alone_installs_is_optional(bom: dict[str, Any]):
    (windows,) = (each for each in bom["components"] if each["name"] == "colorama")
    assert windows["scope"] == "optional"
    assert windows["properties"] == [{"name": "sceau:marker", "value": "sys_platform == 'win32'"}]


@pytest.mark.parametrize(
    "line", ["httpx>=0.28\n", "httpx==0.28\n", "./somewhere\n", "git+https://a.example/b\n"]
)
def test_a_line_that_pins_nothing_is_refused(line: str):
    with pytest.raises(LockUnreadable):
        read_lock(line)


def test_a_release_is_whole_and_its_checksums_hold(released: Path):
    names = {path.name for path in released.iterdir()}
    (wheel,) = (name for name in names if name.endswith(".whl"))
    assert names == {
        wheel, *LOCKS, *LOCKS.values(), "compose.yaml", "provenance.json", "SHA256SUMS"
    }  # fmt: skip
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=released, capture_output=True
    )
    assert done.returncode == 0
    assert len((released / "SHA256SUMS").read_text().splitlines()) == len(names) - 1


def test_the_bill_of_the_image_adds_its_extras(released: Path):
    bills = [json.loads((released / name).read_text()) for name in LOCKS.values()]
    wheel, image = ({each["name"] for each in bill["components"]} for bill in bills)
    assert wheel < image
    assert {"python-pkcs11", "opentelemetry-sdk"} <= image - wheel


def test_provenance_names_commit_and_digest_of_every_file(released: Path):
    statement = json.loads((released / "provenance.json").read_text())
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    digests = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    others = {
        path.name: path for path in released.iterdir() if path.name not in ("provenance.json", "SHA256SUMS")
    }
    assert digests == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in others.items()}
    built = statement["predicate"]["buildDefinition"]
    assert built["externalParameters"] == {"commit": SOURCE.commit}
    assert {"name": "postgres:15", "digest": {"sha256": "5" * 64}} in built["resolvedDependencies"]


def test_the_same_commit_gives_the_same_bytes(released: Path, tmp_path: Path):
    write_release(SOURCE, tmp_path, IMAGES)
    assert (tmp_path / "SHA256SUMS").read_text() == (released / "SHA256SUMS").read_text()


def test_every_image_is_named_by_its_digest():
    pinned = pin_images(COMPOSE, IMAGES)
    images = re.findall(r"^\s*image: (\S+)", pinned, re.MULTILINE)
    assert sorted(images) == sorted(IMAGES.values())
    assert re.sub(r"image: .*", "", pinned) == re.sub(r"image: .*", "", COMPOSE), "nothing else is changed"


def test_an_image_without_a_digest_stops_the_release():
    with pytest.raises(ReleaseRefused, match="caddy:2"):
        pin_images(COMPOSE, {tag: name for tag, name in IMAGES.items() if tag != "caddy:2"})


@pytest.mark.parametrize(
    "line", ["postgres:15 postgres:15.9", "postgres:15", "postgres:15 postgres@sha256:12"]
)
def test_an_image_named_by_a_tag_is_refused(line: str):
    with pytest.raises(ReleaseRefused, match="postgres:15"):
        read_images(line)


def test_the_file_of_images_may_have_comments():
    assert read_images(f"# of 28 November\n\npostgres:15 postgres@{DIGEST}  # amd64\n") == {
        "postgres:15": f"postgres@{DIGEST}"
    }


def test_uncommitted_changes_are_not_released(tmp_path: Path):
    identity = ["-c", "user.name=t", "-c", "user.email=t@t.example"]
    for command in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    assert len(Source.of(tmp_path).commit) == 40
    (tmp_path / "changed").touch()
    with pytest.raises(ReleaseRefused, match="uncommitted"):
        Source.of(tmp_path)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path):
    (tmp_path / "earlier").touch()
    with pytest.raises(ReleaseRefused):
        write_release(SOURCE, tmp_path, IMAGES)


def test_without_a_file_of_images_the_command_names_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([str(tmp_path / "out"), "--images", str(tmp_path / "images.txt")]) == 1
    assert "docs/operate/release.md" in capsys.readouterr().err
