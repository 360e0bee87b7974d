"""The guide to the library is correct: its blocks are run from the first to the last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sceau_credentials as credentials
from sceau_credentials import errors

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "library.md"
TEXT = GUIDE.read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_every_block_of_the_guide_runs_after_those_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for block in BLOCKS:
        line = TEXT.count("\n", 0, TEXT.index(block))
        exec(compile("\n" * line + block, str(GUIDE), "exec"), names)
    assert len(BLOCKS) >= 8
    assert "proof passed signature_holds" in capsys.readouterr().out


def test_the_guide_shows_every_public_function_of_the_library() -> None:
    actions = {name for name in credentials.__all__ if name.islower()}
    assert {name for name in actions if f"`{name}`" not in TEXT and f"{name}(" not in TEXT} == set()


def test_the_errors_named_in_the_guide_exist() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))
    assert named <= {name for name in vars(errors) if isinstance(getattr(errors, name), type)}
    reported = {"KeyNotResolved", "ProofError"}  # inside a report, never out of it
    raised = {
        name
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, errors.CredentialError)
    }
    assert raised - named - reported == {"CredentialError"}
