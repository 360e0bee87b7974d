"""The words for what an import does: French, for the filter `say`; and the sentences of its lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.imports.columns import ImportColumn
from app.domain.imports.imports import Fate, ImportForm
from app.http.pages.typography import say
from app.http.pages.words import Word
from app.language import N_

COLUMNS = {
    ImportColumn.NOTHING: N_("Ne pas lire"),
    ImportColumn.EXTERNAL: N_("Identifiant de la ligne"),
    ImportColumn.ACTIVITY_EXTERNAL: N_("Identifiant de l’activité"),
    ImportColumn.TITLE: N_("Titre de l’activité ou du projet"),
    ImportColumn.KIND: N_("Type d’activité"),
    ImportColumn.STARTS_ON: N_("Date, ou premier jour"),
    ImportColumn.ENDS_ON: N_("Dernier jour"),
    ImportColumn.ACTIVITY_HOURS: N_("Durée de l’activité"),
    ImportColumn.PLACE: N_("Lieu"),
    ImportColumn.FAMILY: N_("Nom de famille"),
    ImportColumn.GIVEN: N_("Prénom"),
    ImportColumn.FAMILY_FIRST: N_("Nom puis prénom"),
    ImportColumn.GIVEN_FIRST: N_("Prénom puis nom"),
    ImportColumn.ADDRESS: N_("Adresse électronique"),
    ImportColumn.PART: N_("Rôle"),
    ImportColumn.HOURS: N_("Heures de la personne"),
    ImportColumn.CONTRIBUTION: N_("Contribution"),
}
FORESEEN = {
    Fate.CREATED: Word(N_("À créer"), "ok"),
    Fate.CHANGED: Word(N_("À corriger ici"), "past"),
    Fate.SAME: Word(N_("Déjà là"), "shut"),
    Fate.REFUSED: Word(N_("Refusée"), "bad"),
}
DONE = {
    Fate.WAITING: Word(N_("En attente"), "shut"),
    Fate.CREATED: Word(N_("Créée"), "ok"),
    Fate.CHANGED: Word(N_("Corrigée"), "past"),
    Fate.SAME: Word(N_("Déjà là"), "shut"),
    Fate.REFUSED: Word(N_("Refusée"), "bad"),
}
FORMS = {
    ImportForm.TABLE: N_("Tableau"),
    ImportForm.API: N_("Programme"),
    ImportForm.XAPI: N_("Énoncés xAPI"),
    ImportForm.CALENDAR: N_("Agenda"),
}
_FACTS = {
    "hours": N_("heures"),
    "part": N_("rôle"),
    "contribution": N_("contribution"),
    "person": N_("personne"),
    "present": N_("présence"),
    "title": N_("titre de l’activité"),
    "kind": N_("type d’activité"),
    "starts_on": N_("premier jour"),
    "ends_on": N_("dernier jour"),
    "place": N_("lieu"),
    "held_on": N_("jour de la séance"),
    "address": N_("adresse électronique"),
}


def reason_of(sentence: str, values: Mapping[str, Any]) -> str:
    """Why a line came out as it did, in the reader's language."""
    if not sentence:
        return ""
    return say(sentence).format(**{name: _shown(value) for name, value in values.items()})


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(say(_FACTS[name]) if name in _FACTS else str(name) for name in value)
    return str(value)
