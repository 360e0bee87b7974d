"""A wallet built on Credo receives badges from a running server, holds them, and presents them to who asks.

It is Credo 0.6.3 with storage and keys of our own (`credo.mjs`). What it refuses is tested too, by its own words: a
newer version that accepts it fails here, and the page on conformance is written anew.
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.domain.campus.audit_log import Actor
from app.domain.learners.wallets import BATCH_SIZE, WalletFormat
from app.services.verification.presentations import Possession
from sceau_credentials.proofs.sd_jwt import disclosed_claims, parse_sd_jwt
from sceau_credentials.verification.report import Verdict
from tests.app.services.learners.test_wallet_tokens import badge_with_end
from tests.interop.node_peer import NodePeer, PeerRefused
from tests.interop.test_wallets import asked, offered, open_award, outcome
from tests.support.app import App
from tests.support.content.skills import awarded, levelled
from tests.support.servers.server import LiveServer

pytestmark = pytest.mark.node

REDIRECT = "eudi-openid4ci://retour"
UNBOUND = [WalletFormat.EMBEDDED, WalletFormat.TOKEN]
MODEL_1_1 = {
    WalletFormat.EMBEDDED: "where the first item is the verifiable credential context URL",
    WalletFormat.TOKEN: "JWT does not contain a valid 'vc' claim",
}


@pytest.fixture
def credo(node: NodePeer) -> NodePeer:
    """An empty wallet that knows issuers by their metadata, which Credo itself does not."""
    node.call("credoWallet", knowsIssuersByMetadata=True)
    return node


def by_code(node: NodePeer, app: App, award_id: uuid.UUID, wanted: WalletFormat, **more: Any) -> Any:
    offer = offered(app, award_id, wanted)
    return node.call("credoReceive", offer=offer.by_reference, txCode=offer.typed, **more)


def by_consent(node: NodePeer, app: App, award_id: uuid.UUID, wanted: WalletFormat, **more: Any) -> Any:
    """Its pushed request, the learner's consent on our page, and the answer that their browser brings back."""
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        offer = services.wallets.offer(record, wanted, needs_consent=True)
    started = node.call("credoStart", offer=offer.by_reference, redirect=REDIRECT)
    sent = parse_qs(urlsplit(started["url"]).query)
    assert sent.keys() == {"client_id", "request_uri"}
    with app.unit_of_work() as services:
        consents = services.wallet_consents
        request = consents.read(app.campus, {name: value for name, (value,) in sent.items()})
        answer = consents.consent(app.campus, request, record.person, award_id, by=Actor(record.person.id))
    return node.call("credoFinish", url=answer, **more)


