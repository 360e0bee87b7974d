"""Ordinary lists ask little, and what looks like them without being so is asked about."""

from __future__ import annotations

import io

import pytest
from xlsxwriter import Workbook

from app.domain.imports.lists.model import Reading, State
from app.domain.imports.lists.titles import is_understood
from app.domain.imports.lists.vocabulary.others import names_an_organisation
from app.domain.imports.lists.vocabulary.remarks import is_of_document
from app.services.imports.lists import read_list_file, read_list_text
from tests.lists.documents import archive

pytestmark = pytest.mark.usefixtures("reading_in_this_process")


def ready_in(reading: Reading) -> list[str]:
    return [line.name for line in reading.in_state(State.READY)]


ROWS = [("Dupont", "Marie"), ("Lefebvre", "Thomas"), ("Garcia", "Léa"), ("Moreau", "Hugo"), ("Benali", "Sofia"), ("Roux", "Paul")]  # fmt: skip


def below(heading: str, values: list[str]) -> str:
    rows = [f"{family};{given};{values[at % len(values)]}" for at, (family, given) in enumerate(ROWS)]
    return "\n".join([f"Nom;Prénom;{heading}", *rows])


@pytest.mark.parametrize(
    ("heading", "values"),
    [
        ("Prof. principal", ["Mme GAUDRY S."]),
        ("Examinateur", ["Pr Anselme Viguier", "Dr Ruth Keller"]),
        ("Composante", ["UFR Sciences", "Faculté de droit"]),
        ("Salle d’attente", ["Non"]),
        ("Réglé", ["CB", "espèces", "chèque"]),
        ("Statut", ["Participant confirmé"]),
        ("Affectation", ["Admis définitif"]),
        ("Armement", ["Pêcheries de Men Du", "Armement Le Bivic"]),
        ("10/11;11/11", ["x;Férié"]),
        ("Dernier accès", ["2 jours 3 heures", "maintenant", "1 heure"]),
        ("Autorisez-vous l’envoi ?", ["Oui"]),
        ("OPT", ["LV2 ESP", "LV2 ALL", "LV2 ESP"]),
    ],
)
def test_what_concerns_nobody_in_particular_asks_nothing(heading: str, values: list[str]) -> None:
    assert len(ready_in(read_list_text(below(heading, values)))) == len(ROWS)


@pytest.mark.parametrize(
    ("heading", "values"),
    [
        ("Dernier accès", ["2 jours 3 heures", "Jamais", "1 heure"]),
        ("Autorisez-vous l’envoi ?", ["Oui", "Non", "Oui"]),
        ("Autorisez-vous l’envoi du badge ?", ["Oui", "pas encore", "Oui"]),
        ("OPT", ["LV2 ESP", "absent", "LV2 ESP"]),
        ("Armement", ["Pêcheries de Men Du", "non admis", "Armement Le Bivic"]),
        ("Remplace", ["Luc Petit", "Armement Le Bivic", "Pêcheries de Men Du"]),
        ("Avis", ["Liste Noire", "Armement Le Bivic", "Pêcheries de Men Du"]),
        *(
            (heading, ["", day, ""])
            for heading in ("Sorti le", "Radié le", "Date de fin", "Quitte l’établissement le", "Left on")
            for day in ("12/12/2025", "2025-12-12", "12 décembre 2025")
        ),
    ],
)
def test_what_may_deny_one_of_them_is_asked_about(heading: str, values: list[str]) -> None:
    assert len(ready_in(read_list_text(below(heading, values)))) < len(ROWS)


