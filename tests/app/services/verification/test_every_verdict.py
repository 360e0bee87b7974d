"""Every headline, each reached by presenting a real credential to the app."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.services.awards.awards import AwardRequest
from app.services.badges import Wording
from app.services.verification import verdicts
from app.services.verification.answers import standing_in
from app.services.verification.verdicts import HeadlineKind
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.status_list import StatusList, status_entry, status_list_credential
from sceau_credentials.trust import Entry, Standing, TrustList
from sceau_credentials.verification.answers import Identity, Policy
from tests.app.services.verification.test_verdicts import (
    Employer,
    a_pdf,
    employer,
    key_of_nobody,
    signed,
    signed_for_something_else,
    two_in_one,
    unsigned,
    withdrawn_key,
)
from tests.sceau_credentials.verification.legacy.older_issuer import (
    ASSERTION,
    ISSUER,
    assertion,
    issuer,
    published,
)
from tests.support.app import COMMAND, App
from tests.support.app import listed as people
from tests.support.badges.credentials import DID_URL, LIST_INDEX, LIST_URL, NOON, Campus, badge_document
from tests.support.badges.documents import Documents
from tests.support.badges.pictures import PNG
from tests.support.content.networks import label, network_of

__all__ = ["employer"]
K = HeadlineKind
Presented = bytes | str
Made = Callable[[Employer], Presented]


def ours(form: str) -> Made:
    return lambda employer: employer.award()[1][form]


def shut(employer: Employer) -> str:
    return employer.award(is_open=False)[0]


def withdrawn(employer: Employer) -> bytes:
    address, files = employer.award()
    employer.revoke(address)
    return files["json"]


def replaced(employer: Employer) -> bytes:
    """The file from before the campus corrected the name of its holder."""
    address, files = employer.award()
    with employer.app.unit_of_work() as services:
        award_id = services.addresses.award_named_by(address)
        assert award_id is not None
        person, admin = services.awards.record(award_id).person, Actor(employer.app.admin.id)
        services.names.correct_in_campus(employer.app.campus, person.id, "Zoë", "Martin", by=admin)
    return files["json"]


def renewed(employer: Employer) -> bytes:
    """The file of a badge for thirty days, from before its renewal."""
    app = employer.app
    wording = Wording(
        BadgeKind.BELONGING, "Membre", "Est du campus.", "La personne est venue au campus.", validity_days=30
    )
    with app.unit_of_work() as services:
        badge = services.badges.create(app.campus, wording, slug="membre-30", by=COMMAND).badge
        request = AwardRequest(
            badge.id, app.activity.id, lines=people("Zoé Martin;zoe@exemple.fr"), tells=False
        )
        (line,) = services.awards.award(app.campus, request, by=COMMAND).lines
    assert line.award_id
    with app.unit_of_work() as services:
        record = services.awards.record(line.award_id)
        before = services.publication.award_file(record, "json").body
    app.clock.move(days=20)
    with app.unit_of_work() as services:
        record = services.awards.record(line.award_id)
        services.awards.renew(app.campus, record.award, "", by=COMMAND)
    return before


def altered(employer: Employer) -> str:
    return employer.award()[1]["json"].decode().replace("Zoé", "Léa")


def altered_token(employer: Employer) -> str:
    header, payload, signature = employer.award()[1]["jwt"].decode().split(".")
    claims = base64.urlsafe_b64decode(payload + "==").replace("Zoé".encode(), "Léa".encode())
    return f"{header}.{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}.{signature}"


def by_a_stranger(**changed: object) -> Made:
    return lambda employer: signed(employer.stranger.signer, **changed)


def in_a_token(employer: Employer) -> str:
    return employer.stranger.issue().token


def withdrawn_by_a_stranger(employer: Employer) -> bytes:
    return listed(employer, "revocation")


def suspended_by_a_stranger(employer: Employer) -> bytes:
    return listed(employer, "suspension")


def listed(employer: Employer, purpose: str) -> bytes:
    stranger, at = employer.stranger, employer.app.clock()
    bits = StatusList()
    bits.set(LIST_INDEX)
    status = status_list_credential(
        LIST_URL, issuer=stranger.did, status_list=bits, purpose=purpose, valid_from=at - timedelta(hours=1),
        valid_until=at + timedelta(days=2), ttl=timedelta(minutes=15),
    )  # fmt: skip
    served = add_proof(status, signer=stranger.signer, created=at)
    employer.process.beyond = Documents({DID_URL: stranger.did_document, LIST_URL: served})
    entry = status_entry(LIST_URL, LIST_INDEX, purpose)
    return signed(stranger.signer, credentialStatus=entry).encode()


def of_a_mere_key(employer: Employer) -> str:
    did, signer = key_of_nobody()
    return signed(signer, issuer=badge_document()["issuer"] | {"id": did}, credentialStatus=...)


def in_our_name(employer: Employer) -> str:
    _, signer = key_of_nobody()
    named = badge_document()["issuer"] | {"id": employer.app.campus.did}
    return signed(signer, issuer=named, credentialStatus=...)


def out_of_reach(employer: Employer) -> bytes:
    employer.process.beyond = Documents()
    return employer.stranger.issue().embedded


def status_out_of_reach(employer: Employer) -> bytes:
    employer.process.beyond = Documents({DID_URL: employer.stranger.did_document})
    return employer.stranger.issue().embedded


def expired_and_out_of_reach(employer: Employer) -> str:
    employer.process.beyond = Documents()
    return signed(employer.stranger.signer, validUntil="2026-11-01T00:00:00Z")


def without_a_beginning(employer: Employer) -> str:
    document = {name: value for name, value in badge_document().items() if name != "validFrom"}
    return json.dumps(add_proof(document, signer=employer.stranger.signer, created=NOON))


def without_a_beginning_and_out_of_reach(employer: Employer) -> str:
    employer.process.beyond = Documents()
    return without_a_beginning(employer)


def with_an_undefined_term(employer: Employer) -> str:
    return json.dumps(json.loads(signed(employer.stranger.signer)) | {"nouveauMot": "x"})


def withdrawn_label(employer: Employer) -> str:
    with employer.app.unit_of_work() as services:
        network = network_of(services, employer.app.campus)
        given = label(services, network, employer.app.campus)
        services.register.withdraw_label(given.id, by=COMMAND)
    return f"http://localhost:8000/labels/{given.id}"


def by_an_unpublished_key(_: Employer) -> str:
    return signed(Campus().signer)


def in_an_unread_way(employer: Employer) -> str:
    document = json.loads(signed(employer.stranger.signer))
    document["proof"]["cryptosuite"] = "bbs-2023"
    return json.dumps(document)


def hosted(documents: Documents, presented: object) -> Made:
    def make(employer: Employer) -> str:
        employer.process.beyond = documents
        return presented if isinstance(presented, str) else json.dumps(presented)

    return make


PEOPLE = "https://hebergeur.example/1"
SITUATIONS: tuple[tuple[str, Made, HeadlineKind], ...] = (
    # --- given here
    ("JSON", ours("json"), K.VALID),
    ("JWT", ours("jwt"), K.VALID),
    ("PNG", ours("png"), K.VALID),
    ("SVG", ours("svg"), K.VALID),
    ("withdrawn", withdrawn, K.REVOKED),
    ("replaced", replaced, K.REPLACED),
    ("renewed", renewed, K.RENEWED),
    ("link of a shut page", shut, K.CLOSED),
    ("JSON changed", altered, K.ALTERED),
    ("JWT changed", altered_token, K.ALTERED),
    ("in our name by another key", in_our_name, K.IMPOSTOR),
    ("two badges in one picture", two_in_one, K.SEVERAL_BADGES),
    ("half a picture", lambda employer: employer.award()[1]["png"][:2000], K.UNREADABLE),
    ("link to no award", lambda _: "http://localhost:8000/attributions/9f3d2e7a-0000-4000-8000-000000000000", K.LINK_UNKNOWN),
    # --- given by others
    ("3.0 JSON", by_a_stranger(), K.UNKNOWN_ISSUER),
    ("3.0 JWT", in_a_token, K.UNKNOWN_ISSUER),
    ("3.0 without a status", by_a_stranger(credentialStatus=...), K.UNKNOWN_ISSUER),
    ("expired", by_a_stranger(validUntil="2026-11-01T00:00:00Z"), K.EXPIRED),
    ("not yet", by_a_stranger(validFrom="2027-01-01T00:00:00Z"), K.NOT_YET_VALID),
    ("withdrawn by its list", withdrawn_by_a_stranger, K.REVOKED),
    ("suspended by its list", suspended_by_a_stranger, K.SUSPENDED),
    ("of a mere key", of_a_mere_key, K.UNKNOWN_ISSUER),
    ("key withdrawn", withdrawn_key, K.KEY_WITHDRAWN),
    ("signed for another purpose", signed_for_something_else, K.BAD_SIGNATURE),
    ("unsigned", unsigned, K.UNSIGNED),
    ("with a word that nothing defines", with_an_undefined_term, K.PARTLY_COVERED),
    ("key of the issuer that it does not publish", by_an_unpublished_key, K.UNKNOWN_KEY),
    ("signed in a way not read here", in_an_unread_way, K.NOT_CHECKABLE),
    ("not conforming, and nothing answers", without_a_beginning_and_out_of_reach, K.NOT_CONFORMING),
    ("without a beginning", without_a_beginning, K.SIGNED_NOT_CONFORMING),
    ("nothing answers", out_of_reach, K.UNVERIFIABLE),
    ("its list does not answer", status_out_of_reach, K.UNVERIFIABLE),
    ("expired, and nothing answers", expired_and_out_of_reach, K.OUT_OF_DATE_UNPROVEN),
    ("2.0 hosted", hosted(published(), assertion()), K.UNKNOWN_ISSUER),
    ("2.0 link", hosted(published(), ASSERTION), K.UNKNOWN_ISSUER),
    ("2.0 withdrawn", hosted(published(assertion={"id": ASSERTION, "revoked": True}), assertion()), K.WITHDRAWN_AT_ADDRESS),
    ("2.0, its address serves another", hosted(published(assertion=assertion(id=f"{ASSERTION}2")), assertion()), K.NOT_AT_ITS_ADDRESS),
    ("2.0 at somebody else's", hosted(published(issuer=issuer()).with_({PEOPLE: assertion(id=PEOPLE)}), assertion(id=PEOPLE)), K.HOSTED_BY_ANOTHER),
    ("2.0 without its parts", lambda _: '{"@context": "https://w3id.org/openbadges/v2", "type": "Assertion"}', K.NOT_CONFORMING),
    ("link that leads nowhere", lambda _: "https://autre.example/badge/1", K.LINK_ELSEWHERE),
    # --- no badge
    ("a bare picture", lambda _: PNG, K.IMAGE_WITHOUT_BADGE),
    ("a bare PDF", lambda _: a_pdf(), K.PDF_WITHOUT_BADGE),
    ("JSON of something else", lambda _: '{"a": 1}', K.NOT_A_BADGE),
    ("words", lambda _: "bonjour", K.UNREADABLE),
    ("link to a label that was withdrawn", withdrawn_label, K.LINK_GONE),
)  # fmt: skip


def test_each_situation_has_its_headline_and_together_they_reach_all(app: App, employer: Employer):
    # For programs only, of an issuer that a register lists or nearly lists, offline, or erased: tested
    # elsewhere.
    reached = {
        K.OTHER_PERSON,
        K.OTHER_FILE,
        K.VALID_ELSEWHERE,
        K.HOSTED_ELSEWHERE,
        K.OTHER_KEY,
        K.LEADS,
        K.DOCUMENT_GOOD,
        K.DOCUMENT_BAD,
        K.DOCUMENT_OPEN,
        K.NAMES_DIFFER,
        K.STATEMENTS_DIFFER,
        K.LOOKALIKE,
        K.UNAUTHENTICATED,
        K.LINK_ERASED,
    }
    for number, (name, make, kind) in enumerate(SITUATIONS):
        employer.stranger = Campus()
        at = app.clock()
        employer.process.beyond = Documents(
            {DID_URL: employer.stranger.did_document, LIST_URL: employer.stranger.status_list(at=at)}
        )
        # A person may hold a badge once only.
        employer.learner = f"Zoé N’Diaye; zoe{number}@exemple.fr"
        result = verdicts.headline(employer.ask(make(employer)))
        assert result.kind is kind, name
        assert result.text(), name
        reached.add(kind)
    assert reached == set(HeadlineKind)
    assert len(SITUATIONS) >= 25


ENTRY = Entry("did:web:badges.example:campus:itip", "École des Trois-Rivières")
OLDER = Entry(ISSUER, "Fablab")
OTHER = Entry("did:web:autre.example", "Forêt-Bois")


@pytest.mark.parametrize(
    ("entry", "presented", "kind", "state"),
    [
        (ENTRY, by_a_stranger(), K.VALID_ELSEWHERE, "ok"),
        (OLDER, hosted(published(), assertion()), K.HOSTED_ELSEWHERE, "ok"),
        (replace(ENTRY, keys=("une-autre",)), by_a_stranger(), K.OTHER_KEY, "bad"),
        (replace(ENTRY, standing=Standing.SUSPENDED, until=NOON), by_a_stranger(), K.UNKNOWN_ISSUER, "unk"),
        (replace(ENTRY, standing=Standing.ENDED, until=NOON), by_a_stranger(), K.UNKNOWN_ISSUER, "unk"),
        (OTHER, by_a_stranger(), K.UNKNOWN_ISSUER, "unk"),
        (
            OTHER,
            by_a_stranger(issuer=badge_document()["issuer"] | {"name": "Fоrêt-Воіѕ"}),
            K.LOOKALIKE,
            "bad",
        ),
        (
            OTHER,
            by_a_stranger(
                issuer=badge_document()["issuer"] | {"name": "Forêt Bois"}, validUntil="2026-11-01T00:00:00Z"
            ),
            K.LOOKALIKE,
            "bad",
        ),
    ],
)
def test_only_an_issuer_that_a_register_names_is_green(
    employer: Employer, entry: Entry, presented: Made, kind: HeadlineKind, state: str
):
    answer = employer.ask(presented(employer))
    assert answer.report is not None
    listed = TrustList(
        "https://reseau.example/liste", "did:web:reseau.example", "Réseau BFC", 1,
        answer.report.at - timedelta(days=1), answer.report.at + timedelta(days=7), (entry,),
    )  # fmt: skip
    result = verdicts.headline(replace(answer, standing=standing_in([listed], answer.report)))
    assert (result.kind, result.state) == (kind, state)
    assert ("Authentique" in result.title()) == (state == "ok")
    assert ("Forêt-Bois" in result.title()) == (kind is K.LOOKALIKE)


def test_foreign_issuer_with_the_name_of_our_campus_gets_a_warning_without_any_list(employer: Employer):
    named = badge_document()["issuer"] | {"name": employer.app.campus.name.replace("o", "о")}
    result = verdicts.headline(employer.ask(signed(employer.stranger.signer, issuer=named)))
    assert (result.kind, result.state) == (K.LOOKALIKE, "bad")
    assert employer.app.campus.name in result.title()


@pytest.mark.parametrize("end", ["validUntil", "validFrom"])
def test_badge_of_an_unknown_issuer_outside_its_dates_is_not_reported_as_authentic(
    employer: Employer, end: str
):
    day = {"validUntil": "2026-11-01T00:00:00Z", "validFrom": "2027-01-01T00:00:00Z"}[end]
    result = verdicts.headline(employer.ask(signed(employer.stranger.signer, **{end: day})))
    assert result.title().startswith("Signature valable, mais ")


def test_program_with_an_address_reads_that_the_badge_is_another_person_s(app: App, employer: Employer):
    employer.process.beyond = published()
    asked = Policy(recipient=Identity("leo@ecole.example"))
    with employer.process.unit_of_work(reading=True) as services:
        answer = services.verification.verify(json.dumps(assertion()), asked)
    assert verdicts.headline(answer).kind is K.OTHER_PERSON
