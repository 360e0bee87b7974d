"""The demo's content read once, the loaded demo to work on, and an operator who types commands at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.cli.__main__ import main
from app.container import Process
from app.settings import Settings
from demo.content import DemoContent, read_content
from tests.support.databases.postgres import free_port
from tests.support.servers.server import DemoTemplate


@pytest.fixture(autouse=True)
def environment_left_as_it_was() -> Iterator[None]:
    """`serve` hands its options down to worker processes through the environment, which tests share.

    Its port is a free one: a demo on the usual port does not fail the tests.
    """
    before = dict(os.environ)
    os.environ["SCEAU_PORT"] = str(free_port())
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def content() -> DemoContent:
    return read_content()


@pytest.fixture(scope="module")
def demo(demo_template: DemoTemplate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The loaded demo, a copy for each test file."""
    folder = tmp_path_factory.mktemp("cli") / "database"
    shutil.copytree(demo_template.folder, folder)
    process = Process(demo_template.settings(folder))
    yield process
    process.engine.dispose()


@dataclass(frozen=True)
class Typed:
    """What one command did."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Operator:
    """Somebody at a terminal that is none: nothing they read is coloured."""

    monkeypatch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def sets(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def works_with(self, settings: Settings) -> None:
        self.sets(
            **{
                f"SCEAU_{name.upper()}": str(value)
                for name, value in settings.model_dump(exclude_none=True).items()
            }
        )

    def types(self, *arguments: str | Path) -> Typed:
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        result = self.capture.readouterr()
        return Typed(int(ended.value.code or 0), result.out, result.err)


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Operator:
    """An operator in an empty folder, with nothing set up."""
    for name in ("SCEAU_LOCALE", "LC_ALL", "LC_MESSAGES", "LANG", "SCEAU_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Operator(monkeypatch, capfd)


@pytest.fixture
def operator(stranger: Operator, demo: Process) -> Operator:
    """An operator of the demo."""
    stranger.works_with(demo.settings)
    return stranger
