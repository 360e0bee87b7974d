"""Expected policies of the wallet endpoints and of the consent page."""

from __future__ import annotations

from app.http.request_scope import Policy, Who
from tests.security.matrix.cases import Case, anybody, signed_in

OF_WALLETS: dict[str, Case] = {
    "GET /.well-known/openid-credential-issuer/campus/{slug}": anybody(),
    "GET /.well-known/oauth-authorization-server/campus/{slug}": anybody(),
    "GET /.well-known/jwt-vc-issuer/campus/{slug}": anybody(),
    "GET /types/badge": anybody(),
    # A wallet presents the secrets of its offer, which no other caller has.
    "GET /campus/{slug}/portefeuille/offres/{reference}": anybody(404),
    "POST /campus/{slug}/portefeuille/jeton": anybody(400, body={}),
    "POST /campus/{slug}/portefeuille/demande": anybody(400, body={}),
    # The page needs the request of a wallet, which no caller here has; then the learner answers.
    "GET /campus/{slug}/portefeuille/autoriser": signed_in(400),
    "POST /campus/{slug}/portefeuille/autoriser": signed_in(400, body={}),
    "POST /campus/{slug}/portefeuille/nonce": anybody(body={}),
    "POST /campus/{slug}/portefeuille/attestation": anybody(401, body={}),
    "POST /campus/{slug}/portefeuille/notification": anybody(401, body={}),
    "POST /campus/{slug}/portefeuille/differee": anybody(401, body={}),
    # A badge request is identified by the secret in its link.
    "GET /presentations/{reference}/demande": anybody(404),
    # Wallets authenticate by their signature, without cookies or a page.
    "POST /presentations/{reference}/demande": Case(Policy(Who.ANYBODY), 404, {}, speaks_for_itself=True),
    "POST /presentations/{reference}/reponse": Case(Policy(Who.ANYBODY), 404, {}, speaks_for_itself=True),
}
# Wallets may be web pages (CORS); the learner's consent page is not a wallet endpoint.
OF_WALLETS |= {
    f"OPTIONS {address.partition(' ')[2]}": anybody(204)
    for address in OF_WALLETS
    if not address.endswith("/autoriser")
}
