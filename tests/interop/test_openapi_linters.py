"""The description of the API, as the linters of its readers see it: no error and no warning of their recommended sets."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.app.api.every_operation.test_openapi import described

pytestmark = pytest.mark.node

HERE = Path(__file__).parent
PROGRAMS = HERE / "node_modules" / ".bin"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_UPDATE_NOTIFIER": "1"}


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (PROGRAMS / "redocly").exists():
        pytest.skip("run `npm ci --prefix tests/interop`")
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_text(json.dumps(described()))
    return path


def run(program: str, *arguments: str, folder: Path) -> str:
    done = subprocess.run(
        [str(PROGRAMS / program), *arguments],
        cwd=folder,
        env=os.environ | QUIET,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout, done.stderr
    return done.stdout


def test_redocly_finds_nothing(description: Path):
    (description.parent / "redocly.yaml").write_text("extends:\n  - recommended\n")
    found = json.loads(run("redocly", "lint", description.name, "--format=json", folder=description.parent))
    assert found["problems"] == []
    assert found["totals"]["errors"] == found["totals"]["warnings"] == 0


def test_spectral_finds_nothing(description: Path):
    (description.parent / "spectral.yaml").write_text('extends: ["spectral:oas"]\n')
    arguments = ("lint", description.name, "--ruleset=spectral.yaml", "--format=json", "--quiet")
    assert json.loads(run("spectral", *arguments, folder=description.parent)) == []
