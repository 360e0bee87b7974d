"""The register, signed list and labels of a network: each change is published at once, none is rolled back."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.campus.campus import Label, Network
from app.domain.trust.organisations import checked_name
from app.errors import Conflict, Gone, InvalidInput, NotFound, Unavailable
from app.services.trust.labels import CheckedLabel
from app.services.trust.network_register import Named
from app.services.verification.verdicts import label_message
from sceau_credentials.keys import VerificationKey
from sceau_credentials.trust import PinnedNetwork, Standing, TrustList, read_trust_list
from tests.support.app import COMMAND, App
from tests.support.content.networks import NETWORK, label, named, network_of


def published(app: App) -> TrustList:
    with app.unit_of_work(reading=True) as services:
        page = services.register.page(NETWORK)
        body = services.network_documents.trust_list(NETWORK).body
    return read_trust_list(
        body, PinnedNetwork(VerificationKey.from_multikey(page.key), page.did), at=app.clock()
    )


def move(app: App, standing: Standing, reason: str = "") -> None:
    with app.unit_of_work() as services:
        network = services.register.network(NETWORK)
        services.register.move(network, app.campus.did, standing, reason, by=COMMAND)


def judged(app: App) -> CheckedLabel:
    with app.unit_of_work(reading=True) as services:
        return services.labels.of_issuer(app.campus.did)[0]


def test_each_change_is_a_new_edition_under_the_networks_own_key(app: App):
    with app.unit_of_work() as services:
        network_of(services, app.campus, app.other_campus)
    first = published(app)
    assert [entry.id for entry in first.entries] == [app.other_campus.did, app.campus.did]
    move(app, Standing.SUSPENDED, "Visite en cours.")
    second = published(app)
    assert second.sequence == first.sequence + 1
    entry = second.find(app.campus.did)
    assert entry is not None
    assert (entry.standing, entry.until) == (Standing.SUSPENDED, app.clock())
    move(app, Standing.ENDED)
    assert published(app).sequence == second.sequence + 1


@pytest.mark.parametrize("away", [Standing.SUSPENDED, Standing.ENDED])
def test_returning_campus_is_recognised_since_its_return(app: App, away: Standing):
    """« Reconnu depuis » would cover months in which it was not."""
    with app.unit_of_work() as services:
        network_of(services, app.campus)
    first = published(app).find(app.campus.did)
    app.clock.move(days=30)
    move(app, away)
    gone = published(app).find(app.campus.did)
    app.clock.move(days=30)
    move(app, Standing.RECOGNISED)
    back = published(app).find(app.campus.did)
    assert first is not None and gone is not None and back is not None  # noqa: PT018
    assert (gone.since, gone.until) == (first.since, app.clock() - timedelta(days=30))
    assert (back.since, back.until) == (app.clock(), None)


def test_unchanged_entry_makes_no_edition_and_a_correction_does(app: App):
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        services.register.write(network, named(app.campus), by=COMMAND)
    assert published(app).sequence == 1
    with app.unit_of_work() as services:
        network = services.register.network(NETWORK)
        right = replace(named(app.campus), name="ITIP nouveau", domain="ITIP.exemple.fr")
        services.register.write(network, right, by=COMMAND)
    entry = published(app).find(app.campus.did)
    assert entry is not None
    assert (entry.name, entry.domain) == ("ITIP nouveau", "itip.exemple.fr")


@pytest.mark.parametrize(
    "wrong",
    [
        Named("itip.exemple.fr", "ITIP"),
        Named("did:web:itip.exemple.fr", " "),
        Named("did:web:itip.exemple.fr", "ITIP", domain="https://itip.exemple.fr"),
        Named("did:web:itip.exemple.fr", "ITIP", keys=("trop-court",)),
        Named("http://itip.exemple.fr", "ITIP"),
        Named("did:web:itip.exemple.fr\n", "ITIP"),
    ],
)
def test_inconsistent_entry_is_refused(app: App, wrong: Named):
    with app.unit_of_work() as services:
        network = network_of(services, app.campus, recognises=False)
        with pytest.raises(InvalidInput):
            services.register.write(network, wrong, by=COMMAND)
        with pytest.raises(NotFound):
            services.network_documents.trust_list(NETWORK)


def test_list_is_renewed_daily_and_after_a_label_was_written(app: App):
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        assert services.register.due() == []
        services.stores.recognition.add(
            Label(issuer=app.campus.did, network_id=network.id, category="standard")  # type: ignore[arg-type]
        )
        assert services.register.due() == []
    app.clock.move(hours=24)
    with app.unit_of_work() as services:
        assert services.register.due() == [network.id]
        services.register.renew(network.id)
        assert services.register.due() == []
    again = published(app)
    assert again.sequence == 2
    assert again.valid_until == app.clock() + timedelta(days=7)
    assert [each.category for each in again.entries[0].labels] == ["standard"], "signed on the way"


def test_label_verifies_as_an_endorsement_of_the_campus_by_the_network(app: App):
    today = app.clock().date()
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        given = label(services, network, app.campus, today, today + timedelta(days=365))
        document = json.loads(services.network_documents.label(given.id).body)
        did = services.network_signing.did_of(network)
    assert document["type"] == ["VerifiableCredential", "EndorsementCredential"]
    assert document["issuer"]["id"] == did == "did:web:localhost%3A8000:reseau:bfc"
    assert document["credentialSubject"]["id"] == app.campus.did
    assert document["validUntil"] == "2027-11-24T23:00:00Z", "its last day is a whole day in France"
    found = judged(app)
    assert label_message(found).state == "ok"
    assert published(app).entries[0].labels[0].url == document["id"]


@pytest.mark.parametrize(
    ("days", "state", "word"),
    [((-10, 10), "ok", "Vérifié"), ((5, 10), "shut", "À venir"), ((-10, 0), "past", "Terminé"), ((-10, None), "shut", "Vérifié, sans fin connue")],
)  # fmt: skip
def test_label_message_has_state_and_title(app: App, days, state: str, word: str):
    today = app.clock().date()
    first, last = (None if each is None else today + timedelta(days=each) for each in days)
    with app.unit_of_work() as services:
        label(services, network_of(services, app.campus), app.campus, first, last)
    app.clock.move(days=1)
    result = label_message(judged(app))
    assert (result.state, result.word) == (state, word)


def test_label_is_valid_only_while_its_campus_is_recognised(app: App):
    today = app.clock().date()
    with app.unit_of_work() as services:
        label(services, network_of(services, app.campus), app.campus, today, today + timedelta(days=9))
    move(app, Standing.SUSPENDED)
    assert label_message(judged(app)).word == "Suspendu"
    move(app, Standing.RECOGNISED)
    assert label_message(judged(app)).word == "Vérifié"


def test_a_withdrawn_label_is_gone_from_its_address_and_from_the_list(app: App):
    today = app.clock().date()
    with app.unit_of_work() as services:
        given = label(services, network_of(services, app.campus), app.campus, today)
    with app.unit_of_work() as services:
        services.register.withdraw_label(given.id, by=COMMAND)
        with pytest.raises(Gone):
            services.network_documents.label(given.id)
        with pytest.raises(Conflict):
            services.register.withdraw_label(given.id, by=COMMAND)
    assert label_message(judged(app)).word == "Retiré"
    assert published(app).entries[0].labels == ()


def test_label_changed_in_the_database_is_reported_as_altered(app: App):
    today = app.clock().date()
    with app.unit_of_work() as services:
        given = label(services, network_of(services, app.campus), app.campus, today, today)
    with app.unit_of_work() as services:
        row = services.stores.recognition.label(given.id)
        row.embedded = row.embedded.replace(b"excellence", b"existences")
        services.stores.recognition.add(row)
    assert label_message(judged(app)).word == "Non conforme"


def test_label_that_already_ended_is_stored_without_a_signature(app: App):
    today = app.clock().date()
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        label(services, network, app.campus, today - timedelta(days=9), today - timedelta(days=1))
    assert label_message(judged(app)).word == "Non signé"
    assert published(app).entries[0].labels == ()


def test_only_campuses_of_the_register_get_a_label(app: App):
    with app.unit_of_work() as services:
        network = network_of(services, app.campus, recognises=False)
        with pytest.raises(NotFound):
            label(services, network, app.campus)


def test_a_sealed_key_moved_to_another_network_does_not_open(app: App):
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        key = services.stores.recognition.key_of(network.id)
        assert key is not None
        key.method_id = f"did:web:ailleurs.exemple#{uuid.uuid4()}"
        services.stores.recognition.add(key)
        with pytest.raises(Unavailable):
            services.register.publish(network)


@pytest.mark.parametrize("name", ["<b>Campus</b>", "\u200b\u200d", "<script>"])
def test_names_of_networks_campuses_and_organisations_hold_no_markup(app: App, name: str):
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        for typed in (Named("did:web:ailleurs.exemple", name), Named("did:web:a.exemple", "Ailleurs", name)):
            with pytest.raises(InvalidInput):
                services.register.write(network, typed, by=COMMAND)
        with pytest.raises(InvalidInput):
            services.campuses.create_network(Network(slug="autre", name=name), [], by=COMMAND)
        with pytest.raises(InvalidInput):
            checked_name(name)


def test_hidden_characters_are_left_out_of_names_where_they_are_entered(app: App):
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        typed = Named("did:web:ailleurs.exemple", "Cam\u200bpus\u202e", "C\u00adA")
        entry = services.register.write(network, typed, by=COMMAND)
        assert (entry.name, entry.short_name) == ("Campus", "CA")
        other = services.campuses.create_network(Network(slug="autre", name="Pô\u200ble"), [], by=COMMAND)
        assert other.name == "Pôle"
        assert checked_name("Ate\u200blier") == "Atelier"


def test_a_name_stored_with_markup_before_stops_no_list_from_being_signed(app: App):
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        network.name = "Réseau <b>du Nord</b>"
        for row in services.register.store.entries_of(network.id):
            row.name = "<i>Campus</i>\u200b"
        services.register.publish(network)
    listed = published(app)
    assert (listed.name, listed.entries[0].name) == ("Réseau ‹b>du Nord‹/b>", "‹i>Campus‹/i>")