@pytest.mark.parametrize(
    "text",
    [
        "Place A12 – Léa Martin\nPlace A13 – Tom Petit\nPlace B1 – Inès Roux",
        "Dossard 214 : Léa Martin\nDossard 215 : Tom Petit\nDossard 216 : Inès Roux",
        "Dossard 214 Léa Martin\nDossard 215 Tom Petit\nDossard 216 Inès Roux",
        "Léa Martin (02:01:10)\nTom Petit (01:58:00)\nInès Roux (02:00:00)",
        "Léa Martin (EHPAD Les Tilleuls)\nTom Petit (Crédit Local)\nInès Roux (Cabinet Orsel)",
        "Cci : « Léa Martin » <lea.martin@exemple.fr>, Tom Petit <tom.petit@exemple.fr>, Inès Roux <ines.roux@exemple.fr>",
        "NOM / Prénom;Classe\nMARTIN / Léa;3A\nPETIT / Tom;3B\nROUX / Inès;3A",
        "Nom;Prénom;Courriel école\nMartin;Léa;lea.martin@ecole.fr\nPetit;Tom;tom.petit@ecole.fr\nRoux;Inès;ines.roux@ecole.fr",
        "Nom – Prénom;Lieu de stage;Chambre\nMARTIN Léa;Crédit Local;3\nPETIT Tom;Cabinet Orsel;4\nROUX Inès;Cabinet Orsel;5",
        "- [x] Léa Martin\n- [x] Tom Petit\n- [ ] Paul Garcia\n- [x] Inès Roux",
        "Nom,Prénom,SIGNATURE TIME\nMartin,Léa,2026-11-18T08:03:12Z\nPetit,Tom,2026-11-18T08:07:12Z\nRoux,Inès,2026-11-18T08:09:12Z\nGarcia,Paul,",
        "Voici les jeunes venus à l’atelier de mercredi :\n- Léa Martin\n- Tom Petit\n- Inès Roux",
    ],
)
def test_numbers_durations_and_places_beside_a_name_are_no_question(text: str) -> None:
    assert ready_in(read_list_text(text)) == ["Léa Martin", "Tom Petit", "Inès Roux"]


def test_no_time_at_all_in_brackets_is_asked_about() -> None:
    text = "Léa Martin (02:01:10)\nTom Petit (00:00:00)\nInès Roux (00:03:00)\nPaul Garcia (02:00:00)"
    assert ready_in(read_list_text(text)) == ["Léa Martin", "Paul Garcia"]


def test_a_ditto_at_the_start_of_a_line_opens_no_quotation() -> None:
    text = 'Nom;Prénom\nMartin;Léa\n";Tom\n";Inès\nRoux;Paul'
    assert ready_in(read_list_text(text)) == ["Léa Martin", "Tom Martin", "Inès Martin", "Paul Roux"]


@pytest.mark.parametrize("sign", ["-//-", "-''-", '-"-', "–//–"])
def test_a_ditto_between_dashes_is_the_name_above(sign: str) -> None:
    found = read_list_text(f"Nom;Prénom;Classe\nMartin;Léa;1A\n{sign};Tom;1A\nRoux;Paul;1A")
    assert [line.name for line in found.lines if line.given_name] == ["Léa Martin", "Tom Martin", "Paul Roux"]


@pytest.mark.parametrize(
    ("text", "half"),
    [
        ("LE TALLEC Romane\nVAN DER\nMEERSCH Ludovic\nPETIT Tom", "Ludovic Meersch"),
        ("LE TALLEC Romane\nGARCIA\nLOPEZ Ana\nPETIT Tom", "Ana Lopez"),
        ("LE TALLEC Romane\nSAINT-JEAN Marie\nSophie\nPETIT Tom", "Marie Saint-Jean"),
    ],
)
def test_half_of_a_name_that_is_broken_over_two_lines_is_asked_about(text: str, half: str) -> None:
    found = read_list_text(text)
    assert half not in ready_in(found)
    assert set(half.split()) <= {word for line in found.in_state(State.ASK) for word in line.name.split()}


def test_an_order_that_no_other_line_shows_is_asked_about() -> None:
    text = "Martin Thomas\nLaurent Simon\nBernard Alexis\nCamille Dominique\nPaul André\nVincent Gilles"
    assert ready_in(read_list_text(text)) == []


def test_records_with_a_line_between_them_keep_their_people() -> None:
    fields = [("LE GALL", "Yann-Vari"), ("SANTANA", "Ilda"), ("MOHAMED ALI", "Chadhouli")]
    text = "\n-----\n".join(
        f"Fiche n° {at}\nNOM : {family}\nPrénom : {given}\nProfession : menuisier"
        for at, (family, given) in enumerate(fields, 1)
    )
    names = {line.name for line in read_list_text(text).lines if line.state is not State.REFUSED}
    assert {"Yann-Vari Le Gall", "Ilda Santana", "Chadhouli Mohamed Ali"} <= names


def test_a_family_name_with_an_apostrophe_is_no_denial() -> None:
    lines = read_list_text("Léa MARTIN\nN'GORAN\nTom PETIT\nInès ROUX").lines
    assert not any(doubt.reason.value == "withdrawn" for line in lines for doubt in line.doubts)


