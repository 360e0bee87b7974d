"""Evidence of a badge: referenced by its credential, proved by the log, disclosed as its holder chooses; on both databases."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from app.container import Services
from app.db.activity_log import ActivityLogStore
from app.domain.activities import Activity, PartKind
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.audit_log import Actor
from app.domain.core import Snapshot
from app.services.activity_log.evidence import RemovedEvidence
from app.services.verification.verdicts import evidence_messages
from sceau_credentials.evidence.documents import Evidence, digest_of
from sceau_credentials.evidence.judging import EvidenceOutcome, EvidenceReport, judge_evidence
from sceau_credentials.keys import VerificationKey
from sceau_credentials.transparency_log.notes import HASH_BYTES
from sceau_credentials.transparency_log.tiles import Tile
from sceau_credentials.values import JsonObject, parse_json_object
from tests.support.app import COMMAND, App

ZOE, LEO = "Martin Zoé;zoe@exemple.fr", "N’Diaye Léo;leo@exemple.fr"


@pytest.fixture
def awarded(app: App) -> tuple[App, list[uuid.UUID]]:
    result = app.award(ZOE, LEO, badge=app.role, evidence="A animé la table des capteurs.")
    return app, [line.award_id for line in result.lines if line.award_id]


def credential(services: Services, award_id: uuid.UUID) -> JsonObject:
    return parse_json_object(services.stores.awards.document_of(award_id).embedded)


def judged(services: Services, signed: JsonObject) -> EvidenceReport:
    document = {name: value for name, value in signed.items() if name != "proof"}
    report = judge_evidence(document, documents=services.verification.documents)
    assert report is not None
    return report


def test_a_badge_is_genuine_and_its_evidence_is_proved(awarded: tuple[App, list[uuid.UUID]]) -> None:
    app, (award_id, _) = awarded
    app.award("Sow Awa;awa@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.verify_award(services.awards.record(award_id))
        assert answer.report is not None
        assert answer.report.verdict.value == "valid"
        report = services.verification.with_evidence(answer).evidence
        assert report is not None
        assert report.proved is not None
        assert report.outcome is EvidenceOutcome.PROVED
        participation, assessment = report.proved.evidence.entries
        assert (participation.leaf.kind, assessment.leaf.kind) == ("participation", "assessment")
        assert report.decided_at == app.clock.now
        assert report.shown[participation.index]["minutes"] == 180
        (resource,) = credential(services, award_id)["relatedResource"]
        assert resource["digestMultibase"] == digest_of(services.evidence.document(award_id).body)
        assert resource["mediaType"] == "application/json"


@pytest.mark.parametrize("app_url", ["sqlite"], indirect=True)
def test_evidence_of_an_old_award_costs_the_same_in_a_long_log(awarded: tuple[App, list[uuid.UUID]]) -> None:
    app, (award_id, _) = awarded

    def steps() -> int:
        """Instructions of SQLite's machine, in tens."""
        done = []
        with app.unit_of_work(reading=True) as services:
            driver: Any = services.stores.session.connection().connection.driver_connection
            driver.set_progress_handler(lambda: done.append(1), 10)
            services.evidence.evidence(award_id)
            driver.set_progress_handler(None, 10)
        return len(done)

    steps()
    short = steps()
    app.award(*(f"Nom{number} Prénom{number};p{number}@exemple.fr" for number in range(100)))
    assert 0 < steps() <= short + 5


def test_evidence_in_memory_equals_its_document(awarded: tuple[App, list[uuid.UUID]]) -> None:
    app, ids = awarded
    with app.unit_of_work(reading=True) as services:
        for award_id in ids:
            served = services.verification.documents.fetch(services.addresses.evidence(award_id))
            held, read = served.holds, Evidence.from_bytes(served.body)
            assert isinstance(held, Evidence)
            assert (held.context, held.id, held.award) == (read.context, read.id, read.award)
            assert (held.checkpoint, held.opening) == (read.checkpoint, read.opening)
            for one, other in zip(
                (held.decision, *held.entries), (read.decision, *read.entries), strict=True
            ):
                assert (one.index, one.leaf, *one.hashes) == (other.index, other.leaf, *other.hashes)


