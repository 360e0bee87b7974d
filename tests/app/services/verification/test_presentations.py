"""Requests for a badge: text wishes, one answer from a wallet or a person, for this request only."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey
from sqlalchemy import func, select

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.learners.presentations import (
    READ_LIFE,
    REQUEST_LIFE,
    Attestation,
    BadgeWish,
    PresentationRefused,
    PresentationRequest,
    RequestState,
    client_id,
    matches,
    request_signer,
)
from app.errors import Gone, InvalidInput, NotFound
from app.main import sweep_presentations
from app.services.verification.answers import Answer
from app.services.verification.presentations import NewRequest, Possession
from sceau_credentials.dids import did_key
from sceau_credentials.keys import (
    Algorithm,
    LocalSigningKey,
    Signer,
    VerificationKey,
    encode_base64url,
    encode_multibase,
)
from sceau_credentials.proofs.data_integrity import hash_rdfc, proof_options
from sceau_credentials.proofs.sd_jwt import present_sd_jwt
from sceau_credentials.proofs.vc_jwt import parse_compact_jws, sign_claims, verify_jws
from sceau_credentials.values import CONTEXT_V2, JsonObject, dump_json
from sceau_credentials.verification.report import Verdict
from tests.app.services.learners.test_wallets import open_award
from tests.support.app import COMMAND, App, done_once
from tests.support.running.every import for_each

BASE = "http://localhost:8000"
AUDIENCE = client_id(BASE)
WALLET = LocalSigningKey.generate(Algorithm.ES256)
DID = did_key(WALLET.public)
SIGNER = Signer(f"{DID}#{DID.removeprefix('did:key:')}", WALLET)
BY = Actor(label="holder")
ROBOTICS = {"asker": "Atelier Nord", "purpose": "Un poste de technicienne", "badge": "robotique"}


@done_once
def asked(app: App, **wish: Any) -> NewRequest:
    with app.unit_of_work() as services:
        return services.presentations.ask(services.presentations.wish(**(ROBOTICS | wish)))


def request_of(app: App, made: NewRequest, **more: str) -> JsonObject:
    """The request as a wallet reads it, with its signature checked against the service's DID document."""
    with app.unit_of_work(reading=True) as services:
        text = services.presentations.request_object(made.reference, **more)
        published = json.loads(services.publication.host_did().body)
    jws = parse_compact_jws(text)
    (method,) = [each for each in published["verificationMethod"] if each["id"] == jws.header["kid"]]
    assert method["id"] in published["authentication"]
    assert method["id"] not in published["assertionMethod"]
    verify_jws(
        jws, VerificationKey.from_multikey(method["publicKeyMultibase"]), kinds=("oauth-authz-req+jwt",)
    )
    return jws.payload


def sd_jwt(app: App, award_id: uuid.UUID) -> str:
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        (text,) = services.wallets.sd_jwts_of(record, [WALLET.public], at=app.clock())
        return text


def presentation(app: App, text: str, request: JsonObject, **changed: Any) -> str:
    result = {
        "audience": request["client_id"],
        "nonce": request["nonce"],
        "holder": Signer("", WALLET),
    } | changed
    return present_sd_jwt(text, lambda name, _value: name == "role", at=app.clock(), **result)


def encrypted(
    request: JsonObject, content: JsonObject, *, enc: str = "A128GCM", **header: Any
) -> dict[str, str]:
    """Encrypt with another library."""
    (jwk,) = request["client_metadata"]["jwks"]["keys"]
    result = {"alg": "ECDH-ES", "enc": enc, "kid": jwk["kid"]} | header
    key = ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})
    registry = jwe.JWERegistry(
        algorithms=["ECDH-ES", "ECDH-ES+A128KW", "A128GCM", "A256GCM", "A192GCM", "DEF"]
    )
    return {"response": jwe.encrypt_compact(result, dump_json(content), key, registry=registry)}


def content(request: JsonObject, query: str, *found: Any) -> JsonObject:
    return {"vp_token": {query: [*found]}, "state": request["state"]}


def answered(app: App, made: NewRequest, form: dict[str, str]) -> None:
    with app.unit_of_work(reading=True) as services:
        checked = services.presentations.check_answer(made.reference, form)
    with app.unit_of_work() as services:
        services.presentations.answer(made.reference, checked)


@dataclass(frozen=True)
class Seen:
    state: RequestState
    is_over: bool
    possession: Possession | None
    answer: Answer | None


