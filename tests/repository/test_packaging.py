"""What is installed is what was locked, from wherever it is fetched, and the credential library needs little of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from app.adapters.object_store import bucket_at
from app.adapters.secrets import HsmAddress
from app.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-image.lock", "requirements-dev.lock")
NODE_LOCKS = (
    "tests/interop/package-lock.json",
    "tests/lighthouse/package-lock.json",
    "app/http/qr_reader/package-lock.json",
)
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]

NOT_FOR_THE_LIBRARY = (
    "fastapi",
    "starlette",
    "sqlmodel",
    "sqlalchemy",
    "alembic",
    "httpx",
    "jinja2",
    "pydantic_settings",
)
IMPORT_THE_LIBRARY_ALONE = """
import importlib, pkgutil, sys

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused!r}:
            raise ImportError(f"the credential library must not need {{name}}")

sys.meta_path.insert(0, Refusal())
import sceau_credentials
for name in sceau_credentials.__all__:
    getattr(sceau_credentials, name)
for module in pkgutil.walk_packages(sceau_credentials.__path__, "sceau_credentials."):
    importlib.import_module(module.name)
outside = {{name for name in sys.modules if name.partition(".")[0] in ("app", "demo")}}
assert not outside, outside
print(len(sceau_credentials.__all__))
"""


def _locked(lock: str) -> dict[str, tuple[Version, str]]:
    """Name -> version and the whole entry, continuation lines included."""
    text = (REPOSITORY / lock).read_text("utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
    pattern = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*])?==(?P<version>[^\s;]+)")
    locked = {}
    for entry in entries:
        match = pattern.match(entry)
        assert match, f"{lock}: not pinned to one version: {entry}"
        locked[canonicalize_name(match["name"])] = (Version(match["version"]), entry)
    return locked


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_requirement_has_a_hash(lock: str):
    locked = _locked(lock)
    assert len(locked) > 20
    assert [
        name for name, (_, entry) in locked.items() if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)
    ] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry(lock: str):
    text = (REPOSITORY / lock).read_text("utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text)


@pytest.mark.parametrize("lock", NODE_LOCKS)
def test_the_lock_of_the_node_libraries_names_no_registry(lock: str):
    packages = json.loads((REPOSITORY / lock).read_text("utf-8"))["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


@pytest.mark.parametrize(
    ("declared", "lock"),
    [
        (PROJECT["dependencies"], LOCKS[0]),
        (
            [each for extra in ("hsm", "telemetry") for each in PROJECT["optional-dependencies"][extra]],
            LOCKS[1],
        ),
        (PROJECT["optional-dependencies"]["dev"], LOCKS[2]),
    ],
    ids=LOCKS,
)
def test_everything_declared_is_locked_in_a_version_that_was_asked_for(declared: list[str], lock: str):
    locked = _locked(lock)
    for requirement in map(Requirement, declared):
        version, _ = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), (
            f"{requirement} is locked at {version}: run `make lock`"
        )


def test_tests_run_on_the_versions_that_are_served():
    served, image, tested = map(_locked, LOCKS)
    assert served.keys() < image.keys()
    for one, other in ((served, image), (image, tested)):
        both = one.keys() & other.keys()
        assert {name: one[name][0] for name in both} == {name: other[name][0] for name in both}
    assert served.keys() <= tested.keys()


def test_the_credential_library_works_without_web_framework_and_database():
    program = IMPORT_THE_LIBRARY_ALONE.format(refused=NOT_FOR_THE_LIBRARY)
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0, "the library offers nothing by name"


def test_everything_the_container_image_copies_is_in_the_repository():
    dockerfile = (REPOSITORY / "Dockerfile").read_text("utf-8")
    copied = [
        source
        for line in re.findall(r"^COPY (?!.*--from=)(.+)$", dockerfile, flags=re.MULTILINE)
        for source in line.split()[:-1]
        if not source.startswith("--")
    ]
    assert "requirements-image.lock" in copied
    assert "--require-hashes -r requirements-image.lock" in dockerfile
    sent = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    assert [source for source in copied if f"!{source.rstrip('/')}" not in sent] == []
    assert [source for source in copied if not (REPOSITORY / source).exists()] == []


def test_volumes_of_the_service_are_folders_that_its_user_owns():
    """A new volume takes its owner from the folder in the image; where there is none, root owns it."""
    (owned,) = re.findall(
        r"install --directory --owner=sceau .*?((?: /\w+)+)$",
        (REPOSITORY / "Dockerfile").read_text("utf-8"),
        re.MULTILINE,
    )
    compose = yaml.safe_load((REPOSITORY / "docs/operate/deploy/compose.yaml").read_text("utf-8"))
    mounted = {each.split(":")[1] for each in compose["x-sceau"]["volumes"]}
    assert mounted
    assert mounted <= set(owned.split())


def test_image_and_makefile_install_with_the_same_version_of_uv():
    wanted = {
        name: set(re.findall(r"(?:uv==|UV_VERSION := )([0-9.]+)", (REPOSITORY / name).read_text("utf-8")))
        for name in ("Makefile", "Dockerfile")
    }
    assert wanted["Makefile"] == wanted["Dockerfile"]
    assert len(wanted["Makefile"]) == 1


def test_files_for_an_object_store_name_services_settings_and_secrets_that_exist():
    deploy = REPOSITORY / "docs/operate/deploy"
    more, whole = (
        yaml.safe_load((deploy / name).read_text()) for name in ("compose.objects.yaml", "compose.yaml")
    )
    signers = {
        name for name, each in whole["services"].items() if each.get("command", [""])[0] in ("serve", "work")
    }
    assert more["services"].keys() == signers | {"app2", "store"}
    worker = more["services"]["worker"]
    assert {
        name.removeprefix("SCEAU_").lower() for name in worker["environment"]
    } <= Settings.model_fields.keys()
    bucket = bucket_at(worker["environment"]["SCEAU_OBJECT_STORE"], "us-east-1")
    assert bucket.host.split(":")[0] in more["services"]
    assert worker["environment"]["SCEAU_OBJECT_STORE_KEYS"] == f"file:/run/secrets/{worker['secrets'][0]}"
    assert worker["secrets"] == list(more["secrets"])


def test_files_for_a_token_name_services_settings_and_places_that_exist():
    deploy = REPOSITORY / "docs/operate/deploy"
    token, whole = (
        yaml.safe_load((deploy / name).read_text()) for name in ("compose.hsm.yaml", "compose.yaml")
    )
    signers = {
        name for name, each in whole["services"].items() if each.get("command", [""])[0] in ("serve", "work")
    }
    assert token["services"].keys() == signers | {"app2"}
    drop_in = re.search(r'"SCEAU_HSM=(.*)"', (deploy / "sceau-hsm.conf").read_text())
    assert drop_in
    mounted = token["services"]["worker"]
    for uri in (mounted["environment"]["SCEAU_HSM"], drop_in[1]):
        address = HsmAddress.parse(re.sub(r"\$\{(\w+):\?\}", r"\1", uri))
        assert address.pin_source.removeprefix("file:") in ("/run/secrets/hsm-pin", "%d/hsm-pin")
    assert mounted["secrets"] == ["hsm-pin"]
    assert mounted["volumes"] == ["./hsm:/opt/hsm:ro"]
