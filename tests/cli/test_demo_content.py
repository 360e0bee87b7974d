"""The demo's texts and people: everything resolves, obeys the rules, and reads as it should."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from app.cli.demo.content import FOLDER, Badge, Campus, DemoContent, SingleAward, read_content
from app.cli.demo.learners import ascii_letters, invent
from app.domain.activities import Activity, Participation, PartKind, check_activity, check_participation
from app.domain.awards import Award, LineOutcome, check_reason, judge_evidence, revoke
from app.domain.badges import BadgeCompetency, BadgeVersion, Kind, Repeat, check_version, valid_until
from app.domain.campus import check_slug
from app.domain.competencies import Competency, check_level
from app.domain.people import Role, check_name, is_address, name_key

TODAY = date(2026, 11, 25)
AUDIENCES = {
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
TOML_FILES = sorted(FOLDER.rglob("*.toml"))
FORBIDDEN = re.compile(r"dipl[oô]m|certifi|RNCP|ROME\b|\bRS\d", re.IGNORECASE)
EMAIL = re.compile(r"[\w.+-]+@[\w.-]+")


@pytest.fixture(scope="module")
def content() -> DemoContent:
    return read_content()


def given_awards(content: DemoContent) -> Iterator[SingleAward]:
    """Every award of the demo, those to groups one by one."""
    for group in content.groups:
        members = group.members(content.learners)
        for award in group.awards:
            for position, learner in enumerate(members[: award.count]):
                yield SingleAward(
                    person=learner.slug,
                    badge=award.badge,
                    version=award.version,
                    activity=group.activity,
                    part=group.part,
                    hours=group.hours,
                    contribution=group.contribution(position),
                    awarded_on=award.awarded_on,
                    open=position < award.open,
                )
    yield from content.awards


def participants(content: DemoContent) -> dict[str, list[str]]:
    """Who took part in each activity: a single award records a participation too."""
    taking_part: dict[str, list[str]] = {}
    for group in content.groups:
        slugs = [learner.slug for learner in group.members(content.learners)]
        taking_part.setdefault(group.activity, []).extend(slugs)
    for award in content.awards:
        taking_part.setdefault(award.activity, []).append(award.person)
    return taking_part


def texts_of(campus: Campus) -> Iterator[str]:
    yield from (campus.name, campus.sector, campus.description)
    yield from (label.note for label in campus.labels if label.note)
    for framework in campus.frameworks:
        yield from (framework.name, framework.description, *framework.levels)
        yield from (competency.statement for competency in framework.competencies)
    for badge in campus.badges:
        yield from (badge.name, badge.description, badge.criteria, *badge.tags)
        for earlier in badge.earlier:
            yield from (earlier.change, earlier.description, earlier.criteria)
    for activity in campus.activities:
        yield from (activity.title, activity.description)


def all_texts(content: DemoContent) -> Iterator[str]:
    yield from (content.network.name, content.network.description)
    for pole in content.groups_of_campuses:
        yield from (pole.name, pole.description)
    for campus in content.campuses.values():
        yield from texts_of(campus)
    for group in content.groups:
        yield from group.contributions
    for award in content.awards:
        yield from (text for text in (award.contribution, award.revocation_reason) if text)


def version_of(badge: Badge) -> BadgeVersion:
    return BadgeVersion(
        number=badge.version,
        kind=badge.kind,
        name=badge.name,
        description=badge.description,
        criteria=badge.criteria,
        validity_days=badge.validity_days,
        required_hours=badge.required_hours,
    )


def wordings(content: DemoContent) -> Iterator[tuple[str, str, str]]:
    """Name, description and criteria of every version of every badge."""
    for _, _, badge in content.badges():
        yield badge.name, badge.description, badge.criteria
        for earlier in badge.earlier:
            yield badge.name, earlier.description, earlier.criteria


# --- what is there ------------------------------------------------------------------------------


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
    assert label("itip") == ("excellence", date(2022, 4, 1), date(2025, 4, 30))
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
    modules = [badge for badge in content.campuses["ti"].badges if badge.slug.startswith("controle-acces")]
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
        if activity.date_known
    }
    assert known == {
        "agt/ideathon-2022": (date(2022, 1, 13), date(2022, 1, 14)),
        "itip/hack-to-horizon-2022": (date(2022, 11, 25), date(2022, 11, 27)),
    }


def test_every_kind_of_badge_can_be_seen(content: DemoContent) -> None:
    assert {badge.kind for _, _, badge in content.badges()} == set(Kind)


def test_each_campus_has_an_administrator_and_a_trainer(content: DemoContent) -> None:
    for slug in content.campuses:
        assert {person.role for person in content.staff if person.campus == slug} == set(Role)
    assert {person.campus for person in content.staff} == set(content.campuses)


def test_a_workshop_of_today_waits_with_thirty_people_and_no_badge(content: DemoContent) -> None:
    waiting = "itip/robotique-aujourd-hui"
    workshop = {reference: activity for reference, _, activity in content.activities()}[waiting]
    assert workshop.starts_on(TODAY) == workshop.ends_on(TODAY) == TODAY
    people = participants(content)[waiting]
    assert len(people) == workshop.declared_size == 30
    assert not any(group.awards for group in content.groups if group.activity == waiting)
    holders = {award.person for award in given_awards(content) if award.badge == "itip/robotique-pour-tous"}
    assert len(holders & set(people)) == 2
    assert any(not content.learners[slug].addresses for slug in people)


def test_every_campus_has_something_coming_or_fresh(content: DemoContent) -> None:
    for slug, campus in content.campuses.items():
        assert any((activity.ends_on(TODAY) - TODAY).days >= -14 for activity in campus.activities), slug


# --- everything resolves ------------------------------------------------------------------------


def test_every_reference_leads_somewhere(content: DemoContent) -> None:
    badges = {reference for reference, _, _ in content.badges()}
    activities = {reference for reference, _, _ in content.activities()}
    for award in given_awards(content):
        assert award.badge in badges
        assert award.activity in activities
        assert award.person in content.learners
    assert {group.activity for group in content.groups} <= activities


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
            assert attested & {competency.code for competency in framework.competencies}, framework.code


def test_every_badge_obeys_the_rules_of_the_house(content: DemoContent) -> None:
    for _, _, badge in content.badges():
        check_version(version_of(badge), [BadgeCompetency(level=item.level) for item in badge.competencies])
        assert [earlier.version for earlier in badge.earlier] == list(range(1, badge.version))


# --- awards -------------------------------------------------------------------------------------


def test_every_award_rests_on_the_evidence_that_its_badge_demands(content: DemoContent) -> None:
    badges = {reference: badge for reference, _, badge in content.badges()}
    for award in given_awards(content):
        participation = Participation(
            part=award.part, hours=award.hours, contribution=award.contribution or ""
        )
        check_participation(participation)
        judgement = judge_evidence(
            version_of(badges[award.badge]),
            activity=Activity(hours=award.hours),
            participation=participation,
            evidence="",
        )
        assert judgement.outcome is LineOutcome.READY, (award.badge, award.person, judgement.sentence)


def test_awards_are_given_during_or_after_their_activity_and_never_in_the_future(
    content: DemoContent,
) -> None:
    activities = {reference: activity for reference, _, activity in content.activities()}
    for award in given_awards(content):
        assert activities[award.activity].starts_on(TODAY) <= award.awarded_on < TODAY


def test_nobody_is_given_a_badge_twice_unless_it_may_be_repeated(content: DemoContent) -> None:
    repeats = {reference: badge.repeat for reference, _, badge in content.badges()}
    keys = Counter(
        (
            award.badge,
            award.person,
            award.activity if repeats[award.badge] is Repeat.ONCE_PER_ACTIVITY else "",
        )
        for award in given_awards(content)
        if not award.revoked_on
    )
    assert [key for key, count in keys.items() if count > 1] == []


def test_nobody_takes_part_twice_in_one_activity_and_no_list_exceeds_the_declared_size(
    content: DemoContent,
) -> None:
    activities = {reference: activity for reference, _, activity in content.activities()}
    for reference, people in participants(content).items():
        assert len(people) == len(set(people)), reference
        declared = activities[reference].declared_size
        assert declared is None or len(people) <= declared, reference


def test_groups_ask_for_no_more_people_than_they_have(content: DemoContent) -> None:
    for group in content.groups:
        size = len(group.members(content.learners))
        for award in group.awards:
            assert award.open <= (award.count or size) <= size


def test_both_parts_are_played_in_the_demo(content: DemoContent) -> None:
    assert {group.part for group in content.groups} == set(PartKind)


def test_the_thirty_new_fresque_facilitators_all_hold_their_badge(content: DemoContent) -> None:
    holders = [award for award in given_awards(content) if award.badge == "ti/animateur-fresque-du-climat"]
    assert len(holders) == 30


def test_some_pages_are_open_and_more_are_closed(content: DemoContent) -> None:
    counts = Counter(award.open for award in given_awards(content))
    assert counts[True] > 50
    assert counts[False] > counts[True]


def test_one_badge_is_revoked_with_a_reason_that_its_holder_can_read(content: DemoContent) -> None:
    (revoked,) = [award for award in content.awards if award.revoked_on]
    assert revoked.revocation_reason
    check_reason(revoked.revocation_reason)
    assert revoked.awarded_on < (revoked.revoked_on or date.min)
    revoke(Award(), revoked.revocation_reason, at=datetime(2026, 4, 14, tzinfo=UTC))


def test_one_badge_has_expired_and_most_have_not(content: DemoContent) -> None:
    badges = {reference: badge for reference, _, badge in content.badges()}
    expired = [
        award
        for award in given_awards(content)
        if (
            until := valid_until(
                version_of(badges[award.badge]),
                datetime(award.awarded_on.year, award.awarded_on.month, award.awarded_on.day, tzinfo=UTC),
            )
        )
        and until.date() < TODAY
    ]
    assert [award.badge for award in expired] == ["amf/rendre-compte"]


def test_one_definition_was_awarded_then_superseded_and_awarded_again(content: DemoContent) -> None:
    (badge,) = [badge for _, _, badge in content.badges() if badge.earlier]
    assert badge.slug == "acteur-explor-ici"
    (earlier,) = badge.earlier
    assert earlier.criteria != badge.criteria
    given = [award for award in given_awards(content) if award.badge == "itip/acteur-explor-ici"]
    for award in given:
        assert (award.version == 1) == (award.awarded_on < earlier.superseded_on)
    assert {award.version for award in given} == {1, None}


# --- words --------------------------------------------------------------------------------------


def test_a_badge_never_passes_for_more_than_it_is(content: DemoContent) -> None:
    for text in all_texts(content):
        assert not FORBIDDEN.search(text), text


def test_a_neighbouring_title_is_only_said_to_be_linked(content: DemoContent) -> None:
    for _, _, criteria in wordings(content):
        if "titre professionnel" in criteria:
            assert "En lien avec le titre professionnel" in criteria
            assert "Ce badge n’est pas ce titre" in criteria


def test_french_is_set_with_its_own_apostrophes_quotes_and_spaces(content: DemoContent) -> None:
    names = [learner.name for learner in content.learners.values()] + [
        person.name for person in content.staff
    ]
    for text in (*all_texts(content), *names):
        assert "'" not in text, text
        assert '"' not in text, text
        assert not re.search(r"(?<![\u00a0\u202f])[:»]", text), text
        assert not re.search(r"(?<!\u202f)[;!?%]", text), text
        assert not re.search(r"«(?!\u00a0)", text), text
        assert not re.search(r"\d \d", text), text
        assert "  " not in text, text


@pytest.mark.parametrize("path", TOML_FILES, ids=lambda path: path.name)
def test_files_hold_no_address_outside_the_example_domains(path: Path) -> None:
    for address in EMAIL.findall(path.read_text("utf-8")):
        assert address.partition("@")[2] in {"exemple.fr", "exemple.org", "example.org"}, address


def test_criteria_are_short_enough_to_read_and_say_how_it_was_judged(content: DemoContent) -> None:
    for name, _, criteria in wordings(content):
        assert 60 <= len(criteria.split()) <= 135, (name, len(criteria.split()))
        assert "**Comment c’est jugé.**" in criteria, name
        assert criteria.count("\n- ") >= 3, name


def test_descriptions_take_one_or_two_sentences_and_begin_with_the_person(content: DemoContent) -> None:
    for name, description, _ in wordings(content):
        sentences = re.findall(r"[.](?:\s|$)", description)
        assert 1 <= len(sentences) <= 3, name
        assert "La personne" in description, name


def test_names_of_badges_fit_on_their_picture(content: DemoContent) -> None:
    for name, _, _ in wordings(content):
        assert len(name) <= 63, name


# --- people -------------------------------------------------------------------------------------

GIVEN, FAMILY = (
    ("Élif", "Łukasz", "Anne-Gaëlle", "Đông"),
    ("d’Hérouville", "Çelik", "N’Guessan", "Le Bœuf", "Roy"),
)


def test_the_same_seed_invents_the_same_people_and_another_seed_others() -> None:
    once = invent({"lyceens": 12}, GIVEN, FAMILY, seed="a")
    assert invent({"lyceens": 12}, GIVEN, FAMILY, seed="a") == once
    assert invent({"lyceens": 12}, GIVEN, FAMILY, seed="b") != once


def test_adding_a_cohort_at_the_end_renames_nobody() -> None:
    before = invent({"lyceens": 12}, GIVEN, FAMILY)["lyceens"]
    assert invent({"lyceens": 12, "adultes": 3}, GIVEN, FAMILY)["lyceens"] == before


def test_lists_of_names_that_are_too_short_are_refused_rather_than_repeated() -> None:
    with pytest.raises(ValueError, match="too short"):
        invent({"lyceens": 2}, ("Zoé",), ("Roy",))


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Nguyễn-L’Écuyer", "nguyen-lecuyer"),
        ("Łukasz", "lukasz"),
        ("Đỗ", "do"),
        ("İpek", "ipek"),
        ("Le Bœuf", "le-boeuf"),
    ],
)
def test_an_address_is_written_with_plain_letters(name: str, letters: str) -> None:
    assert ascii_letters(name) == letters


def test_a_few_hundred_people_have_names_that_nobody_confuses(content: DemoContent) -> None:
    learners = list(content.learners.values())
    assert 300 <= len(learners) <= 600
    keys = Counter(name_key(learner.given, learner.family) for learner in learners)
    assert [key for key, count in keys.items() if count > 1] == []
    for learner in learners:
        check_name(learner.given, learner.family)


def test_names_try_accents_hyphens_apostrophes_particles_and_other_alphabets(content: DemoContent) -> None:
    names = [learner.name for learner in content.learners.values()]
    for pattern in (
        r"[éèêëïôç]",
        r"-",
        r"’",
        r"\bde ",
        r"\bd’",
        r"[ğışİ]",
        r"[łńśźż]",
        r"[ễỗồạăơư]",
        r"[ãõ]",
    ):
        assert any(re.search(pattern, name) for name in names), pattern
    assert max(map(len, names)) >= 40


def test_most_people_have_an_address_some_have_none_and_siblings_share_one(content: DemoContent) -> None:
    learners = content.learners.values()
    addresses = Counter(address for learner in learners for address in learner.addresses)
    without = [learner for learner in learners if not learner.addresses]
    shared = [address for address, count in addresses.items() if count > 1]
    assert 20 <= len(without) <= len(learners) // 8
    assert 5 <= len(shared) <= 30
    for address in addresses:
        assert is_address(address)
        assert address.partition("@")[2] in {"exemple.fr", "exemple.org", "example.org"}