def view(app: App, made: NewRequest) -> Any:
    """The request as its page shows it to the requester."""
    with app.unit_of_work(reading=True) as services:
        found = services.presentations.of_asker(made.asker)
        if found.award_id is not None:
            services.enter_campus_of(found.award_id)
        answer = services.presentations.verdict(found)
        return Seen(found.state, found.is_over, found.possession, answer)


def rows(app: App) -> int:
    with app.process.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(PresentationRequest)).scalar_one()


# --- what is asked


@pytest.mark.parametrize(
    ("wish", "is_matched"),
    [
        ({"badge": "robotique"}, True),
        ({"badge": "ROBOTIQUE tous"}, True),
        ({"badge": "robotique avancée"}, False),
        ({"competency": "régler une presse"}, True),
        ({"competency": "regler presse", "level": "confirmé"}, True),
        ({"competency": "régler une presse", "level": "expert"}, False),
        ({"competency": "souder"}, False),
        ({"competency": "presse", "level": "A"}, False),
        ({"campus": "did:web:campus.example"}, True),
        ({"campus": "did:web:other.example"}, False),
    ],
)
def test_badge_matches_the_text_of_a_wish(wish: dict[str, str], is_matched: bool) -> None:
    badge = Attestation(
        "Robotique pour tous", "did:web:campus.example", (("Régler une presse C-1", "Confirmé (3/4)"),)
    )
    assert matches(BadgeWish("Atelier Nord", "Un poste", **wish), badge) is is_matched


