"""For any disclosure of each line: the digest is valid, hidden values are absent, and no other person is named."""

from __future__ import annotations

import uuid
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.activities import Activity, ActivityKind
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent, fields_shown
from app.domain.badges import BadgeKind
from app.domain.badges.rules import Condition, Measure, Rule
from app.domain.campus.audit_log import Actor
from app.services.awards.awards import AwardRequest
from app.services.badges import Wording
from sceau_credentials.evidence.documents import digest_of
from sceau_credentials.evidence.judging import EvidenceOutcome, judge_evidence
from sceau_credentials.values import parse_json_object
from tests.support.app import COMMAND, App, listed
from tests.support.running.examples import examples

PLACES = ("Salle des Fougères", "Atelier Vauban", "Cour du Midi", "Halle aux Grains")
OTHERS = ("QUIRION Ulysse;ulysse@exemple.fr", "ZWINGELSTEIN Ottilie")
SAID = "A tenu la table des capteurs avec patience."


def awarded(app: App) -> uuid.UUID:
    """A badge with four participations and an assessment as evidence; other people attended each time."""
    rule = Rule(((Condition(Measure.ACTIVITIES, 4),),))
    with app.unit_of_work() as services:
        by = Actor(app.trainer.id)
        for number, place in enumerate(PLACES, 1):
            activity = services.activities.create(
                Activity(kind=ActivityKind.WORKSHOP, title=f"Rendez-vous {place}", place=place, hours=number,
                         starts_on=date(2026, 11, number), ends_on=date(2026, 11, number)),
                [app.campus], by=COMMAND,
            )  # fmt: skip
            services.activities.record(
                app.campus, activity.id, listed("MARTIN Zoé;zoe@exemple.fr", *OTHERS), by=by
            )
        badge = services.badges.create(
            app.campus,
            Wording(BadgeKind.ENGAGEMENT, "Quatre fois", "Revenue quatre fois.", "", rule=rule),
            slug="quatre-fois",
            by=COMMAND,
        ).badge
        zoe = next(
            one.person
            for one in services.rule_ledger.roll(app.campus, badge.id).ready
            if one.person.given_name == "Zoé"
        )
        request = AwardRequest(badge.id, person_ids=(zoe.id,), evidence=SAID, tells=False)
        (line,) = services.awards.award(app.campus, request, by=by).lines
        assert line.award_id is not None
        services.awards.set_visibility(line.award_id, Visibility.OPEN, by=COMMAND)
        return line.award_id


def values_in(facts: dict, fields: frozenset[str]) -> set[str]:
    """The values of these fields that appear nowhere else in the app."""
    return {
        str(facts[name]) for name in fields & {"activity", "place", "text", "person", "by"} if facts.get(name)
    }


def test_disclosure_of_each_line_shows_exactly_the_chosen_values(app: App) -> None:
    award_id = awarded(app)
    with app.unit_of_work(reading=True) as services:
        row = services.evidence.find(award_id)
        assert row is not None
        payloads = {each.number: dict(each.facts) for each in services.evidence.payloads(row)}
        assert len(payloads) == 5
        before = services.evidence.document(award_id).body
        trainer = app.trainer.name

    @settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(st.fixed_dictionaries({number: st.sampled_from(DisclosedContent) for number in payloads}))
    def whatever_is_shown(choice: dict[int, DisclosedContent]) -> None:
        with app.unit_of_work() as services:
            for number, shown in choice.items():
                services.stores.award_evidence.choose(award_id, number, shown, at=app.clock.now)
        with app.unit_of_work(reading=True) as services:
            document = services.evidence.document(award_id).body
            beside = services.evidence.disclosure(award_id).body
            signed = parse_json_object(services.stores.awards.document_of(award_id).embedded)
            report = judge_evidence(signed, documents=services.verification.documents)
        assert document == before
        (resource,) = signed["relatedResource"]
        assert resource["digestMultibase"] == digest_of(document)
        assert report is not None
        assert report.outcome is EvidenceOutcome.PROVED
        result = beside.decode()
        for number, facts in payloads.items():
            fields = fields_shown(facts, choice[number])
            assert report.shown.get(number, {}).keys() == fields
            for hidden in values_in(facts, frozenset(facts) - fields):
                assert hidden not in result
                assert hidden.encode() not in document
            for shown in values_in(facts, fields):
                assert shown in result
        for name in ("Quirion", "Ulysse", "Zwingelstein", "Ottilie", "Martin", "Zoé", trainer, "exemple.fr"):
            assert name.casefold() not in result.casefold()

    whatever_is_shown()
