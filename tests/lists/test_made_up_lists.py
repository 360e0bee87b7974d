"""Sheets and texts made up of usual signs and labels: who was absent or set apart is never ready, and nobody is lost."""

from __future__ import annotations

from random import Random

import pytest

from app.domain.imports.lists.model import Reason, State
from app.services.imports.lists import read_list_text
from tests.support.running.examples import examples

pytestmark = pytest.mark.usefixtures("reading_in_this_process")

PEOPLE = [
    ("Dupont", "Marie"), ("Martin", "Thomas"), ("Mbappe", "Louise"), ("Bernard", "Camille"), ("Kowalczyk", "Aïcha"),
    ("Garcia", "Ewen"), ("Petit", "Nolwenn"), ("Lefebvre", "Paul"), ("Moreau", "Sacha"), ("Roux", "Hugo"),
    ("Benali", "Inès"), ("Girard", "Yanis"), ("Faure", "Chloé"), ("Colin", "Noé"), ("Perrin", "Jade"),
]  # fmt: skip
PRESENT = [
    "x",
    "X",
    "✓",
    "P",
    "1",
    "O",
    "oui",
    "présent",
    "présente",
    "☑",
    "signé",
    "ok",
    "initials",
    "name",
    "time",
]
ABSENT = ["", "A", "a", "abs", "Abs.", "ABS", "absent", "absente", "AI", "AJ", "N", "n", "no", "non", "0", "-", "—", "/", "☐", "✗"]  # fmt: skip
HEADINGS = {
    "presence": ["Présence J1", "Présence J2", "Présence J3", "Présence J4"],
    "sessions": ["Séance 1", "Séance 2", "Séance 3", "Séance 4"],
    "days": ["Lundi", "Mardi", "Mercredi", "Jeudi"],
    "dates": ["02/11/2026", "03/11/2026", "04/11/2026", "05/11/2026"],
    "halves": ["Matin", "Après-midi", "Matin", "Après-midi"],
    "merged": ["", "", "", ""],
    "none": ["", "", "", ""],
}