@pytest.mark.parametrize(
    "title",
    ["PLAN DE DÉVELOPPEMENT DES COMPÉTENCES", "Site : Usine de Brégançon", "Garantie jeunes – groupe 14", "1. Résumé", "Ambassadeurs du tri 2026", "Formation des délégués",
     "Édité par S. Lemoigne", "Zone artisanale des Ajoncs", "ATELIER MÉMOIRE – CCAS – 18 nov."],
)  # fmt: skip
def test_titles_of_ordinary_lists_are_understood(title: str) -> None:
    assert is_understood(title)


@pytest.mark.parametrize(
    "title", ["Comité de pilotage", "Édité sans les absents", "Formateurs", "Plan B – recalés"]
)
def test_titles_that_may_set_people_apart_are_not(title: str) -> None:
    assert not is_understood(title)


def test_organisations_are_told_from_people_and_states() -> None:
    assert all(map(names_an_organisation, ["EHPAD Les Tilleuls", "Charpentes Abalain", "Interbois"]))
    assert not any(map(names_an_organisation, ["Luc Petit", "Recalé", "à revoir", "DEM", "Note Refusée"]))
    assert not is_of_document("Liste des absents")


@pytest.mark.parametrize(
    "note",
    ["Hors Délai", "Auditeur Libre", "Viendra Jeudi", "Sous Réserve", "Insuffisante", "Sick Leave", "Guest Speaker", "Suplente", "Mi-Temps", "Voir Anne", "Hôpital"],
)  # fmt: skip
def test_words_with_capitals_are_no_organisation(note: str) -> None:
    assert not names_an_organisation(note)
    text = f"Marie Dupont ({note})\nThomas Lefebvre (Interbois)\nLéa Garcia (Crédit Local)"
    assert "Marie Dupont" not in ready_in(read_list_text(text))


@pytest.mark.parametrize(
    ("heading", "values"),
    [
        ("Last access", ["2 days", "Never", "now", "1 hour", "1 day", "3 days"]),
        ("Dernier accès", ["2 jours", "-", "maintenant", "1 heure", "1 jour", "3 jours"]),
        ("Accès", ["Participant", "Formateur", "Participant", "Participant", "Participant", "Participant"]),
        ("Access", ["granted", "revoked", "granted", "granted", "granted", "granted"]),
        ("Rattachement", ["Alstom", "Withdrawn", "Interbois", "Charpentes Abalain", "Cabinet Orsel", "Crédit Local"]),
        ("Place", ["1", "", "3", "4", "5", "6"]),
        ("Stand", ["x", "", "x", "x", "x", "x"]),
        ("11/11", ["Férié"]),
        ("In Waiting Room", ["No", "Yes", "No", "No", "No", "No"]),
        ("Salle d’attente", ["Non", "Oui", "Non", "Non", "Non", "Non"]),
        ("Last access", ["2026-11-12 10:00", "never", "2026-11-12 10:00"]),
        ("UF", ["x", "", "x", "x", "x", "x"]),
        ("Lieu de stage", ["Interbois", "", "Interbois", "Interbois", "Interbois", "Interbois"]),
        ("Qualité", ["Candidat", "Jurée", "Candidat", "Jurée", "Présidente", "Présidente"]),
        ("Catégorie", ["Participant", "Exposant", "Participant", "Exposant", "Intervenant", "Intervenant"]),
        ("Fonction", ["Student", "Speaker", "Student", "Speaker", "Lecturer", "Lecturer"]),
    ],
)  # fmt: skip
def test_who_differs_below_a_plain_heading_is_asked_about(heading: str, values: list[str]) -> None:
    assert "Thomas Lefebvre" not in ready_in(read_list_text(below(heading, values)))


@pytest.mark.parametrize(
    "title",
    ["Émargement des formateurs", "Émargement du jury", "Émargement des visiteurs", "Signatures des observateurs", "Emargement des invités", "On leave"],
)  # fmt: skip
def test_a_title_above_people_of_another_part_sets_them_apart(title: str) -> None:
    rows = "Nom;Prénom;Classe\nDubois;Anne;3A\nLeroy;Marc;3A\n"
    table = f"{rows}{title};;\nMartin;Léa;3A\nPetit;Tom;3A\nRoux;Inès;3A"
    assert not {"Léa Martin", "Tom Petit", "Inès Roux"} & set(ready_in(read_list_text(table)))
    assert ready_in(read_list_text(f"{title}\nLéa Martin\nTom Petit\nInès Roux")) == []


