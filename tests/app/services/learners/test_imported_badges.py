"""Imported badges: stored only if signed by their issuer, compared with the person's addresses, verified each week."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from app.container import Process
from app.domain.accounts.sessions import Proof
from app.domain.learners.portfolios import Belonging, ImportedBadge
from app.errors import Conflict
from app.jobs.kinds import IMPORTED_BADGES
from app.services.accounts.sessions import Browser
from app.services.learners.imported_badges import NotImported
from app.services.verification.verdicts import HeadlineKind, headline
from sceau_credentials.baking import bake_png
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.values import dump_json
from tests.sceau_credentials.verification.legacy.older_issuer import ASSERTION, published
from tests.support.app import COMMAND, App
from tests.support.badges.credentials import DID_URL, LIST_INDEX, LIST_URL, NOON, Campus, badge_document
from tests.support.badges.documents import Documents
from tests.support.badges.pictures import PNG

ADDRESS = "zoe@exemple.fr"


class Elsewhere:
    """Another service with readable documents, and a person here with a badge of it."""

    def __init__(self, app: App) -> None:
        self.issuer = Campus()
        self.held: dict[str, Any] = {
            DID_URL: self.issuer.did_document,
            LIST_URL: self.issuer.status_list(at=app.clock()),
        }
        beyond = Documents(self.held)
        self.held = beyond.held
        self.process = Process(app.process.settings, clock=app.clock, beyond=beyond)
        award_id = app.award(f"Zoé N’Diaye; {ADDRESS}").lines[0].award_id
        assert award_id is not None
        with app.unit_of_work() as services:
            self.person = services.awards.record(award_id).person
            services.stores.own_addresses.verify(self.person, ADDRESS, at=app.clock())

    def bring(self, presented: bytes | str) -> ImportedBadge:
        with self.process.unit_of_work() as services:
            badges = services.imported_badges
            return badges.add(badges.read(self.person, presented))

    def kept(self) -> list[ImportedBadge]:
        with self.process.unit_of_work(reading=True) as services:
            return list(services.imported_badges.of(self.person.id))

    def badge_for(self, address: str) -> str:
        """A badge that names its holder by the hash of an address."""
        document, salt = badge_document(), "5f0c2a9d41b84e7f9a3d6c1e8b7f2046"
        document["credentialSubject"]["identifier"] = [
            {
                "type": "IdentityObject",
                "hashed": True,
                "identityType": "emailAddress",
                "identityHash": "sha256$" + sha256((address + salt).encode()).hexdigest(),
                "salt": salt,
            }
        ]
        # Our rules refuse identifiers that can be guessed; other services sign them.
        return dump_json(add_proof(document, signer=self.issuer.signer, created=NOON)).decode()


@pytest.fixture
def elsewhere(app: App):
    made = Elsewhere(app)
    yield made
    made.process.engine.dispose()


def test_signed_badge_is_stored_with_its_check_date_and_not_shown(app: App, elsewhere):
    badge = elsewhere.bring(elsewhere.issuer.issue().token)
    assert badge.verdict == HeadlineKind.UNKNOWN_ISSUER
    assert (badge.title, badge.checked_at) == ("Robotique pour tous", app.clock())
    assert not badge.is_shown


@pytest.mark.parametrize("form", ["json", "jwt", "png"])
def test_credential_is_stored_from_every_format(elsewhere, form: str):
    issued = elsewhere.issuer.issue()
    presented = {
        "json": issued.embedded,
        "jwt": issued.token.encode(),
        "png": bake_png(PNG, issued.embedded.decode()),
    }
    badge = elsewhere.bring(presented[form])
    assert badge.content == (issued.token if form == "jwt" else issued.embedded.decode())


@pytest.mark.parametrize(
    ("address", "belongs"), [(ADDRESS, Belonging.THEIRS), ("autre@exemple.fr", Belonging.ANOTHERS)]
)
def test_owner_of_a_badge_is_recognised_by_verified_addresses(elsewhere, address: str, belongs: Belonging):
    badge = elsewhere.bring(elsewhere.badge_for(address))
    assert badge.belongs is belongs


def test_badge_without_an_address_has_an_unknown_owner(elsewhere):
    assert elsewhere.bring(elsewhere.issuer.issue().token).belongs is Belonging.UNSAID


def test_badge_of_another_person_cannot_be_shown(elsewhere):
    badge = elsewhere.bring(elsewhere.badge_for("autre@exemple.fr"))
    with elsewhere.process.unit_of_work() as services, pytest.raises(Conflict):
        services.imported_badges.show(services.imported_badges.get(badge.id), True)


def test_altered_badge_is_refused_like_at_verification(elsewhere):
    forged = elsewhere.issuer.issue().embedded.decode().replace("Robotique pour tous", "Robotique avancée")
    with pytest.raises(NotImported) as refused:
        elsewhere.bring(forged)
    assert headline(refused.value.answer).kind is HeadlineKind.ALTERED
    assert elsewhere.kept() == []


def test_same_badge_is_imported_once(elsewhere):
    token = elsewhere.issuer.issue().token
    elsewhere.bring(token)
    with pytest.raises(Conflict):
        elsewhere.bring(token)


def test_badge_of_this_service_cannot_be_imported(app: App, elsewhere):
    award_id = app.award("Léo Martin; leo@exemple.fr").lines[0].award_id
    with app.unit_of_work(reading=True) as services:
        embedded = services.awards.awards.document_of(award_id).embedded
    with pytest.raises(Conflict):
        elsewhere.bring(embedded)


def test_open_badges_2_badge_is_imported(elsewhere):
    elsewhere.held.update(published().held)
    assert elsewhere.bring(ASSERTION).verdict == HeadlineKind.UNKNOWN_ISSUER


def test_weekly_check_finds_a_withdrawn_badge(app: App, elsewhere):
    badge = elsewhere.bring(elsewhere.issuer.issue().token)
    assert IMPORTED_BADGES.due(elsewhere.process) == []
    app.clock.move(days=8, hours=1)
    elsewhere.issuer.revoked.add(LIST_INDEX)
    elsewhere.held[LIST_URL] = elsewhere.issuer.status_list(at=app.clock())
    assert IMPORTED_BADGES.due(elsewhere.process) == [badge.id]
    assert IMPORTED_BADGES.perform(elsewhere.process, badge.id) is False
    (kept,) = elsewhere.kept()
    assert (kept.verdict, kept.checked_at) == (HeadlineKind.REVOKED, app.clock())
    app.clock.move(minutes=2)
    assert IMPORTED_BADGES.due(elsewhere.process) == []


def test_unreadable_badge_is_checked_again_the_next_day(app: App, elsewhere):
    badge = elsewhere.bring(elsewhere.issuer.issue().token)
    app.clock.move(days=8, hours=1)
    elsewhere.held.clear()
    IMPORTED_BADGES.perform(elsewhere.process, badge.id)
    (kept,) = elsewhere.kept()
    assert kept.verdict == HeadlineKind.UNVERIFIABLE
    app.clock.move(days=2, minutes=2)
    assert IMPORTED_BADGES.due(elsewhere.process) == [badge.id]


def test_badge_removed_during_its_check_stays_removed(elsewhere):
    badge = elsewhere.bring(elsewhere.issuer.issue().token)
    with elsewhere.process.unit_of_work() as services:
        services.imported_badges.remove(services.imported_badges.get(badge.id))
    IMPORTED_BADGES.perform(elsewhere.process, badge.id)
    assert elsewhere.kept() == []


def named(elsewhere: Elsewhere, name: str, address: str = "") -> str:
    """A badge that contains the name of its holder, and perhaps an address."""
    document = badge_document()
    entries = [{"identityType": "name", "identityHash": name}]
    if address:
        entries.append({"identityType": "emailAddress", "identityHash": address})
    document["credentialSubject"]["identifier"] = [
        {"type": "IdentityObject", "hashed": False, **entry} for entry in entries
    ]
    return dump_json(add_proof(document, signer=elsewhere.issuer.signer, created=NOON)).decode()


@pytest.mark.parametrize(
    ("name", "address", "belongs"),
    [
        ("Zoé N’Diaye", "", Belonging.UNSAID),
        ("N'DIAYE Zoe", "", Belonging.UNSAID),
        ("Zoé Marie N’Diaye", "", Belonging.UNSAID),
        ("Léo Martin", "", Belonging.ANOTHERS),
        ("Zoé", "", Belonging.ANOTHERS),
        ("Zoé Martin", "", Belonging.ANOTHERS),
        ("Léo Martin", ADDRESS, Belonging.THEIRS),
        ("Zoé N’Diaye", "autre@exemple.fr", Belonging.ANOTHERS),
    ],
)
def test_badge_with_another_name_is_hidden_unless_it_contains_a_verified_address(
    elsewhere: Elsewhere, name: str, address: str, belongs: Belonging
) -> None:
    badge = elsewhere.bring(named(elsewhere, name, address))
    assert (badge.belongs, badge.holder_name) == (belongs, name)
    assert badge.may_be_shown is (belongs is not Belonging.ANOTHERS)


def test_badge_with_an_address_is_hidden_if_the_person_verified_none(app: App, elsewhere: Elsewhere) -> None:
    award_id = app.award("Léo Martin; leo@exemple.fr").lines[0].award_id
    assert award_id is not None
    with app.unit_of_work(reading=True) as services:
        elsewhere.person = services.awards.record(award_id).person
    assert elsewhere.bring(elsewhere.badge_for(ADDRESS)).belongs is Belonging.ANOTHERS


def test_badge_imported_before_names_were_read_is_hidden_until_checked_again(
    app: App, elsewhere: Elsewhere
) -> None:
    badge = elsewhere.bring(named(elsewhere, "Léo Martin"))
    with elsewhere.process.unit_of_work() as services:
        before = services.imported_badges.get(badge.id)
        before.holder_name, before.belongs, before.is_shown = None, Belonging.UNSAID, True
        before.check_again_at = app.clock()
        services.imported_badges.store.save(before)
        assert services.imported_badges.shown_by(elsewhere.person.id) == []
        assert services.imported_badges.due(limit=9) == [badge.id]
    IMPORTED_BADGES.perform(elsewhere.process, badge.id)
    (checked,) = elsewhere.kept()
    assert (checked.belongs, checked.holder_name, checked.may_be_shown) == (
        Belonging.ANOTHERS,
        "Léo Martin",
        False,
    )


def test_changing_name_does_not_claim_the_badge_of_another_person(app: App, elsewhere: Elsewhere) -> None:
    badge = elsewhere.bring(named(elsewhere, "Albert Einstein"))
    with elsewhere.process.unit_of_work() as services:
        services.stores.names.rename(services.stores.people.get(elsewhere.person.id), "Albert", "Einstein")
        services.imported_badges.note(badge.id, services.imported_badges.evaluate(badge.id))
        assert services.imported_badges.get(badge.id).belongs is Belonging.ANOTHERS
    IMPORTED_BADGES.perform(elsewhere.process, badge.id)
    assert [each.belongs for each in elsewhere.kept()] == [Belonging.ANOTHERS]
    with elsewhere.process.unit_of_work() as services:
        services.imported_badges.remove(services.imported_badges.get(badge.id))
    assert elsewhere.bring(named(elsewhere, "Albert Einstein")).belongs is Belonging.ANOTHERS


def test_badge_with_a_name_that_a_campus_accepted_belongs_to_the_person(
    app: App, elsewhere: Elsewhere
) -> None:
    assert elsewhere.bring(named(elsewhere, "Zoé Durand")).belongs is Belonging.ANOTHERS
    with app.unit_of_work() as services:
        entered = services.sessions.enter(elsewhere.person.id, Proof.LINK, Browser())
        who = services.sessions.signed_in(entered.secret)
        assert services.names.correct_mine(who, "Zoé", "Durand", "Nom d’usage depuis mon mariage.").asked == 1
        [(wish, _)] = services.names.waiting_in(app.campus)
        services.names.accept(app.campus, wish.id, by=COMMAND)
    (badge,) = elsewhere.kept()
    IMPORTED_BADGES.perform(elsewhere.process, badge.id)
    assert [each.belongs for each in elsewhere.kept()] == [Belonging.UNSAID]
