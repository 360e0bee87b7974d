"""`sceau list read`: the reader of lists at the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.__main__ import run

TEXT = "Nom;Prénom;Mail\nDupont;Marie;marie.dupont@exemple.fr\nDurand;Paul;\nTardiveau;;\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "liste.csv"
    path.write_bytes(TEXT.encode("cp1252"))
    return path


def test_json_has_lines_and_mapping(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "read", str(file), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [(line["line"], line["state"], line["reason"]) for line in answer["lines"]] == [
        (1, "refused", "heading"),
        (2, "ready", None),
        (3, "ready", None),
        (4, "ask", "one-word"),
    ]
    assert {
        key: answer["lines"][1][key] for key in ("text", "given_name", "family_name", "address", "hours")
    } == {
        "text": "Dupont;Marie;marie.dupont@exemple.fr",
        "given_name": "Marie",
        "family_name": "Dupont",
        "address": "marie.dupont@exemple.fr",
        "hours": None,
    }
    assert [column["holds"] for column in answer["mapping"]["columns"]] == ["nom", "prenom", "adresse"]


def test_table_names_the_reason(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "read", str(file)]) == 0
    assert "Il manque le prénom ou le nom" in capsys.readouterr().out


def test_unreadable_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "liste.doc"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"))
    assert run(["list", "read", str(path), "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["refused"]["reason"] == "doc"
    assert ".docx" in captured.err


def test_standard_input_needs_neither_database_nor_web_framework() -> None:
    code = (
        "import sys; from app.cli.__main__ import run; code = run(['list', 'read', '-', '--json']); "
        "loaded = {'fastapi', 'starlette', 'sqlmodel', 'sqlalchemy', 'dbos'} & set(sys.modules); "
        "sys.exit(code or len(loaded))"
    )
    done = subprocess.run([sys.executable, "-c", code], input=TEXT.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lines"][1]["given_name"] == "Marie"


def test_reasons_are_confirmed_for_all_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "liste.txt"
    path.write_text("Thomas Martin\nRobert Vincent\n", encoding="utf-8")
    assert run(["list", "read", str(path), "--json", "--confirm", "order"]) == 0
    assert {line["state"] for line in json.loads(capsys.readouterr().out)["lines"]} == {"ready"}
    assert run(["list", "read", str(path), "--json", "--confirm", "heading"]) != 0
