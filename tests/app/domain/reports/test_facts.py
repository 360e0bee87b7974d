"""Facts of activities: numbers that are checked, and cells that read back as they were written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.campus.places import (
    DEPARTEMENTS,
    SECTORS,
    departement_of,
    is_siren,
    is_siret,
    is_uai,
    sector_of,
)
from app.domain.reports.facts import (
    Audience,
    AudienceCount,
    Establishment,
    InvolvedOrganisation,
    OrganisationPart,
    OrganisationType,
    ReportFacts,
    SurveyCounts,
    cells_of,
    check_facts,
    with_cells,
)
from app.errors import InvalidInput
from tests.support.running.every import for_each

_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
uais = st.integers(0, 9_999_999).map(lambda number: f"{number:07d}{_LETTERS[number % 23]}")


sirens = st.integers(0, 99_999_999).map(
    lambda number: next(text for last in range(10) if is_siren(text := f"{number:08d}{last}"))
)
names = st.text("abcdeéèzÀÉŒ '’-&0123456789", min_size=1, max_size=40).filter(
    lambda text: any(sign.isalpha() for sign in text)
)
counts = st.integers(1, 5_000).flatmap(
    lambda people: st.tuples(st.just(people), st.none() | st.integers(0, people))
)
audiences = st.dictionaries(st.sampled_from(Audience), counts, max_size=10).map(
    lambda some: tuple(AudienceCount(audience, *count) for audience, count in some.items())
)
organisations = st.lists(
    st.builds(
        InvolvedOrganisation,
        names.map(lambda name: " ".join(name.split())),
        st.sampled_from(OrganisationPart),
        st.sampled_from(OrganisationType),
        st.just("") | sirens | st.just("usinages-brenne.example"),
    ),
    max_size=6,
    unique_by=lambda one: one.key,
).map(tuple)
establishments = st.lists(
    st.builds(Establishment, uais, st.sampled_from(["", "Lycée des Tilleuls", "Collège de la Gare"])),
    max_size=5,
    unique_by=lambda one: one.number,
).map(tuple)
surveys = st.tuples(st.tuples(*[st.integers(0, 50)] * 4), st.integers(0, 40), st.integers(0, 40)).map(
    lambda drawn: SurveyCounts(max(sum(drawn[0]), drawn[1] + drawn[2]), *drawn)
)
facts_drawn = st.builds(
    ReportFacts,
    st.none() | st.integers(0, 100_000),
    audiences,
    organisations,
    establishments,
    st.lists(st.sampled_from(["1", "1.2", "2.3.1", "10"]), unique=True, max_size=3).map(tuple),
    st.sampled_from(["", *DEPARTEMENTS]),
    st.sampled_from(["", *SECTORS]),
    st.none() | surveys,
    st.none() | st.integers(0, 900),
)


@given(facts_drawn)
def test_cells_read_back_as_the_facts_they_were_written_from(facts: ReportFacts):
    check_facts(facts)
    assert with_cells(ReportFacts(), cells_of(facts)) == facts


@given(uais, st.sampled_from(_LETTERS))
def test_a_uai_with_another_letter_is_refused(uai: str, letter: str):
    assert is_uai(uai)
    assert is_uai(uai[:7] + letter) == (letter == uai[7])


@given(sirens, st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_of_a_siren_is_found(siren: str, place: int, more: int):
    wrong = f"{siren[:place]}{(int(siren[place]) + more) % 10}{siren[place + 1 :]}"
    assert not is_siren(wrong)


def test_numbers_of_establishments_known_to_be_right():
    assert is_uai("0750654D")
    assert is_siret("73282932000074")
    assert not is_siret("73282932000075")
    assert is_siret("35600000000048"), "of La Poste, by the sum of its digits or by Luhn"


def test_cells_as_people_write_them():
    facts = with_cells(
        ReportFacts(),
        {
            "publics": "lycéens : 24 (10 f), 3 enseignants; Grand public 120",
            "organisations": "Usinages de la Brenne (mobilisée)\nMairie du Creusot (accueil, collectivité) ; Scierie (Nord)",
            "etablissements": "0710012c Lycée des Tilleuls",
            "departement": "saone et loire",
            "secteur": "rome h",
            "effectif": "1 760",
        },
    )
    assert facts.audiences == (
        AudienceCount(Audience.HIGH_SCHOOL, 24, 10),
        AudienceCount(Audience.TEACHERS, 3),
        AudienceCount(Audience.PUBLIC, 120),
    )
    assert [(one.name, one.part, one.type) for one in facts.organisations] == [
        ("Usinages de la Brenne", OrganisationPart.MOBILISED, OrganisationType.COMPANY),
        ("Mairie du Creusot", OrganisationPart.HOST, OrganisationType.AUTHORITY),
        ("Scierie (Nord)", OrganisationPart.INVOLVED, OrganisationType.COMPANY),
    ]
    assert facts.establishments == (Establishment("0710012C", "Lycée des Tilleuls"),)
    assert (facts.departement, facts.sector, facts.declared_size) == ("71", "rome:H", 1760)


@for_each(
    "name, cell",
    [
        ("publics", "des gens"),
        ("publics", "24 lycéens et 12 chaises"),
        ("publics", "5 lycéens dont 6 femmes"),
        ("publics", "5 lycéens, 6 lycéens"),
        ("organisations", "Usinages [123456789]"),
        ("organisations", "Usinages [pas un domaine]"),
        ("etablissements", "0710012A"),
        ("etablissements", "Lycée des Tilleuls"),
        ("etablissements", "73282932000075"),
        ("objectif", "promouvoir"),
        ("departement", "Bourgogne"),
        ("secteur", "NAF Z"),
        ("enquete", "10 : 1 2"),
        ("enquete", "10 : 9 9 9 9"),
        ("effectif", "beaucoup"),
    ],
)
def test_a_cell_that_cannot_be_read_is_refused_with_a_reason(name: str, cell: str):
    with pytest.raises(InvalidInput) as refused:
        with_cells(ReportFacts(), {name: cell})
    assert refused.value.sentence


def test_names_and_codes_of_places():
    assert departement_of("territoire de belfort") == "90"
    assert departement_of("1") == "01"
    assert departement_of("2a") == "2A"
    assert sector_of("NAF C") == "naf:C"
