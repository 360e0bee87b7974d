"""Selective disclosure of a badge: mandatory members, those its holder omits, and verification of a part."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.awards import Visibility
from app.domain.badges import BadgeKind
from app.domain.campus.campus import CampusSettings, KeyPurpose, KeyState, SealedKey
from app.domain.learners.wallet_authorization import (
    DISCLOSABLE,
    MANDATORY,
    PRESENTATION_LIFE,
    disclosable_in,
    mandatory_in,
    mandatory_pointers,
    presented,
    selected_in,
)
from app.domain.people import AgeGroup
from app.errors import Conflict, NotAllowed, NotFound
from app.services.verification.verdicts.headlines import HeadlineKind, headline
from sceau_credentials.keys import Algorithm
from sceau_credentials.proofs.sd_jwt import badge_claims
from sceau_credentials.values import (
    JsonObject,
    dump_json,
    format_timestamp,
    parse_json_object,
    parse_timestamp,
)
from sceau_credentials.verification.findings import RemarkCode
from sceau_credentials.verification.report import Report, Verdict
from tests.app.services.learners.test_wallets import BY, open_award
from tests.support.app import COMMAND, App, done_once
from tests.support.badges.credentials import badge_document

EVERYTHING = frozenset(each.name for each in DISCLOSABLE)


@done_once
def switch(app: App, *, on: bool = True) -> None:
    with app.unit_of_work() as services:
        campus = services.campuses.get(app.campus.slug)
        wanted = replace(CampusSettings.of(campus), selective_disclosure=on)
        services.campuses.change_settings(campus.slug, wanted, by=COMMAND)


def keys(app: App) -> list[SealedKey]:
    with app.unit_of_work(reading=True) as services:
        found = services.campuses.keys_of(app.campus)
    return [each for each in found if each.purpose is KeyPurpose.DISCLOSURE]


def presentation(app: App, award_id: uuid.UUID, *names: str) -> JsonObject:
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        return parse_json_object(services.selective_disclosure.present(record, names, by=BY))


def stored(app: App, award_id: uuid.UUID) -> JsonObject:
    with app.unit_of_work(reading=True) as services:
        return parse_json_object(
            services.publication.award_file(services.awards.record(award_id), "json").body
        )


def asked(app: App, document: JsonObject) -> tuple[HeadlineKind, Report, str]:
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.verify(dump_json(document))
        assert answer.report is not None
        head = headline(answer)
        return head.kind, answer.report, head.text()


# --- the table


def subject_of(document: JsonObject) -> dict[str, Any]:
    subject = document["credentialSubject"]
    assert isinstance(subject, dict)
    return subject


def whole() -> JsonObject:
    """A badge with every member that one of ours may have."""
    document = copy.deepcopy(badge_document())
    del document["description"], document["evidence"][0]["genre"]
    subject = document["credentialSubject"]
    subject |= {
        "narrative": "Niveau 3 sur 4.",
        "source": {"id": document["issuer"]["id"], "type": ["Profile"]},
    }
    document["relatedResource"] = [
        {"id": "https://badges.example/preuves/1", "mediaType": "application/json"}
    ]
    return document


def test_table_names_every_member_that_a_stored_badge_has(app: App) -> None:
    known = {pointer for each in (*MANDATORY, *DISCLOSABLE) for pointer in each.pointers}
    for document in (stored(app, open_award(app)), whole()):
        subject = subject_of(document)
        found = {f"/{name}" for name in document} - {"/@context", "/type", "/proof", "/credentialSubject"}
        found |= {f"/credentialSubject/{name}" for name in subject}
        found |= {f"/credentialSubject/achievement/{name}" for name in subject["achievement"]}
        parts = {f"/credentialSubject{end}" for end in ("/id", "/type", "/achievement")}
        parts |= {f"/credentialSubject/achievement/{name}" for name in ("id", "type")}
        assert found - parts <= known


@pytest.mark.parametrize("kind", BadgeKind)
def test_sd_jwt_has_the_same_disclosable_members(kind: BadgeKind) -> None:
    """Except `id` and `sub`, which ecdsa-sd-2023 always discloses."""
    document = whole()
    claims, withheld = badge_claims(document, mandatory_pointers(kind))
    of_claims = {"/id": "/id", "/sub": "/credentialSubject/id"}
    subject = subject_of(document)
    of_claims |= {f"/{name}": f"/credentialSubject/{name}" for name in subject if name != "id"}
    of_claims |= {
        f"/achievement/{name}": f"/credentialSubject/achievement/{name}" for name in subject["achievement"]
    }
    found = {of_claims.get(each, each) for each in withheld} - {"/id", "/credentialSubject/id"}
    assert found == set(selected_in(document, kind, EVERYTHING))
    assert set(mandatory_in(document, kind)).isdisjoint(found)
    assert claims["achievement"] == subject["achievement"]


@pytest.mark.parametrize("kind", BadgeKind)
def test_nothing_is_both_mandatory_and_disclosable(kind: BadgeKind) -> None:
    shown = {pointer for each in disclosable_in(whole(), kind) for pointer in each.pointers}
    assert shown.isdisjoint(mandatory_pointers(kind))
    assert ("jugement" in {each.name for each in disclosable_in(whole(), kind)}) is not kind.is_assessed


def test_presentation_ends_after_ninety_days_or_with_the_badge() -> None:
    document = badge_document()
    made = parse_timestamp("2026-06-30T12:00:00Z")
    assert presented(document, at=made)["validUntil"] == format_timestamp(made + PRESENTATION_LIFE)
    end = format_timestamp(made + timedelta(days=3))
    assert presented(document | {"validUntil": end}, at=made)["validUntil"] == end
    assert "proof" not in presented(document | {"proof": {}}, at=made)


# --- the campus


def test_campus_without_selective_disclosure_has_no_key_and_shows_no_part(app: App) -> None:
    award_id = open_award(app)
    assert keys(app) == []
    with pytest.raises(NotFound):
        presentation(app, award_id)


def test_switching_on_makes_one_sealed_and_published_p256_key(app: App) -> None:
    switch(app)
    switch(app, on=False)
    switch(app)
    (key,) = keys(app)
    assert (key.algorithm, key.state) == (Algorithm.ES256.value, KeyState.ACTIVE)
    with app.unit_of_work(reading=True) as services:
        document = services.publication.did_of(app.campus)
        signer = services.signing.disclosure_signer(app.campus)
    assert key.method_id in document["assertionMethod"]
    assert signer.key.public.algorithm is Algorithm.ES256
    assert signer.key.to_bytes() not in key.sealed  # type: ignore[attr-defined]
    accept = {"accept": "application/did+json"}
    page = app.client().get(f"/campus/{app.campus.slug}/did.json", headers=accept).json()
    assert key.method_id in page["assertionMethod"]


def test_switching_off_shows_no_part_and_leaves_earlier_files_valid(app: App) -> None:
    switch(app)
    award_id = open_award(app)
    before = presentation(app, award_id)
    switch(app, on=False)
    with pytest.raises(NotFound):
        presentation(app, award_id)
    assert asked(app, before)[0] is HeadlineKind.VALID


# --- what is shown


@pytest.mark.parametrize("names", [(), ("nom",), ("resultats", "preuves"), tuple(sorted(EVERYTHING))])
def test_part_is_valid_and_reported_as_a_part(app: App, names: Collection[str]) -> None:
    switch(app)
    part = presentation(app, open_award(app), *names)
    kind, report, text = asked(app, part)
    assert (kind, report.verdict) == (HeadlineKind.VALID, Verdict.VALID)
    assert [each.code for each in report.remarks] == [RemarkCode.PART_SHOWN]
    assert "qu’une partie" in text
    assert ("Diaye" in dump_json(part).decode()) is ("nom" in names)
    assert ("evidence" in part) is ("preuves" in names)
    assert ("result" in subject_of(part)) is ("resultats" in names)


def test_altered_part_is_invalid(app: App) -> None:
    switch(app)
    part = presentation(app, open_award(app), "nom")
    subject_of(part)["identifier"][0]["identityHash"] = "Léo Martin"
    assert asked(app, part)[1].verdict is Verdict.INVALID


def test_content_that_the_holder_hid_is_in_no_part(app: App) -> None:
    switch(app)
    award_id = open_award(app)
    assert "Diaye" in dump_json(presentation(app, award_id, *EVERYTHING)).decode()
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.reissuing.choose_name(record.award, False, name=record.person.name, by=BY)
    part = presentation(app, award_id, *EVERYTHING)
    assert "Diaye" not in dump_json(part).decode()
    assert part["validFrom"] == stored(app, award_id)["validFrom"]


def test_closed_withdrawn_and_suspended_badges_are_not_shown_in_part(app: App) -> None:
    switch(app)
    award_id = open_award(app)
    part = presentation(app, award_id)
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=BY)
    with pytest.raises(Conflict, match="fermée"):
        presentation(app, award_id)
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=BY)
        services.awards.revoke(app.campus, award_id, "Attribué par erreur.", by=COMMAND)
    with pytest.raises(Conflict, match="retiré"):
        presentation(app, award_id)
    assert asked(app, part)[0] is HeadlineKind.REVOKED


def test_pupil_under_15_shows_a_part_with_a_parents_consent_only(app: App) -> None:
    switch(app)
    award_id = open_award(app)
    presentation(app, award_id)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.guardians.set_age_group(app.campus, record.person.id, AgeGroup.UNDER_15, by=COMMAND)
        # The rule applies even if the page stayed open by mistake.
        award = services.awards.record(award_id).award
        award.visibility, award.align_due_at = Visibility.OPEN, None
        services.awards.awards.save(award)
    with pytest.raises((Conflict, NotAllowed)):
        presentation(app, award_id)


def test_expired_file_reads_as_expired_with_a_badge_that_may_be_valid(app: App) -> None:
    switch(app)
    award_id = open_award(app)
    part = presentation(app, award_id)
    app.clock.now += PRESENTATION_LIFE + timedelta(hours=1)
    kind, _report, text = asked(app, part)
    assert kind is HeadlineKind.EXPIRED
    assert "Le badge lui-même vaut peut-être encore" in text
    assert asked(app, presentation(app, award_id))[0] is HeadlineKind.VALID


def test_files_of_a_stolen_key_are_invalid_and_the_next_key_signs_new_ones(app: App) -> None:
    switch(app)
    award_id = open_award(app)
    part = presentation(app, award_id)
    (key,) = keys(app)
    with app.unit_of_work() as services:
        following = services.campus_keys.retire(
            app.campus, key.id, reason="Copie perdue.", stolen_since=key.created_at, by=COMMAND
        )
    assert following is not None
    assert (following.purpose, following.algorithm) == (KeyPurpose.DISCLOSURE, Algorithm.ES256.value)
    assert asked(app, part)[1].verdict is not Verdict.VALID
    newer = presentation(app, award_id)
    assert newer["proof"]["verificationMethod"] == following.method_id  # type: ignore[call-overload, index]
    assert asked(app, newer)[0] is HeadlineKind.VALID


def test_replaced_key_still_proves_what_it_signed(app: App) -> None:
    switch(app)
    part = presentation(app, open_award(app))
    (key,) = keys(app)
    with app.unit_of_work() as services:
        services.campus_keys.retire(app.campus, key.id, reason="Tous les ans.", by=COMMAND)
    assert asked(app, part)[0] is HeadlineKind.VALID


def test_holder_reads_which_parts_were_shown_and_when(app: App) -> None:
    switch(app)
    award_id = open_award(app)
    presentation(app, award_id, "nom", "nothing of that name")
    app.clock.now += timedelta(hours=1)
    presentation(app, award_id)
    with app.unit_of_work(reading=True) as services:
        found = services.selective_disclosure.shown_before(award_id)
        campus_history = [
            entry.action for entry, _ in services.selective_disclosure.history.list_of("award", award_id)
        ]
    assert [names for _at, names in found] == [[], ["nom"]]
    assert "show_part" not in campus_history


def test_base_proof_and_file_are_stored_nowhere(app: App) -> None:
    switch(app)
    award_id = open_award(app)
    before = stored(app, award_id)
    first, second = presentation(app, award_id), presentation(app, award_id)
    assert first["proof"] != second["proof"]
    assert stored(app, award_id) == before
