"""Tables of activities as French people keep them are read as they mean them, and each fault is told on its line."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.activities import ActivityKind, PartKind
from app.domain.activities.days_as_written import day_in
from app.domain.imports.imports import REPEATS
from app.domain.imports.lists.text import text_block
from app.domain.imports.tables import ImportColumn, ReadingPlan, heading_keys, read_records, read_sheet

TODAY = date(2026, 11, 25)
HEADING = "Identifiant;Activité;Type;Date;Durée de l’activité (h);Lieu;Nom;Prénom;Courriel;Rôle;Heures de la personne"


def records(*lines: str, heading: str = HEADING, plan: ReadingPlan | None = None):
    return read_records(
        read_sheet([text_block("\n".join((heading, *lines)))]), plan or ReadingPlan(), today=TODAY
    )


@pytest.mark.parametrize(
    "cell",
    ["03/10/2025", "3/10/25", "03-10-2025", "3.10.2025", "2025-10-03", "3 octobre 2025", "vendredi 3 oct. 2025",
     "3 Octobre 2025", "45933", "45933,5", "03/10/2025 14:00", "2025-10-03T09:00:00Z"],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(cell: str) -> None:
    assert day_in(cell) == date(2025, 10, 3)


@pytest.mark.parametrize("cell", ["31/02/2025", "10/25/2025", "hier", "3 brumaire 2025", "2025", "99999", ""])
def test_what_is_no_day_is_not_guessed(cell: str) -> None:
    assert day_in(cell) is None


def test_the_columns_of_our_own_template_are_known() -> None:
    (read,) = records(
        "P-1;Robotique;Atelier;03/10/2025;3;Le Creusot;LE BŒUF;Anne-Gaëlle;a@exemple.fr;Ressource;2,5"
    )
    assert (read.external_id, read.activity.title, read.activity.kind) == (
        "P-1",
        "Robotique",
        ActivityKind.WORKSHOP,
    )
    assert (read.activity.starts_on, read.activity.hours) == (date(2025, 10, 3), 3)
    assert (read.person.name, read.person.address) == ("Anne-Gaëlle Le Bœuf", "a@exemple.fr")
    assert (read.part, read.person.hours, read.fault) == (PartKind.RESOURCE, 2.5, "")


def test_times_have_the_unit_that_their_heading_names() -> None:
    (read,) = records("Robotique;03/10/2025;MARTIN;Zoé;90", heading="Activité;Date;Nom;Prénom;Durée (min)")
    assert read.person.hours == 1.5


def test_a_table_of_projects_is_read_by_its_own_headings() -> None:
    (read,) = records(
        "12;Fablab mobile;01/09/2025;30/06/2026;MARTIN Zoé;Porteuse de projet;14h30",
        heading="ID projet;Projet;Début;Fin;Membre;Rôle dans le projet;Temps passé",
        plan=ReadingPlan(kind=ActivityKind.PROJECT),
    )
    assert read.activity.external_id == "12"
    assert (read.activity.kind, read.activity.ends_on) == (ActivityKind.PROJECT, date(2026, 6, 30))
    assert (read.person.name, read.part, read.person.hours) == ("Zoé Martin", PartKind.RESOURCE, 14.5)


@pytest.mark.parametrize(
    "heading",
    ["adresse", "adresse mail", "Adresse e-mail", "courriel", "mél", "Contact", "Identité numérique", "@"],
)
def test_a_column_of_e_mail_addresses_is_known_by_what_it_holds(heading: str) -> None:
    first, second = records(
        "Robotique;03/10/2025;Zoé;Martin;zoe@exemple.fr",
        "Robotique;03/10/2025;Léo;Haddad;leo@exemple,fr",
        heading=f"Activité;Date;Prénom;Nom;{heading}",
    )
    assert (first.person.address, second.person.address) == ("zoe@exemple.fr", "leo@exemple,fr")


def test_where_somebody_lives_is_no_e_mail_address() -> None:
    (read,) = records(
        "Robotique;03/10/2025;Zoé;Martin;12 rue des Forges;prof@exemple.fr;zoe@exemple.fr",
        heading="Activité;Date;Prénom;Nom;Adresse;Mail du responsable;Contact",
    )
    assert read.person.address == "zoe@exemple.fr"
    (alone,) = records(
        "Robotique;03/10/2025;Zoé;Martin;12 rue des Forges", heading="Activité;Date;Prénom;Nom;Adresse"
    )
    assert (alone.person.address, alone.fault) == ("", "")


def test_what_somebody_said_of_the_column_of_addresses_holds() -> None:
    (read,) = records(
        "Robotique;03/10/2025;Zoé;Martin;ancienne@exemple.fr",
        heading="Activité;Date;Prénom;Nom;Courriel",
        plan=ReadingPlan(columns={"courriel": ImportColumn.NOTHING}),
    )
    assert read.person.address == ""


def test_a_title_above_the_heading_is_no_line() -> None:
    sheet = read_sheet([text_block(f"Suivi 2025;;;\n\n{HEADING}\nP-1;A;Atelier;03/10/2025;3;;Petit;Zoé;;;")])
    assert [row.number for row in sheet.rows] == [4]


def test_faults_are_reported_on_their_line_and_repeat_its_word() -> None:
    read = records(
        "1;Robotique;Atelier;31/02/2025;3;;Petit;Zoé;;;",
        "2;Robotique;Sabbat;03/10/2025;3;;Petit;Zoé;;;",
        "3;Robotique;Atelier;03/10/2025;3;;Petit;Zoé;;Coach;",
        "4;Robotique;Atelier;03/10/2025;3;;;;;;",
        "5;Robotique;Atelier;03/10/2025;3;;Petit;Zoé;pas une adresse;;",
        "6;;Atelier;03/10/2025;3;;Petit;Zoé;;;",
        "7;Robotique;Atelier;;3;;Petit;Zoé;;;",
        "8;Robotique;Atelier;03/10/2025;3;;Petit;Zoé;;;beaucoup",
    )
    assert [one.values.get("word", "") for one in read] == [
        "31/02/2025",
        "Sabbat",
        "Coach",
        "",
        "",
        "",
        "",
        "beaucoup",
    ]
    assert all(one.fault for one in read)


def test_what_somebody_said_of_columns_and_words_holds_whatever_their_order() -> None:
    heading = "Quand;Qui;Quoi;Comment"
    first, second, third, fourth = heading_keys(heading.split(";"))
    plan = ReadingPlan(
        {first: ImportColumn.STARTS_ON, second: ImportColumn.FAMILY_FIRST, third: ImportColumn.TITLE,
         fourth: ImportColumn.PART},
        {"coach": PartKind.RESOURCE},
    )  # fmt: skip
    again = ReadingPlan.from_words(plan.to_words())
    (read,) = records("Coach;Robotique;MARTIN Zoé;03/10/2025", heading="Comment;Quoi;Qui;Quand", plan=again)
    assert (read.person.name, read.activity.title, read.part) == (
        "Zoé Martin",
        "Robotique",
        PartKind.RESOURCE,
    )


def test_lines_that_contradict_one_above_them_are_named_with_it() -> None:
    first = "1;Robotique;Atelier;03/10/2025;3;Le Creusot;Petit;Zoé;z@exemple.fr;;2"
    read = records(
        first,
        first,
        "1;Robotique;Atelier;03/10/2025;3;Le Creusot;Petit;Zoé;z@exemple.fr;;4",
        "2;Robotique;Atelier;03/10/2025;3;Le Creusot;Petit;Zoé;z@exemple.fr;;2",
        "3;Robotique;Atelier;03/10/2025;3;Dijon;Faure;Inès;;;2",
        "4;Robotique;Atelier;03/10/2025;;;Faure;Inès;;;2",
    )
    assert read[1].fault == REPEATS
    assert [bool(one.fault) for one in read] == [False, True, True, True, True, False]
    assert read[4].values == {"line": 2, "what": ["place"]}


@pytest.mark.parametrize(
    ("kind", "start", "end", "lasts", "hours", "asks"),
    [
        ("Atelier", "03/10/2025", "", "3", "180", "180 h : c’est beaucoup"),
        ("Atelier", "03/10/2025", "", "3", "3,5", "3,5 h : c’est beaucoup"),
        ("Atelier", "03/10/2025", "", "90", "", "90 h : c’est beaucoup"),
        ("Atelier", "03/10/2025", "", "", "90", "90 h : c’est beaucoup"),
        ("Formation", "03/10/2025", "04/10/2025", "", "90", "90 h : c’est beaucoup"),
        ("Formation", "03/10/2025", "", "70", "70", ""),
        ("Atelier", "03/10/2025", "10/10/2025", "35", "35", ""),
        ("Atelier", "03/10/2062", "", "3", "3", "« 03/10/2062 » est dans plus de deux ans"),
        ("Atelier", "03/10/2027", "", "3", "3", ""),
    ],
)
def test_improbable_hours_and_years_are_asked_about(
    kind: str, start: str, end: str, lasts: str, hours: str, asks: str
) -> None:
    sheet = read_sheet(
        [
            text_block(
                "Activité;Type;Date;Date de fin;Durée de l’activité (h);Nom;Prénom;Heures de la personne\n"
                f"Robotique;{kind};{start};{end};{lasts};Petit;Zoé;{hours}"
            )
        ]
    )
    (read,) = read_records(sheet, ReadingPlan(), today=TODAY)
    assert read.fault.format(**read.values).startswith(asks)
    assert bool(read.fault) == read.asks == bool(asks)
    (confirmed,) = read_records(sheet, ReadingPlan(), today=TODAY, sure={2})
    assert confirmed.fault == ""


def test_line_with_a_doubtful_person_and_doubtful_hours_is_asked_about_both() -> None:
    heading = "Activité;Type;Date;Durée de l’activité (h);Nom;Prénom;Heures de la personne"
    sheet = read_sheet([text_block(f"{heading}\nRobotique;Atelier;03/10/2025;3;Qwrtz;Xkcdq;180")])
    (read,) = read_records(sheet, ReadingPlan(), today=TODAY)
    assert read.asks
    assert "le nom ou l’adresse, et les heures" in read.fault
    (confirmed,) = read_records(sheet, ReadingPlan(), today=TODAY, sure={2})
    assert confirmed.fault == ""


def test_identifiers_that_a_spreadsheet_abridged_are_refused() -> None:
    lines = (
        f"{identifier};Robotique;Atelier;03/10/2025;3;;Petit;Zoé;;;"
        for identifier in ("1,23457E+11", "1E+12", "00123", "P-1E+5")
    )
    read = [next(iter(records(line))) for line in lines]
    assert ["abrégé" in each.fault for each in read] == [True, True, False, False]


def test_dates_of_a_column_with_the_month_first_are_asked_about() -> None:
    heading = "Activité;Type;Date;Nom;Prénom"
    lines = [
        f"{title};Atelier;{day};Petit;Zoé"
        for title, day in (("A", "10/25/2025"), ("B", "01/12/2026"), ("C", "05/05/2026"), ("D", "2026-01-12"))
    ]
    refused, unclear, same, iso = records(*lines, heading=heading)
    assert "n’est pas une date" in refused.fault
    assert unclear.asks
    assert "le mois d’abord" in unclear.fault
    assert (same.fault, iso.fault) == ("", "")
    assert all(read.fault == "" for read in records(*lines[1:], heading=heading))
