"""A trust list of another service: checked with its trusted key, never rolled back, faults reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.container import Process
from app.domain.trust import FollowedList
from app.errors import Conflict, InvalidInput
from app.jobs.kinds import FOLLOWED_LISTS, OWN_LISTS
from app.services.verification.answers import StandingKind, standing_in
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer
from sceau_credentials.trust import Entry, TrustList, sign_trust_list
from tests.app.services.verification.test_issuer_standing import report
from tests.support.app import COMMAND, App
from tests.support.badges.credentials import DID
from tests.support.badges.documents import Documents
from tests.support.content.networks import NETWORK, network_of

URL = "https://reseau.example/reseau/grand-est/campus-reconnus.json"
NETWORK_DID = "did:web:reseau.example:reseau:grand-est"
KEY = LocalSigningKey.generate(Algorithm.EDDSA)
SIGNER = Signer(f"{NETWORK_DID}#{KEY.public.thumbprint()}", KEY)
SEALED_BY_OTHERS = Signer(SIGNER.verification_method, LocalSigningKey.generate(Algorithm.EDDSA))


class Follower:
    """An app that follows one list, and the answers of the other service."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.beyond = Documents({})
        self.process = Process(app.process.settings, clock=app.clock, beyond=self.beyond)
        with self.process.unit_of_work() as services:
            self.id = services.followed_lists.follow(URL, KEY.public.to_multikey(), by=COMMAND).id

    def answers(self, sequence: int, signer: Signer = SIGNER, **changed: object) -> None:
        at = self.app.clock()
        edition = TrustList(
            URL, NETWORK_DID, "Réseau Grand Est", sequence, at, at + timedelta(days=7), (Entry(DID, "ITIP"),)
        )
        body = sign_trust_list(
            replace(edition, **changed),  # type: ignore[arg-type]
            page="https://reseau.example", context="https://reseau.example/c", signer=signer, at=at,
        )  # fmt: skip
        self.beyond.held[URL] = body

    def reads(self) -> FollowedList:
        FOLLOWED_LISTS.perform(self.process, self.id)
        with self.process.unit_of_work(reading=True) as services:
            return services.followed_lists.list_all()[0]


def test_followed_list_is_stored_and_replaced_only_by_a_newer_one(app: App):
    follower = Follower(app)
    follower.answers(5)
    row = follower.reads()
    assert (row.name, row.sequence, row.trouble) == ("Réseau Grand Est", 5, "")
    with follower.process.unit_of_work(reading=True) as services:
        assert services.followed_lists.due() == []
        assert standing_in(services.standings.lists(), report()).kind is StandingKind.RECOGNISED
    for trouble, (sequence, changed) in {
        "older_than_known": (4, {}),
        "not_signed_by_the_network": (6, {"signer": SEALED_BY_OTHERS}),
        "other_network": (6, {"issuer": "did:web:ailleurs.example"}),
        "named_twice": (6, {"entries": (Entry(DID, "ITIP"), Entry(DID, "Un autre"))}),
    }.items():
        follower.answers(sequence, **changed)  # type: ignore[arg-type]
        row = follower.reads()
        assert (row.trouble, row.sequence, row.issuer) == (trouble, 5, NETWORK_DID)
    follower.answers(6)
    assert (follower.reads().sequence, follower.reads().trouble) == (6, "")


def test_list_that_cannot_be_read_expires_and_reports_the_fault(app: App):
    follower = Follower(app)
    follower.answers(1)
    follower.reads()
    follower.beyond.held.clear()
    app.clock.move(days=8)
    with follower.process.unit_of_work(reading=True) as services:
        assert list(services.followed_lists.due()) == [follower.id]
    row = follower.reads()
    assert (row.sequence, row.trouble) == (1, "not_found")
    late = replace(report(), at=app.clock())
    with follower.process.unit_of_work(reading=True) as services:
        assert standing_in(services.standings.lists(), late).kind is StandingKind.LIST_EXPIRED


def test_list_changed_in_the_database_is_ignored(app: App):
    follower = Follower(app)
    follower.answers(1)
    follower.reads()
    with follower.process.unit_of_work() as services:
        row = services.followed_lists.list_all()[0]
        row.body = row.body.replace(b"ITIP", b"PITI")
        services.stores.recognition.add(row)
        assert services.standings.lists() == []


def test_list_that_cannot_be_followed_is_refused_with_a_reason(app: App):
    follower = Follower(app)
    with follower.process.unit_of_work() as services:
        with pytest.raises(Conflict):
            services.followed_lists.follow(URL, KEY.public.to_multikey(), by=COMMAND)
        for url, key in (("ftp://reseau.example", KEY.public.to_multikey()), (f"{URL}2", "z6Mk")):
            with pytest.raises(InvalidInput):
                services.followed_lists.follow(url, key, by=COMMAND)


def test_worker_signs_our_own_list_each_day(app: App):
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
    app.clock.move(days=1)
    assert list(OWN_LISTS.due(app.process)) == [network.id]
    assert OWN_LISTS.perform(app.process, network.id) is False
    with app.unit_of_work(reading=True) as services:
        edition = services.register.page(NETWORK).edition
        assert edition is not None
        assert edition.sequence == 2