def test_the_decision_names_the_key_that_signs_and_each_edition_its_own(
    awarded: tuple[App, list[uuid.UUID]],
) -> None:
    app, (award_id, _) = awarded

    def named_and_used() -> tuple[str | None, str]:
        with app.unit_of_work(reading=True) as services:
            answer = services.verification.verify_award(services.awards.record(award_id))
            assert answer.report is not None
            assert answer.report.key is not None
            evidence = services.verification.with_evidence(answer).evidence
            assert evidence is not None
            return evidence.signing_key, VerificationKey.from_jwk(answer.report.key).thumbprint()

    first = named_and_used()
    with app.unit_of_work() as services:
        old = services.campus_keys.campuses.active_key(app.campus.id)
        services.campus_keys.retire(app.campus, old.id, reason="Le relais de chaque année.", by=COMMAND)
    assert named_and_used() == first
    app.clock.move(minutes=5)
    with app.unit_of_work() as services:
        award = services.awards.record(award_id).award
        assert services.reissuing.write_name([award], "ZOE Martin", by=COMMAND)
    named, used = named_and_used()
    assert named == used != first[0]


@pytest.mark.parametrize("first", list(DisclosedContent))
@pytest.mark.parametrize("second", list(DisclosedContent))
def test_digest_is_valid_at_every_disclosure_level(
    awarded: tuple[App, list[uuid.UUID]], first: DisclosedContent, second: DisclosedContent
) -> None:
    app, (award_id, _) = awarded
    with app.unit_of_work() as services:
        row = services.evidence.find(award_id)
        assert row is not None
        for number, shown in zip(row.entries, (first, second), strict=True):
            services.stores.award_evidence.choose(award_id, number, shown, at=app.clock.now)
    with app.unit_of_work(reading=True) as services:
        report = judged(services, credential(services, award_id))
        assert report.outcome is EvidenceOutcome.PROVED
        beside = services.evidence.disclosure(award_id).body.decode()
        record = services.awards.record(award_id)
        for secret in (str(record.person.id), str(app.trainer.id), "Martin", "Zoé", "Le Goff"):
            assert secret not in beside
        assert ("Atelier robotique" in beside) == (first is DisclosedContent.ALL)
        assert ("table des capteurs" in beside) == (second is DisclosedContent.ALL)
        assert len(report.shown) == sum(shown is not DisclosedContent.EXISTENCE for shown in (first, second))


@pytest.mark.parametrize("change", ["name", "subject", "validFrom", "evidence"])
def test_credential_that_differs_from_the_logged_decision_is_found(
    awarded: tuple[App, list[uuid.UUID]], change: str
) -> None:
    """A thief of the campus's key can sign anything, but cannot add it to the log of that day."""
    app, (award_id, _) = awarded
    with app.unit_of_work(reading=True) as services:
        forged = credential(services, award_id)
        match change:
            case "subject":
                forged["credentialSubject"] = {
                    **forged["credentialSubject"],
                    "id": f"urn:uuid:{uuid.uuid4()}",
                }
            case "evidence":
                forged["evidence"] = []
            case "validFrom":
                forged["validFrom"] = "2020-01-01T00:00:00Z"
            case name:
                forged[name] = "Directrice"
        report = judged(services, forged)
        assert (report.outcome, report.reason) == (EvidenceOutcome.FAILED, "decision_about_other_content")


def test_evidence_of_another_award_is_refused(awarded: tuple[App, list[uuid.UUID]]) -> None:
    app, (award_id, other_id) = awarded
    with app.unit_of_work(reading=True) as services:
        forged = credential(services, award_id)
        forged["relatedResource"] = credential(services, other_id)["relatedResource"]
        assert judged(services, forged).reason == "decision_about_another_award"