@for_each(
    "wish",
    [
        {"asker": ""},
        {"purpose": " \u200b"},
        {"badge": ""},
        {"badge": "x" * 200},
        {"level": "confirmé"},
        {"badge": "?"},
        {"badge": "", "competency": "a !"},
        {"competency": "souder", "level": "…"},
        {"purpose": "x" * 301},
    ],
)
def test_incomplete_and_overlong_wishes_are_refused(app: App, wish: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        asked(app, **wish)


def test_request_object_is_signed_and_names_requester_and_badge(app: App) -> None:
    made = asked(app, campus="itip")
    request = request_of(app, made, wallet_nonce="abc")
    assert request["client_id"] == AUDIENCE == "decentralized_identifier:did:web:localhost%3A8000"
    assert (request["response_type"], request["response_mode"]) == ("vp_token", "direct_post.jwt")
    assert request["response_uri"] == f"{BASE}/presentations/{made.reference}/reponse"
    assert request["wallet_nonce"] == "abc"
    assert request["exp"] - request["iat"] == REQUEST_LIFE.total_seconds()
    shown = request["client_metadata"]["client_name"]
    assert shown.startswith("non vérifié – Atelier Nord")
    assert "technicienne" in shown
    formats = {each["format"] for each in request["dcql_query"]["credentials"]}
    assert formats == {"dc+sd-jwt", "jwt_vc_json", "ldp_vc"}
    (issuer,) = [
        each for each in request["dcql_query"]["credentials"][0]["claims"] if each["path"] == ["issuer", "id"]
    ]
    assert issuer["values"] == [app.campus.did]
    assert request_of(app, asked(app))["nonce"] != request["nonce"]


def test_stored_request_reveals_neither_requester_nor_badge(app: App) -> None:
    made = asked(app)
    with app.process.engine.connect() as connection:
        row = connection.execute(select(PresentationRequest.__table__)).mappings().one()
    for secret in (made.asker, made.reference, "Atelier Nord", "robotique"):
        assert secret.encode() not in b"|".join(str(each).encode() for each in row.values())


# --- answers


def test_wallet_answers_with_a_badge_bound_to_its_key(app: App) -> None:
    award_id, made = open_award(app), asked(app, campus="itip")
    request = request_of(app, made)
    text = presentation(app, sd_jwt(app, award_id), request)
    answered(app, made, encrypted(request, content(request, "badge_sd_jwt", text), enc="A256GCM"))
    seen = view(app, made)
    assert (seen.state, seen.possession) == (RequestState.ANSWERED, Possession.WALLET)
    assert (seen.answer.verdict, seen.answer.report.form) == (Verdict.VALID, "sd_jwt")
    assert seen.answer.record.award.id == award_id
    assert "role" not in seen.answer.report.document["credentialSubject"]
    with app.unit_of_work(reading=True) as services:
        (shown,) = services.presentations.shown_to(award_id)
    assert shown.facts == {"to": "Atelier Nord", "domain": "", "why": "Un poste de technicienne"}
    with app.unit_of_work(reading=True) as services:
        holder = services.awards.record(award_id).person.id
    assert (shown.campus_id, shown.actor_id) == (None, holder)


def test_file_without_a_wallet_key_does_not_prove_possession(app: App) -> None:
    award_id = open_award(app)
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        token = services.publication.award_file(record, "jwt").body.decode()
        embedded = json.loads(services.publication.award_file(record, "json").body)
    for query in ("badge_jwt", "badge_ldp"):
        made = asked(app)
        request = request_of(app, made)
        found: Any
        if query == "badge_jwt":
            claims = {
                "iss": DID,
                "aud": request["client_id"],
                "nonce": request["nonce"],
                "vp": {"type": ["VerifiablePresentation"], "verifiableCredential": [token]},
            }
            found = sign_claims(claims, signer=SIGNER, kind="JWT")
        else:
            found = presented_document(embedded, request, app)
        answered(app, made, encrypted(request, content(request, query, found)))
        seen = view(app, made)
        assert (seen.answer.verdict, seen.possession) == (Verdict.VALID, Possession.UNBOUND), query
    with app.unit_of_work(reading=True) as services:
        # Any person with the file may answer, so the holder's page records nothing.
        assert services.presentations.shown_to(award_id) == []


@pytest.mark.parametrize("form", ["link", "web name", "picture", "text"])
def test_presentation_contains_the_badge_and_not_its_address(app: App, form: str) -> None:
    award_id, made = open_award(app), asked(app)
    request = request_of(app, made)
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        picture = services.publication.award_file(record, "svg").body.decode()
        link = services.addresses.award(award_id)
    led = {"link": link, "web name": "did:web:campus.example", "picture": picture, "text": "Zoé Martin"}
    claims = {
        "iss": DID,
        "aud": request["client_id"],
        "nonce": request["nonce"],
        "vp": {"type": ["VerifiablePresentation"], "verifiableCredential": [led[form]]},
    }
    text = sign_claims(claims, signer=SIGNER, kind="JWT")
    with pytest.raises(PresentationRefused, match="not_a_credential"):
        answered(app, made, encrypted(request, content(request, "badge_jwt", text)))


def presented_document(embedded: JsonObject, request: JsonObject, app: App, **changed: Any) -> JsonObject:
    """A presentation with an `ecdsa-rdfc-2019` proof for `authentication`; foreign ones are in `tests/interop`."""
    document = {
        "@context": [CONTEXT_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [embedded],
        "holder": DID,
    }
    options = proof_options(SIGNER, app.clock()) | {
        "proofPurpose": "authentication",
        "challenge": request["nonce"],
        "domain": request["client_id"],
    }
    options |= changed
    signature = WALLET.sign(hash_rdfc(document, options))
    return document | {"proof": options | {"proofValue": encode_multibase(signature)}}


def test_people_answer_from_their_page_even_with_a_closed_badge(app: App) -> None:
    award_id, made = open_award(app), asked(app)
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=BY)
        record = services.awards.record(award_id)
        wish = services.presentations.of_candidate(made.reference).wish
        assert [each.award.id for each in services.presentations.matching(wish, [record])] == [award_id]
        services.presentations.show(made.reference, award_id, by=BY)
    seen = view(app, made)
    assert (seen.answer.verdict, seen.possession) == (Verdict.VALID, Possession.PERSON)
    with app.unit_of_work() as services, pytest.raises(Gone):
        services.presentations.refuse(made.reference)


def test_refusal_of_a_person_or_wallet_reveals_nothing_more(app: App) -> None:
    for refuse in (
        lambda made: refused_here(app, made),
        lambda made: answered(app, made, {"error": "access_denied", "state": request_of(app, made)["state"]}),
        lambda made: answered(
            app,
            made,
            encrypted(
                request_of(app, made),
                {"error": "access_denied", "state": request_of(app, made)["state"]},
            ),
        ),
    ):
        made = asked(app)
        refuse(made)
        seen = view(app, made)
        assert (seen.state, seen.answer, seen.is_over) == (RequestState.REFUSED, None, True)


def test_refusal_by_a_wallet_that_did_not_read_the_request_is_ignored(app: App) -> None:
    for odd in ({"error": "access_denied"}, {"error": "access_denied", "state": "x"}):
        made = asked(app)
        for form in (odd, encrypted(request_of(app, made), dict(odd))):
            with pytest.raises(PresentationRefused):
                answered(app, made, form)
            assert view(app, made).state is RequestState.WAITING


def refused_here(app: App, made: NewRequest) -> None:
    with app.unit_of_work() as services:
        services.presentations.refuse(made.reference)


# --- wrong answers


Change = Callable[[App, JsonObject, str], dict[str, str]]
WRONG: dict[str, Change] = {
    "another nonce": lambda app, request, text: encrypted(
        request, content(request, "badge_sd_jwt", presentation(app, text, request, nonce="x"))
    ),
    "another audience": lambda app, request, text: encrypted(
        request, content(request, "badge_sd_jwt", presentation(app, text, request, audience="https://x.fr"))
    ),
    "another wallet": lambda app, request, text: encrypted(
        request,
        content(
            request,
            "badge_sd_jwt",
            presentation(app, text, request, holder=Signer("", LocalSigningKey.generate(Algorithm.ES256))),
        ),
    ),
    "no key binding": lambda _app, request, text: encrypted(request, content(request, "badge_sd_jwt", text)),
    "two badges": lambda app, request, text: encrypted(
        request, content(request, "badge_sd_jwt", *[presentation(app, text, request)] * 2)
    ),
    "another state": lambda app, request, text: encrypted(
        request, content(request, "badge_sd_jwt", presentation(app, text, request)) | {"state": "x"}
    ),
    "another query": lambda app, request, text: encrypted(
        request, content(request, "x", presentation(app, text, request))
    ),
    "another key": lambda app, request, text: encrypted(
        request, content(request, "badge_sd_jwt", presentation(app, text, request)), kid="x"
    ),
    "another algorithm": lambda app, request, text: encrypted(
        request, content(request, "badge_sd_jwt", presentation(app, text, request)), enc="A192GCM"
    ),
    "wrapped key": lambda app, request, text: encrypted(
        request, content(request, "badge_sd_jwt", presentation(app, text, request)), alg="ECDH-ES+A128KW"
    ),
    "not encrypted": lambda app, request, text: {
        "response": json.dumps(content(request, "badge_sd_jwt", presentation(app, text, request)))
    },
    "changed": lambda app, request, text: {
        "response": encrypted(request, content(request, "badge_sd_jwt", presentation(app, text, request)))[
            "response"
        ][:-2]
        + "AA"
    },
    "no name of an encryption": lambda app, request, text: {
        "response": ".".join(
            [
                encode_base64url(json.dumps({"alg": "ECDH-ES", "enc": []}).encode()),
                *encrypted(request, content(request, "badge_sd_jwt", presentation(app, text, request)))[
                    "response"
                ].split(".")[1:],
            ]
        )
    },
    "nothing": lambda _app, _request, _text: {},
    "a badge beside it": lambda app, request, text: encrypted(
        request, content(request, "badge_sd_jwt", presentation(app, "x" + text, request))
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_answers_are_refused_and_the_request_stays_open(app: App, wrong: str) -> None:
    text, made = sd_jwt(app, open_award(app)), asked(app)
    request = request_of(app, made)
    with pytest.raises(Exception, match=r".") as error:
        answered(app, made, WRONG[wrong](app, request, text))
    assert isinstance(error.value, PresentationRefused) or wrong == "a badge beside it", error.value
    right = encrypted(request, content(request, "badge_sd_jwt", presentation(app, text, request)))
    answered(app, made, right)
    assert view(app, made).possession is Possession.WALLET


def test_answer_to_another_request_is_refused(app: App) -> None:
    text, first, second = sd_jwt(app, open_award(app)), asked(app), asked(app)
    request = request_of(app, first)
    form = encrypted(request, content(request, "badge_sd_jwt", presentation(app, text, request)))
    with pytest.raises(PresentationRefused):
        answered(app, second, form)


@pytest.mark.parametrize(
    "wish", [{"badge": "soudage"}, {"badge": "", "competency": "souder"}, {"campus": "autre"}]
)
def test_other_badges_than_asked_for_are_refused(app: App, wish: dict[str, str]) -> None:
    wish = wish | ({"campus": app.other_campus.slug} if "campus" in wish else {})
    text, made = sd_jwt(app, open_award(app)), asked(app, **wish)
    request = request_of(app, made)
    with pytest.raises(PresentationRefused, match="not the one that was asked for"):
        answered(
            app,
            made,
            encrypted(request, content(request, "badge_sd_jwt", presentation(app, text, request))),
        )


def _answers_only_where_it_may_be_out_of_force(app: App, text: str) -> None:
    for in_force in (True, False):
        made = asked(app, in_force=in_force)
        request = request_of(app, made)
        form = encrypted(request, content(request, "badge_sd_jwt", presentation(app, text, request)))
        if in_force:
            with pytest.raises(PresentationRefused, match="not in force"):
                answered(app, made, form)
        else:
            answered(app, made, form)
            assert view(app, made).answer.verdict is Verdict.INVALID


def test_withdrawn_badge_is_accepted_only_if_validity_was_not_required(app: App) -> None:
    award_id = open_award(app)
    text = sd_jwt(app, award_id)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=BY)
    _answers_only_where_it_may_be_out_of_force(app, text)


def test_suspended_badge_is_accepted_only_if_validity_was_not_required(app: App) -> None:
    award_id = open_award(app)
    before = sd_jwt(app, award_id)
    with app.unit_of_work() as services:
        until = app.clock.now + timedelta(days=5)
        services.suspensions.suspend(app.campus, award_id, "Vérification en cours.", until=until, by=COMMAND)
    _answers_only_where_it_may_be_out_of_force(app, before)


def test_forged_badge_with_the_identifier_of_our_award_is_not_recorded(app: App) -> None:
    """Its own wallet bound it to a key; the holder of the award must not read of that answer."""
    award_id, made = open_award(app), asked(app)
    request = request_of(app, made)
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        embedded = json.loads(services.publication.award_file(record, "json").body)
    forged = {name: value for name, value in embedded.items() if name not in ("proof", "credentialStatus")}
    forged["issuer"] = forged["issuer"] | {"id": DID}
    forged["credentialSubject"] = forged["credentialSubject"] | {"id": DID}
    options = proof_options(SIGNER, app.clock()) | {"proofPurpose": "assertionMethod"}
    proof = options | {"proofValue": encode_multibase(WALLET.sign(hash_rdfc(forged, options)))}
    shown = presented_document(forged | {"proof": proof}, request, app)
    try:
        answered(app, made, encrypted(request, content(request, "badge_ldp", shown)))
    except PresentationRefused:
        assert view(app, made).state is RequestState.WAITING
    else:
        seen = view(app, made)
        assert seen.answer.record is None
        assert seen.answer.campus is None
    with app.unit_of_work(reading=True) as services:
        assert services.presentations.shown_to(award_id) == []


# --- once, for ten minutes


@pytest.mark.both_engines
def test_fifty_concurrent_answers_give_one(app: App) -> None:
    text, made = sd_jwt(app, open_award(app)), asked(app)
    request = request_of(app, made)
    form = encrypted(request, content(request, "badge_sd_jwt", presentation(app, text, request)))
    with app.unit_of_work(reading=True) as services:
        checked = services.presentations.check_answer(made.reference, form)

    def answer(turn: int) -> str:
        try:
            with app.unit_of_work() as services:
                services.presentations.answer(made.reference, checked if turn % 2 else None)
        except Gone:
            return "over"
        return "taken"

    with ThreadPoolExecutor(8) as wallets:
        assert Counter(wallets.map(answer, range(50))) == {"taken": 1, "over": 49}


def test_request_ends_after_ten_minutes_and_its_row_soon_after(app: App) -> None:
    text, made = sd_jwt(app, open_award(app)), asked(app)
    request = request_of(app, made)
    form = encrypted(request, content(request, "badge_sd_jwt", presentation(app, text, request)))
    app.clock.move(seconds=REQUEST_LIFE.total_seconds())
    with pytest.raises(Gone):
        answered(app, made, form)
    assert view(app, made).is_over
    app.clock.move(seconds=READ_LIFE.total_seconds())
    with pytest.raises(NotFound):
        view(app, made)
    asked(app)
    assert rows(app) == 1
    sweep_presentations(app.process)
    assert rows(app) == 1
    app.clock.move(seconds=(REQUEST_LIFE + READ_LIFE).total_seconds())
    sweep_presentations(app.process)
    assert rows(app) == 0


def test_key_of_requests_is_the_same_in_every_process_and_another_with_another_secret() -> None:
    assert request_signer(b"a", BASE).key.public == request_signer(b"a", BASE).key.public
    assert request_signer(b"a", BASE).key.public != request_signer(b"b", BASE).key.public
    assert timedelta(minutes=10) == REQUEST_LIFE
