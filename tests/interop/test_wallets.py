"""Others' wallet receives badges from a running server by OpenID4VCI 1.0, and answers requests by OpenID4VP 1.0."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.learners.wallets import WalletFormat
from app.services.learners.wallets import OfferShown
from app.services.verification.presentations import NewRequest, Possession
from sceau_credentials.dids import did_key
from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.status_list import read_list
from sceau_credentials.verification.report import Verdict
from tests.interop.node_peer import NodePeer, PeerRefused
from tests.interop.test_sd_jwt import private_jwk
from tests.support.app import App
from tests.support.servers.server import LiveServer

pytestmark = pytest.mark.node

WALLET = LocalSigningKey.generate(Algorithm.ES256)


def open_award(app: App, person: str) -> uuid.UUID:
    award_id = app.award(person).lines[0].award_id
    assert award_id is not None
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(label="holder"))
    return award_id


def offered(app: App, award_id: uuid.UUID, wanted: WalletFormat) -> OfferShown:
    with app.unit_of_work() as services:
        return services.wallets.offer(services.awards.record(award_id), wanted)


def receive(node: NodePeer, app: App, offer: str, typed: str, **more: Any) -> Any:
    at = int(app.clock().timestamp())
    return node.call(
        "receiveCredential", offer=offer, txCode=typed, holder=private_jwk(WALLET), at=at, **more
    )


@pytest.mark.parametrize("wanted", list(WalletFormat))
@pytest.mark.parametrize("form", ["by_value", "by_reference"])
def test_their_wallet_receives_the_badge(
    wanted: WalletFormat, form: str, node: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, live = wallet_server
    award_id = open_award(app, "Zoé Martin;zoe@exemple.fr")
    offer = offered(app, award_id, wanted)
    got = receive(node, app, getattr(offer, form), offer.typed)
    assert (got["format"], got["version"], got["signed"]) == (wanted.value, "V1", True)
    if wanted is WalletFormat.EMBEDDED:
        assert got["credential"] == httpx.get(live.url(f"/attributions/{award_id}.json")).json()
    elif wanted is WalletFormat.TOKEN:
        assert got["credential"] == httpx.get(live.url(f"/attributions/{award_id}.jwt")).text
    else:
        assert got["credential"].count("~") > 3
    with app.unit_of_work(reading=True) as services:
        assert services.wallets.accepted_at(services.awards.record(award_id)) is not None


def test_their_wallet_is_refused_a_wrong_or_used_code(
    node: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, _live = wallet_server
    offer = offered(app, open_award(app, "Léo Martin;leo@exemple.fr"), WalletFormat.SD_JWT)
    with pytest.raises(PeerRefused, match="invalid_grant"):
        receive(node, app, offer.by_value, "000000" if offer.typed != "000000" else "000001")
    receive(node, app, offer.by_value, offer.typed)
    with pytest.raises(PeerRefused, match="invalid_grant"):
        receive(node, app, offer.by_value, offer.typed)


@pytest.mark.parametrize("wanted", list(WalletFormat))
def test_their_wallet_receives_the_badge_after_the_learners_consent(
    wanted: WalletFormat, node: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    """Their software pushes the request, proves its key with each request, and checks who answers."""
    app, _live = wallet_server
    award_id = open_award(app, "Ida Martin;ida@exemple.fr")
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        offer = services.wallets.offer(record, wanted, needs_consent=True)
    redirect, holder = "eudi-openid4ci://retour", private_jwk(WALLET)
    started = node.call(
        "startAuthorization",
        offer=offer.by_reference,
        holder=holder,
        redirect=redirect,
        scope=wanted.configuration,
    )
    asked = parse_qs(urlsplit(started["url"]).query)
    assert asked.keys() == {"client_id", "request_uri"}
    with app.unit_of_work() as services:
        consents = services.wallet_consents
        request = consents.read(app.campus, {name: value for name, (value,) in asked.items()})
        answer = consents.consent(app.campus, request, record.person, award_id, by=Actor(record.person.id))
    got = node.call("finishAuthorization", url=answer, at=int(app.clock().timestamp()))
    assert (got["format"], got["tokenType"], got["version"]) == (wanted.value, "DPoP", "V1")
    with app.unit_of_work(reading=True) as services:
        assert services.wallets.accepted_at(services.awards.record(award_id)) is not None
    with pytest.raises(PeerRefused, match="invalid_grant"):
        node.call("finishAuthorization", url=answer, at=int(app.clock().timestamp()))


def test_withdrawal_is_seen_in_both_lists(node: NodePeer, wallet_server: tuple[App, LiveServer]) -> None:
    app, live = wallet_server
    award_id = open_award(app, "Ana Martin;ana@exemple.fr")
    offer = offered(app, award_id, WalletFormat.SD_JWT)
    text = receive(node, app, offer.by_value, offer.typed)["credential"]
    entry = httpx.get(live.url(f"/attributions/{award_id}.json")).json()["credentialStatus"]

    def seen() -> tuple[bool, bool]:
        listed = httpx.get(entry["statusListCredential"]).json()
        checked = node.call("checkSdJwt", text=text, at=int(app.clock().timestamp()))
        if not checked["verified"]:
            assert "status" in checked["error"].lower(), checked
        return read_list(listed).status_list.get(int(entry["statusListIndex"])), not checked["verified"]

    assert seen() == (False, False)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=Actor(label="tests"))
    assert seen() == (True, True)


# --- requests for a badge


def asked(app: App, *, badge: str = "robotique", competency: str = "") -> tuple[NewRequest, str]:
    """A request, and the link that the wallet reads in its QR code."""
    with app.unit_of_work() as services:
        requests = services.presentations
        made = requests.ask(
            requests.wish(asker="Atelier Nord", purpose="Un poste", badge=badge, competency=competency)
        )
        return made, requests.link_of_wallet(made.reference)


def outcome(app: App, made: NewRequest) -> tuple[Verdict, Possession]:
    with app.unit_of_work(reading=True) as services:
        view = services.presentations.of_asker(made.asker)
        answer = services.presentations.verdict(view)
        assert answer is not None
        assert view.possession is not None
        return answer.verdict, view.possession


def test_their_wallet_reads_who_asks_as_openid4vp_1_0(
    node: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, _live = wallet_server
    _made, link = asked(app)
    read = node.call("readRequest", link=link)
    assert read["version"] == 100
    assert read["client"]["prefix"] == "decentralized_identifier"
    request = read["authorizationRequestPayload"]
    assert request["client_metadata"]["client_name"] == "non vérifié – Atelier Nord : Un poste"
    assert request["response_mode"] == "direct_post.jwt"


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_their_wallet_shows_the_badge_that_it_received_and_only_once(
    enc: str, node: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, _live = wallet_server
    offer = offered(app, open_award(app, f"Zoé {enc};zoe.{enc}@exemple.fr"), WalletFormat.SD_JWT)
    text = receive(node, app, offer.by_value, offer.typed)["credential"]
    made, link = asked(app)
    job = {
        "link": link,
        "query": "badge_sd_jwt",
        "text": text,
        "holder": private_jwk(WALLET),
        "at": int(app.clock().timestamp()),
        "enc": enc,
    }
    assert node.call("presentBadge", **job) == {"status": 200, "body": {}}
    assert outcome(app, made) == (Verdict.VALID, Possession.WALLET)
    with pytest.raises(PeerRefused):
        node.call("presentBadge", **job)


def test_their_presentations_of_stored_forms_are_read_and_bound_to_nobody(
    node: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, live = wallet_server
    award_id = open_award(app, "Ida Martin;ida@exemple.fr")
    embedded = httpx.get(live.url(f"/attributions/{award_id}.json")).json()
    token = httpx.get(live.url(f"/attributions/{award_id}.jwt")).text
    key = node.call("generate", controller="did:example:unused")
    did = f"did:key:{key['publicKeyMultibase']}"
    key |= {"controller": did, "id": f"{did}#{key['publicKeyMultibase']}"}
    mine = did_key(WALLET.public)
    for query in ("badge_ldp", "badge_jwt"):
        made, link = asked(app)
        request = node.call("readRequest", link=link)["authorizationRequestPayload"]
        if query == "badge_ldp":
            presentation = node.call(
                "signPresentation",
                credential=embedded,
                key=key,
                challenge=request["nonce"],
                domain=request["client_id"],
                created=app.clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
            )
        else:
            claims = {
                "iss": mine,
                "aud": request["client_id"],
                "nonce": request["nonce"],
                "vp": {"type": ["VerifiablePresentation"], "verifiableCredential": [token]},
            }
            header = {"alg": "ES256", "typ": "JWT", "kid": f"{mine}#0"}
            presentation = node.call("signJwt", payload=claims, header=header, jwk=private_jwk(WALLET))
        answered = node.call("presentBadge", link=link, query=query, presentation=presentation, enc="A256GCM")
        assert answered == {"status": 200, "body": {}}
        assert outcome(app, made) == (Verdict.VALID, Possession.UNBOUND)
