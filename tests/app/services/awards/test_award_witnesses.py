"""Pages, API and evidence package name the same witnesses of an award; the package proves them."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from app.domain.activity_log import LogCosignature
from app.domain.awards import Visibility
from app.services.verification.verdicts import witness_messages
from sceau_credentials.evidence.judging import EvidenceReport, judge_evidence
from sceau_credentials.package import open_package
from sceau_credentials.transparency_log.notes import Note, WitnessKey, cosign
from sceau_credentials.values import dump_json, parse_json_object
from sceau_credentials.verification.run_checks import verify
from tests.app.services.activity_log.test_log_key_rotation import rotate
from tests.app.services.campus.test_key_retiring import LEO, ZOE, award_id_of
from tests.app.services.campus.test_key_retiring import retire as retire_badge_key
from tests.app.web.activity_log.test_evidence_page import HARD_SPACES
from tests.support.app import COMMAND, App
from tests.support.badges.documents import Documents

AGT, RITM = WitnessKey("temoin.exemple.org", bytes(32)), WitnessKey("autre.exemple.org", b"\x01" * 32)
SEEN_BY_BOTH = "Vu aussi par : Campus AGT, le 24 novembre 2026 ; RITM, le 25 novembre 2026."


def sees(app: App, key: WitnessKey, label: str) -> None:
    """Add the witness, which cosigns the present log."""
    with app.unit_of_work() as services:
        services.log_watch.name_witness(app.campus, key.public.to_vkey(), label, by=COMMAND)
        point = services.activity_log.checkpoint(app.campus)
        line = cosign(Note.from_text(point.note).text, key.name, key.key, at=app.clock.now).to_line()
        services.log_watch.watch.add(
            LogCosignature(
                log_id=point.log_id, size=point.size, witness=key.name, line=line, seen_at=app.clock.now
            )
        )


@pytest.fixture
def award_id(app: App) -> uuid.UUID:
    award_id = award_id_of(app, ZOE)
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    return award_id


def packed(app: App, award_id: uuid.UUID) -> bytes:
    with app.unit_of_work(reading=True) as services:
        return services.verification.package_of(services.awards.record(award_id)).body


def offline(package: bytes) -> tuple[EvidenceReport, list[str]]:
    opened = open_package(package)
    report = verify(opened.badge, documents=opened.documents, at=opened.made_at)
    assert report.document is not None
    evidence = judge_evidence(report.document, documents=opened.documents)
    assert evidence is not None
    return evidence, [each.text() for each in witness_messages(evidence, report)]


def by_program(app: App, award_id: uuid.UUID) -> list[str]:
    address = app.process.settings.base_url + f"/attributions/{award_id}"
    result = app.client().post("/api/v1/verify", json={"url": address}).json()
    return result["evidence"]["witnessed"]


def test_page_api_and_package_name_the_same_witnesses(app: App, award_id: uuid.UUID) -> None:
    nobody = ["Aucun témoin extérieur n’a encore vu cette attribution au journal."]
    assert by_program(app, award_id) == nobody
    assert offline(packed(app, award_id))[1] == nobody
    sees(app, AGT, "Campus AGT")
    app.clock.move(days=1)
    award_id_of(app, LEO)
    sees(app, AGT, "Campus AGT")
    sees(app, RITM, "RITM")
    assert by_program(app, award_id) == [SEEN_BY_BOTH]
    evidence, said = offline(packed(app, award_id))
    assert said == [SEEN_BY_BOTH]
    assert [each.name for each in evidence.witnesses or ()] == ["Campus AGT", "RITM"]
    page = app.client().get(f"/attributions/{award_id}").text.translate(HARD_SPACES)
    assert SEEN_BY_BOTH in page


@pytest.mark.parametrize(
    ("days", "said"), [(2, "Un témoin extérieur avait vu"), (0, "Aucun témoin extérieur n’avait vu")]
)
def test_verification_compares_award_and_key_theft_even_offline(
    app: App, award_id: uuid.UUID, days: int, said: str
) -> None:
    app.clock.move(days=1)
    sees(app, AGT, "Campus AGT")
    app.clock.move(days=2)
    retire_badge_key(app, stolen_since=app.clock.now - timedelta(days=3 - days, hours=-1))
    for result in (by_program(app, award_id), offline(packed(app, award_id))[1]):
        assert len(result) == 2
        assert result[1].startswith(said)


def test_earlier_witness_still_counts_after_the_log_key_changed(app: App, award_id: uuid.UUID) -> None:
    sees(app, AGT, "Campus AGT")
    app.clock.move(days=1)
    rotate(app)
    rotate(app, stolen_since=app.clock.now)
    assert by_program(app, award_id) == ["Vu aussi par : Campus AGT, le 24 novembre 2026."]


def test_verification_ignores_what_a_witness_did_not_sign(app: App, award_id: uuid.UUID) -> None:
    sees(app, AGT, "Campus AGT")
    other_id = award_id_of(app, LEO)
    sees(app, RITM, "RITM")
    with app.unit_of_work(reading=True) as services:
        badge = parse_json_object(services.stores.awards.document_of(award_id).embedded)
        address = services.evidence.addresses.evidence(award_id)
        beside = parse_json_object(services.evidence.witnesses(award_id).body)
        other = parse_json_object(services.evidence.witnesses(other_id).body)["witnesses"]
        served = {
            place: services.verification.documents.fetch(place).body
            for place in (
                address,
                f"{address}/montrees",
                f"https://{services.addresses.host}/campus/itip/journal/key",
            )
        }
    ritm, agt = beside["witnesses"]  # type: ignore[misc]
    assert isinstance(agt, dict)
    assert isinstance(ritm, dict)
    for changed, expected in (
        (agt, ["Campus AGT"]),
        (agt | {"key": RITM.public.to_vkey()}, []),
        (agt | {"proof": str(agt["proof"]).replace("index ", "index 1")}, []),
        (agt | {"proof": "rien"}, []),
        (agt | {"proof": str(agt["proof"]).rsplit("—", 1)[0]}, []),
        (other[0], []),  # type: ignore[index]
    ):
        body = dump_json(beside | {"witnesses": [changed]})
        found = judge_evidence(badge, documents=Documents(served | {f"{address}/temoins": body.decode()}))
        assert found is not None
        assert [each.name for each in found.witnesses or ()] == expected
    for body in (dump_json(beside | {"evidence": "autre"}), b"[]", b"{}"):
        found = judge_evidence(badge, documents=Documents(served | {f"{address}/temoins": body.decode()}))
        assert found is not None
        assert found.witnesses is None