def test_signatures_that_are_announced_below_a_list_concern_nobody_in_it() -> None:
    text = "Nom;Prénom\nMartin;Léa\nPetit;Tom\nRoux;Inès\nSignatures des formateurs :;"
    assert ready_in(read_list_text(text)) == ["Léa Martin", "Tom Petit", "Inès Roux"]


@pytest.mark.parametrize("people", ["Visiteurs", "Élus", "Bénévoles", "Parents", "Formateurs"])
def test_people_of_another_part_who_took_part_are_asked_about(people: str) -> None:
    text = f"{people} ayant assisté :\n- Léa Martin\n- Tom Petit\n- Inès Roux"
    assert ready_in(read_list_text(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "Cc : Léa Martin <lea.martin@exemple.fr>, Anne Roy <anne.roy@exemple.fr>",
        "Léa Martin (45:10)\nTom Petit (44:58)\nInès Roux (00:12)",
        "Atelier vélo – LC\nLéa Martin\nTom Petit\nInès Roux",
        *(
            "\n-----\n".join(
                f"{part} {at}\nNOM : {family}\nPrénom : {given}"
                for at, (family, given) in enumerate([("LE GALL", "Yann"), ("SANTANA", "Ilda"), ("ROUX", "Inès")], 1)
            )
            for part in ("Tuteur", "Formatrice", "Excusé")
        ),
    ],
)  # fmt: skip
def test_copies_minutes_and_records_of_others_are_asked_about(text: str) -> None:
    assert ready_in(read_list_text(text)) == []


def test_a_state_after_a_slash_is_no_given_name() -> None:
    text = "NOM / Prénom;Classe\nMARTIN / Léa;3A\nPETIT / exc;3B\nROUX / Absent;3A"
    assert ready_in(read_list_text(text)) == ["Léa Martin"]


@pytest.mark.parametrize("first", ["sep=;", "Liste de distribution"])
def test_what_a_program_writes_above_a_table_is_no_question(first: str) -> None:
    assert len(ready_in(read_list_text(f"{first}\n{below('Classe', ['3A'])}"))) == len(ROWS)


@pytest.mark.parametrize("marks", [",;", ";\t", "\t,"])
def test_a_table_below_one_with_another_separator_keeps_its_own(marks: str) -> None:
    first, other = marks
    text = f"NOM{first}PRENOM\nMartin{first}Léa\nPetit{first}Tom\nNOM{other}PRENOM\nRoux{other}Inès\nGarcia{other}Paul"
    assert ready_in(read_list_text(text)) == ["Léa Martin", "Tom Petit", "Inès Roux", "Paul Garcia"]


def test_a_row_that_slipped_to_the_right_is_no_question_about_the_others() -> None:
    text = "Nom;Prénom;Classe\nMartin;Léa;3A\nPetit;Tom;3B\n;Garcia;Paul;3A\nRoux;Inès;3B"
    assert ready_in(read_list_text(text)) == ["Léa Martin", "Tom Petit", "Inès Roux"]


PEOPLE = [("Martin", "Léa"), ("Petit", "Tom"), ("Roux", "Inès")]
BOXES = ["lea.martin@ecole.fr", "tom.petit@ecole.fr", "ines.roux@ecole.fr"]


@pytest.mark.parametrize("column", [0, 2])
def test_addresses_that_cells_of_a_workbook_lead_to_are_read(column: int) -> None:
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Nom", "Prénom", "Contact"])
        for number, (person, address) in enumerate(zip(PEOPLE, BOXES, strict=True), 1):
            cells = [*person, "écrire"]
            sheet.write_row(number, 0, cells)
            sheet.write_url(number, column, f"mailto:{address}?subject=Atelier", string=cells[column])
    assert [line.address for line in read_list_file(made.getvalue()).in_state(State.READY)] == BOXES


def test_an_address_that_a_tutors_cell_leads_to_is_asked_about() -> None:
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Nom", "Prénom", "Tuteur"])
        for number, person in enumerate(PEOPLE, 1):
            sheet.write_row(number, 0, person)
            sheet.write_url(number, 2, f"mailto:garage.dupuis{number}@example.org", string="M. Dupuis")
    assert read_list_file(made.getvalue()).in_state(State.READY) == []


