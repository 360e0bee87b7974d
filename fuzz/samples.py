"""What the fuzzer starts from: a campus with a fixed key, one badge in every form, and some of each other thing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from pypdf import PdfWriter

from sceau_credentials import bake_png, bake_svg
from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.keys import Algorithm, LocalSigningKey, encode_base64url
from sceau_credentials.package import make_package
from sceau_credentials.values import FetchedDocument
from tests.support.badges.credentials import Campus, badge_document
from tests.support.badges.pictures import PNG, SVG

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
_CAMPUS = Campus(key=LocalSigningKey.generate(Algorithm.EDDSA))
_SIGNED = _CAMPUS.issue(at=NOON)
_LIST = _CAMPUS.status_list(at=NOON)

CAMPUS_KEY = _CAMPUS.key.public
METHOD = _CAMPUS.signer.verification_method
TOKEN = _SIGNED.token
TOKENS = frozenset({TOKEN.encode()})
EMBEDDED = _SIGNED.embedded


class Documents:
    def __init__(self, held: dict[str, bytes]) -> None:
        self.held = held

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        if url not in self.held:
            raise DocumentUnavailable(url, "not_found")
        return FetchedDocument(url, self.held[url])

    def with_(self, url: str, body: bytes) -> Documents:
        return Documents(self.held | {url: body})


DOCUMENTS = Documents({url: json.dumps(each).encode() for url, each in _CAMPUS.documents().held.items()})


def _unsecured(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "proof"}


_EMBEDDED: dict[str, Any] = json.loads(EMBEDDED)
_CONTENTS = [badge_document(), _unsecured(_EMBEDDED)]
SIGNED_STATEMENTS = frozenset(canonical_nquads(each) for each in [*_CONTENTS, _unsecured(_LIST)])


def signed_token(header: object, claims: object) -> str:
    """These parts, whatever they are, under a true signature."""
    parts = (encode_base64url(json.dumps(part).encode()) for part in (header, claims))
    signing_input = ".".join(parts)
    return f"{signing_input}.{encode_base64url(_CAMPUS.key.sign(signing_input.encode()))}"


def tokens() -> list[bytes]:
    return [TOKEN.encode(), b"e30.e30.", b"eyJhbGciOiJub25lIn0.e30.AA"]


def claims() -> list[bytes]:
    header = {"alg": "EdDSA", "kid": _CAMPUS.jwt_signer.verification_method, "typ": "JWT"}
    of_version_1 = {"vc": badge_document(), "iss": _CAMPUS.did, "nbf": 1}
    return [
        json.dumps({"header": header, "claims": each}).encode() for each in (badge_document(), of_version_1)
    ]


def secured_documents() -> list[bytes]:
    proof = _EMBEDDED["proof"]
    chain = [proof | {"id": "urn:uuid:a"}, proof | {"id": "urn:uuid:b", "previousProof": "urn:uuid:a"}]
    suites = [
        {**proof, "cryptosuite": suite}
        for suite in ("ecdsa-rdfc-2019", "ecdsa-sd-2023", "eddsa-jcs-2022", "eddsa-rdfc-2022")
    ]
    older = {**proof, "type": "Ed25519Signature2020"}
    return [
        EMBEDDED,
        json.dumps(_LIST).encode(),
        json.dumps(_EMBEDDED | {"proof": chain}).encode(),
        json.dumps(_EMBEDDED | {"proof": [*suites, older]}).encode(),
    ]


def cbor() -> list[bytes]:
    return [
        bytes.fromhex("8558405858404141a0a10102820304"),
        b"\x83\x01\x42\x00\x01\xa1\x01\x41\x02",
        b"\x9f\xff",
        b"\xd9\x5d\x01\x80",
    ]


def key_documents() -> list[bytes]:
    document = _CAMPUS.did_document
    expiring = {
        **document["verificationMethod"][0],
        "expires": "2030-01-01T00:00:00Z",
        "revoked": "2031-01-01T00:00:00Z",
    }
    return [json.dumps(document).encode(), json.dumps(document | {"verificationMethod": [expiring]}).encode()]


def status_lists() -> list[bytes]:
    entry = badge_document()["credentialStatus"]
    wide = {
        **entry,
        "statusSize": 2,
        "statusMessage": [{"status": f"0x{value}", "message": "m"} for value in range(4)],
    }
    return [
        json.dumps(_LIST).encode(),
        _LIST["credentialSubject"]["encodedList"].encode(),
        json.dumps(entry).encode(),
        json.dumps(wide).encode(),
    ]


def pngs() -> list[bytes]:
    return [PNG, bake_png(PNG, TOKEN), bake_png(PNG, EMBEDDED.decode())]


def svgs() -> list[bytes]:
    doctype = b'<!DOCTYPE svg [<!ENTITY a "b">]>'
    return [SVG, bake_svg(SVG, TOKEN), bake_svg(SVG, EMBEDDED.decode()), doctype + SVG]


def pdfs() -> list[bytes]:
    made = []
    for text in (TOKEN.encode(), EMBEDDED):
        writer = PdfWriter()
        writer.add_blank_page(9, 9)
        writer.add_attachment("badge.json", text)
        out = BytesIO()
        writer.write(out)
        made.append(out.getvalue())
    return made


def packages() -> list[bytes]:
    return [make_package(badge, documents=DOCUMENTS, at=NOON) for badge in (EMBEDDED, TOKEN.encode())]


def lists() -> list[bytes]:
    text = 'Nom;Prénom;Adresse électronique;Heures\nLefèvre;Zoé;zoe@exemple.fr;7,5\n"N\'Diaye";Awa;awa@exemple.fr;1h30\n'
    return [
        text.encode("cp1252"), text.encode("utf-8-sig"), text.encode("utf-16"), text.replace(";", "\t").encode(),
        "Zoé Lefèvre <zoe@exemple.fr>, Awa N'Diaye\n=CMD();x\n".encode(),
    ]  # fmt: skip


def multibase() -> list[bytes]:
    return [CAMPUS_KEY.to_multikey().encode(), b"uAQID", json.dumps(CAMPUS_KEY.to_jwk()).encode()]


def json_texts() -> list[bytes]:
    return [EMBEDDED, b'[0,-0.0,1e5,1.5E-7,"\\ud83d\\ude00",null,true,{"a":{"b":[]}}]', b'{"a":1,"a":2}']


def credentials() -> list[bytes]:
    plain = badge_document()
    endorsement = {
        "@context": plain["@context"], "id": "urn:uuid:e", "type": ["VerifiableCredential", "EndorsementCredential"],
        "issuer": plain["issuer"], "validFrom": plain["validFrom"], "name": "Endossement",
        "credentialSubject": {"id": plain["credentialSubject"]["achievement"]["id"], "type": ["EndorsementSubject"], "endorsementComment": "Bien."},
    }  # fmt: skip
    return [
        json.dumps(each).encode()
        for each in (plain, endorsement, plain | {"endorsement": [endorsement]}, _LIST)
    ]


def accept_headers() -> list[bytes]:
    return [
        b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
        b"application/vc+jwt;q=1.0, */*;q=0",
        b"a/b;q=nan;;,,",
    ]


def presented() -> list[bytes]:
    context = "https://w3id.org/openbadges/v2"
    hosted = {
        "@context": context, "type": "Assertion", "id": "https://a.example/1", "badge": "https://a.example/b", "issuedOn": "2020-01-01T00:00:00Z",
        "recipient": {"type": "email", "hashed": True, "salt": "s", "identity": "sha256$ab"}, "verification": {"type": "hosted"},
    }  # fmt: skip
    version_1 = {
        "uid": "1",
        "recipient": "sha256$ab",
        "badge": "https://a.example/b",
        "verify": {"type": "hosted", "url": "https://a.example/1"},
    }
    older = [json.dumps(each).encode() for each in (hosted, version_1)]
    return [
        EMBEDDED,
        TOKEN.encode(),
        bake_png(PNG, TOKEN),
        bake_svg(SVG, EMBEDDED.decode()),
        *older,
        b"https://a.example/1",
    ]
