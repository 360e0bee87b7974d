"""The command as a whole: its languages, its exit codes, and what it refuses to start on."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import psycopg.errors
import pytest
from sqlalchemy.exc import OperationalError

import app.cli
from app.cli.__main__ import COMMANDS, _is_database_unreachable
from app.cli.terminal import operator_locale
from app.container import Process
from tests.app.cli.conftest import Operator

NAMED = ("serve", "migrate", "award", "verify", "demo", "token", "keys")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "fr"),
        ({"LANG": "C.UTF-8"}, "fr"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "SCEAU_LOCALE": "en"}, "en"),
        ({"SCEAU_LOCALE": "", "LANG": "en_US.UTF-8"}, "en"),
    ],
)
def test_the_operators_language_is_that_of_the_settings_then_that_of_the_terminal(
    environment: dict[str, str], language: str
) -> None:
    assert operator_locale(environment) == language


def test_help_names_every_command_in_either_language(stranger: Operator) -> None:
    french = stranger.types("--help")
    stranger.sets(LANG="en_GB.UTF-8")
    english = stranger.types("--help")
    assert french.code == english.code == 0
    assert all(command in french.out and command in english.out for command in NAMED)
    assert "Met le service en route" in french.out
    assert "Affiche cette aide" in french.out
    assert "Start the service" in english.out


@pytest.mark.parametrize(
    "words",
    [
        ["award"],
        ["verify"],
        ["nonsense"],
        ["token", "create"],
        ["serve", "--port", "0"],
        ["demo", "link", "--role", "king"],
    ],
    ids=" ".join,
)
def test_a_malformed_command_ends_with_3_and_says_where_help_is(stranger: Operator, words: list[str]) -> None:
    ended = stranger.types(*words)
    assert ended.code == 3
    assert "--help" in ended.err


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("campus create", "Il manque slug."),
        ("camp", "La commande « camp » n’existe pas. Vouliez-vous campus ?"),
        ("campus opn", "La commande « opn » n’existe pas."),
        ("campus create x --nme y", "L’option --nme n’existe pas. Vouliez-vous --name ?"),
        ("campus create x --name", "L’option --name attend une valeur."),
        ("migrate --check=3", "L’option --check n’a pas de valeur."),
        ("campus list too many", "Ceci est en trop : too many."),
        ("serve --port x", "--port doit être un nombre entier."),
        ("serve --port 99999", "--port doit valoir 65535 ou moins."),
        (
            "token create --campus x --label d --scope foo",
            "« foo » ne convient pas à --scope, qui est l’un de : award",
        ),
        ("verify --documents /nowhere x", "--documents : /nowhere n’existe pas."),
        ("verify --documents /etc/hosts x", "--documents : /etc/hosts n’est pas un dossier."),
        ("verify --pin d'ici x", "« d'ici » n’est pas une clé"),
        ("list read /nowhere.csv", "Ce fichier ne s’ouvre pas : /nowhere.csv"),
        ("verify /nowhere.json", "/nowhere.json ne peut pas être lu : ce chemin n’existe pas."),
        ("network import itip /etc", "/etc ne peut pas être lu : c’est un dossier."),
    ],
)
def test_a_fault_of_a_command_is_in_the_operators_language(
    stranger: Operator, words: str, fault: str
) -> None:
    ended = stranger.types(*words.split())
    assert fault in ended.err
    assert not re.search(r"\b(?:Missing|No such|Invalid|Got|requires|should)\b", ended.err)


def test_a_group_alone_shows_its_commands_and_no_fault(stranger: Operator) -> None:
    for group in ("campus", "list", "keys"):
        ended = stranger.types(group)
        assert ("Commandes" in ended.out, ended.err, ended.code) == (True, "", 3)


def test_help_marks_what_is_required_in_the_operators_language(stranger: Operator) -> None:
    french = stranger.types("campus", "create", "--help").out
    stranger.sets(LANG="en_GB.UTF-8")
    english = stranger.types("campus", "create", "--help").out
    assert ("[obligatoire]" in french, "[required]" in french) == (True, False)
    assert ("[obligatoire]" in english, "[required]" in english) == (False, True)


def test_every_command_explains_itself_and_each_of_its_options(stranger: Operator) -> None:
    for words in (
        ["serve"],
        ["award"],
        ["verify"],
        ["demo", "link"],
        ["token", "create"],
        ["keys", "make-kek"],
    ):
        result = stranger.types(*words, "--help")
        assert result.code == 0
        assert "Show this" not in result.out
        assert "Traceback" not in result.err


def test_version_is_one_line(stranger: Operator) -> None:
    assert stranger.types("--version").out.startswith("sceau ")


@pytest.mark.parametrize(
    "words", [["serve"], ["keys", "list"], ["demo", "load"], ["demo", "link"]], ids=" ".join
)
def test_a_database_without_schema_is_sent_to_migrate(stranger: Operator, words: list[str]) -> None:
    ended = stranger.types(*words)
    assert ended.code == 3
    assert "sceau migrate" in ended.err


def test_migrate_makes_the_database_and_may_be_run_again(stranger: Operator) -> None:
    assert stranger.types("migrate").code == 0
    again = stranger.types("migrate")
    assert (again.code, again.out) == (0, "")
    assert Path("var/sceau.sqlite").is_file()


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"SCEAU_BASE_URL": "http://badges.exemple.fr"}, "SCEAU_BASE_URL"),
        ({"SCEAU_BASE_URL": "https://badges.exemple.fr"}, "SCEAU_SECRET"),
        ({"SCEAU_PORT": "many"}, "SCEAU_PORT"),
        ({"SCEAU_KEK": "file:/nowhere/kek"}, "make-kek"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_unfit_settings_stop_the_start_with_a_sentence(
    stranger: Operator, variables: dict[str, str], named: str
) -> None:
    stranger.sets(**variables)
    ended = stranger.types("serve")
    assert ended.code == 3
    assert named in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("words", [["serve"], ["work"], ["migrate"], ["check"]], ids=" ".join)
def test_a_database_that_is_away_ends_a_command_with_a_code_to_try_again(
    stranger: Operator, words: list[str]
) -> None:
    stranger.sets(SCEAU_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/none")
    ended = stranger.types(*words)
    assert (ended.code, "SCEAU_DATABASE_URL" in ended.err) == (os.EX_TEMPFAIL, True)
    assert "Traceback" not in ended.err


def test_several_workers_on_sqlite_are_refused(operator: Operator) -> None:
    ended = operator.types("serve", "--workers", "2")
    assert ended.code == 3
    assert "PostgreSQL" in ended.err


def test_nothing_is_coloured_in_a_pipe(demo: Process) -> None:
    result = {
        f"SCEAU_{name.upper()}": str(value)
        for name, value in demo.settings.model_dump(exclude_none=True).items()
    }
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "keys", "list"],
        env={**os.environ, **result}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 16
    assert "\x1b" not in done.stdout + done.stderr


def test_terminal_without_accents_gets_what_it_can_show() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "LANG": "C"}
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "--help"], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Met le service en route" in done.stdout


@pytest.mark.parametrize("typed", [["--version"], ["verify", "--offline", "missing.json"]])
def test_what_asks_no_database_imports_no_service(typed: list[str]) -> None:
    program = (
        f"import sys\nfrom app.cli.__main__ import run\n"
        f"try:\n    run({typed})\nexcept SystemExit:\n    pass\n"
        "heavy = ('sqlalchemy', 'fastapi', 'httpx', 'app.container', 'app.settings', 'app.db', 'app.domain.core')\n"
        "print([name for name in sys.modules if name in heavy])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_command_does_not_look_for_garbage_among_its_modules() -> None:
    program = "import gc\nfrom app.cli.__main__ import main\n"
    program += "try:\n    main()\nfinally:\n    print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
    done = subprocess.run(
        [sys.executable, "-c", program, "keys", "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "True True"


def test_group_extended_by_another_module_is_imported_through_that_module() -> None:
    """A group imported alone would otherwise lack the commands that another module adds to it."""
    folder = Path(app.cli.__file__).parent
    for file in folder.glob("*.py"):
        source = file.read_text()
        for defined_in, group in re.findall(
            r"^from app\.cli\.(\w+) import commands as (\w+)$", source, re.MULTILINE
        ):
            if f"@{group}.command(" in source:
                entries = {(each.module, each.name) for each in COMMANDS.values()}
                assert (file.stem, group) in entries, (file.name, group)
                assert (defined_in, "commands") not in entries, (file.name, group)


@pytest.mark.parametrize(
    ("fault", "is_unreachable"),
    [
        (sqlite3.OperationalError("unable to open database file"), True),
        (sqlite3.OperationalError("no such table: award"), False),
        (sqlite3.OperationalError("duplicate column name: edition"), False),
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.errors.AdminShutdown("terminating connection"), True),
        (psycopg.errors.LockNotAvailable("lock timeout"), False),
    ],
)
def test_only_what_a_connection_suffers_is_called_a_silent_database(fault: Exception, is_unreachable: bool):
    """A migration that failed at the start of a server was told as a database that does not answer."""
    import app.container  # noqa: F401 - as a command that uses the database has imported it

    assert _is_database_unreachable(OperationalError("SELECT 1", None, fault)) is is_unreachable