def test_evidence_of_a_log_with_another_name_is_refused(awarded: tuple[App, list[uuid.UUID]]) -> None:
    app, (award_id, _) = awarded
    with app.unit_of_work(reading=True) as services:
        forged = credential(services, award_id)
        forged["issuer"] = {**forged["issuer"], "id": "did:web:localhost%3A8000:campus:agt"}
        assert judged(services, forged).reason == "log_of_somebody_else"


def test_forgetting_a_person_removes_their_evidence_and_no_other(
    awarded: tuple[App, list[uuid.UUID]],
) -> None:
    app, (award_id, other_id) = awarded
    with app.unit_of_work() as services:
        services.logged_events.forget(services.awards.record(award_id).person.id, app.campus, uuid.uuid4())
    with app.unit_of_work(reading=True) as services:
        with pytest.raises(RemovedEvidence, match="à la demande de la personne"):
            services.evidence.document(award_id)
        assert judged(services, credential(services, award_id)).outcome is EvidenceOutcome.UNREAD
        assert judged(services, credential(services, other_id)).outcome is EvidenceOutcome.PROVED


def test_only_evidence_of_open_awards_is_public(awarded: tuple[App, list[uuid.UUID]]) -> None:
    app, (award_id, other_id) = awarded
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor())
    client = app.client()
    found = client.get(f"/preuves/{award_id}", headers={"accept": "*/*"})
    assert found.status_code == 200
    assert found.headers["content-type"] == "application/json"
    assert found.headers["access-control-allow-origin"] == "*"
    assert client.get(f"/preuves/{award_id}/montrees").json()["type"] == "ActivityLogDisclosure"
    context = client.get("/contextes/preuves-v1.jsonld")
    assert context.status_code == 200
    assert found.json()["@context"].endswith("/contextes/preuves-v1.jsonld")
    for path in (f"/preuves/{other_id}", f"/preuves/{other_id}/montrees"):
        assert client.get(path).status_code == 403
    assert client.get(f"/preuves/{uuid.uuid4()}").status_code == 404


# --- What the log corrects after the award


def show(app: App, award_id: uuid.UUID, level: DisclosedContent) -> None:
    with app.unit_of_work() as services:
        row = services.evidence.find(award_id)
        assert row is not None
        services.log_disputes.show(app.campus, award_id, dict.fromkeys(row.entries, level), by=COMMAND)


def correct(app: App, **facts: Any) -> None:
    """Correct Zoé's participation as their trainer does."""
    with app.unit_of_work() as services:
        participation = next(
            each
            for each, person in services.stores.activities.participants(app.activity.id)
            if "Zoé" in person.name
        )
        services.activities.amend(
            app.campus,
            app.activity.id,
            participation.id,
            by=Actor(app.trainer.id),
            **{
                "part": participation.part,
                "hours": participation.hours,
                "contribution": participation.contribution,
                **facts,
            },
        )


def evidence_sentence(app: App, award_id: uuid.UUID) -> str:
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.with_evidence(
            services.verification.verify_award(services.awards.record(award_id))
        )
        assert answer.evidence is not None
        return evidence_messages(answer.evidence, answer.report, answer.correction).sentence.text()


UNCHANGED, CORRECTED = "inchangée depuis", "Depuis, le campus a corrigé dans son journal"


@pytest.mark.parametrize(
    ("level", "facts", "named"),
    [
        (DisclosedContent.SUMMARY, {"hours": 1.0}, "la durée"),
        (DisclosedContent.SUMMARY, {"hours": 1.0, "present": False}, "la durée, la présence"),
        (DisclosedContent.SUMMARY, {"part": PartKind.RESOURCE}, "le rôle"),
        (DisclosedContent.ALL, {"contribution": "A rangé les capteurs."}, "la contribution"),
    ],
)
def test_a_correction_after_the_award_is_named_and_its_values_are_not(
    awarded: tuple[App, list[uuid.UUID]], level: DisclosedContent, facts: dict[str, Any], named: str
) -> None:
    app, (award_id, other) = awarded
    show(app, award_id, level)
    assert UNCHANGED in evidence_sentence(app, award_id)
    correct(app, **facts)
    assert f"{CORRECTED} ce sur quoi ce badge repose : {named}." in evidence_sentence(app, award_id).replace(
        "\xa0", " "
    )
    assert UNCHANGED in evidence_sentence(app, other)


