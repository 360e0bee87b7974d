"""Our reader and writer of tokens against PyJWT, over thousands of tokens, good and hostile (docs/decisions/0001-jose-and-http.md).

What we accept PyJWT accepts, with the same header and payload. What PyJWT accepts and we refuse is refused for
a reason of a short list: nothing that other issuers may write is refused by mistake.
"""

from __future__ import annotations

import base64
import json
import string
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import jwt
import pytest

from sceau_credentials.errors import MalformedInput, ProofError
from sceau_credentials.keys import Algorithm
from sceau_credentials.proofs.vc_jwt import (
    check_header,
    claims_of,
    parse_compact_jws,
    sign_jwt,
    signing_input,
    verify_jws,
)
from sceau_credentials.values import dump_json
from tests.sceau_credentials.signed import KeyRing, credential

SIGNERS = {algorithm: KeyRing().signer(algorithm) for algorithm in (Algorithm.EDDSA, Algorithm.ES256, Algorithm.RS256)}  # fmt: skip
PUBLIC = {name: jwt.PyJWK(signer.key.public.to_jwk(), name.value) for name, signer in SIGNERS.items()}
ALPHABET = string.ascii_letters + string.digits + "-_"

STRICTER = {
    "header_not_allowed",  # crit, jku, x5u and their like, types of other tokens
    "not_compact_jws",  # padding, an empty payload
    "duplicate_member",  # PyJWT takes the last
    "not_json",  # NaN and infinities; PyJWT's signature covers any bytes
    "number_out_of_range",  # one that readers round differently
    "not_utf8",
    "lone_surrogate",
    "byte_order_mark",
    "not_an_object",
    "too_deep",
    "too_large",
}


def encoded(data: bytes | str) -> str:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(algorithm: Algorithm, header: bytes | str, payload: bytes | str) -> str:
    text = f"{encoded(header)}.{encoded(payload)}"
    return f"{text}.{encoded(SIGNERS[algorithm].key.sign(text.encode()))}"


def ours(token: str, algorithm: Algorithm) -> tuple[dict[str, Any], dict[str, Any]] | str:
    try:
        jws = parse_compact_jws(token)
        verify_jws(jws, SIGNERS[algorithm].key.public)
    except (MalformedInput, ProofError) as refusal:
        return refusal.reason
    return jws.header, jws.payload


def theirs(token: str, algorithm: Algorithm) -> tuple[dict[str, Any], Any] | None:
    try:
        read = jwt.PyJWS().decode_complete(token, PUBLIC[algorithm])
        payload = json.loads(read["payload"])
    except jwt.PyJWTError:
        return None
    except (ValueError, RecursionError):
        payload = object()  # signed, but no JSON
    return read["header"], payload


def compare(token: str, algorithm: Algorithm) -> str:
    """`both`, `neither`, or the reason for which we alone refuse."""
    mine, other = ours(token, algorithm), theirs(token, algorithm)
    if not isinstance(mine, str):
        assert other == mine, token
        return "both"
    if other is None:
        return "neither"
    assert mine in STRICTER, f"{mine}: {token[:300]}"
    return mine


# --- tokens

