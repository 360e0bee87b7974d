"""Records of XML files: pupils are read, other people in the file are asked about, nothing is lost."""

from __future__ import annotations

import pytest

from app.adapters.sheets.list_files import UnreadableList
from app.domain.imports.lists.model import State
from app.services.imports.lists import read_list_file

_PUPILS = (
    "<eleve id='1'><nom>Castel</nom><prenom>Marion</prenom>{}</eleve>"
    "<eleve id='2'><nom>Ferrer</nom><prenom>Louise</prenom></eleve>"
)


def _read(text: str) -> dict[str, set[str]]:
    reading = read_list_file(text.encode())
    assert not [line for line in reading.lines if line.state is State.REFUSED and "Noiret" in line.text]
    return {
        state.value: {line.name for line in reading.in_state(state) if line.name}
        for state in (State.READY, State.ASK)
    }


@pytest.mark.parametrize("head", ["", "<?xml version='1.0' encoding='UTF-8'?>\n", "<!-- export -->"])
@pytest.mark.parametrize(
    ("before", "inside"),
    [
        ("", ""),
        ("<redacteur><nom>Noiret</nom><prenom>Adèle</prenom></redacteur>", ""),
        ("<professeur nom='Noiret' prenom='Adèle'/>", ""),
        ("<absents><eleve><nom>Noiret</nom><prenom>Adèle</prenom></eleve></absents>", ""),
        ("<animateurs><personne><nom>Noiret</nom><prenom>Adèle</prenom></personne></animateurs>", ""),
        ("", "<responsable><nom>Noiret</nom><prenom>Adèle</prenom></responsable>"),
    ],
)
def test_pupils_are_ready_and_other_people_asked_about(head: str, before: str, inside: str) -> None:
    found = _read(f"{head}<classe>{before}{_PUPILS.format(inside)}</classe>")
    assert found["ready"] == {"Marion Castel", "Louise Ferrer"}
    assert found["ask"] == ({"Adèle Noiret"} if before or inside else set())


def test_text_beside_the_records_is_retained() -> None:
    text = f"<liste titre='Atelier'><lieu>Vannes</lieu>{_PUPILS.format('')} fin <note>voir Adèle Noiret</note></liste>"
    shown = " ".join(line.text for line in read_list_file(text.encode()).lines)
    assert all(
        word in shown for word in ("Atelier", "Vannes", "fin", "voir Adèle Noiret", "Castel", "Louise")
    )


def test_a_file_with_entities_is_refused() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "Marion Castel">]><a><eleve><nom>&b;</nom></eleve></a>'
    with pytest.raises(UnreadableList):
        read_list_file(bomb.encode())