def test_correction_of_hidden_content_is_not_shown(awarded: tuple[App, list[uuid.UUID]]) -> None:
    app, (award_id, _) = awarded
    show(app, award_id, DisclosedContent.EXISTENCE)
    correct(app, hours=1.0)
    assert f"{CORRECTED} ce sur quoi ce badge repose. Le badge dit" in evidence_sentence(app, award_id)


@pytest.mark.parametrize("level", [DisclosedContent.EXISTENCE, DisclosedContent.SUMMARY])
def test_correction_of_an_undisclosed_text_is_not_shown(
    awarded: tuple[App, list[uuid.UUID]], level: DisclosedContent
) -> None:
    app, (award_id, _) = awarded
    show(app, award_id, level)
    correct(app, contribution="A rangé les capteurs.")
    assert UNCHANGED in evidence_sentence(app, award_id)


def test_reverted_correction_is_not_shown(awarded: tuple[App, list[uuid.UUID]]) -> None:
    app, (award_id, _) = awarded
    correct(app, hours=1.0)
    correct(app, hours=3.0)
    assert UNCHANGED in evidence_sentence(app, award_id)


def test_other_days_of_an_activity_are_a_correction_and_another_title_is_not(
    awarded: tuple[App, list[uuid.UUID]],
) -> None:
    app, (award_id, _) = awarded
    wanted = app.activity.model_copy(update={"title": "Autre titre", "place": "Dijon"})
    amend_activity(app, wanted)
    assert UNCHANGED in evidence_sentence(app, award_id)
    day = app.activity.starts_on - timedelta(days=1)
    amend_activity(app, wanted.model_copy(update={"starts_on": day, "ends_on": day}))
    assert "les dates" in evidence_sentence(app, award_id)
    staff = app.client(app.admin).get(f"/gestion/itip/attributions/{award_id}").text
    assert "Le journal a été corrigé depuis" in staff
    said = staff.split("Ce que dit le badge")[1].split("</dl>")[0]
    assert app.activity.title in said.replace("&#39;", "'")
    assert "Autre titre" not in said


def amend_activity(app: App, wanted: Activity) -> None:
    with app.unit_of_work() as services:
        services.activity_plans.amend(
            app.campus, app.activity.id, Activity(**wanted.model_dump()), None, by=Actor(app.trainer.id)
        )


def test_readers_of_one_snapshot_read_a_tile_of_the_log_once(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (line for person in (ZOE, LEO) for line in app.award(person).lines)
    read: list[int] = []
    most, tile_of = 256, ActivityLogStore.tile

    def tile(store: ActivityLogStore, log_id: uuid.UUID, tile: Tile) -> bytes:
        read.append(tile.width)
        return tile_of(store, log_id, tile)[: most * HASH_BYTES]

    def prove(award_id: uuid.UUID | None, snapshot: Snapshot) -> None:
        assert award_id
        with app.process.unit_of_work(reading=True, snapshot=snapshot) as services:
            assert judged(services, credential(services, award_id)).outcome is EvidenceOutcome.PROVED

    monkeypatch.setattr(ActivityLogStore, "tile", tile)
    snapshot = Snapshot("whole", {})
    prove(first.award_id, snapshot)
    prove(second.award_id, snapshot)
    assert len(read) == 1
    most = read[0] - 1  # the newest entry is lost
    prove(first.award_id, Snapshot("without the newest", {}))