def test_addresses_that_names_in_a_document_lead_to_are_read() -> None:
    office = "http://schemas.openxmlformats.org"
    lines = "".join(
        f'<w:p><w:hyperlink r:id="rId{number}"><w:r><w:t>{given} {family}</w:t></w:r></w:hyperlink></w:p>'
        for number, (family, given) in enumerate(PEOPLE)
    )
    targets = "".join(
        f'<Relationship Id="rId{number}" Type="{office}/officeDocument/2006/relationships/hyperlink" Target="mailto:{address}" TargetMode="External"/>'
        for number, address in enumerate(BOXES)
    )
    document = archive(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": f'<w:document xmlns:w="{office}/wordprocessingml/2006/main" xmlns:r="{office}/officeDocument/2006/relationships"><w:body>{lines}</w:body></w:document>',
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{office}/package/2006/relationships">{targets}</Relationships>',
        }
    )
    assert [line.address for line in read_list_file(document).in_state(State.READY)] == BOXES


@pytest.mark.parametrize(
    "name",
    ["VŽronique;MARTIN;v.martin@ecole.fr", "InŠs;MARTIN;i.martin@ecole.fr", "ƒric;MARTIN;", "Anne;None;"],
)
def test_what_another_program_made_of_a_name_is_asked_about(name: str) -> None:
    text = f"Prénom;Nom;E-mail\n{name}\nAna;ŠIMIĆ;a.simic@ecole.fr\nHugo;ROUX;h.roux@ecole.fr\nInès;FAYE;"
    assert ready_in(read_list_text(text)) == ["Ana Šimić", "Hugo Roux", "Inès Faye"]


@pytest.mark.parametrize("between", ["", "\n", "Page 1/2\n", "(suite)\n", "\n- 2 -\n\n"])
@pytest.mark.parametrize(
    ("halves", "numbers", "name"),
    [
        (("N'GORAN", "Aya Prisca"), ("", ""), "Aya Prisca N'Goran"),
        (("Aya Prisca", "N'GORAN"), ("", ""), "Aya Prisca N'Goran"),
        (("KERBRAT", "Marie Laure"), ("2. ", "3. "), "Marie Laure Kerbrat"),
    ],
)
def test_name_that_a_page_broke_into_two_lines_is_one_question(
    halves: tuple[str, str], numbers: tuple[str, str], name: str, between: str
) -> None:
    first, after = ("1. ", numbers[1]) if numbers[0] else ("", "")
    others = ["DURAND Paul", "PETIT Léa", "ROUX Tom"]
    if halves[1].isupper():
        others = [" ".join(reversed(one.split())) for one in others]
    above, *below = others
    rest = "".join(f"\n{after}{one}" for one in below)
    text = f"{first}{above}\n{numbers[0]}{halves[0]}\n{between}{halves[1]}{rest}"
    reading = read_list_text(text)
    assert [line.name for line in reading.in_state(State.ASK)] == [name]
    assert ready_in(reading) == ["Paul Durand", "Léa Petit", "Tom Roux"]


def test_halves_with_a_number_of_their_own_are_two_questions() -> None:
    text = "1. DURAND Paul\n2. KERBRAT\n3. Marie Laure\n4. PETIT Léa\n5. ROUX Tom"
    assert [line.line for line in read_list_text(text).in_state(State.ASK)] == [2, 3]


@pytest.mark.parametrize(
    ("title", "is_of_other_things"),
    [
        ("Avez-vous déjà soudé ?", True), ("As-tu déjà utilisé une imprimante 3D ?", True), ("Êtes-vous végétarien ?", True), ("Avez-vous des allergies ?", True), ("Parlez-vous anglais ?", True),
        ("Avez-vous déjà suivi cette formation ?", False), ("Avez-vous le badge ?", False), ("Avez-vous déjà fait cet atelier ?", False),
        ("Êtes-vous disponible samedi ?", False), ("Avez-vous un empêchement ?", False), ("Êtes-vous formateur ?", False),
    ],
)  # fmt: skip
def test_questions_about_habits_concern_no_presence(title: str, is_of_other_things: bool) -> None:
    rows = "Marchetti;Elisa;Non\nTessier;Samuel;Oui\nSylla;Awa;Non\nRey;Mathis;Non"
    reading = read_list_text(f"Nom;Prénom;{title}\n{rows}")
    assert (len(reading.in_state(State.READY)) == 4) is is_of_other_things


