"""The demo's content, read once for all tests of this folder."""

from __future__ import annotations

import pytest

from app.cli.demo.content import DemoContent, read_content


@pytest.fixture(scope="session")
def content() -> DemoContent:
    return read_content()
