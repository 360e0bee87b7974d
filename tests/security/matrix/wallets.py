"""Who may use the addresses that wallets call, and the page that they lead to."""

from __future__ import annotations

from app.http.request_scope import Policy, Who
from tests.security.matrix.cases import Case, anybody, signed_in

OF_WALLETS: dict[str, Case] = {
    "GET /.well-known/openid-credential-issuer/campus/{slug}": anybody(),
    "GET /.well-known/oauth-authorization-server/campus/{slug}": anybody(),
    "GET /.well-known/jwt-vc-issuer/campus/{slug}": anybody(),
    "GET /types/badge": anybody(),
    # A wallet shows the secrets of its offer, none of which another caller has.
    "GET /campus/{slug}/portefeuille/offres/{reference}": anybody(404),
    "POST /campus/{slug}/portefeuille/jeton": anybody(400, body={}),
    "POST /campus/{slug}/portefeuille/demande": anybody(400, body={}),
    # A wallet's request, which no caller here was sent with; then the learner's own answer.
    "GET /campus/{slug}/portefeuille/autoriser": signed_in(400),
    "POST /campus/{slug}/portefeuille/autoriser": signed_in(400, body={}),
    "POST /campus/{slug}/portefeuille/nonce": anybody(body={}),
    "POST /campus/{slug}/portefeuille/attestation": anybody(401, body={}),
    "POST /campus/{slug}/portefeuille/notification": anybody(401, body={}),
    "POST /campus/{slug}/portefeuille/differee": anybody(401, body={}),
    # A request for a badge is found by its secret, which its link contains.
    "GET /presentations/{reference}/demande": anybody(404),
    # A wallet has no page here: what it sends is proved by its own signature, and no cookie counts.
    "POST /presentations/{reference}/demande": Case(Policy(Who.ANYBODY), 404, {}, speaks_for_itself=True),
    "POST /presentations/{reference}/reponse": Case(Policy(Who.ANYBODY), 404, {}, speaks_for_itself=True),
}
# A wallet may be a web page; the learner's page is none of its addresses.
OF_WALLETS |= {
    f"OPTIONS {address.partition(' ')[2]}": anybody(204)
    for address in OF_WALLETS
    if not address.endswith("/autoriser")
}