FLOWS = [by_code, by_consent]


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("curve", ["P-256", "Ed25519"])
def test_credo_receives_holds_and_presents_an_sd_jwt(
    flow: Any, curve: str, credo: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, _live = wallet_server
    award_id = open_award(app, f"Zoé {curve};zoe.{curve}.{flow.__name__}@exemple.fr")
    got = flow(credo, app, award_id, WalletFormat.SD_JWT, curve=curve)
    assert (got["format"], got["tokenType"], got["deferred"]) == ("dc+sd-jwt", "DPoP", 0)
    with app.unit_of_work(reading=True) as services:
        assert services.wallets.accepted_at(services.awards.record(award_id)) is not None
    (held,) = credo.call("credoHeld")
    assert held["texts"] == got["texts"]
    assert credo.call("credoCheck") == {"isValid": True, "error": None}
    made, link = asked(app)
    shown = credo.call("credoPresent", link=link)
    assert shown == {
        "satisfied": True,
        "ok": True,
        "status": 200,
        "verifier": "decentralized_identifier",
        "asker": "non vérifié – Atelier Nord : Un poste",
    }
    assert outcome(app, made) == (Verdict.VALID, Possession.WALLET)


def test_credo_receives_and_presents_a_badge_with_levels_hours_and_alignments(
    credo: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, _live = wallet_server
    award_id = awarded(app, levelled(app, framework="portefeuille").badge, "Zoé Niveau;zoe.niveau@exemple.fr")
    got = by_code(credo, app, award_id, WalletFormat.SD_JWT)
    (text,) = got["texts"]
    claims = disclosed_claims(parse_sd_jwt(text))
    assert claims["result"]
    alignments = claims["achievement"]["alignment"]  # type: ignore[call-overload,index]
    assert {each["targetCode"] for each in alignments} >= {"CA-3", "H3203", "RNCP35229"}  # type: ignore[call-overload,index]
    assert credo.call("credoCheck") == {"isValid": True, "error": None}
    made, link = asked(app, badge="mesureur", competency="mesurer et caractériser")
    shown = credo.call("credoPresent", link=link)
    assert (shown["satisfied"], shown["ok"], shown["status"]) == (True, True, 200)
    assert outcome(app, made) == (Verdict.VALID, Possession.WALLET)


def test_credo_holds_a_badge_for_several_keys_and_shows_each_where_asked(
    credo: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, _live = wallet_server
    award_id = open_award(app, "Ana Martin;ana.lot@exemple.fr")
    got = by_code(credo, app, award_id, WalletFormat.SD_JWT, keys=BATCH_SIZE)
    bound = [json.dumps(parse_sd_jwt(each).jws.payload["cnf"]) for each in got["texts"]]
    assert len(set(bound)) == BATCH_SIZE
    for _employer in range(2):
        made, link = asked(app)
        assert credo.call("credoPresent", link=link)["status"] == 200
        assert outcome(app, made) == (Verdict.VALID, Possession.WALLET)


def test_credo_refreshes_a_badge_that_ends(credo: NodePeer, wallet_server: tuple[App, LiveServer]) -> None:
    app, _live = wallet_server
    award_id, _badge = badge_with_end(app)
    for turn, flow in enumerate(FLOWS):
        first = flow(credo, app, award_id, WalletFormat.SD_JWT)
        again = credo.call("credoRefresh")
        ends = [parse_sd_jwt(*each["texts"]).jws.payload["exp"] for each in (first, again)]
        assert ends[0] == ends[1]
        assert len(credo.call("credoHeld")) == 2 * (turn + 1)


def test_credo_sees_a_withdrawal_and_shows_the_badge_no_more(
    credo: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, _live = wallet_server
    award_id = open_award(app, "Lou Martin;lou.retrait@exemple.fr")
    by_code(credo, app, award_id, WalletFormat.SD_JWT)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=Actor(label="tests"))
    seen = credo.call("credoCheck")
    assert (seen["isValid"], seen["error"]) == (False, "Status is not valid")
    _made, link = asked(app)
    shown = credo.call("credoPresent", link=link)
    assert (shown["ok"], shown["status"]) == (False, 400)


def test_credo_without_the_badge_that_is_asked_for_answers_nothing(
    credo: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, _live = wallet_server
    _made, link = asked(app)
    assert credo.call("credoPresent", link=link) == {"satisfied": False}


# --- what Credo 0.6.3 refuses


def test_credo_itself_knows_issuers_of_sd_jwt_by_did_and_certificate_alone(
    node: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, _live = wallet_server
    node.call("credoWallet", knowsIssuersByMetadata=False)
    award_id = open_award(app, "Noé Martin;noe.did@exemple.fr")
    with pytest.raises(PeerRefused, match="Only did and x5c are supported at the moment"):
        by_code(node, app, award_id, WalletFormat.SD_JWT)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("wanted", UNBOUND)
def test_credo_receives_no_badge_that_is_bound_to_no_key(
    wanted: WalletFormat, flow: Any, credo: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    """It redeems the code in both flows, and asks for nothing then."""
    app, _live = wallet_server
    award_id = open_award(app, f"Eva Martin;eva.{wanted}.{flow.__name__}@exemple.fr")
    with pytest.raises(PeerRefused, match="Credentials not bound to keys are not supported at the moment"):
        flow(credo, app, award_id, wanted)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("wanted", UNBOUND)
def test_credo_that_proves_a_key_all_the_same_fetches_the_badge_and_reads_data_model_1_1_alone(
    wanted: WalletFormat, flow: Any, credo: NodePeer, wallet_server: tuple[App, LiveServer]
) -> None:
    app, _live = wallet_server
    award_id = open_award(app, f"Max Martin;max.{wanted}.{flow.__name__}@exemple.fr")
    with pytest.raises(PeerRefused, match=MODEL_1_1[wanted]):
        flow(credo, app, award_id, wanted, asIfBound=True, curve="Ed25519")
    with app.unit_of_work(reading=True) as services:
        assert services.wallets.accepted_at(services.awards.record(award_id)) is None


def test_credo_reads_neither_stored_form(credo: NodePeer, wallet_server: tuple[App, LiveServer]) -> None:
    """Badges are of data model 2.0. It reads that as `vc+jwt`, with one type for each piece of evidence, where the
    standard allows several; and ours have another type header (X-1)."""
    app, live = wallet_server
    award_id = open_award(app, "Ada Martin;ada.formes@exemple.fr")
    embedded = httpx.get(live.url(f"/attributions/{award_id}.json")).json()
    token = httpx.get(live.url(f"/attributions/{award_id}.jwt")).text
    said = credo.call("credoReads", kind="ldp_vc", badge=embedded)
    assert MODEL_1_1[WalletFormat.EMBEDDED] in said
    assert MODEL_1_1[WalletFormat.TOKEN] in credo.call("credoReads", kind="jwt_vc_json", badge=token)
    said = credo.call("credoReads", kind="vc+jwt", badge=token)
    assert "evidence[0].type has failed" in said
