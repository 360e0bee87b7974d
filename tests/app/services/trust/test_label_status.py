"""A label withdrawn by its network is invalid for any verifier, in every copy."""

from __future__ import annotations

from datetime import date

from fastapi.testclient import TestClient

from app.domain.campus.campus import Label, LabelCategory
from app.services.verification.verdicts import label_message
from sceau_credentials.values import parse_json_object
from sceau_credentials.verification.report import EndorsementAnswer
from sceau_credentials.verification.run_checks import verify_endorsement
from tests.app.services.trust.test_network_register import judged
from tests.support.app import COMMAND, App
from tests.support.badges.documents import Documents
from tests.support.content.networks import NETWORK, label, named, network_of

FIRST, LAST = date(2026, 1, 1), date(2029, 1, 1)


def given(app: App, category: LabelCategory = LabelCategory.EXCELLENCE) -> Label:
    with app.unit_of_work() as services:
        return label(services, services.register.network(NETWORK), app.campus, FIRST, LAST, category)


def network(app: App) -> None:
    with app.unit_of_work() as services:
        network_of(services, app.campus)


def elsewhere(app: App, client: TestClient, copy: bytes) -> EndorsementAnswer:
    """The result of a verifier that has only the network's public documents, without its list or the address."""
    host = app.process.settings.base_url.partition("://")[2]
    paths = (f"/reseau/{NETWORK}/did.json", f"/reseau/{NETWORK}/statuts")
    held = {
        f"{scheme}://{host}{path}": client.get(path).content for path in paths for scheme in ("http", "https")
    }
    return verify_endorsement(copy.decode(), documents=Documents(held), at=app.clock(), about=app.campus.did)


def test_a_copy_of_a_withdrawn_label_is_withdrawn_and_another_is_not(app: App) -> None:
    network(app)
    one, other = given(app), given(app, LabelCategory.STANDARD)
    client = app.client()
    status = parse_json_object(one.embedded)["credentialStatus"]
    assert isinstance(status, dict)
    assert (status["type"], status["statusPurpose"]) == ("BitstringStatusListEntry", "revocation")
    assert str(status["statusListCredential"]).endswith(f"/reseau/{NETWORK}/statuts")
    assert [elsewhere(app, client, each.embedded).outcome.value for each in (one, other)] == [
        "passed",
        "passed",
    ]
    with app.unit_of_work() as services:
        services.register.withdraw_label(one.id, by=COMMAND)
    app.clock.move(minutes=6)
    gone, stands = (elsewhere(app, client, each.embedded) for each in (one, other))
    assert (gone.outcome.value, gone.reason) == ("failed", "revoked")
    assert stands.outcome.value == "passed"


def test_label_without_a_status_entry_gets_one_and_its_content_is_unchanged(app: App) -> None:
    network(app)
    row = given(app)
    before = parse_json_object(row.embedded)
    with app.unit_of_work() as services:
        old = services.stores.recognition.label(row.id)
        old.position = None
        services.stores.recognition.add(old)
    app.clock.move(days=2)
    with app.unit_of_work() as services:
        services.register.renew(services.register.network(NETWORK).id)
    after = judged(app)
    said = parse_json_object(after.label.embedded)
    assert after.label.position is not None
    for member in ("id", "credentialSubject", "validFrom", "validUntil", "name"):
        assert said[member] == before[member]
    assert label_message(after).word == "Vérifié"


def test_status_list_is_signed_in_both_forms_and_absent_before_that(app: App) -> None:
    with app.unit_of_work() as services:
        network_of(services, app.campus, recognises=False)
    client = app.client()
    assert client.get(f"/reseau/{NETWORK}/statuts").status_code == 404

    with app.unit_of_work() as services:
        services.register.write(services.register.network(NETWORK), named(app.campus), by=COMMAND)
    given(app)
    as_json = client.get(f"/reseau/{NETWORK}/statuts").json()
    assert as_json["issuer"].endswith(f":reseau:{NETWORK}")
    assert as_json["credentialSubject"]["statusPurpose"] == "revocation"
    token = client.get(f"/reseau/{NETWORK}/statuts", headers={"accept": "application/vc+jwt"})
    assert token.headers["content-type"] == "application/vc+jwt"
    assert token.text.count(".") == 2