def test_who_already_has_the_badge_is_asked_about_beside_another_question() -> None:
    rows = "Lacaze;Noémie;Non;Oui\nMounier;Bruno;Oui;Oui\nPrat;Sylvie;Non;Oui"
    reading = read_list_text(f"Nom;Prénom;Avez-vous déjà obtenu le SST ?;Souhaitez-vous le badge ?\n{rows}")
    assert "Bruno Mounier" not in {line.name for line in reading.in_state(State.READY)}


def test_two_questions_side_by_side_are_no_days() -> None:
    rows = "Pelletier;Manon;Oui;Non\nNguyen;Mai;Oui;Oui\nBenhamou;Sacha;Non;Non"
    reading = read_list_text(f"Nom;Prénom;Participerez-vous au repas ?;Êtes-vous végétarien ?\n{rows}")
    assert len(reading.in_state(State.READY)) == 3


@pytest.mark.parametrize(
    ("note", "asks"),
    [
        ("NB : prévoir des chaussures fermées.", False), ("Merci d’apporter un carnet", False), ("Rappel : venir avec une clé USB", False),
        ("NB : prévoir un rattrapage pour les absents", True), ("NB : prévoir de remplacer certains", True),
        ("NB : apporter les mots d’excuse de Tom", True), ("Prendre note : deux abandons", True), ("NB : prévenir ceux qui manquent", True),
    ],
)  # fmt: skip
def test_a_note_on_what_to_bring_concerns_nobody(note: str, asks: bool) -> None:
    text = f"Formation extincteurs\n{note}\nLudivine Bertin\nMaxime Carlier\nNadège Drouet"
    assert (len(read_list_text(text).in_state(State.READY)) < 3) is asks


@pytest.mark.parametrize(
    "text",
    [
        "Liste principale\n{}", "Lycée des métiers Jean Prouvé\nListe d’appel – Première bac pro TMA\n{}", "GIP FCIP de l’académie\n{}",
        "Je vous confirme l’inscription de :\n{}", "Voici les personnes que nous envoyons jeudi :\n{}", "Heures réalisées\n{}",
        "---------- Forwarded message ---------\n{}", "> Peux-tu m’envoyer les noms ?\n{}", "Ont eu leur permis :\n{}", "Les 4 jeunes sont :\n{}",
        "Accueil > Classes > 2nde Pro > Élèves\n{}",
    ],
)  # fmt: skip
def test_what_stands_above_ordinary_lists_is_understood(text: str) -> None:
    reading = read_list_text(text.format("Adeline FOUCHER\nBilal HADDAD\nCyrielle JACQUET"))
    assert len(reading.in_state(State.READY)) == 3


@pytest.mark.parametrize(
    "title",
    [
        "Liste complémentaire",
        "Personnes que nous envoyons demain",
        "Collège expulsé",
        "Ont eu la grippe",
        "Peux-tu les retirer ?",
        "Merci de confirmer l’inscription de :",
        "Accueil > Classes > Exclus",
    ],
)
def test_what_sets_people_apart_above_them_is_asked_about(title: str) -> None:
    reading = read_list_text(f"{title}\nAdeline FOUCHER\nBilal HADDAD\nCyrielle JACQUET")
    assert not reading.in_state(State.READY)


def test_ranks_that_count_the_lines_are_no_part_of_a_name() -> None:
    lines = read_list_text("1er Anatole Richer 18/20\n2e Bérénice Simon 17/20\n3e Clovis Texier 15/20").lines
    assert [(line.state, line.name) for line in lines] == [
        (State.READY, name) for name in ("Anatole Richer", "Bérénice Simon", "Clovis Texier")
    ]
    assert lines[0].text.startswith("1er")
    assert read_list_text("2e Bérénice Simon\n2e Clovis Texier").lines[0].state is State.ASK


