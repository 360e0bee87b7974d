"""`sceau award`: the trainer's list without a browser, safe to repeat, with a result for every line."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.container import Process
from app.domain.imports.lists.model import State
from app.services.imports.lists import read_list_file
from sceau_credentials.verification.report import Verdict
from tests.app.cli.conftest import Operator
from tests.lists.documents import ods

WORDS = ("award", "--campus", "itip", "--badge", "apprenant-ressource-vrai")


def list_of(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "liste.csv"
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    return path


def results(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig")), delimiter=";"))


def count_awards(demo: Process) -> int:
    with demo.unit_of_work(reading=True) as services:
        return len(services.awards.list_in(services.campuses.get("itip"), limit=10_000))


def test_everybody_on_a_french_list_is_given_a_genuine_badge(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    listed = list_of(
        tmp_path, "Nom;Prénom;Courriel", "LE BŒUF;Zoé;zoe.leboeuf@exemple.fr", "N'Diaye;Élie;elie@exemple.fr"
    )
    done = operator.types(*WORDS, listed, "--output", tmp_path / "result.csv")
    assert (tmp_path / "result.csv").stat().st_mode & 0o077 == 0
    assert done.code == 0, done.err
    result = results((tmp_path / "result.csv").read_bytes())
    assert [line["Résultat"] for line in result] == ["Attribué", "Attribué"]
    assert result[0]["Prénom et nom"] == "Zoé Le Bœuf"
    for line in result:
        award_id = demo.addresses.award_named_by(line["Badge"])
        assert award_id is not None
        with demo.unit_of_work(reading=True) as services:
            report = services.verification.verify_award(services.awards.record(award_id)).report
        assert report is not None
        assert report.verdict is Verdict.VALID
        token = line["Lien privé"].removeprefix(demo.addresses.private_link(""))
        with demo.unit_of_work() as services:
            assert services.people.open_private_link(token).session.award_id == award_id


def test_the_same_list_again_gives_nothing_and_repeats_every_link(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    listed = list_of(tmp_path, "Prénom et nom;Courriel", "Denise Foucher;denise.foucher@exemple.fr")
    operator.types(*WORDS, listed, "-o", tmp_path / "first.csv")
    before = count_awards(demo)
    again = operator.types(*WORDS, listed, "-o", tmp_path / "second.csv")
    assert again.code == 0
    assert count_awards(demo) == before
    first, second = (results((tmp_path / name).read_bytes()) for name in ("first.csv", "second.csv"))
    assert second[0]["Résultat"] == "A déjà ce badge"
    assert (second[0]["Badge"], second[0]["Lien privé"]) == (first[0]["Badge"], first[0]["Lien privé"])


def test_good_lines_go_bad_lines_come_back_with_a_reason(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    listed = list_of(
        tmp_path,
        "Prénom et nom;Courriel",
        "Bruno Lignon;bruno.lignon@exemple.fr",
        "Autre;autre@@x",
        ";seule@exemple.fr",
    )
    before = count_awards(demo)
    done = operator.types(*WORDS, listed, "-o", tmp_path / "result.csv")
    assert done.code == 1
    assert count_awards(demo) == before + 1
    result = {line["Résultat"]: line for line in results((tmp_path / "result.csv").read_bytes())}
    assert set(result) == {"Attribué", "Adresse invalide", "Nom à compléter"}
    assert result["Adresse invalide"]["Motif"]
    assert not result["Adresse invalide"]["Badge"]


def test_a_doubtful_line_is_named_and_gets_no_badge(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    before = count_awards(demo)
    listed = list_of(
        tmp_path,
        "Nom;Prénom;Présent;Absent;Mail",
        "Marchand;Louise;x;;louise.marchand@exemple.fr",
        "Fabre;Jules;;x;",
        "Dupont2;Marie;x;;",
        "Total;2;;;",
    )
    done = operator.types(*WORDS, listed, "-o", tmp_path / "result.csv")
    assert done.code == 1
    assert count_awards(demo) == before + 1
    result = {line["Prénom et nom"]: line for line in results((tmp_path / "result.csv").read_bytes())}
    assert result["Louise Marchand"]["Résultat"] == "Attribué"
    assert result["Jules Fabre"]["Résultat"] == "Absente"
    assert result["Marie Dupont2"]["Résultat"] == "Ligne illisible"
    assert "Ligne 4" in result["Marie Dupont2"]["Motif"]
    assert "Total" in done.err


def test_an_opendocument_sheet_is_a_list(operator: Operator, demo: Process, tmp_path: Path) -> None:
    path = tmp_path / "liste.ods"
    path.write_bytes(ods([{"table": [["Prénom", "Nom", "Mail"], ["Solène", "Aubry", "solene@exemple.fr"]]}]))
    done = operator.types(*WORDS, path, "--dry-run", "-o", tmp_path / "result.csv")
    assert done.code == 0, done.err
    assert results((tmp_path / "result.csv").read_bytes())[0]["Prénom et nom"] == "Solène Aubry"


def test_a_dry_run_judges_and_writes_nothing(operator: Operator, demo: Process, tmp_path: Path) -> None:
    before = count_awards(demo)
    listed = list_of(
        tmp_path, "Prénom et nom;Courriel", "Jeanne Vuillard;jeanne.vuillard@exemple.fr", "Autre;autre@@x"
    )
    done = operator.types(*WORDS, listed, "--dry-run", "-o", tmp_path / "result.csv")
    assert done.code == 1
    assert [line["Résultat"] for line in results((tmp_path / "result.csv").read_bytes())] == [
        "Prête",
        "Adresse invalide",
    ]
    assert count_awards(demo) == before


def test_more_lines_than_one_portion_are_all_given_once(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    letters = "abcdefghijkl"
    names = [f"Ba{one}{other}o" for one in letters for other in letters][:120]
    people = [f"Léa;{name};lea.{name}@exemple.fr" for name in names]
    before = count_awards(demo)
    done = operator.types(
        *WORDS, list_of(tmp_path, "Prénom;Nom;Courriel", *people, people[0]), "-o", tmp_path / "result.csv"
    )
    assert done.code == 0, done.err
    assert count_awards(demo) == before + 120
    assert "120 × Attribué" in done.err


def test_an_activity_carries_the_hours_and_the_evidence(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    with demo.unit_of_work(reading=True) as services:
        campus = services.campuses.get("itip")
        workshop = next(activity for activity, count in services.activities.list_in(campus) if count == 30)
    words = ("award", "--campus", "itip", "--badge", "robotique-pour-tous", "--activity", str(workshop.id))
    listed = list_of(tmp_path, "Prénom et nom;Courriel", "Sandra Prevost;sandra.prevost@exemple.fr")
    assert operator.types(*words, listed, "-o", tmp_path / "without.csv").code == 1
    assert results((tmp_path / "without.csv").read_bytes())[0]["Résultat"] == "Preuve manquante"
    done = operator.types(*words, listed, "--evidence", "Essai complet observé", "-o", tmp_path / "with.csv")
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--campus", "nowhere", "--badge", "x"), 1),
        (("--campus", "itip", "--badge", "nowhere"), 1),
        (("--campus", "itip", "--badge", "apprenant-ressource-vrai", "--activity", "1"), 3),
    ],
)
def test_what_does_not_exist_is_named(
    operator: Operator, tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    done = operator.types("award", *words, list_of(tmp_path, "A B;a@exemple.fr"))
    assert done.code == code
    assert done.err.strip()


def test_a_missing_or_empty_list_stops_before_anything_is_done(operator: Operator, tmp_path: Path) -> None:
    assert operator.types(*WORDS, tmp_path / "nothing.csv").code == 3
    assert operator.types(*WORDS, list_of(tmp_path, "")).code == 3


def test_through_pipes_the_result_of_one_run_is_a_list_for_the_next(demo: Process) -> None:
    result = {
        f"SCEAU_{name.upper()}": str(value)
        for name, value in demo.settings.model_dump(exclude_none=True).items()
    }
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *WORDS, "-"], input="Prénom et nom;Courriel\nPascale Tardieu;pascale.tardieu@exemple.fr".encode(),
        env={**os.environ, **result}, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    lines = read_list_file(done.stdout).in_state(State.READY)
    assert [(line.name, line.address) for line in lines] == [
        ("Pascale Tardieu", "pascale.tardieu@exemple.fr")
    ]


def test_a_known_name_with_another_address_is_left_until_it_is_reported(
    operator: Operator, tmp_path: Path
) -> None:
    operator.types(
        *WORDS, list_of(tmp_path, "Prénom et nom;Courriel", "Odile Garnier;odile.garnier@exemple.fr")
    )
    other = list_of(tmp_path, "Prénom et nom;Courriel", "Odile Garnier;o.garnier@exemple.org")
    done = operator.types(*WORDS, other, "-o", tmp_path / "asked.csv")
    assert done.code == 1
    (line,) = results((tmp_path / "asked.csv").read_bytes())
    assert line["Résultat"] == "Plusieurs personnes de ce nom"
    assert "odile.garnier@exemple.fr" in line["Motif"]
    done = operator.types(*WORDS, other, "--others", "-o", tmp_path / "given.csv")
    assert done.code == 0, done.err
    assert results((tmp_path / "given.csv").read_bytes())[0]["Résultat"] == "Attribué"