def sheet(random: Random) -> tuple[str, set[str], set[str]]:
    """A table, and the names of those present and absent in it."""
    people = random.sample(PEOPLE, random.randint(4, 10))
    days, style, mark = random.randint(1, 4), random.choice([*HEADINGS]), random.choice(PRESENT)
    none = random.choice(ABSENT)
    absent = set(random.sample(people, random.randint(1, len(people) // 3)))
    beside = random.choice(["", "Classe", "E-mail"])
    head = ["Nom", "Prénom", *filter(None, [beside]), *HEADINGS[style][:days]]
    blank = [""] * (len(head) - days)
    rows = [head]
    if style == "merged":
        rows = [[*blank, "Lundi 2 novembre", *[""] * (days - 1)], head, [*blank, *HEADINGS["halves"][:days]]]
    for family, given in people:
        signs = {
            "initials": f"{given[0]}{family[0]}",
            "name": family.lower(),
            "time": f"9h{random.randint(0, 9):02d}",
        }
        said = {"": [], "Classe": ["2NDE 3"], "E-mail": [f"{given}.{family}@exemple.fr".lower()]}[beside]
        rows.append(
            [family, given, *said, *[none if (family, given) in absent else signs.get(mark, mark)] * days]
        )
    if random.random() < 0.3:
        rows.append(["Total", str(len(people)), *[""] * (len(head) - 2)])
    names = {(family, given): f"{given} {family}" for family, given in people}
    return (
        "\n".join(";".join(row) for row in rows),
        {names[each] for each in people if each not in absent},
        {names[each] for each in absent},
    )


def test_who_is_absent_on_a_sheet_is_never_ready() -> None:
    for seed in range(examples(300)):
        text, present, absent = sheet(Random(seed))
        lines = read_list_text(text).lines
        assert not absent & {line.name for line in lines if line.state is State.READY}, (seed, text)
        assert present | absent <= {line.name for line in lines}, (seed, text)
        extra = [doubt for line in lines for doubt in line.doubts if doubt.reason is Reason.EXTRA]
        assert all(doubt.word.strip() for doubt in extra), (seed, text)


TAKING_PART = [
    "Présents", "Inscrits", "Participants", "Ont suivi l'atelier", "Validés", "Reçus", "Admis", "Présent(e)s", "Groupe A", "2nde 3",
    "Ont participé", "Étaient présents", "Liste des présents", "Confirmés", "Retenus", "Équipe 1",
]  # fmt: skip
SET_APART = [
    "Absents", "Excusés", "Non présents", "Désistements", "Annulations", "Liste d'attente", "Refusés", "Non validés", "Ajournés",
    "N'ont pas suivi", "Abandons", "À recontacter", "En attente", "Remplaçants", "Encadrants", "Formateurs", "Professeurs",
    "Intervenants", "Tuteurs", "Jury", "Observateurs", "Organisateurs", "Absent(e)s", "Abs", "Absences justifiées", "N'étaient pas là",
    "Pas venus", "Non inscrits", "À exclure", "Démissionnaires", "Exclus", "Partis avant la fin", "Non retenus", "Accompagnateurs",
    "Parents", "Suppléants", "Manquants", "Défections", "Sans réponse", "À relancer", "Malades", "Dispensés", "Non concernés", "Élus",
    "Partenaires", "Entreprises", "Bénévoles", "Secrétariat", "Responsable", "Référents", "Animateurs",
]  # fmt: skip
LABELS = ["{}", "{} :", "{}:", "{} ({n})", "{} : {n}", "## {}", "*{}*", "— {} —", "= {} =", "[{}]", "{} –"]
ROWS = [
    "{g} {f}",
    "{f} {g}",
    "{F} {g}",
    "{g} {F}",
    "- {g} {f}",
    "* {g} {F}",
    "• {F} {g}",
    "{i}. {F} {g}",
    "{i}) {g} {f}",
]


def sections(random: Random) -> tuple[str, set[str], set[str]]:
    """Two labels over names, and the names of those under each."""
    people = random.sample(PEOPLE, random.randint(5, 9))
    apart = random.randint(1, 3)
    label, row = random.choice(LABELS), random.choice(ROWS)
    shape = random.choice([str, str, str, str.upper])

    def section(title: str, members: list[tuple[str, str]]) -> list[str]:
        names = [row.format(g=g, f=f, F=f.upper(), i=i) for i, (f, g) in enumerate(members, 1)]
        return [label.format(shape(title), n=len(members)), *names]

    parts = [
        section(random.choice(TAKING_PART), people[apart:]),
        section(random.choice(SET_APART), people[:apart]),
    ]
    if random.random() < 0.3:
        parts.reverse()
    gap = random.choice([[], [""]])
    names = [f"{given} {family}" for family, given in people]
    return "\n".join([*parts[0], *gap, *parts[1]]), set(names[apart:]), set(names[:apart])


def test_who_stands_under_a_label_that_sets_apart_is_never_ready() -> None:
    for seed in range(examples(300)):
        text, present, apart = sections(Random(seed))
        lines = read_list_text(text).lines
        assert not apart & {line.name for line in lines if line.state is State.READY}, (seed, text)
        assert present | apart <= {line.name for line in lines}, (seed, text)


OF_ANSWERS = [
    "Statut", "État", "Présence", "Résultat", "Décision", "Décision du jury", "Avis", "Observation", "Remarque", "Commentaire", "Suivi",
    "Situation", "Validation", "Appréciation", "Assiduité", "Participation", "Bilan", "Inscription", "Réponse", "Statut inscription",
    "Validé", "Acquis", "Présent", "Venu", "Émargement", "Note", "Jury", "Retour", "Status", "Attendance", "Result", "",
]  # fmt: skip
YES = [
    "présent", "Présente", "validé", "Validée", "acquis", "Acquise", "admis", "admise", "reçu", "reçue", "confirmé", "Confirmée", "oui",
    "OK", "inscrit", "Terminé", "réussi", "a participé", "favorable", "Avis favorable", "très bien", "RAS", "à jour", "complet", "100 %",
    "présent toute la journée", "a suivi tout l'atelier", "badge à donner", "Attended", "Completed", "Passed", "validé le 12/11",
    "oui, présent", "en présentiel", "active", "assidu", "bien", "Félicitations",
]  # fmt: skip
NO_YES = [
    "absent", "Absente", "non validé", "non acquis", "en cours", "En cours d'acquisition", "ajourné", "refusée", "annulé", "non", "KO",
    "désinscrit", "a abandonné", "n'a pas participé", "Avis défavorable", "insuffisant", "à revoir", "à reprendre", "à repasser",
    "incomplet", "0 %", "parti à midi", "n'est pas venu", "pas de badge", "No show", "Not completed", "Failed", "Cancelled", "non présent",
    "démission", "suspendu", "arrêt maladie", "liste d'attente", "en attente de décision", "sous réserve", "à confirmer", "reportée à janvier",
    "pas encore", "jamais venu", "1ère séance seulement", "sans réponse", "injoignable", "a changé d'établissement", "radié", "dispensée",
    "inapte", "à rattraper", "rattrapage", "2e session", "attente justificatif", "Pending", "Excused", "No", "forfait", "désisté",
    "hors délai", "non rendu", "dossier non rendu", "pas terminé", "inachevé", "en échec", "NV", "NA", "non noté", "ABS", "DEF", "DNF",
    "dém.", "n'a pas fini", "ne veut pas de badge", "opposition", "en congé", "stage", "en stage", "transféré", "invalide", "rejeté",
    "non retenu", "invité", "invitation envoyée", "n'a pas répondu", "relancé", "partiel", "moyen", "faible",
]  # fmt: skip


def answers(random: Random) -> tuple[str, set[str], set[str]]:
    """A table with a column of answers or decisions, and the names of those with and without a yes."""
    people = random.sample(PEOPLE, random.randint(4, 9))
    yes = random.sample(YES, random.randint(1, 2))
    no, apart = random.choice(NO_YES), people[: random.randint(1, 2)]
    heading = {
        "f": "Nom",
        "g": "Prénom",
        "w": "Nom et prénom",
        "m": "Mail",
        "c": "Classe",
        "s": random.choice(OF_ANSWERS),
    }
    order, separator = random.choice(["fgs", "gfs", "sfg", "fgms", "ws", "wcs"]), random.choice(";\t,")
    rows = [[heading[each] for each in order]]
    for family, given in random.sample(people, len(people)):
        said = no if (family, given) in apart else random.choice(yes)
        cells = {"f": family, "g": given, "w": f"{family.upper()} {given}", "c": "1MELEC", "s": said}
        cells["m"] = f"{given}.{family}@exemple.fr".lower()
        rows.append([f'"{cells[each]}"' if separator in cells[each] else cells[each] for each in order])
    names = [f"{given} {family}" for family, given in people]
    text = "\n".join(separator.join(row) for row in rows)
    return text, set(names[len(apart) :]), set(names[: len(apart)])


def test_who_has_no_yes_among_answers_is_never_ready() -> None:
    for seed in range(examples(300)):
        text, present, apart = answers(Random(seed))
        lines = read_list_text(text).lines
        assert not apart & {line.name for line in lines if line.state is State.READY}, (seed, text)
        assert present | apart <= {line.name for line in lines}, (seed, text)
