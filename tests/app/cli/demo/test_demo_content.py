"""The demo's campuses, badges and activities: as the report says, and by the rules of the house."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest

from app.domain.activities import Activity, check_activity
from app.domain.badges import BadgeCompetency, BadgeKind, check_version
from app.domain.campus.campus import check_slug
from app.domain.frameworks import Competency, check_level
from app.domain.people import Role
from demo.content import FOLDER, DemoContent
from tests.support.demo import TODAY, version_of

INVENTED = {each["slug"] for each in tomllib.loads((FOLDER / "year.toml").read_text())["activities"]}
WHOLE = "controle-acces-complet"
"""The badge of the four modules together."""
AUDIENCES = {
    "grand public",
    "collégiens",
    "lycéens",
    "étudiants",
    "salariés",
    "demandeurs d’emploi",
    "enseignants",
    "chercheurs",
    "entrepreneurs",
    "seniors",
}


def test_the_eight_campuses_of_the_region_are_there_with_the_bas_carbone_pole(content: DemoContent) -> None:
    assert set(content.campuses) == {"ae", "agt", "amf", "itip", "mma", "msi", "ti", "fb"}
    (pole,) = content.groups_of_campuses
    assert set(pole.campuses) == {"amf", "itip", "fb", "ti"}


def test_labels_say_what_the_report_says_and_invent_nothing(content: DemoContent) -> None:
    def label(slug: str) -> tuple[str, date | None, date | None]:
        latest = content.campuses[slug].labels[-1]
        return latest.category.value, latest.valid_from, latest.valid_until

    assert label("ae") == ("standard", date(2021, 8, 1), None)
    assert label("fb") == ("excellence", date(2022, 4, 15), date(2024, 4, 14))
    assert label("itip") == ("excellence", date(2020, 2, 1), date(2025, 4, 30))
    assert label("mma") == ("standard", date(2022, 1, 1), date(2027, 12, 31))
    assert label("amf") == ("excellence", None, None)
    assert content.campuses["msi"].labels == ()
    assert content.campuses["msi"].carrier is None


@pytest.mark.parametrize(
    ("campus", "names"),
    [
        (
            "itip",
            {
                "Apprenant-ressource du VRAI",
                "Acteur du dispositif Explor’#ICI",
                "Robotique pour tous",
                "VRAIE semaine apprenante",
                "Auteur-projet",
                "Coloration fabrication additive",
            },
        ),
        ("amf", {"Opérateur matériaux composites"}),
        ("ti", {"Animateur Fresque du climat"}),
        ("msi", {"TechniLab"}),
        ("agt", {"Idéathon"}),
    ],
)
def test_the_badges_that_the_report_names_are_there(
    content: DemoContent, campus: str, names: set[str]
) -> None:
    assert names <= {badge.name for badge in content.campuses[campus].badges}


def test_the_four_access_control_badges_share_out_the_six_competencies(content: DemoContent) -> None:
    modules = [
        badge
        for badge in content.campuses["ti"].badges
        if badge.slug.startswith("controle-acces") and badge.slug != WHOLE
    ]
    assert len(modules) == 4
    attested = {item.code for badge in modules for item in badge.competencies}
    assert attested == {f"TI-CA-{n}" for n in range(1, 7)}


@pytest.mark.parametrize(
    ("activity", "size"),
    [
        ("agt/ideathon-2022", 150),
        ("itip/hack-to-horizon-2022", 45),
        ("itip/entrepreneuriat-etudiant", 160),
        ("ti/festival-transition", 1760),
        ("ti/formation-fresque", 30),
        ("msi/technilab-2022", 153),
        ("mma/la-voie-des-talents", 762),
    ],
)
def test_activities_have_the_sizes_of_the_report(content: DemoContent, activity: str, size: int) -> None:
    assert {reference: item.declared_size for reference, _, item in content.activities()}[activity] == size


def test_only_the_dates_of_the_report_are_given_as_known(content: DemoContent) -> None:
    known = {
        reference: (activity.start, activity.end)
        for reference, _, activity in content.activities()
        # Those of the invented school year are exact.
        if activity.date_known and reference.partition("/")[2] not in INVENTED
    }
    assert known == {
        "agt/ideathon-2022": (date(2022, 1, 13), date(2022, 1, 14)),
        "itip/hack-to-horizon-2022": (date(2022, 11, 25), date(2022, 11, 27)),
    }


def test_every_kind_of_badge_can_be_seen(content: DemoContent) -> None:
    assert {badge.kind for _, _, badge in content.badges()} == set(BadgeKind)


def test_each_campus_has_an_administrator_and_a_trainer(content: DemoContent) -> None:
    for slug in content.campuses:
        assert {person.role for person in content.staff if person.campus == slug} >= {
            Role.CAMPUS_ADMIN,
            Role.TRAINER,
        }
    assert {person.campus for person in content.staff} == set(content.campuses)


def test_every_campus_has_something_coming_or_fresh(content: DemoContent) -> None:
    for slug, campus in content.campuses.items():
        assert any((activity.ends_on(TODAY) - TODAY).days >= -14 for activity in campus.activities), slug


def test_slugs_are_unique_and_may_stand_in_addresses(content: DemoContent) -> None:
    for references in (content.badges(), content.activities()):
        slugs = [reference for reference, _, _ in references]
        assert len(slugs) == len(set(slugs))
        for slug in slugs:
            check_slug(slug.partition("/")[2])


def test_activities_belong_first_to_the_campus_whose_file_holds_them(content: DemoContent) -> None:
    for _, campus, activity in content.activities():
        assert activity.campuses[0] == campus.slug
        assert set(activity.campuses) <= set(content.campuses)
        assert set(activity.audience) <= AUDIENCES
        check_activity(
            Activity(
                kind=activity.kind,
                title=activity.title,
                description=activity.description,
                starts_on=activity.starts_on(TODAY),
                ends_on=activity.ends_on(TODAY),
                hours=activity.hours,
            )
        )


def test_badges_attest_competencies_and_levels_of_their_own_campus(content: DemoContent) -> None:
    for _, campus, badge in content.badges():
        known = {
            competency.code: Competency(
                code=competency.code, statement=competency.statement, levels=[*framework.levels]
            )
            for framework in campus.frameworks
            for competency in framework.competencies
        }
        for attested in badge.competencies:
            check_level(known[attested.code], attested.level)


def test_every_competency_is_attested_by_a_badge_or_waits_in_a_framework_that_is_used(
    content: DemoContent,
) -> None:
    for campus in content.campuses.values():
        attested = {item.code for badge in campus.badges for item in badge.competencies}
        for framework in campus.frameworks:
            codes = {competency.code for competency in framework.competencies}
            # What the booklet relates to trades may wait for a badge: the page of the trade says so.
            assert attested & codes or framework.code == "savoir-etre", framework.code


def test_every_badge_obeys_the_rules_of_the_house(content: DemoContent) -> None:
    for _, _, badge in content.badges():
        check_version(version_of(badge), [BadgeCompetency(level=item.level) for item in badge.competencies])
        assert [earlier.version for earlier in badge.earlier] == list(range(1, badge.version))