@pytest.mark.parametrize("day", ["Mercredi : personne", "Mercredi : aucun", "mercredi : néant"])
def test_a_day_without_people_is_no_person(day: str) -> None:
    lines = read_list_text(f"Lundi : Alexis Guérin\n{day}\nJeudi : Océane Klein").lines
    assert lines[1].state is State.REFUSED


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("Louane Perrot @louane_p", State.READY), ("@louane_p Louane Perrot", State.ASK), ("Louane Perrot @Tom", State.ASK),
        ("Louane Perrot @gribouille", State.ASK),
    ],
)  # fmt: skip
def test_a_name_of_a_network_is_no_part_of_a_name(line: str, state: State) -> None:
    found = read_list_text(f"Killian Moreau @kiki44\n{line}\nAwa Roux @rouxawa").lines[1]
    assert (found.state, found.name) == (state, "Louane Perrot")
    assert read_list_text("Nom;Prénom\nPerrot @exemple.fr;Louane").lines[1].state is State.ASK


@pytest.mark.parametrize(
    ("title", "hours"),
    [("Heures : 14", 14), ("Durée : 7 h 00", 7), ("Volume horaire : 3,5 h", 3.5), ("Durée : 3 jours", None), ("Heures : 9h-12h", None)],
)  # fmt: skip
def test_hours_above_the_names_are_theirs(title: str, hours: float | None) -> None:
    names = "DUPUIS Sarah\nGUILLOT Marc\nHERVE Lena"
    assert {line.hours for line in read_list_text(f"{title}\n{names}").lines[1:]} == {hours}
    assert {line.hours for line in read_list_text(f"{title}\n{names}", activity_hours=2).lines[1:]} == {None}
    assert read_list_text(f"{title}\n{names} 2 h").lines[1].hours is None


def test_a_company_before_a_name_is_one_question() -> None:
    lines = read_list_text("SODIMECA - LECLERC Aurore\nTRANS’OUEST - PREVOST Maud").lines
    assert [(line.state, line.name) for line in lines] == [
        (State.ASK, "Aurore Leclerc"),
        (State.ASK, "Maud Prevost"),
    ]


@pytest.mark.parametrize(
    "said", ["est parti à 11h.", "est arrivé en retard", "n’était pas là", "a été malade"]
)
def test_a_remark_on_one_given_name_concerns_no_other_person(said: str) -> None:
    present = "Présents : Alice Renard, Baptiste Colin, Coralie Meunier\n"
    ready = read_list_text(f"{present}Baptiste {said}").in_state(State.READY)
    assert [line.given_name for line in ready] == ["Alice", "Coralie"]


@pytest.mark.parametrize(
    "said",
    ["Baptiste est parti à 11h, les autres aussi.", "Baptiste est venu seul", "Bastien est parti", "Baptiste est resté sans les autres"],
)  # fmt: skip
def test_a_remark_that_may_concern_others_asks_about_all(said: str) -> None:
    present = "Présents : Alice Renard, Baptiste Colin, Coralie Meunier\n"
    assert not read_list_text(f"{present}{said}").in_state(State.READY)


def test_a_parent_couple_beside_a_pupil_is_no_civility_of_the_pupil() -> None:
    rows = "AUBRY;Capucine;M. et Mme AUBRY Philippe\nBOUKHARI;Rayan;\nDUVAL;Anne-Lise;\nCARDOSO;Tiago;"
    assert "Capucine Aubry" in {
        line.name for line in read_list_text(f"Nom;Prénom;Responsable 1\n{rows}").in_state(State.READY)
    }


def test_numbers_of_badges_are_no_decision() -> None:
    rows = "00A3F1;MERCIER Florian\n00A3F4;PRIGENT Nolwenn\n00A402;PETIT Léa"
    assert len(read_list_text(f"Badge;Porteur\n{rows}").in_state(State.READY)) == 3
    assert not read_list_text("Badge;Porteur\nrefusé;MERCIER Florian\nobtenu;PETIT Léa").lines[1].evidence


@pytest.mark.parametrize(
    ("behind", "state"),
    [("stagiaire", State.READY), ("2nde B", State.READY), ("formatrice", State.ASK), ("A", State.ASK), ("absente", State.ASK)],
)  # fmt: skip
def test_a_part_or_a_class_behind_a_slash_is_no_other_name(behind: str, state: State) -> None:
    line = read_list_text(
        f"Blandine ASTIER / {behind}\nNils BOCQUET / stagiaire\nLola FERRET / stagiaire"
    ).lines[0]
    assert (line.state, line.name) == (state, "Blandine Astier")
