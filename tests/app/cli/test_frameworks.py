"""`sceau frameworks`: imports from files, with a trial run and sentences for faults."""

from __future__ import annotations

from pathlib import Path

from app.container import Process
from tests.app.cli.conftest import Operator
from tests.support.content.registers import ROME_CODES, esco_archive, rncp_archive, rome_archive


def test_registers_are_tried_imported_and_imported_again(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    rome = rome_archive(tmp_path, version="999")
    tried = operator.types("frameworks", "import", "rome", rome, "--dry-run", "--all")
    assert tried.code == 0, tried.err
    assert "H3203" in tried.out
    assert "rien n’a été enregistré" in tried.err
    assert "\t999\t" not in operator.types("frameworks", "list").out
    for _ in range(2):
        assert operator.types("frameworks", "import", "rome", rome).code == 0
    assert "rien n’a changé" in operator.types("frameworks", "import", "rome", rome).err
    assert "rome\tROME 4.0\t999\t2025-11-24\t" in operator.types("frameworks", "list").out
    for name, file in (("rncp", rncp_archive(tmp_path, day="2027-01-01")), ("esco", esco_archive(tmp_path))):
        done = operator.types(
            "frameworks", "import", name, file, "--version", "9.9", "--date", "2027-01-01", "--all"
        )
        assert done.code == 0, done.err
    with demo.unit_of_work(reading=True) as services:
        (found, *_) = services.framework_search.search("infusion").items
    assert found.item.code == "RNCP35229BC01"


def test_a_change_of_meaning_is_named(operator: Operator, demo: Process, tmp_path: Path) -> None:
    operator.types("frameworks", "import", "rome", rome_archive(tmp_path, version="998"))
    codes = [
        (code, "Technicien en cybersécurité" if code == "M1819" else label) for code, label in ROME_CODES
    ]
    shown = operator.types(
        "frameworks", "import", "rome", rome_archive(tmp_path, codes, version="999"), "--dry-run"
    )
    assert "Sens changé\N{NO-BREAK SPACE}: 1" in shown.err
    assert "Technicien en cybersécurité" in shown.out


def test_a_fault_is_a_sentence_and_nothing_is_stored(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    (file := tmp_path / "rome_v999_codes.csv").write_text("code_rome,libelle_rome\nH3203,Mouleur\nX,Faux\n")
    refused = operator.types("frameworks", "import", "rome", file)
    assert refused.code == 1
    assert "rome_v999_codes.csv, ligne 3 : « X » n’est pas un code ROME." in refused.err
    assert "Rien n’a été enregistré." in refused.err
    assert operator.types("frameworks", "import", "rome", file, "--date", "hier").code == 3


def test_a_table_becomes_a_framework_of_a_campus(operator: Operator, demo: Process, tmp_path: Path) -> None:
    (file := tmp_path / "liste.csv").write_text("Réf;Ce qu’on sait faire\nZ1;Poser un drain\n", "utf-8")
    given = ("--code", "drains", "--name", "Drains", "--campus", "ti", "--column", "code=Réf")
    refused = operator.types("frameworks", "import", "table", file, *given)
    assert (refused.code, "nomme les colonnes" in refused.err) == (1, True)
    done = operator.types(
        "frameworks", "import", "table", file, *given, "--column", "label=Ce qu’on sait faire"
    )
    assert done.code == 0, done.err
    with demo.unit_of_work(reading=True) as services:
        campus = services.campuses.get("ti")
        assert services.framework_search.search("drain", campus.id).items[0].item.code == "Z1"
