"""ID tokens and client assertions, tested against joserfc as the other side: PyJWT is used here."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey, import_key

from app.adapters.openid_connect import (
    ALGORITHMS,
    BadToken,
    ProvidersUnusable,
    Registration,
    UnknownKey,
    authentication,
    checked,
    registrations_in,
)
from app.domain.accounts.sign_in import AuthorizationRequest
from tests.support.app import NOON
from tests.support.running.every import for_each

ISSUER, CLIENT = "https://idp.example/realms/campus", "sceau"
QUESTION = AuthorizationRequest("state", "nonce", "verifier")
NOW = int(NOON.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": ISSUER, "sub": "u-1789", "aud": CLIENT, "iat": NOW, "exp": NOW + 300, "nonce": "nonce",
    "email": "a@exemple.fr", "email_verified": True,
}  # fmt: skip
RSA_KEY = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC_KEYS = {f"ES{bits}": ECKey.generate_key(f"P-{size}", {"kid": f"ec{bits}"})
           for bits, size in ((256, 256), (384, 384), (512, 521))}  # fmt: skip


def token(key: Any = RSA_KEY, header: dict[str, Any] | None = None, **changes: object) -> str:
    said = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    head = {"alg": "RS256", "kid": "rsa"} | (header or {})
    return jwt.encode(head, said, key, algorithms=list(ALGORITHMS))


def by_hand(header: str, claims: str, key: RSAKey = RSA_KEY) -> str:
    """A token of exactly these texts, signed with RS256."""
    signed = f"{part(header)}.{part(claims)}"
    return f"{signed}.{encoded(jws.JWSRegistry.algorithms['RS256'].sign(signed.encode(), key))}"


def with_shared_secret(secret: bytes) -> str:
    signed = part('{"alg":"HS256","kid":"rsa"}') + "." + part(json.dumps(CLAIMS))
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def part(text: str) -> str:
    return encoded(text.encode())


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def published(*keys: Any, **members: object) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) | members for key in keys or (RSA_KEY,)]}


def identity(id_token: object, keys: object = None):
    return checked(id_token, keys or published(), issuer=ISSUER, client_id=CLIENT, question=QUESTION, at=NOON)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_id_token_of_every_algorithm_allowed_is_read(algorithm):
    key = EC_KEYS.get(algorithm, RSA_KEY)
    keys = published(*EC_KEYS.values(), RSA_KEY)
    found = identity(token(key, {"alg": algorithm, "kid": key.kid}), keys)
    assert (found.issuer, found.subject, found.address) == (ISSUER, "u-1789", "a@exemple.fr")


def test_id_token_without_kid_is_tried_with_each_key_of_its_kind():
    other = RSAKey.generate_key(2048, {"kid": "other"})
    unnamed = jwt.encode({"alg": "RS256"}, CLAIMS, RSA_KEY)
    assert identity(unnamed, published(other, *EC_KEYS.values(), RSA_KEY)).subject == "u-1789"
    with pytest.raises(UnknownKey):
        identity(unnamed, published(other))


def test_a_key_replaced_under_its_old_name_is_fetched_once_more():
    new = RSAKey.generate_key(2048, {"kid": "rsa"})
    signed = jwt.encode({"alg": "RS256", "kid": "rsa"}, CLAIMS, new)
    with pytest.raises(UnknownKey, match=r"^signature$"):
        identity(signed)
    assert identity(signed, published(new)).subject == "u-1789"


@for_each(
    "member",
    [
        {"typ": "logout+jwt"},
        {"typ": "at+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": ["JWT"]},
        {"crit": ["exp"], "exp": 1},
        {"b64": True},
        {"zip": "DEF"},
    ],
)
def test_a_signed_token_of_another_kind_is_not_an_id_token(member):
    with pytest.raises(BadToken):
        identity(by_hand(json.dumps({"alg": "RS256", "kid": "rsa", **member}), json.dumps(CLAIMS)))


@for_each("kind", ["JWT", "jwt", "application/jwt"])
def test_id_token_may_name_its_type(kind):
    named = by_hand(json.dumps({"alg": "RS256", "kid": "rsa", "typ": kind}), json.dumps(CLAIMS))
    assert identity(named).subject == "u-1789"


def test_one_unusable_key_of_the_set_does_not_hide_the_others():
    broken = [{"kty": "RSA", "kid": "rsa", "n": "", "e": "AQAB"}, {"kty": "RSA", "kid": "rsa"}, 7, {}]
    assert identity(token(), {"keys": broken + published()["keys"]}).subject == "u-1789"


def test_rsa_keys_below_2048_bits_are_refused():
    for bits in (1024, 2040):
        private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        key = RSAKey.import_key(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        short = by_hand('{"alg":"RS256","kid":"rsa"}', json.dumps(CLAIMS), key)
        with pytest.raises(BadToken, match="signature"):
            identity(short, {"keys": [key.as_dict(private=False) | {"kid": "rsa"}]})


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"alg": "PS256"},
        {"kid": "other"},
        {"d": "AQAB"},
        {"kty": "oct"},
    ],
)
def test_a_key_for_another_use_is_not_used(members):
    with pytest.raises(UnknownKey):
        identity(token(), published(RSA_KEY, **members))


HOSTILE: dict[str, str] = {
    "unsigned": part('{"alg":"none"}') + "." + part(json.dumps(CLAIMS)) + ".",
    "unsigned in capitals": part('{"alg":"NONE"}') + "." + part(json.dumps(CLAIMS)) + ".AA",
    "public key as secret": with_shared_secret(
        RSA_KEY.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ),
    "critical extension": by_hand(
        '{"alg":"RS256","kid":"rsa","crit":["exp"],"exp":1}', json.dumps(CLAIMS)
    ),
    "unencoded payload": by_hand(
        '{"alg":"RS256","kid":"rsa","crit":["b64"],"b64":false}', json.dumps(CLAIMS)
    ),
    "algorithm twice": by_hand('{"alg":"none","kid":"rsa","alg":"RS256"}', json.dumps(CLAIMS)),
    "subject twice": by_hand('{"alg":"RS256","kid":"rsa"}', '{"sub":"admin",' + json.dumps(CLAIMS)[1:]),
    "no number of seconds": by_hand(
        '{"alg":"RS256","kid":"rsa"}', json.dumps(CLAIMS | {"exp": 7}).replace(": 7", ": NaN")
    ),
    "for ever": by_hand(
        '{"alg":"RS256","kid":"rsa"}', json.dumps(CLAIMS | {"exp": 7}).replace(": 7", ": 1e999")
    ),
    "padded": token() + "==",
    "line break": token() + "\n",
    "four parts": token() + ".AA",
    "cut": token()[:-4],
    "another payload": ".".join([token().split(".")[0], part(json.dumps(CLAIMS | {"sub": "admin"})),
                                 token().split(".")[2]]),
    "text before the object": by_hand('\ufeff{"alg":"RS256","kid":"rsa"}', json.dumps(CLAIMS)),
    "kid that is a list": by_hand('{"alg":"RS256","kid":["rsa"]}', json.dumps(CLAIMS)),
    "algorithm that is a list": by_hand('{"alg":["RS256"],"kid":"rsa"}', json.dumps(CLAIMS)),
    "thirty-three kibibytes": token(sub="u" * 33_000),
    "deep": by_hand('{"alg":"RS256","kid":"rsa"}', json.dumps(CLAIMS)[:-1] + ',"x":' + "[" * 900 + "]" * 900 + "}"),
}  # fmt: skip


@for_each("written", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_id_token_is_refused_with_only_a_reason(written):
    with pytest.raises(BadToken):
        identity(written, published(RSA_KEY, EC_KEYS["ES256"]))


@pytest.mark.parametrize("member", ["jku", "x5u", "jwk", "x5c"])
def test_keys_inside_the_token_are_not_used(member):
    own = RSAKey.generate_key(2048, {"kid": "rsa"})
    imported: object = {"jwk": own.as_dict(private=False), "x5c": ["AAAA"]}.get(
        member, "https://evil.example/"
    )
    header = {"alg": "RS256", "kid": "rsa", member: imported}
    with pytest.raises(BadToken, match=r"signature|no ID token"):
        identity(by_hand(json.dumps(header), json.dumps(CLAIMS), own))


@for_each(
    "changes",
    [
        {"iss": ISSUER + "/"},
        {"aud": [CLIENT, "other"]},
        {"aud": ["other"]},
        {"azp": "other"},
        {"exp": NOW - 60},
        {"exp": str(NOW + 300)},
        {"exp": True},
        {"iat": NOW + 61},
        {"iat": None},
        {"nbf": NOW + 61},
        {"nbf": "soon"},
        {"nonce": None},
        {"nonce": "other"},
        {"sub": ""},
        {"sub": 7},
        {"sub": "u" * 256},
    ],
)
def test_a_claim_that_does_not_match_the_request_is_refused(changes):
    with pytest.raises(BadToken):
        identity(token(**changes))


@pytest.mark.parametrize("changes", [{"aud": [CLIENT]}, {"aud": [CLIENT, "o"], "azp": CLIENT},
                                     {"exp": NOW - 59}, {"iat": NOW + 60}, {"nbf": NOW + 60}])  # fmt: skip
def test_claim_within_the_rules_is_accepted(changes):
    assert identity(token(**changes)).subject == "u-1789"


@pytest.mark.parametrize("keys", [None, [], {"keys": {}}, {"keys": [published()["keys"][0]] * 51}])
def test_key_set_of_another_form_is_refused(keys):
    with pytest.raises(BadToken):
        checked(token(), keys, issuer=ISSUER, client_id=CLIENT, question=QUESTION, at=NOON)


# --- client authentication

FILE = '[[service]]\nname = "a"\nlabel = "A"\nissuer = "https://a.example"\nclient_id = "sceau"\n'
ENDPOINT = "https://a.example/token"
PRIVATE = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


def registered(folder: Path, private: Any, more: str = "") -> Registration:
    kept = folder / "key.pem"
    kept.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    kept.chmod(0o600)
    path = folder / "services.toml"
    path.write_text(f'{FILE}client_key = "file:{kept}"\n{more}')
    (found,) = registrations_in(path)
    return found


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_client_assertion_names_us_and_its_endpoint_once_for_a_minute(algorithm, tmp_path):
    registration = registered(tmp_path, PRIVATE[algorithm])
    headers, form = authentication(registration, ["private_key_jwt"], ENDPOINT, NOON)
    again = authentication(registration, ["private_key_jwt"], ENDPOINT, NOON)[1]
    assert headers == {}
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "client_secret" not in form
    public = PRIVATE[algorithm].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    importing = {"EdDSA": "OKP", "ES256": "EC", "RS256": "RSA"}[algorithm]
    read = jwt.decode(form["client_assertion"], import_key(public, importing), algorithms=[algorithm])
    claims = dict(read.claims)
    assert claims.pop("jti") not in again["client_assertion"]
    lasts = timedelta(minutes=1).total_seconds()
    assert claims == {"iss": CLIENT, "sub": CLIENT, "aud": ENDPOINT, "iat": NOW, "exp": NOW + lasts}
    assert form["client_assertion"] != again["client_assertion"]


def test_the_client_secret_is_sent_by_the_method_that_the_service_lists():
    secret = Registration("a", "A", "https://a.example", CLIENT, "s: é")
    basic, nothing = authentication(secret, ["client_secret_basic", "client_secret_post"], ENDPOINT, NOON)
    assert base64.b64decode(basic["Authorization"].removeprefix("Basic ")).decode() == "sceau:s: é"
    assert nothing == {}
    assert authentication(secret, ["client_secret_post"], ENDPOINT, NOON) == (
        {},
        {"client_id": CLIENT, "client_secret": "s: é"},
    )
    public = Registration("a", "A", "https://a.example", CLIENT)
    assert authentication(public, ["client_secret_basic"], ENDPOINT, NOON) == ({}, {"client_id": CLIENT})


@pytest.mark.parametrize(
    ("private", "more"),
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=1024), ""),
        (ec.generate_private_key(ec.SECP384R1()), ""),
        (PRIVATE["ES256"], 'client_secret = "env:HOME"\n'),
    ],
)
def test_a_weak_unknown_or_duplicate_client_key_stops_the_start(private, more, tmp_path):
    with pytest.raises(ProvidersUnusable, match="client_key"):
        registered(tmp_path, private, more)


@pytest.mark.parametrize(
    "address",
    [
        "ａ@exemple.fr",
        "a@exemple。fr",
        "<a@exemple.fr>",
        " a@exemple.fr",
        "ª@exemple.fr",
        "a\u200b@exemple.fr",
        "\u202ea@exemple.fr",
        "a\x00b@exemple.fr",
    ],
)
def test_an_address_that_only_our_normalisation_makes_another_s_is_ignored(address: str) -> None:
    """The provider verified a mailbox of exactly that spelling."""
    assert identity(token(email=address)).address == ""
    assert identity(token(email="A@Exemple.fr")).address == "a@exemple.fr"
