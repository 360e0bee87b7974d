"""Every type of secret, in every cookie and in the bearer header, is accepted only for its own purpose (T01, T30)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from secrets import token_urlsafe
from shutil import copyfile
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

from app.container import Services
from app.domain.accounts.permissions import Role
from app.domain.accounts.sessions import Proof, Scope, SessionKind, WaitingForm, digest_of
from app.domain.accounts.sign_in import Wish, address_challenge, address_code, address_token, mailbox_token
from app.domain.activities.check_in import Ticket, new_phone, sealed_phone, sealed_ticket
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.learners.connected_apps import TokenRefusal
from app.domain.learners.wallets import (
    PRE_AUTHORIZED,
    REFRESH_LIFE,
    WalletFormat,
    WalletRefusal,
    code_of_reference,
    issuer_state_of_reference,
)
from app.domain.people import Person
from app.domain.people.consents import parent_token
from app.domain.trust import PEER_LINK, PEER_WITHDRAW, PEER_WRITE
from app.domain.trust.organisations import desk_token, named_token
from app.errors import NotSignedIn
from app.http.request_scope import Who
from app.services.accounts.sessions import Browser
from app.services.trust.endorsements import ASKED, WITHDRAW
from tests.app.api.clients import REGISTRATION, authorization, redemption
from tests.app.services.learners import test_wallet_consents as consents
from tests.security.matrix.callers import Caller, Things, things_of
from tests.security.matrix.cases import launch_secret
from tests.security.matrix.policy import CASES
from tests.security.test_matrix import TURNS, _expected, ask
from tests.support.app import COMMAND, App, build_app
from tests.support.running.every import for_each
from tests.support.running.examples import in_turn

ACCOUNT, LINK, BEARER = "an account’s session", "a link’s session", "a token of a program"
COURSE = "a launch of a course"
APPLICATION = "access token of an application"


@pytest.fixture(scope="module")
def app(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("secrets")
    database = Path(copyfile(migrated_sqlite, folder / "sceau.sqlite"))
    built = build_app(f"sqlite:///{database}", tmp_path_factory.mktemp("beside"))
    yield built
    built.close()


@pytest.fixture(scope="module")
def things(app: App) -> Things:
    return things_of(app, app.campus, app.trainer)


@pytest.fixture(scope="module")
def secrets(app: App, things: Things) -> Mapping[str, str]:
    return secrets_of(app, things)


def cookie_names(app: App) -> list[str]:
    """All cookies of the service, as listed on the page about personal data."""
    listed = app.client().get("/donnees-personnelles").text.partition("data-cookies")[2]
    names = re.findall(r"<code>([\w-]+)</code>", listed.partition("</ul>")[0])
    assert {"sid", "badges"} < set(names)
    return names


def secrets_of(app: App, things: Things) -> dict[str, str]:
    """One secret of each type, of a person with every role if possible."""
    secret, at, campus = app.process.secret, app.clock(), app.campus
    course = launch_secret(app, campus, app.trainer)
    with app.unit_of_work() as services:
        for role in Role:
            person = services.people.add_staff(
                campus, given_name="Toutes", family_name="Fonctions", address="toutes@exemple.fr",
                role=role, by=COMMAND,
            )  # fmt: skip
        sessions = services.sessions
        invitation = services.invitations.invite(
            campus, "secrets@exemple.fr", [Role.CAMPUS_ADMIN], days=30, by=Actor(person.id)
        )
        code = services.delivery._code(services.awards.record(things.award_id).award)
        challenge = address_challenge(secret, person.id, "x@exemple.fr", language="fr", at=at)
        services.stores.sign_in.add(challenge)
        state = services.lti.login(campus, "https://moodle.exemple", "", "")[1].state
        number = uuid.UUID(things.ids["endorsement_id"])
        account = sessions.enter(person.id, Proof.PASSWORD, Browser()).secret
        ticket = Ticket(uuid.uuid4(), new_phone(), at)
        waiting = WaitingForm("/compte", ())
        return {
            ACCOUNT: account,
            LINK: sessions.enter_as_learner(person.id, things.award_id).secret,
            BEARER: services.people.create_token(
                campus, label="Tout", scopes=[*Scope], life=timedelta(days=30), by=COMMAND
            ),
            COURSE: course,
            "state of a login": state,
            "private link": things.ids["token"],
            "claim code": code,
            "sign-in link": services.sign_in.make_link(person.id, by=COMMAND),
            "browser that asks to sign in": token_urlsafe(32),
            "form set aside": services.set_aside.keep(waiting, person.id),
            "invitation": services.invitations.token_of(invitation),
            "badge request": things.ids["demande"],
            "reminders": things.ids["wish"],
            "parent": parent_token(services.guardians.secret, things.award_id),
            "endorsement request": named_token(secret, ASKED, number),
            "endorsement withdrawal": named_token(secret, WITHDRAW, number),
            "peer link": named_token(secret, PEER_LINK, number),
            "peer's link to write": named_token(secret, PEER_WRITE, number),
            "peer withdrawal": named_token(secret, PEER_WITHDRAW, number),
            "organisation": desk_token(secret, uuid.UUID(things.ids["organisation_id"]), at),
            "archive": mailbox_token(secret, things.award_id, at, Wish.ARCHIVE),
            "erasure": mailbox_token(secret, things.award_id, at, Wish.ERASURE_EVERYWHERE),
            "address": address_token(secret, challenge.id),
            "code of an address": address_code(secret, challenge.id),
            "phone of a check-in": sealed_phone(secret, new_phone()),
            "ticket of a check-in": sealed_ticket(secret, ticket),
            **_of_wallet(services, things),
            **_of_presentation(services),
            **_of_application(services, person),
            "digest of a session": digest_of(account),
            "number of a person": str(person.id),
        }  # fmt: skip


def _of_wallet(services: Services, things: Things) -> dict[str, str]:
    """Secrets of a wallet offer; access tokens in the bearer header are read only by the wallet endpoints."""
    wallets = services.wallets
    services.awards.set_visibility(things.award_id, Visibility.OPEN, by=COMMAND)
    record = services.awards.record(things.award_id)
    offer = wallets.offer(record, WalletFormat.EMBEDDED)
    reference = unquote(offer.by_reference).rpartition("/")[2]
    form = {
        "grant_type": PRE_AUTHORIZED,
        "pre-authorized_code": code_of_reference(reference),
        "tx_code": offer.typed,
    }
    token = wallets.redeem(record.campus, form)
    assert not isinstance(token, WalletRefusal)
    access = str(token["access_token"])
    # After issuing, a new offer does not end this one.
    held = wallets.check_token(record.campus, access)
    wallets.issue(held, wallets.prove(record.campus, held, consents.EMBEDDED))
    # As for a badge that expires.
    refresh = token_urlsafe(32)
    held.refresh_digest, held.refresh_until = digest_of(refresh), services.clock() + REFRESH_LIFE
    by_consent = wallets.offer(record, WalletFormat.EMBEDDED, needs_consent=True)
    state = issuer_state_of_reference(unquote(by_consent.by_reference).rpartition("/")[2])
    asked = consents.authorization(state)
    pushed = services.wallet_consents.push(record.campus, asked, None)["request_uri"]
    request = services.wallet_consents.read(record.campus, asked)
    answer = services.wallet_consents.consent(
        record.campus, request, record.person, things.award_id, by=COMMAND
    )
    code = parse_qs(urlsplit(answer).query)["code"][0]
    proof = consents.dpop("jeton", at=services.clock().timestamp())
    bound = wallets.redeem(record.campus, consents.redemption(code), proof)
    assert not isinstance(bound, WalletRefusal)
    access = str(bound["access_token"])
    key = consents.dpop("attestation", at=services.clock().timestamp(), token=access)
    held = wallets.check_token(
        record.campus, access, wallets.read_proof(record.campus, "attestation", access, key)
    )
    wallets.issue(held, wallets.prove(record.campus, held, consents.EMBEDDED))
    waiting = wallets.offer(record, WalletFormat.SD_JWT)
    named = unquote(waiting.by_reference).rpartition("/")[2]
    services.awards.set_visibility(things.award_id, Visibility.CLOSED, by=COMMAND)
    return {
        "reference of an offer": named,
        "pre-authorized code": code_of_reference(named),
        "transaction code": waiting.typed,
        "access token of a wallet": str(token["access_token"]),
        "refresh token of a wallet": refresh,
        "issuer state of an offer": state,
        "pushed request of a wallet": str(pushed),
        "authorization code of a wallet": code,
        "access token of a wallet’s key": str(bound["access_token"]),
        "DPoP proof of a wallet": proof,
        "nonce of a wallet": wallets.nonce(record.campus),
    }


def _of_presentation(services: Services) -> dict[str, str]:
    requests = services.presentations
    made = requests.ask(requests.wish(asker="Atelier Nord", purpose="Un poste", badge="robotique"))
    return {"page of a request for a badge": made.asker, "link of a request for a badge": made.reference}


def _of_application(services: Services, person: Person) -> dict[str, str]:
    """Secrets of a connected application, and a code that is not redeemed yet."""
    apps = services.connected_apps
    answer = apps.register(REGISTRATION, by_operator=True)
    application = apps.client(answer["client_id"], answer["client_secret"])
    assert application is not None

    def code() -> str:
        asked = apps.request(authorization(answer))
        return parse_qs(urlsplit(apps.grant(asked, person, asked.scopes, by=COMMAND)).query)["code"][0]

    tokens = apps.tokens(application, redemption(code()))
    assert not isinstance(tokens, TokenRefusal)
    return {
        "secret of an application": answer["client_secret"],
        "code of an application": code(),
        "refresh token of an application": tokens["refresh_token"],
        APPLICATION: tokens["access_token"],
    }


OWN_PLACE = {
    ACCOUNT: "sid",
    LINK: "badges",
    BEARER: "authorization",
    COURSE: "cours",
    APPLICATION: "authorization",
}


OWN_ANSWERS = {
    ("access token of a wallet", f"POST /campus/{{slug}}/portefeuille/{endpoint}"): 400
    for endpoint in ("attestation", "differee", "notification")
}
"""Endpoints that accept the secret, and then refuse the empty request; a key-bound token is never accepted alone."""


class Presenter:
    """A caller with one secret in every cookie and in the bearer header, except in its own field."""

    def __init__(self, app: App, kind: str, secret: str) -> None:
        self.places = [name for name in cookie_names(app) if name != OWN_PLACE.get(kind)]
        self.kind, self.secret, self.client = kind, secret, app.client()
        self.client.headers.pop("accept")
        if OWN_PLACE.get(kind) != "authorization":
            self.client.headers["authorization"] = f"Bearer {secret}"
        self.present()
        self.caller = _Known(f"{kind} everywhere", self.client)
        self.token = self.caller.form_token()

    def present(self) -> None:
        """Set all cookies again: an answer may have changed them."""
        self.client.cookies.clear()
        for name in self.places:
            self.client.cookies.set(name, self.secret)


class _Known(Caller):
    """A caller without any rights: expected answers are those of an anonymous caller."""


@pytest.fixture(scope="module")
def presenters(app: App, secrets: Mapping[str, str]) -> list[Presenter]:
    return [Presenter(app, kind, secret) for kind, secret in secrets.items()]


@for_each("key", CASES)
def test_no_secret_is_accepted_in_the_field_of_another_type(
    key: str, app: App, things: Things, presenters: list[Presenter]
):
    case, path = CASES[key], things.fill(key.partition(" ")[2])
    wrong = []
    # Routes with the same guard share cases; public routes that refuse check the secret themselves, so test all.
    is_shared = key in TURNS and not (case.policy.who is Who.ANYBODY and case.good >= 400)
    for each in in_turn(presenters, TURNS[key], of=3) if is_shared else presenters:
        each.present()
        got = ask(each.caller, key, path, case, token=each.token).status_code
        expected = _expected(case, each.caller, things)
        # 403: a form bound to the requesting browser refuses a malformed cookie first.
        if got not in (expected, 403, OWN_ANSWERS.get((each.kind, key))):
            wrong.append(f"{each.caller.name}: {got} instead of {expected}")
    assert not wrong


IN_PATHS = re.compile(r"{(token|secret|wish|demande|invitation|preuve|reference|code|signs|link)(?::\w+)?}")
"""Path parameters that are secrets."""
PATHS = [
    key
    for key, case in CASES.items()
    if IN_PATHS.search(key) and case.policy.who is Who.ANYBODY and not key.startswith("OPTIONS")
]
OWN_PATHS = {
    "archive": "/archive/",
    "erasure": "/effacement/",
    "address": "/compte/adresses/confirmer/",
    "organisation": "/organisations/gerer/",
    "endorsement request": "/recommander/",
    "endorsement withdrawal": "/recommandations/retirer/",
    "peer link": "/temoigner/{token}",
    "peer's link to write": "/temoigner/ecrire/",
    "peer withdrawal": "/temoigner/retirer/",
    "page of a request for a badge": "/verifier/demander/",
    "sign-in link": "/connexion/",
    "invitation": "/invitation/",
    "private link": "/recevoir/",
    "badge request": "/demandes/",
    "reminders": "/rappels/",
    "parent": "/parent/",
    "portfolio link": "/portfolio/",
    "reference of an offer": "/campus/{slug}/portefeuille/offres/",
}
OF_REQUESTS = "link of a request for a badge"
AS_OTHER_LINKS = {("archive", "/effacement/{token}"), ("erasure", "/archive/{token}")}
"""Links sent to the same mailbox: the page explains that the link has another purpose."""


@for_each("key", PATHS)
def test_no_secret_opens_the_url_of_another_type(
    key: str, app: App, things: Things, secrets: Mapping[str, str]
):
    case, (_, _, path) = CASES[key], key.partition(" ")
    with app.unit_of_work(reading=True) as services:
        portfolio = services.portfolios.get(uuid.UUID(things.ids["portfolio_id"]))
        link = services.portfolios.reader_link(portfolio, app.clock().date())
    caller = Caller("nobody", app.client())

    def answered(secret: str) -> tuple[int, bool]:
        caller.client.cookies.clear()
        where = things.fill(IN_PATHS.sub(lambda _: quote(secret, safe=""), path))
        answer = ask(caller, key, where, case)
        opened = {"sid", "badges", "cours"} & set(answer.cookies)
        return answer.status_code, bool(opened)

    unknown = {answered(each) for each in ("x" * 43, token_urlsafe(32), f"{uuid.uuid4()}.{'a' * 40}")}
    got = {
        kind: answered(secret)
        for kind, secret in {**secrets, "portfolio link": link}.items()
        if not path.startswith(OWN_PATHS.get(kind, "-"))
        and not (kind == OF_REQUESTS and path.startswith(("/demandes-de-badge/", "/presentations/")))
    }
    explained = {kind: (404, False) for kind, other in AS_OTHER_LINKS if other == path}
    assert {kind: each for kind, each in got.items() if each not in unknown} == explained


@pytest.mark.parametrize("kind", SessionKind)
def test_a_session_is_found_only_by_its_own_type_of_secret(
    kind: SessionKind, app: App, secrets: Mapping[str, str]
):
    with app.unit_of_work(reading=True) as services:
        asked = {
            SessionKind.ACCOUNT: services.sessions.signed_in,
            SessionKind.AWARD_LINK: services.sessions.link_holder,
        }
        own = {SessionKind.ACCOUNT: ACCOUNT, SessionKind.AWARD_LINK: LINK}[kind]
        assert asked[kind](secrets[own]).session.kind is kind
        for name, secret in secrets.items():
            if name != own:
                with pytest.raises(NotSignedIn):
                    asked[kind](secret)
