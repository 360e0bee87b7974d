"""Whatever a list says against a person, and wherever it says so, keeps that person from being ready."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.imports.lists.model import State
from app.domain.imports.lists.titles import is_understood
from app.domain.imports.lists.vocabulary.names import fold
from app.services.imports.lists import read_list_file, read_list_text
from tests.lists.documents import xlsx

pytestmark = pytest.mark.usefixtures("reading_in_this_process")

PEOPLE = [("Dupont", "Marie"), ("Lefebvre", "Thomas"), ("Garcia", "Léa"), ("Moreau", "Hugo"), ("Benali", "Sofia"), ("Roux", "Paul")]  # fmt: skip
NAMES = {f"{given} {family}" for family, given in PEOPLE}
LEA, LAST = {"Léa Garcia"}, {"Hugo Moreau", "Sofia Benali", "Paul Roux"}
DENIALS = """absent|absente|excusé|excusée|liste d’attente|désistement|désisté|n’est pas venu|pas venue|ajourné|refusée|non inscrit|annulé|abandon|
démissionnaire|exclu|non participant|a quitté la formation|à confirmer|hospitalisée|décédé|arrêt maladie|congé maternité|non validé|échec|
à supprimer|doublon|ne pas prendre en compte|pas de nouvelles|injoignable|à relancer|formateur|formatrice|intervenante|tuteur|
accompagnateur|jury|père|observateur|maître de stage|auxiliaire|AESH|directrice|invité d’honneur|organisateur|radié|malade|en congé|
changement de groupe|départ anticipé|parti à 10h|n’a pas signé|ne s’est pas présenté|non admis|recalée|no show|déménagé|rayé|suspendue|
injustifié|DEM|NSP|NV|ABI|ABJ|DEF|ND""".replace("\n", "").split("|")  # fmt: skip


def _column(heading: str | None, others: str = "") -> Callable[[str], str]:
    def made(said: str) -> str:
        rows = [
            f"{family};{given};{said if at == 2 else others}" for at, (family, given) in enumerate(PEOPLE)
        ]
        return "\n".join([] if heading is None else [f"Nom;Prénom;{heading}"]) + "\n" + "\n".join(rows)

    return made


def _ticked(yes: str, no: str) -> Callable[[str], str]:
    def made(said: str) -> str:
        rows = [f"{family};{given};{yes if at == 2 else no}" for at, (family, given) in enumerate(PEOPLE)]
        return f"Nom;Prénom;{said}\n" + "\n".join(rows)

    return made


def _beside(pattern: str) -> Callable[[str], str]:
    return lambda said: "\n".join(
        pattern.format(f"{given} {family}", said) if at == 2 else f"{given} {family}"
        for at, (family, given) in enumerate(PEOPLE)
    )


def _label(pattern: str, row: str, above: str = "") -> Callable[[str], str]:
    def made(said: str) -> str:
        rows = [row.format(given=given, family=family) for family, given in PEOPLE]
        return above + "\n".join([*rows[:3], pattern.format(said.capitalize()), *rows[3:]])

    return made


def _sheets(said: str) -> bytes:
    first, second = ([["Nom", "Prénom"], *map(list, part)] for part in (PEOPLE[:3], PEOPLE[3:]))
    return xlsx([{"name": "Inscrits", "table": first}, {"name": said[:30].capitalize(), "table": second}])


FORMS: dict[str, tuple[Callable[[str], str | bytes], set[str]]] = {
    **{
        f"column {heading or 'without heading'}": (_column(heading, others), LEA)
        for heading, others in [
            ("Observations", ""), ("Divers trucs", ""), ("", ""), (None, ""), ("Statut", "inscrit"), ("Statut", ""), ("Rôle", "participant"),
            ("Qualité", "Stagiaire"), ("Groupe", "G1"), ("Heures", "7"), ("Matin", "X"), ("Signature", ""), ("Entreprise", "Mairie de Lyon"),
            ("Téléphone", "06 12 34 56 78"), ("Mail", ""),
        ]
    },
    "ticked": (_ticked("x", ""), LEA),
    "answered": (_ticked("oui", "non"), LEA),
    **{pattern: (_beside(pattern), LEA) for pattern in ("{} ({})", "{} - {}", "{}, {}", "{} {}", "{1} : {0}")},
    "label": (_label("\n{} :", "{given} {family}"), LAST),
    "label in a table": (_label("{} ;;", "{family};{given};3B", "Nom;Prénom;Classe\n"), LAST),
    "title": (lambda said: f"Liste : {said}\n" + _beside("{}")(""), NAMES),
    "title of a table": (lambda said: f"{said};;\n" + _column("Classe", "3B")("3B"), NAMES),
    "sheet": (_sheets, LAST),
}  # fmt: skip
SINGULAR = {"formateur", "formatrice", "intervenante", "organisateur"}
"""« Formatrice : Léa Garcia » names nobody who takes part."""


@pytest.mark.parametrize("form", FORMS)
def test_who_is_denied_is_asked_about(form: str) -> None:
    made, denied = FORMS[form]
    # Every second denial, alternating with the form: each stands in a dozen of them.
    for said in DENIALS[list(FORMS).index(form) % 3 :: 3]:
        data = made(said)
        reading = read_list_file(data if isinstance(data, bytes) else data.encode())
        ready = {line.name for line in reading.in_state(State.READY)}
        assert ready <= NAMES - denied, (said, data)
        asked = " ".join(line.name for line in reading.in_state(State.ASK))
        for name in denied if said not in SINGULAR else ():
            assert all(word in asked for word in name.split()), (said, name, data)


THINGS = """Leroy Merlin|Jean Moulin|Lycée Marie Curie|Garage Martin|Cabinet Dupont & Associés|Maison Blanche|Salle Victor Hugo|12 rue Jean Jaurès|
Saint-Étienne|Aix en Provence|Clermont Ferrand|Crédit Agricole|Louis Vuitton|Hermès Paris|Mission Locale|Léo Lagrange|Restos du Cœur|Bon courage|
Très bien|Assez bien|Pause café|Repas froid|Petit Prince|Mars Avril|Avril Juin|Noël|Marie Stuart|Simone Veil|Blaise Pascal|Antoine de Saint-Exupéry|
Martin Luther King|Groupe Rose|Villa Rose|Air France|Val de Marne|Pays de la Loire|Aide soignant|Chef de projet|Jean Bon|Test Test|Prénom Nom|
John Doe|Toto Tata|Marie Marie|Martin Martin|Invité 1|iPhone de Marc|Mac de Léa|Formation Python|Marie Claire|Rose Marie|Louis Philippe|Jean Paul|
Anne Sophie|Blanche Neige|Merci Marie|Bravo Paul|Bonjour Léa|Vu par Marc Petit|Chez Paul Martin|Bac Pro|Paul Martin RH|Paul Martin, maire|
Famille Martin|Fratrie Martin|Époux Martin|Martin père|Martin Junior|Martin Paul SARL|SCI Martin Paul|Maître Martin|Abbé Pierre|Père Noël|
Sainte Marie|Notre Dame|Grand Paul|Académie de Lyon|UIMM Lyon|INSA Rouen|CFAI Loire|Michelin Clermont|Canton de Genève|vin rose|miel clair""".replace("\n", "").split("|")  # fmt: skip


def _inserted(at: int, row: str, thing: str = "{}", above: str = "") -> Callable[[str], str]:
    def made(said: str) -> str:
        rows = [row.format(given=given, family=family, capitals=family.upper()) for family, given in PEOPLE]
        return above + "\n".join([*rows[:at], thing.format(said), *rows[at:]])

    return made


AROUND: dict[str, Callable[[str], str]] = {
    "between": _inserted(3, "{given} {family}"),
    "above": _inserted(0, "{given} {family}"),
    "above capitals": _inserted(0, "{given} {capitals}"),
    "below": _inserted(6, "{given} {family}"),
    "bullets": _inserted(3, "- {given} {family}", "- {}"),
    "in a table": _inserted(3, "{family};{given};3B", "{};;", "Nom;Prénom;Classe\n"),
    "above a table": lambda said: f"{said};;\n" + _column("Classe", "3B")("3B"),
    "among whole names": _inserted(3, "{given} {family};3B", "{};", "Participant;Classe\n"),
    "beside": lambda said: "\n".join(f"{family};{given};{said}" for family, given in PEOPLE),
    "before": lambda said: "\n".join(f"{said};{family};{given}" for family, given in PEOPLE),
    "mailbox": lambda said: "\n".join([*(f"{g} {f} <{g}.{f}@exemple.fr>" for f, g in PEOPLE), f"{said} <bal@exemple.fr>"]),
}  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
def test_things_are_no_people(around: str) -> None:
    for thing in THINGS[list(AROUND).index(around) % 3 :: 3]:
        text = AROUND[around](thing)
        reading = read_list_file(text.encode())
        assert {line.name for line in reading.in_state(State.READY)} <= NAMES, text
        seen = " ".join(line.name for line in reading.lines if line.state is not State.REFUSED)
        assert all(given in seen for _, given in PEOPLE), text


@pytest.mark.parametrize(
    "title",
    [
        "Liste des inscrits", "Groupe 2", "Atelier bois", "Classe de 3B", "Samedi 12 octobre", "Stagiaires présents", "Feuille de présence",
        "Formation : gestion des absences", "Salle 204 – 14h", "Formateur : Bertrand Vasseur", "Formation de formateurs",
        "Absents : 0", "Candidats admis", "Association de parents d’élèves", "Candidats déclarés admis :", "page 1/2", "Imprimé le 12/03/2026 - page 1",
        "Les personnes suivantes ont suivi la formation :", "Stagiaires ayant obtenu le certificat :", "Félicitations aux nouveaux certifiés !",
    ],
)  # fmt: skip
def test_other_titles_change_nothing(title: str) -> None:
    reading = read_list_file((f"{title};;\n" + _column("Classe", "3B")("3B")).encode())
    assert {line.name for line in reading.in_state(State.READY)} == NAMES


READY_TITLES = """List of participants|Participants list|Sign-in sheet|Attendance list|Attendees: 12 March 2026|Class 3B|Workshop: robotics|Training: first aid|
Lista de participantes|Lista de asistencia|Hoja de firmas|Taller de robótica|Liste der Teilnehmer|Anwesenheitsliste|Klasse 3B|Lehrgang Erste Hilfe|
Séminaire de rentrée|Fête de la science|Sortie au musée|Hackathon 2026|Forum des métiers|Portes ouvertes 2026|Stage de secourisme|Visite de l’usine|
Tournoi d’échecs|Séjour ski|Initiation voile|CACES R489|Habilitation électrique B0|Badge à attribuer :|Robotique|Cuisine|Formation : gestion des absences""".replace("\n", "").split("|")  # fmt: skip
ASKED_TITLES = """Formation : équipe pédagogique|Formation équipe encadrante|Stage formateurs|Formation : accompagnateurs|Forum exposants|Hackathon jury|
Formation échec|CACES R489 échoué|Session de remplacement|Lycée Pôle absentéisme|Atelier vide|Atelier de demain|Atelier des absents|Cours suspendus|
Sortie annulée|Badge à retirer :|Badge à ne pas attribuer :|Workshop cancelled|Class dropouts|List of absentees|Waiting list|Staff list|
Lista de espera|Lista de no asistentes|Clase expulsados|Liste der Abwesenden|Teilnehmer abgemeldet|Seminar krank|Warteliste""".replace("\n", "").split("|")  # fmt: skip


@pytest.mark.parametrize("below", ["{title}\n{names}", "{title};;\n{table}"])
def test_what_activities_and_lists_are_called_asks_nothing_and_what_denies_in_it_asks(below: str) -> None:
    names, table = "\n".join(f"{given} {family}" for family, given in PEOPLE), _column("Classe", "3B")("3B")
    for title in READY_TITLES + ASKED_TITLES:
        reading = read_list_file(below.format(title=title, names=names, table=table).encode())
        ready = {line.name for line in reading.in_state(State.READY)} & NAMES
        assert ready == (NAMES if title in READY_TITLES else set()), title


@pytest.mark.parametrize("values", [["Lyon", "Caen"], ["Saint-Malo"], ["Nord", "Sud"]])
def test_names_of_places_under_zone_ask_nothing(values: list[str]) -> None:
    rows = [f"{family};{given};{values[n % len(values)]}" for n, (family, given) in enumerate(PEOPLE)]
    reading = read_list_file(f"Nom;Prénom;Zone\n{chr(10).join(rows)}".encode())
    assert {line.name for line in reading.in_state(State.READY)} == NAMES


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Newsletter", ("oui", "non")), ("RQTH", ("non", "oui")), ("Terminé", ("12 mars 2026 10:31", "13 mars 2026 9:05")), ("Taille de tee-shirt", ("M", "XL")),
        ("Club", ("AC Nord", "US Sud")), ("Instrument", ("violon", "alto")), ("Naissance", ("né(e) le 12/03/2008", "né(e) le 01/02/2008")),
    ],
)  # fmt: skip
def test_what_does_not_concern_the_badge_makes_no_question(heading: str, cells: tuple[str, str]) -> None:
    rows = [f"{family};{given};{cells[n % 2]}" for n, (family, given) in enumerate(PEOPLE)]
    reading = read_list_file(f"Nom;Prénom;{heading}\n{chr(10).join(rows)}".encode())
    assert {line.name for line in reading.in_state(State.READY)} == NAMES


@pytest.mark.parametrize("sign_off", ["Cordialement,", "Merci", "Merci !", "Cdt", "Amitiés", "thanks"])
def test_sign_off_of_a_message_is_no_remark_about_the_last_person(sign_off: str) -> None:
    people = "\n".join(f"- {given} {family}" for family, given in PEOPLE)
    reading = read_list_file(f"{people}\n{sign_off}\n".encode())
    assert {line.name for line in reading.in_state(State.READY)} == NAMES


_GIVEN = ["Marie", "Thomas", "Louis", "Camille", "Aïcha", "Jean-Pierre", "Ewen", "Nolwenn", "Thierno", "Paul", "Rose", "Sacha", "Duc Anh", "Marie Claude"]  # fmt: skip
_FAMILY = ["Dupont", "Martin", "Mbappe", "Le Goff", "N’Diaye", "Bernard", "Da Silva", "Kowalczyk", "Garcia Lopez", "Ba", "Petit"]  # fmt: skip
_STYLE = st.sampled_from(["{g} {f}", "{f} {g}", "{g} {F}", "{F} {g}", "{F} {G}", "{G} {F}", "{l} {m}"])
_PERSON = st.tuples(st.sampled_from(_GIVEN), st.sampled_from(_FAMILY), _STYLE)


@settings(max_examples=100, derandomize=True)
@given(
    st.lists(_PERSON, min_size=2, max_size=7, unique_by=lambda person: person[:2]),
    st.sampled_from(["", "Participant;Classe\n"]),
)
def test_a_ready_name_written_in_any_order_is_right(people: list[tuple[str, str, str]], heading: str) -> None:
    rows = [
        style.format(g=given, f=family, G=given.upper(), F=family.upper(), l=given.lower(), m=family.lower())
        for given, family, style in people
    ]
    text = heading + "\n".join(f"{row};3B" if heading else row for row in rows)
    right = {(fold(given), fold(family)) for given, family, _ in people}
    for line in read_list_file(text.encode()).in_state(State.READY):
        assert (fold(line.given_name), fold(line.family_name)) in right, (text, line)


@pytest.mark.parametrize(
    "text",
    [
        "{}\nM. Paul Durand",
        "Mme Anne Durand\n{}",
        "{}\nDr Anne Durand",
        "Nom complet\n{}\nMadame Anne DURAND",
        "Membres du bureau\nAnne Durand\nParticipants\n{}",
        "Membres du jury (2)\nAnne Durand\nTél. 04 72 00 00 00\nPaul Durand\nParticipants\n{}",
        "{}\nFormateurs\n\nAnne Durand\n\nPaul Durand",
        "{}\nÉquipe éducative\nAnne Durand",
        "{}\nL’équipe\nAnne Durand",
        "{}\n== Équipe ==\nAnne Durand",
        "{}\nPromotion 2025 (pour mémoire)\nAnne Durand",
        "{}\nMaison Marguerite",
        "{}\nVilla Louise",
        "{}\nLouis XIV",
        "{}\nJean XXIII",
    ],
)
def test_who_is_no_participant_among_them_is_asked_about(text: str) -> None:
    people = "\n".join(f"{given} {family}" for family, given in PEOPLE)
    reading = read_list_file(text.format(people).encode())
    assert {line.name for line in reading.in_state(State.READY)} == NAMES


@pytest.mark.parametrize(
    "heading",
    ["Commercial;Client", "Patient;Praticien", "Pilote;Copilote 1", "Ancien délégué;Nouveau délégué"],
)
def test_both_columns_under_headings_that_name_no_participants_are_asked_about(heading: str) -> None:
    reading = read_list_file(f"{heading}\nAnne Durand;Paul Roux\nLéa Garcia;Hugo Moreau\n".encode())
    assert not reading.in_state(State.READY)
    assert {"Anne Durand", "Paul Roux", "Léa Garcia", "Hugo Moreau"} <= {
        line.name for line in reading.in_state(State.ASK)
    }


def test_a_remark_that_speaks_of_names_is_no_heading() -> None:
    rows = "\n".join(f"{family};{given};" for family, given in PEOPLE)
    reading = read_list_file(
        f"Nom;Prénom;Commentaire\nPetit;Zoé;nom et prénom à vérifier svp\n{rows}".encode()
    )
    assert {line.name for line in reading.in_state(State.READY)} == NAMES
    assert "Zoé Petit" in {line.name for line in reading.in_state(State.ASK)}


def test_pupils_behind_the_name_of_their_schools_are_not_refused() -> None:
    reading = read_list_file("CFA Paul Roux\nCFA Léa Garcia\nCFA Hugo Moreau\n".encode())
    assert {line.name for line in reading.in_state(State.ASK)} >= {"Paul Roux", "Léa Garcia", "Hugo Moreau"}


@pytest.mark.parametrize(
    "text",
    [
        "Nom;Prénom;Statut;Repas du midi;Groupe TD\n"
        + "\n".join(f"{f};{g};{s};{r};TD1" for (f, g), s, r in zip(PEOPLE, ["Alternant", "Initial", "Ouvrier", "Stagiaire FP", "Confirmed", "Retraité"], ["Oui", "Sans porc", "", "Végétarien", "Oui", "Sans gluten"], strict=True)),
        "Inscriptions portes ouvertes\nNom;Prénom;Courriel\n" + "\n".join(f"{f};{g};" for f, g in PEOPLE),
        "Rang;Joueur;Score\n" + "\n".join(f"{n};{g} {f};91{n}" for n, (f, g) in enumerate(PEOPLE, 1)),
        "Nom complet\tAction de l’utilisateur\tHorodatage\n" + "\n".join(f"{g} {f}\tA rejoint la réunion\t24/11/2026 à 09:00" for f, g in PEOPLE),
        "Name,SamAccountName,UserPrincipalName,Enabled\n" + "\n".join(f"{g} {f},{g[0]}{f},{fold(g)}.{fold(f)}@exemple.fr,True" for f, g in PEOPLE),
        "\n".join(f"{f.upper()} {g} 2190443{n}" for n, (f, g) in enumerate(PEOPLE)),
        "\n".join(f"{g} {f} {fold(f)}.{fold(g)}@exemple.fr" for f, g in PEOPLE),
        "\\begin{tabular}{ll}\nNom & Prénom \\\\\n\\hline\n" + "\n".join(f"{f} & {g} \\\\" for f, g in PEOPLE) + "\n\\end{tabular}",
        '{| class="wikitable"\n! Nom !! Prénom !! Groupe\n' + "\n".join(f"|-\n| {f} || {g} || A" for f, g in PEOPLE) + "\n|}",
    ],
)  # fmt: skip
def test_exports_that_deny_nothing_ask_nothing(text: str) -> None:
    reading = read_list_file(text.encode())
    assert {fold(line.name) for line in reading.in_state(State.READY)} == set(map(fold, NAMES))
    assert not [line for line in reading.in_state(State.ASK) if line.given_name and line.family_name]


def test_first_row_that_no_statistics_know_is_no_heading() -> None:
    rows = "\n".join(f"{family.upper()};{given}" for family, given in PEOPLE)
    reading = read_list_file(f"SIVAKUMAR;Kavitha\n{rows}".encode())
    assert {line.name for line in reading.in_state(State.READY)} >= NAMES


@pytest.mark.parametrize(
    "name",
    ["Mickey Mouse", "Donald Duck", "John Doe", "Jane Doe", "Harry Potter", "Sarah Croche", "Jacques Ouzy", "Toto Titi", "Foo Bar", "Azerty Qwerty", "Anonyme Anonyme", "Frère Petit", "Merlin Leroy", "Paul Paul"],
)  # fmt: skip
@pytest.mark.parametrize(
    "form", ["Nom;Prénom\n{1};{0}", "Prénom\tNom\n{0}\t{1}", "{0} {1}", "{1} {0}", "{1}, {0}"]
)
def test_examples_characters_and_terms_in_place_of_a_name_are_asked_about(name: str, form: str) -> None:
    heading, _, row = form.rpartition("\n")
    rows = [row.format(given, family) for family, given in [*PEOPLE, tuple(reversed(name.split()))]]
    reading = read_list_file("\n".join([heading, *rows]).strip().encode())
    ready = {frozenset(fold(line.name).split()) for line in reading.in_state(State.READY)}
    assert frozenset(fold(name).split()) not in ready
    assert fold(name.split()[0]) in fold(" ".join(line.text for line in reading.in_state(State.ASK)))


def test_records_pasted_on_one_line_are_read_as_their_file_is() -> None:
    rows = "".join(f"<eleve><nom>{f}</nom><prenom>{g}</prenom></eleve>" for f, g in PEOPLE)
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?><eleves>{rows}</eleves>'
    assert {line.name for line in read_list_text(text).in_state(State.READY)} == NAMES
    assert {line.name for line in read_list_text("<Léa Garcia>\nPaul Roux").lines} >= {"Paul Roux"}


def test_an_order_that_most_names_contradict_is_asked_about() -> None:
    text = "Chambre Olympe\nLéa Moulins\nThomas Lefebvre\nChambre Joséphine\nHugo Moreau\nPaul Roux"
    ready = {line.family_name for line in read_list_text(text).in_state(State.READY)}
    assert "Chambre" not in ready


def test_a_name_apart_at_the_end_of_a_list_is_asked_about() -> None:
    rows = "\n".join(f"{given} {family.upper()}" for family, given in PEOPLE)
    reading = read_list_text(f"Participants :\n{rows}\n\nIrène MARCHAND\nTél. 02 38 00 00 00")
    assert {line.name for line in reading.in_state(State.READY)} == NAMES


@pytest.mark.parametrize(
    ("values", "odd"),
    [("Checked In|Attending", "Attending"), ("Présent|Inscrit", "Inscrit"), ("Oui|(Oui)", "(Oui)")],
)
def test_a_value_that_says_less_than_that_of_the_others_is_asked_about(values: str, odd: str) -> None:
    usual = values.partition("|")[0]
    rows = "\n".join(f"{f};{g};{odd if g == 'Léa' else usual}" for f, g in PEOPLE)
    reading = read_list_file(f"Nom;Prénom;Statut\n{rows}\n".encode())
    assert {line.name for line in reading.in_state(State.READY)} == NAMES - LEA


@pytest.mark.parametrize(
    "heading",
    ["Apellidos;Nombre;Correo electrónico", "Nachname;Vorname;E-Mail", "Cognome;Nome;Email", "Soyadı;Adı;E-posta", "Nazwisko;Imię;E-mail"],
)  # fmt: skip
def test_headings_of_other_languages_name_both_halves(heading: str) -> None:
    rows = "\n".join(f"{f};{g};{fold(g)}.{fold(f)}@exemple.fr" for f, g in PEOPLE)
    reading = read_list_file(f"{heading}\n{rows}\n".encode())
    assert {line.name for line in reading.in_state(State.READY)} == NAMES


@pytest.mark.parametrize(
    ("heading", "values"),
    [
        ("Statut", ["En formation"] * 6), ("Module 1", ["Achevé"] * 6), ("Résultat", ["Validation totale"] * 6),
        ("Temps utilisé", ["22 min 5 s", "18 min", "1 h 2 min", "31 min 40 s", "25 min", "19 min 9 s"]),
        ("CreationDate", ["2026-11-12 09:12"] * 6), ("Avez-vous apprécié l’atelier ?", ["Oui"] * 6),
        ("Fonction", ["Aide-soignante", "Aide-soignant"] * 3), ("Arrêt de car", ["Gare", "Mairie", "Gare"] * 2),
    ],
)  # fmt: skip
def test_what_says_nothing_against_a_person_asks_nothing(heading: str, values: list[str]) -> None:
    rows = "\n".join(f"{f};{g};{value}" for (f, g), value in zip(PEOPLE, values, strict=True))
    reading = read_list_file(f"Nom;Prénom;{heading}\n{rows}\n".encode())
    assert {line.name for line in reading.in_state(State.READY)} == NAMES


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("Le Maire,\n", "Odile BRUN"), ("", "→ Odile BRUN"), ("", "/Odile BRUN/"), ("", "Alain PROVISTE"), ("", "ROGER Rabbit"),
    ],
)  # fmt: skip
def test_a_line_introduced_or_marked_otherwise_than_all_others_is_asked_about(before: str, line: str) -> None:
    rows = "\n".join(f"{given} {family.upper()}" for family, given in PEOPLE)
    assert {one.name for one in read_list_text(f"{rows}\n{before}{line}").in_state(State.READY)} == NAMES


def test_no_under_a_doubly_negated_heading_is_no_presence() -> None:
    rows = "\n".join(f"{f};{g};{'non' if g == 'Léa' else 'oui'}" for f, g in PEOPLE)
    reading = read_list_file(f"Nom;Prénom;Non absent\n{rows}\n".encode())
    assert not LEA & {line.name for line in reading.in_state(State.READY)}


def test_names_on_a_sheet_of_labels_are_equal() -> None:
    names = [f"{given} {family.upper()}" for family, given in PEOPLE]
    reading = read_list_file(xlsx([{"table": [names[:3], names[3:]]}]))
    assert {line.name for line in reading.in_state(State.READY)} == NAMES


@pytest.mark.parametrize(
    "heading",
    ["CodeEtu;NomUsuel;Prenom", "Code;Given names;Family name", "Code;Participant's first name;Participant's family name", "Code FFE;Joueur;Elo"],
)  # fmt: skip
def test_joined_english_and_lone_headings_are_understood(heading: str) -> None:
    whole, given_first = "Joueur" in heading, heading.lower().find("prenom") < 0
    rows = "\n".join(
        f"A{n}12;{f} {g};9{n}" if whole else f"A{n}12;{g};{f}" if given_first else f"A{n}12;{f};{g}"
        for n, (f, g) in enumerate(PEOPLE)
    )
    reading = read_list_file(f"{heading}\n{rows}\n".encode())
    assert {line.name for line in reading.in_state(State.READY)} == NAMES


@pytest.mark.parametrize(
    ("heading", "value"),
    [("Test", "Réussi"), ("Niveau atteint", "B1"), ("Épreuve physique", "OK"), ("Étage", "1"), ("CACES", "R489 cat. 3"), ("Questions", "0")],
)  # fmt: skip
def test_results_levels_and_counts_ask_nothing(heading: str, value: str) -> None:
    rows = "\n".join(f"{f};{g};{value}" for f, g in PEOPLE)
    reading = read_list_file(f"Nom;Prénom;{heading}\n{rows}\n".encode())
    assert {line.name for line in reading.in_state(State.READY)} == NAMES


def test_given_names_under_the_heading_of_family_names_are_asked_about_whatever_the_address_is_made_of() -> (
    None
):
    rows = "".join(
        f"{g};{f};{g.lower()}.{f.lower()}@exemple.fr\n"
        for g, f in (("Noémie", "Etxeberria"), ("Emma", "Cazenave"))
    )
    assert not read_list_file(f"Nom;Prénom;Mail\n{rows}".encode()).in_state(State.READY)


@pytest.mark.parametrize("row", ["Martin;Zorbule", "Bar;Foozy", "Blick;Block"])
def test_a_name_that_only_no_dictionary_knows_is_asked_about(row: str) -> None:
    rows = "\n".join(";".join(one) for one in PEOPLE)
    assert {
        line.name for line in read_list_file(f"Nom;Prénom\n{rows}\n{row}\n".encode()).in_state(State.READY)
    } == NAMES
    first, second = row.split(";")
    assert not read_list_text(f"{second} {first}\nWxyl Abrq").in_state(State.READY)


def test_of_two_groups_of_names_that_no_heading_explains_nobody_is_ready() -> None:
    rows = "Martin;Léa;Petit;Tom\nRoux;Eva;Garcia;Hugo\n"
    text = f"Nom du grand;Prénom du grand;Nom du petit;Prénom du petit\n{rows}"
    assert not read_list_text(text).in_state(State.READY)
    text = f"Nom adulte;Prénom adulte;Nom enfant;Prénom enfant\n{rows}"
    assert {line.name for line in read_list_text(text).in_state(State.READY)} == {"Tom Petit", "Hugo Garcia"}


@pytest.mark.parametrize(
    ("heading", "usual", "odd"),
    [("Au", "06/11/2026", "03/11/2026"), ("Session choisie", "12 novembre", "3 décembre")],
)
def test_another_end_or_session_than_that_of_the_others_is_asked_about(
    heading: str, usual: str, odd: str
) -> None:
    rows = "\n".join(f"{f};{g};{odd if g == 'Léa' else usual}" for f, g in PEOPLE)
    reading = read_list_file(f"Nom;Prénom;{heading}\n{rows}\n".encode())
    assert {line.name for line in reading.in_state(State.READY)} == NAMES - LEA


_UNKNOWN_TEXT = [
    "Gelés",
    "Table des consignés",
    "Pour plus tard",
    "À qui le tour",
    "Ceux qui ont calé",
    "Dossiers au placard",
]


@pytest.mark.parametrize("text", _UNKNOWN_TEXT)
def test_who_stands_below_text_that_is_not_understood_is_asked_about(text: str) -> None:
    names = [f"{given} {family}" for family, given in PEOPLE]
    for at in (0, 3, len(names)):
        found = read_list_file("\n".join([*names[:at], text, *names[at:]]).encode())
        assert not {line.name for line in found.in_state(State.READY)} & set(names[at:] or names), (text, at)


@pytest.mark.parametrize(
    "title",
    [
        "Atelier « Réparer son vélo » – 12 mars", "Feuille d'émargement - Sauveteur secouriste du travail", "CFA des Collines – Groupe BP COIF 2", "Bonjour Claire,",
        "Voici la liste des participants à l'atelier de mardi :", "Fait à Angers, le 18 mai 2024", "Formatrice : Mme Maryse DUCHEMIN", "Absents : 0", "Page 1/2",
    ],
)  # fmt: skip
def test_what_lists_are_called_is_understood(title: str) -> None:
    assert is_understood(title, of_topic=title.startswith("Fait"))


@pytest.mark.parametrize(
    "title",
    [
        "Atelier vélo annulé", "Formation non suivie", "Session du 3 mars – désistements", "Liste des consignés", "Inscrits sauf ceux de mardi", "Le groupe 2 passera en mai",
        "Participants à relancer", "En entreprise", "Atelier vélo ?", "* badge obtenu", "Les deux derniers", "Noms en gras : présents",
    ],
)  # fmt: skip
def test_what_may_say_more_of_people_is_not_understood(title: str) -> None:
    assert not is_understood(title)


def test_unknown_text_of_a_column_without_a_known_heading_is_asked_about() -> None:
    for cell in ("gelé", "consigné", "au placard"):
        rows = [f"{family};{given};{cell}" for family, given in PEOPLE]
        found = read_list_file(f"Nom;Prénom;Zone\n{chr(10).join(rows)}".encode())
        assert not found.in_state(State.READY), cell


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1. ROUX Yann\n2. RASOLOFO\nANDRIANTSOA Marie\n3. PETIT Paul\n4. SAADI Walid", "Marie Rasolofo Andriantsoa"),
        ("Nom Prénom\tVille\nVANDENBROUCKE-\t\nLEMAIRE Hortense\tLyon\nPETIT Paul\tLyon", "Hortense Vandenbroucke-Lemaire"),
    ],
)  # fmt: skip
def test_a_name_cut_over_two_lines_is_one_question(text: str, name: str) -> None:
    assert name in {line.name for line in read_list_file(text.encode()).in_state(State.ASK)}


def test_a_family_name_that_slipped_by_a_row_is_shown_by_the_addresses() -> None:
    rows = "Alban;Crozier;alban.crozier@x.fr\nFatou;Seydi;fatou.seydi@x.fr\nKarim;Streiff;karim.rabah@x.fr"
    found = read_list_file(f"Prénom;Nom;Courriel\n{rows}".encode())
    assert {line.name for line in found.in_state(State.READY)} == {"Alban Crozier", "Fatou Seydi"}


def test_an_order_that_other_names_contradict_is_asked_about() -> None:
    found = read_list_file("  Léonie  Charvet\n Amar Ghilas\nWendy  Petit\nCyrille  Oberlé".encode())
    assert "Ghilas Amar" not in {line.name for line in found.in_state(State.READY)}


def test_who_is_in_copy_of_a_message_without_recipients_is_asked_about() -> None:
    text = "De : Anne Roux <anne.roux@x.fr>\nDate : mardi 10 novembre 2026\nCc : Paul Petit <paul.petit@x.fr>\nObjet : Liste\n\nParticipants :\nJérôme Morel\nLéa Garcia"
    found = read_list_file(text.encode())
    assert {line.name for line in found.in_state(State.READY)} == {"Jérôme Morel", "Léa Garcia"}


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("Nom;Prénom;Repas\nMartin;Chloé;oui\nPetit;Hugo;hors formation\nRoux;Inès;oui", {"Chloé Martin", "Inès Roux"}),
        ("Chloé Martin\nHugo Petit (matin)\nInès Roux\nAwa Faye (matin)", {"Chloé Martin", "Inès Roux"}),
        ("Nom de scène;Prénom\nMoon;Hugo\nSky;Inès", set()),
    ],
)  # fmt: skip
def test_what_sets_a_person_apart_beside_a_name_is_asked_about(text: str, ready: set[str]) -> None:
    assert {line.name for line in read_list_file(text.encode()).in_state(State.READY)} == ready
