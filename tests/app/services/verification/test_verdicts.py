"""What an employer reads about a badge: one headline for each case."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfWriter

from app.container import Process
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.services.verification import verdicts
from app.services.verification.answers import Answer
from app.services.verification.verdicts import HeadlineKind
from sceau_credentials.dids import did_key
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.verification.report import Verdict
from tests.support.app import COMMAND, App
from tests.support.badges.credentials import DID_URL, LIST_URL, NOON, Campus, badge_document
from tests.support.badges.documents import Documents
from tests.support.badges.pictures import PNG

K = HeadlineKind
ZOE = "Zoé N’Diaye; zoe@exemple.fr"


@dataclass
class Employer:
    """An employer who verifies with the app; `beyond` has the documents of other organisations."""

    app: App
    process: Process
    stranger: Campus
    learner: str = ZOE

    def ask(self, presented: bytes | str) -> Answer:
        with self.process.unit_of_work(reading=True) as services:
            return services.verification.verify(presented)

    def headline_of(self, presented: bytes | str) -> HeadlineKind:
        return verdicts.headline(self.ask(presented)).kind

    def award(self, *, is_open: bool = True, **more: Any) -> tuple[str, dict[str, bytes]]:
        """The address of an award given to Zoé, and its files."""
        award_id = self.app.award(self.learner, **more).lines[0].award_id
        assert award_id is not None
        with self.app.unit_of_work() as services:
            if is_open:
                services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
            record = services.awards.record(award_id)
            files = {
                form: services.publication.award_file(record, form).body
                for form in ("json", "jwt", "png", "svg")
            }
            return services.addresses.award(award_id), files

    def revoke(self, address: str) -> None:
        with self.app.unit_of_work() as services:
            award_id = services.addresses.award_named_by(address)
            assert award_id is not None
            services.awards.revoke(
                self.app.campus, award_id, "Donné par erreur.", by=Actor(self.app.admin.id)
            )


@pytest.fixture
def employer(app: App) -> Iterator[Employer]:
    stranger = Campus()
    beyond = Documents({DID_URL: stranger.did_document, LIST_URL: stranger.status_list(at=app.clock())})
    process = Process(app.process.settings, clock=app.clock, beyond=beyond)
    yield Employer(app, process, stranger)
    process.engine.dispose()


def signed(signer: Signer, **changed: Any) -> str:
    document = {name: value for name, value in (badge_document() | changed).items() if value is not ...}
    return json.dumps(add_proof(document, signer=signer, created=NOON))


def key_of_nobody() -> tuple[str, Signer]:
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    did = did_key(key.public)
    return did, Signer(f"{did}#{did.removeprefix('did:key:')}", key)


@pytest.mark.parametrize("form", ["json", "jwt", "png", "svg"])
def test_our_badge_is_valid_in_every_form_with_issuer_and_holder(employer: Employer, form: str):
    _, files = employer.award()
    answer = employer.ask(files[form])
    result = verdicts.headline(answer)
    assert (result.kind, result.state) == (K.VALID, "ok")
    assert employer.app.campus.name in result.text()
    assert "Zoé N’Diaye" in result.text()


def test_file_of_a_closed_award_is_valid_and_its_link_is_reported_as_closed(employer: Employer):
    link, files = employer.award(is_open=False)
    assert employer.headline_of(files["json"]) is K.VALID
    answer = employer.ask(link)
    assert verdicts.headline(answer).kind is K.CLOSED
    assert "Zoé" not in verdicts.headline(answer).text()
    assert len(verdicts.limits(answer)) == 2


def test_link_of_an_open_award_is_verified_as_the_award(employer: Employer):
    link, _ = employer.award()
    assert employer.headline_of(link) is K.VALID


def test_withdrawn_badge_is_reported_with_its_date_and_without_the_reason(employer: Employer):
    link, files = employer.award()
    employer.app.clock.move(days=2)
    employer.revoke(link)
    result = verdicts.headline(employer.ask(files["json"]))
    assert (result.kind, result.state) == (K.REVOKED, "bad")
    assert "26 novembre 2026" in result.title()
    assert "Donné par erreur" not in result.title() + result.text()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"validUntil": "2026-11-01T00:00:00Z"}, K.EXPIRED),
        ({"validFrom": "2027-01-01T00:00:00Z"}, K.NOT_YET_VALID),
        ({}, K.UNKNOWN_ISSUER),
        ({"credentialStatus": ...}, K.UNKNOWN_ISSUER),
    ],
)
def test_foreign_badge_is_verified_by_its_dates_and_never_reported_as_ours(
    employer: Employer, changes: dict[str, Any], kind: HeadlineKind
):
    answer = employer.ask(signed(employer.stranger.signer, **changes))
    assert verdicts.headline(answer).kind is kind
    assert answer.campus is None


def test_foreign_badge_that_was_withdrawn_is_reported_without_a_date(employer: Employer):
    employer.stranger.revoked.add(94_567)
    listed = employer.stranger.status_list(at=employer.app.clock())
    employer.process.beyond = Documents({DID_URL: employer.stranger.did_document, LIST_URL: listed})
    result = verdicts.headline(employer.ask(employer.stranger.issue().embedded))
    assert result.kind is K.REVOKED
    assert result.title() == "Retiré par son émetteur"


def test_changed_json_and_changed_token_are_reported_as_altered(employer: Employer):
    _, files = employer.award()
    changed = files["json"].decode().replace("Zoé", "Léa")
    header, payload, signature = files["jwt"].decode().split(".")
    claims = base64.urlsafe_b64decode(payload + "==").replace("Zoé".encode(), "Léa".encode())
    other = base64.urlsafe_b64encode(claims).rstrip(b"=").decode()
    assert employer.headline_of(changed) is K.ALTERED
    assert employer.headline_of(f"{header}.{other}.{signature}") is K.ALTERED


def test_content_of_an_altered_file_is_not_shown_as_a_fact(employer: Employer):
    _, files = employer.award()
    answer = employer.ask(files["json"].decode().replace("Zoé", "Léa"))
    spoken = verdicts.headline(answer).text() + " ".join(each.text() for each in verdicts.limits(answer))
    assert "Léa" not in spoken
    assert answer.report is not None
    states = {line.state for line in verdicts.check_messages(answer.report, answer.campus)}
    assert "ok" not in states, "a forgery has a passed check"


def test_badge_signed_with_an_unlisted_key_is_valid_from_an_unknown_issuer(employer: Employer):
    did, signer = key_of_nobody()
    badge = signed(signer, issuer=badge_document()["issuer"] | {"id": did}, credentialStatus=...)
    answer = employer.ask(badge)
    result = verdicts.headline(answer)
    assert (result.kind, result.state) == (K.UNKNOWN_ISSUER, "unk")
    assert answer.report is not None
    assert answer.report.verdict is Verdict.VALID


def test_badge_in_the_name_of_a_campus_with_another_key_is_an_impostor_s(employer: Employer):
    _, signer = key_of_nobody()
    issuer = badge_document()["issuer"] | {"id": employer.app.campus.did}
    result = verdicts.headline(employer.ask(signed(signer, issuer=issuer, credentialStatus=...)))
    assert (result.kind, result.state, result.seal) == (K.IMPOSTOR, "bad", "broken")


def test_badge_without_the_issuer_s_documents_is_undetermined(employer: Employer):
    badge = employer.stranger.issue().embedded
    employer.process.beyond = Documents()
    result = verdicts.headline(employer.ask(badge))
    assert (result.kind, result.state) == (K.UNVERIFIABLE, "unk")
    assert "lire un document à badges.example : il n’a pas été trouvé" in result.text()
    employer.process.beyond = Documents({DID_URL: employer.stranger.did_document})
    result = verdicts.headline(employer.ask(badge))
    assert result.kind is K.UNVERIFIABLE
    assert "liste des retraits" in result.text()


def test_expired_badge_with_an_unreachable_issuer_is_reported_as_both(employer: Employer):
    employer.process.beyond = Documents()
    expired = signed(employer.stranger.signer, validUntil="2026-11-01T00:00:00Z")
    assert employer.headline_of(expired) is K.OUT_OF_DATE_UNPROVEN


def a_pdf() -> bytes:
    writer, out = PdfWriter(), BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(out)
    return out.getvalue()


def unsigned(employer: Employer) -> str:
    return json.dumps(badge_document())


def withdrawn_key(employer: Employer) -> bytes:
    employer.stranger.published = [
        type(each)(each.id, each.key, revoked_at=NOON) for each in employer.stranger.published
    ]
    employer.process.beyond = Documents({DID_URL: employer.stranger.did_document})
    return json.dumps(add_proof(badge_document(), signer=employer.stranger.signer, created=NOON)).encode()


def signed_for_something_else(employer: Employer) -> str:
    badge = json.loads(employer.stranger.issue().embedded)
    badge["proof"]["proofPurpose"] = "authentication"
    return json.dumps(badge)


def two_in_one(employer: Employer) -> bytes:
    _, files = employer.award()
    start = files["png"].index(b"iTXt") - 4
    length = int.from_bytes(files["png"][start : start + 4]) + 12
    return (
        files["png"][: start + length] + files["png"][start : start + length] + files["png"][start + length :]
    )


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (unsigned, K.UNSIGNED),
        (withdrawn_key, K.KEY_WITHDRAWN),
        (two_in_one, K.SEVERAL_BADGES),
        (lambda employer: PNG, K.IMAGE_WITHOUT_BADGE),
        (lambda employer: a_pdf(), K.PDF_WITHOUT_BADGE),
        (lambda employer: employer.award()[1]["png"][:2000], K.UNREADABLE),
        (lambda employer: employer.award()[1]["jwt"][:-90], K.UNREADABLE),
        (signed_for_something_else, K.BAD_SIGNATURE),
        (
            lambda employer: '{"@context": "https://w3id.org/openbadges/v2", "type": "Assertion"}',
            K.NOT_CONFORMING,
        ),
        (lambda employer: '{"a": 1}', K.NOT_A_BADGE),
        (lambda employer: '{"a": 1', K.UNREADABLE),
        (lambda employer: b"\x00\xff\xfe", K.UNREADABLE),
        (lambda employer: "bonjour", K.UNREADABLE),
        (lambda employer: "https://autre.example/badge/1", K.LINK_ELSEWHERE),
        (
            lambda employer: "http://localhost:8000/attributions/9f3d2e7a-0000-4000-8000-000000000000",
            K.LINK_UNKNOWN,
        ),
        (
            lambda employer: json.dumps(
                add_proof(
                    {name: value for name, value in badge_document().items() if name != "validFrom"},
                    signer=employer.stranger.signer,
                    created=NOON,
                )
            ),
            K.SIGNED_NOT_CONFORMING,
        ),
    ],
)
def test_other_input_has_its_headline(
    employer: Employer, made: Callable[[Employer], bytes | str], kind: HeadlineKind
):
    assert employer.headline_of(made(employer)) is kind


def test_presence_badge_is_shown_as_no_proof_of_skill(employer: Employer):
    _, files = employer.award()
    said = [each.text() for each in verdicts.limits(employer.ask(files["json"]))]
    assert any(each.startswith("Un savoir-faire") for each in said)
    assert said[-1].startswith("Un diplôme")