HEADERS: list[Callable[[str], str]] = [
    lambda alg: f'{{"alg":"{alg}","typ":"JWT"}}',
    lambda alg: f'{{"typ":"vc+jwt","alg":"{alg}","kid":"did:web:a.example#é\\u0000"}}',
    lambda alg: f' {{ "alg" : "{alg}" , "cty":"vc" }}\n',
    lambda alg: f'{{"alg":"{alg}","kid":"\\ud83d\\ude00"}}',
    lambda alg: f'{{"alg":"{alg}","jwk":{{"kty":"OKP"}}}}',
]
HOSTILE_HEADERS: list[Callable[[str], str]] = [
    lambda alg: '{"alg":"none"}',
    lambda alg: '{"alg":"nOnE"}',
    lambda alg: '{"alg":"HS256"}',
    lambda alg: '{"alg":"ES384"}',
    lambda alg: '{"alg":""}',
    lambda alg: '{"alg":null}',
    lambda alg: f'{{"alg":["{alg}"]}}',
    lambda alg: '{"typ":"JWT"}',
    lambda alg: f'{{"alg":"{alg.lower()}"}}',
    lambda alg: f'{{"alg":"{alg}\\u0000"}}',
    lambda alg: f'{{"alg":"none","alg":"{alg}"}}',
    lambda alg: f'{{"alg":"{alg}","\\u0061lg":"{alg}"}}',
    lambda alg: f'{{"alg":"{alg}","alg":"none"}}',
    lambda alg: f'{{"alg":"{alg}","kid":"a","kid":"b"}}',
    lambda alg: f'{{"alg":"{alg}","kid":7}}',
    lambda alg: f'{{"alg":"{alg}","kid":["a"]}}',
    lambda alg: f'{{"alg":"{alg}","crit":["exp"],"exp":1}}',
    lambda alg: f'{{"alg":"{alg}","crit":[]}}',
    lambda alg: f'{{"alg":"{alg}","crit":["b64"],"b64":false}}',
    lambda alg: f'{{"alg":"{alg}","crit":["b64"],"b64":true}}',
    lambda alg: f'{{"alg":"{alg}","b64":false}}',
    lambda alg: f'{{"alg":"{alg}","b64":true}}',
    lambda alg: f'{{"alg":"{alg}","jku":"https://evil.example/"}}',
    lambda alg: f'{{"alg":"{alg}","x5u":"https://evil.example/"}}',
    lambda alg: f'{{"alg":"{alg}","x5c":["AA"]}}',
    lambda alg: f'{{"alg":"{alg}","zip":"DEF"}}',
    lambda alg: f'{{"alg":"{alg}","enc":"A128GCM"}}',
    lambda alg: f'{{"alg":"{alg}","typ":"dpop+jwt"}}',
    lambda alg: f'{{"alg":"{alg}","jwk":"{{}}"}}',
    lambda alg: f'{{"alg":"{alg}","n":1e999}}',
    lambda alg: f'{{"alg":"{alg}","n":NaN}}',
    lambda alg: f'{{"alg":"{alg}","n":{"9" * 400}}}',
    lambda alg: f'{{"alg":"{alg}","n":-0}}',
    lambda alg: f'{{"alg":"{alg}","s":"\\ud800"}}',
    lambda alg: f'{{"alg":"{alg}",}}',
    lambda alg: f'{{"alg":"{alg}"}} {{}}',
    lambda alg: f'["alg","{alg}"]',
    lambda alg: f"{'[' * 2000}{']' * 2000}",
    lambda alg: f'{{"alg":"{alg}","d":{"[" * 40}{"]" * 40}}}',
    lambda alg: "",
]
PAYLOADS: list[str] = [
    json.dumps(credential()),
    '{"iss":"did:web:a.example","é":"\u202e\\u0000","n":[1,2.5,-0.0,1e-7]}',
    "{}",
    '{"nbf":99999999999999999999999999999999999999}',
]
HOSTILE_PAYLOADS: list[bytes] = [
    b"",
    b"[]",
    b'"text"',
    b"null",
    b'{"a":1,"a":2}',
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":1e400}',
    b'{"a":"\\ud800"}',
    b'{"a":"\xff"}',
    b'{"a":"\xed\xa0\x80"}',
    b"\xef\xbb\xbf{}",
    '{"a":1}'.encode("utf-16"),
    b'{"a":' + b"9" * 5000 + b"}",
    b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
    b'{"a":' + b"[" * 20000 + b"]" * 20000 + b"}",
    b'{"a":"' + b"x" * 70000 + b'"}',
    b"{'a':1}",
    b'{"a":01}',
    b'{"a":1}\x00',
]


