"""A label that its network withdraws before its end is withdrawn for anybody's verifier, whoever keeps a copy of it."""

from __future__ import annotations

from datetime import date

from fastapi.testclient import TestClient

from app.domain.campus.campus import Label, LabelCategory
from app.services.verification.verdicts import label_message
from sceau_credentials.values import parse_json_object
from sceau_credentials.verification.report import EndorsementAnswer
from sceau_credentials.verification.run_checks import verify_endorsement
from tests.app.services.trust.test_network_register import judged
from tests.support.badges.documents import Documents
from tests.support.content.networks import NETWORK, label, named, network_of
from tests.support.house import COMMAND, House

FIRST, LAST = date(2026, 1, 1), date(2029, 1, 1)


def given(house: House, category: LabelCategory = LabelCategory.EXCELLENCE) -> Label:
    with house.unit_of_work() as services:
        return label(services, services.register.network(NETWORK), house.campus, FIRST, LAST, category)


def network(house: House) -> None:
    with house.unit_of_work() as services:
        network_of(services, house.campus)


def elsewhere(house: House, client: TestClient, copy: bytes) -> EndorsementAnswer:
    """What a verifier that has nothing but the network's public documents finds, neither its list nor the address."""
    host = house.process.settings.base_url.partition("://")[2]
    paths = (f"/reseau/{NETWORK}/did.json", f"/reseau/{NETWORK}/statuts")
    held = {
        f"{scheme}://{host}{path}": client.get(path).content for path in paths for scheme in ("http", "https")
    }
    return verify_endorsement(
        copy.decode(), documents=Documents(held), at=house.clock(), about=house.campus.did
    )


def test_a_copy_of_a_withdrawn_label_is_withdrawn_and_another_is_not(house: House) -> None:
    network(house)
    one, other = given(house), given(house, LabelCategory.STANDARD)
    client = house.client()
    status = parse_json_object(one.embedded)["credentialStatus"]
    assert isinstance(status, dict)
    assert (status["type"], status["statusPurpose"]) == ("BitstringStatusListEntry", "revocation")
    assert str(status["statusListCredential"]).endswith(f"/reseau/{NETWORK}/statuts")
    assert [elsewhere(house, client, each.embedded).outcome.value for each in (one, other)] == [
        "passed",
        "passed",
    ]
    with house.unit_of_work() as services:
        services.register.withdraw_label(one.id, by=COMMAND)
    house.clock.move(minutes=6)
    gone, stands = (elsewhere(house, client, each.embedded) for each in (one, other))
    assert (gone.outcome.value, gone.reason) == ("failed", "revoked")
    assert stands.outcome.value == "passed"


def test_labels_of_before_there_was_a_list_get_a_place_and_keep_their_words(house: House) -> None:
    network(house)
    row = given(house)
    before = parse_json_object(row.embedded)
    with house.unit_of_work() as services:
        old = services.stores.recognition.label(row.id)
        old.position = None
        services.stores.recognition.add(old)
    house.clock.move(days=2)
    with house.unit_of_work() as services:
        services.register.renew(services.register.network(NETWORK).id)
    after = judged(house)
    said = parse_json_object(after.label.embedded)
    assert after.label.position is not None
    for member in ("id", "credentialSubject", "validFrom", "validUntil", "name"):
        assert said[member] == before[member]
    assert label_message(after).word == "Vérifié"


def test_the_list_is_signed_in_both_forms_by_the_network_and_by_nobody_before_it_signed(house: House) -> None:
    with house.unit_of_work() as services:
        network_of(services, house.campus, recognises=False)
    client = house.client()
    assert client.get(f"/reseau/{NETWORK}/statuts").status_code == 404

    with house.unit_of_work() as services:
        services.register.write(services.register.network(NETWORK), named(house.campus), by=COMMAND)
    given(house)
    as_json = client.get(f"/reseau/{NETWORK}/statuts").json()
    assert as_json["issuer"].endswith(f":reseau:{NETWORK}")
    assert as_json["credentialSubject"]["statusPurpose"] == "revocation"
    token = client.get(f"/reseau/{NETWORK}/statuts", headers={"accept": "application/vc+jwt"})
    assert token.headers["content-type"] == "application/vc+jwt"
    assert token.text.count(".") == 2
