"""xAPI statements are read under a narrow profile; whatever is outside it is refused by its name and never guessed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.domain.activities import ActivityKind, PartKind
from app.domain.imports.imports import check_source
from app.domain.imports.xapi import ATTENDED, COMPLETED, CONTRIBUTED, VOIDED, read_statements
from app.errors import InvalidInput

ID = "12345678-1234-5678-1234-567812345678"


def statement(**changes: Any) -> dict[str, Any]:
    result = {
        "id": ID,
        "actor": {"name": "Anne-Gaëlle Le Bœuf", "mbox": "mailto:Anne@exemple.fr"},
        "verb": {"id": COMPLETED},
        "object": {
            "id": "https://plateforme.exemple.fr/cours/42",
            "definition": {
                "name": {"en": "Printing", "fr-FR": "Fabrication additive"},
                "type": "http://adlnet.gov/expapi/activities/course",
            },
        },
        "result": {"completion": True, "duration": "PT2H30M"},
        "timestamp": "2026-11-25T23:30:00Z",
    }
    return result | changes


def only(result: Any):
    (record,) = read_statements(result, "Europe/Paris")
    return record


def test_a_statement_is_a_participation_on_the_day_it_was_there() -> None:
    read = only([statement()])
    assert not read.fault
    assert (read.external_id, read.activity.external_id) == (ID, "https://plateforme.exemple.fr/cours/42")
    assert (read.activity.title, read.activity.kind) == ("Fabrication additive", ActivityKind.COURSE)
    assert read.activity.starts_on == date(2026, 11, 26)
    assert (read.person.name, read.person.address, read.person.hours) == (
        "Anne-Gaëlle Le Bœuf",
        "anne@exemple.fr",
        2.5,
    )
    assert read.part is None


def test_who_contributed_was_a_resource_and_their_words_are_kept() -> None:
    read = only([statement(verb={"id": CONTRIBUTED}, result={"response": "A écrit le guide."})])
    assert (read.part, read.person.contribution) == (PartKind.RESOURCE, "A écrit le guide.")


def test_a_voiding_statement_takes_back_the_one_it_names() -> None:
    other = "87654321-1234-5678-1234-567812345678"
    read = only([statement(id=other, verb={"id": VOIDED}, object={"objectType": "StatementRef", "id": ID})])
    assert (read.external_id, read.withdrawn, read.fault) == (ID, True, "")


@pytest.mark.parametrize(
    ("duration", "hours"),
    [("PT45M", 0.75), ("PT3600S", 1.0), ("P1DT1H", 25.0), ("P1W", 168.0), ("PT1H30M15.5S", 1.5),
     ("PT0.5H", 0.5), ("PT90.0M", 1.5), ("PT3600.1234567S", 1.0), ("P0Y0M0DT1H", 1.0)],
)  # fmt: skip
def test_durations_are_hours(duration: str, hours: float) -> None:
    assert only([statement(verb={"id": ATTENDED}, result={"duration": duration})]).person.hours == hours


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"}}, "http://adlnet.gov/expapi/verbs/experienced"),
        ({"result": {"duration": "P1M"}}, "P1M"),
        ({"result": {"duration": 3}}, "3"),
        ({"result": {"completion": False}}, None),
        ({"id": None}, None),
        ({"actor": {"mbox": "mailto:anne@exemple.fr"}}, None),
        ({"actor": {"name": "Anne", "mbox_sha1sum": "0" * 40}}, None),
        ({"actor": {"objectType": "Group", "name": "Anne", "mbox": "mailto:a@exemple.fr"}}, None),
        ({"object": {"id": "x", "definition": {"name": {"fr": "A"}, "type": "urn:autre"}}}, "urn:autre"),
        ({"object": {"objectType": "Agent", "mbox": "mailto:a@exemple.fr"}}, None),
        ({"timestamp": "2026-11-25T14:00:00"}, None),
        ({"timestamp": None}, None),
    ],
)  # fmt: skip
def test_what_is_outside_the_profile_is_refused_by_its_name(
    changes: dict[str, Any], word: str | None
) -> None:
    read = only([statement(**changes)])
    assert read.fault
    assert list(read.values.values()) == ([word] if word else [])


@pytest.mark.parametrize(
    "garbage", [None, 3, "x", [[]], [{"id": []}], {"verb": 1}, [{"id": ID, "verb": {"id": {}}}]]
)
def test_garbage_is_a_refused_line(garbage: Any) -> None:
    assert only(garbage).fault


@pytest.mark.parametrize("kind", [[], {}, 3, True])
def test_a_type_of_activity_that_is_no_text_is_refused(kind: Any) -> None:
    assert only([statement(object={"id": "x", "definition": {"name": {"fr": "A"}, "type": kind}})]).fault


def test_an_activity_lasts_from_its_first_statement_to_its_last() -> None:
    later = statement(id="87654321-1234-5678-1234-567812345678", timestamp="2026-12-02T10:00:00Z")
    for read in read_statements([statement(), later], "Europe/Paris"):
        assert (read.activity.starts_on, read.activity.ends_on) == (date(2026, 11, 26), date(2026, 12, 2))


def test_no_source_of_activities_has_the_name_of_a_table_of_verbs() -> None:
    for name in ("liste:xapi", " Liste:xapi ", "liste:"):
        with pytest.raises(InvalidInput):
            check_source(name)