def cut_and_changed(random: Random, token: str) -> str:
    """One of the changes that a hostile or a broken client makes to a signed token."""
    parts = token.split(".")
    where = random.randrange(3)
    at = random.randrange(len(token))
    match random.randrange(12):
        case 0:
            parts[where] += "=" * random.randrange(1, 4)
        case 1:
            return token[:at] + random.choice("=+/ .\n\t\0é" + ALPHABET) + token[at + 1 :]
        case 2:
            return token[:at]
        case 3:
            return token + random.choice([".", ".AA", "=", "==", "\n", " ", "A"])
        case 4:
            parts[where] = ""
        case 5:
            parts = random.sample(parts, 3)
        case 6:
            # The unused bits of the last character: a second spelling of the same bytes.
            parts[where] = parts[where][:-1] + random.choice(ALPHABET)
        case 7:
            parts[2] = encoded(random.randbytes(random.choice([0, 1, 32, 63, 64, 65, 256])))
        case 8:
            parts[where] = parts[where].replace("-", "+").replace("_", "/")
        case 9:
            return random.choice([" ", "\ufeff", "\n"]) + token
        case 10:
            raw = bytearray(base64.urlsafe_b64decode(parts[where] + "=" * (-len(parts[where]) % 4)))
            raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
            parts[where] = encoded(bytes(raw))
        case 11:
            parts.insert(where, parts[where])
    return ".".join(parts)


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_every_header_with_every_payload_has_the_same_answer_or_a_listed_reason(algorithm):
    answers: Counter[str] = Counter()
    payloads = [*(each.encode() for each in PAYLOADS), *HOSTILE_PAYLOADS]
    for header in HEADERS + HOSTILE_HEADERS:
        for payload in payloads:
            answers[compare(signed(algorithm, header(algorithm.value), payload), algorithm)] += 1
    assert answers.total() == len(HEADERS + HOSTILE_HEADERS) * len(payloads) > 1000
    assert answers["both"] >= len(HEADERS) * len(PAYLOADS)
    assert answers["neither"] > 300


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_good_headers_and_payloads_are_accepted_by_both(algorithm):
    for header in HEADERS:
        for payload in PAYLOADS:
            assert compare(signed(algorithm, header(algorithm.value), payload), algorithm) == "both"


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_changed_tokens_have_the_same_answer_or_a_listed_reason(algorithm):
    random, answers = Random(20261128), Counter()
    good = [signed(algorithm, header(algorithm.value), PAYLOADS[1]) for header in HEADERS]
    for _ in range(1500):
        answers[compare(cut_and_changed(random, random.choice(good)), algorithm)] += 1
    assert answers["neither"] > 1000
    assert answers.keys() <= {"both", "neither", "not_compact_jws"}


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_a_token_of_one_algorithm_does_not_verify_under_a_key_of_another(algorithm):
    for other in SIGNERS.keys() - {algorithm}:
        for named in (algorithm, other):
            token = signed(algorithm, f'{{"alg":"{named}"}}', PAYLOADS[0])
            assert compare(token, other) == "neither"


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_hundreds_of_payloads_are_written_to_the_same_bytes(algorithm):
    """`sign_jwt` is PyJWT; a bulk award writes header and payload itself and signs."""
    random, signer = Random(7), SIGNERS[algorithm]
    for number in range(300 if algorithm is not Algorithm.RS256 else 20):
        name = "".join(chr(random.choice([*range(32, 127), 0xE9, 0x202F, 0x1F600])) for _ in range(12))
        document = credential(name=name, id=f"https://badges.example/attributions/{number}")
        token = sign_jwt(document, signer=signer)
        text = signing_input(dump_json(document | claims_of(document)), signer=signer)
        assert token.rpartition(".")[0] == text
        assert compare(token, algorithm) == "both"
        assert check_header(parse_compact_jws(token)) is algorithm
