"""Applications that learners connect: registration, consent, tokens, and what they then read and add."""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.db.accounts import OwnAddressStore
from app.db.awards import AwardRecord, AwardStore
from app.db.campus import CampusStore, HistoryStore
from app.db.learners import ConnectedAppStore, PortfolioStore
from app.db.people import PeopleStore
from app.db.people.privacy import ConsentStore
from app.domain.accounts.sessions import digest_of
from app.domain.accounts.sign_in import Changed
from app.domain.campus.audit_log import Actor
from app.domain.core import Clock, ServiceOptions
from app.domain.learners.connected_apps import (
    ACCESS_LIFE,
    CODE_LIFE,
    CONNECTION_LIFE,
    REFRESH_LIFE,
    AppGrant,
    AppRequest,
    AppScope,
    AppSecret,
    AppSecretKind,
    ConnectedApp,
    RegistrationRefusal,
    RegistrationRefused,
    TokenRefusal,
    identity_of,
    pairwise_id,
    proves_challenge,
    read_registration,
    read_request,
    registration_answer,
    scope_text,
    scopes_in,
)
from app.domain.learners.portfolios import ImportedBadge
from app.domain.learners.wallets import may_carry
from app.domain.people import Person
from app.domain.people.consents import ParentNeeded, check_may_show_further
from app.domain.publishing import Addresses
from app.errors import InvalidInput, NotAllowed, NotFound, NotSignedIn
from app.language import N_
from app.services.accounts.sessions import AccountNotices
from app.services.learners.imported_badges import BadgeToAdd, ImportedBadgeService, Upserted
from app.services.publishing import PublicationService
from sceau_credentials.trust import names_alike, without_unseen
from sceau_credentials.values import JsonObject

ACCESS_SECONDS: Final = int(ACCESS_LIFE.total_seconds())
_ENDED: Final = N_("Ce jeton d’accès n’est plus valable.")


_OWN_NAME: Final = "Sceau"


@dataclass(frozen=True)
class AppAccess:
    """An application with a valid access token of the person."""

    grant: AppGrant
    person: Person


@dataclass(frozen=True)
class BadgesToRead:
    """What an application would read today: titles, and how many badges stay closed."""

    titles: Sequence[str]
    closed: int


@dataclass(frozen=True)
class CredentialPage:
    """`objects` are JSON as it was signed, `tokens` compact JWS; `total` counts all pages."""

    objects: Sequence[bytes]
    tokens: Sequence[str]
    total: int


@dataclass(frozen=True, eq=False)
class ConnectedApps:
    store: ConnectedAppStore
    campuses: CampusStore
    people: PeopleStore
    own_addresses: OwnAddressStore
    consents: ConsentStore
    portfolios: PortfolioStore
    notices: AccountNotices
    awards: AwardStore
    imported: ImportedBadgeService
    publication: PublicationService
    history: HistoryStore
    addresses: Addresses
    options: ServiceOptions
    secret: bytes
    clock: Clock

    # --- registration

    def register(self, sent: Mapping[str, Any], *, by_operator: bool = False) -> JsonObject:
        """The answer to the application, with its secret, this once; raises RegistrationRefused."""
        if not (by_operator or self.options.app_registration):
            raise NotAllowed("Les applications ne s’inscrivent pas ici d’elles-mêmes.")
        secret = secrets.token_urlsafe(32)
        app = read_registration(
            sent, secret_digest=digest_of(secret), registered_itself=not by_operator, at=self.clock()
        )
        if not by_operator:
            self._check_name(app)
        self.store.add(app)
        return registration_answer(app, secret)

    def _check_name(self, app: ConnectedApp) -> None:
        """An application that registers itself takes no name that a hurried reader confuses with this service, one of
        its campuses, or an application of another host that the operator registered."""
        known = [
            _OWN_NAME,
            *(name for each in self.campuses.list_all() for name in (each.short_name, each.name)),
        ]
        known += [
            each.name
            for each in self.store.list_all()
            if not each.registered_itself and each.host != app.host
        ]
        name = without_unseen(app.name)
        if any(names_alike(name, each) for each in known):
            expected = "client_name: not like the name of this service, a campus or another application"
            raise RegistrationRefused(RegistrationRefusal.METADATA, expected)

    def list_all(self) -> Sequence[ConnectedApp]:
        return self.store.list_all()

    def remove(self, app_id: uuid.UUID) -> None:
        self._app(str(app_id))
        self.store.remove_app(app_id)

    def _app(self, client_id: str) -> ConnectedApp:
        try:
            app = self.store.find(uuid.UUID(client_id))
        except ValueError:
            app = None
        if app is None:
            raise NotFound("Cette application n’est pas inscrite ici.")
        return app

    # --- consent

    def request(self, sent: Mapping[str, str]) -> AppRequest:
        """Raises where the application or its redirect URI is unknown: then nothing is sent back."""
        return read_request(self._app(sent.get("client_id", "")), sent, issuer=self.addresses.base_url)

    def check_may_connect(self, person: Person) -> None:
        """Raises ParentNeeded for a child under 15 without parental consent: as for their portfolio."""
        check_may_show_further(person, self.consents.of_person(person.id))

    def badges_to_read(self, person: Person, app_id: uuid.UUID) -> BadgesToRead:
        records = self.awards.list_of_person(person.id)
        shown = self._shown(records)
        imported = [each.title for each in self._imported(person.id, app_id)]
        return BadgesToRead([*(each.version.name for each in shown), *imported], len(records) - len(shown))

    def grant(self, request: AppRequest, person: Person, scopes: Sequence[AppScope], *, by: Actor) -> str:
        """Where the learner's browser takes the code; the scopes are among the requested ones.

        Ends what the application had before: the newest consent alone counts. Raises ParentNeeded.
        """
        self.people.lock_all([person.id])
        self.check_may_connect(person)
        at = self.clock()
        granted = [each for each in request.scopes if each in scopes]
        if not granted:
            raise InvalidInput(
                N_("Coche au moins une ligne, ou refuse.")
                if person.needs_guardian
                else N_("Cochez au moins une ligne, ou refusez.")
            )
        self.store.sweep(at=at)
        self.store.end_app_of(person.id, request.app.id)
        given = AppGrant(
            app_id=request.app.id, person_id=person.id, scopes=[each.value for each in granted], given_at=at
        )
        self.store.add(given)
        code = self._secret(
            given, AppSecretKind.CODE, at + CODE_LIFE, challenge=request.challenge, redirect=request.redirect
        )
        self.history.write(by, "connect_app", "person", person.id, at=at, app=request.app.name)
        self.notices.tell(person, Changed.APP_CONNECTED, named=[f"{request.app.name} ({request.app.host})"])
        return request.granted(code, granted)

    def _may_connect(self, person: Person) -> bool:
        try:
            self.check_may_connect(person)
        except ParentNeeded:
            return False
        return True

    def connected(self, person_id: uuid.UUID) -> Sequence[tuple[AppGrant, ConnectedApp]]:
        """Each application once, by its latest consent."""
        found: dict[uuid.UUID, tuple[AppGrant, ConnectedApp]] = {}
        for grant, app in self.store.grants_of(person_id):
            found.setdefault(app.id, (grant, app))
        return list(found.values())

    def disconnect(self, person_id: uuid.UUID, app_id: uuid.UUID, *, by: Actor) -> None:
        """Idempotent; every token stops working with this transaction."""
        app = self.store.find(app_id)
        if app is None or app_id not in {grant.app_id for grant, _ in self.store.grants_of(person_id)}:
            return
        self.store.end_app_of(person_id, app_id)
        self.history.write(by, "disconnect_app", "person", person_id, at=self.clock(), app=app.name)

    # --- tokens

    def client(self, client_id: str, secret: str) -> ConnectedApp | None:
        try:
            app = self._app(client_id)
        except NotFound:
            return None
        return app if hmac.compare_digest(digest_of(secret), app.secret_digest) else None

    def tokens(self, app: ConnectedApp, form: Mapping[str, str]) -> JsonObject | TokenRefusal:
        """Returns the refusal instead of raising it: what a replayed code ends has to be committed."""
        match form.get("grant_type"):
            case None:
                return TokenRefusal.INVALID_REQUEST
            case "authorization_code":
                return self._redeem(app, form)
            case "refresh_token":
                return self._refresh(app, form)
        return TokenRefusal.UNSUPPORTED_GRANT

    def _redeem(self, app: ConnectedApp, form: Mapping[str, str]) -> JsonObject | TokenRefusal:
        at = self.clock()
        found = self.store.find_secret(form.get("code", ""), AppSecretKind.CODE, at=at)
        if found is None or found[1].app_id != app.id:
            return TokenRefusal.INVALID_GRANT
        code, grant = found
        is_proved = proves_challenge(code.challenge or "", form.get("code_verifier", ""))
        if not self.store.use(code.id, at=at) or not is_proved or form.get("redirect_uri") != code.redirect:
            self.store.end_grant(grant.id)
            return TokenRefusal.INVALID_GRANT
        if not self._may_connect(self.people.get(grant.person_id)):
            return TokenRefusal.INVALID_GRANT
        for former, of_app in self.store.grants_of(grant.person_id):
            if of_app.id == app.id and former.id != grant.id:
                self.store.end_grant(former.id)
        return self._tokens(grant, grant.scopes)

    def _refresh(self, app: ConnectedApp, form: Mapping[str, str]) -> JsonObject | TokenRefusal:
        """Each refresh token is used once; a second use is of a copy, and ends the connection (RFC 9700, 4.14.2)."""
        at = self.clock()
        found = self.store.find_secret(form.get("refresh_token", ""), AppSecretKind.REFRESH, at=at)
        if found is None or found[1].app_id != app.id:
            return TokenRefusal.INVALID_GRANT
        refresh, grant = found
        if not self._may_connect(self.people.get(grant.person_id)):
            return TokenRefusal.INVALID_GRANT
        wanted = [each.value for each in scopes_in(form.get("scope", ""))] or grant.scopes
        if not set(wanted) <= set(grant.scopes):
            return TokenRefusal.INVALID_SCOPE
        if not self.store.use(refresh.id, at=at):
            self.store.end_grant(grant.id)
            return TokenRefusal.INVALID_GRANT
        return self._tokens(grant, wanted)

    def _tokens(self, grant: AppGrant, scopes: Sequence[str]) -> JsonObject:
        at = self.clock()
        grant.used_at = at
        self.store.add(grant)
        token = self._secret(grant, AppSecretKind.ACCESS, at + ACCESS_LIFE, scopes=scopes)
        until = min(at + REFRESH_LIFE, grant.given_at + CONNECTION_LIFE)
        return {
            "refresh_token": self._secret(grant, AppSecretKind.REFRESH, until),
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "scope": scope_text(scopes),
        }

    def _secret(self, grant: AppGrant, kind: AppSecretKind, expires_at: datetime, **facts: Any) -> str:
        secret = secrets.token_urlsafe(32)
        self.store.add(
            AppSecret(kind=kind, grant_id=grant.id, digest=digest_of(secret), expires_at=expires_at, **facts)
        )
        return secret

    def revoke(self, app: ConnectedApp, token: str) -> None:
        """An access token alone, or with a refresh token the whole connection (RFC 7009); idempotent."""
        at = self.clock()
        access = self.store.find_secret(token, AppSecretKind.ACCESS, at=at)
        if access is not None and access[1].app_id == app.id:
            self.store.remove_secret(access[0].id)
        refresh = self.store.find_secret(token, AppSecretKind.REFRESH, at=at)
        if refresh is not None and refresh[1].app_id == app.id:
            self.store.end_grant(refresh[1].id)

    def access(self, token: str, scope: AppScope) -> AppAccess:
        found = self.store.find_secret(token, AppSecretKind.ACCESS, at=self.clock()) if token else None
        if found is None:
            raise NotSignedIn(_ENDED)
        secret, grant = found
        person = self.people.get(grant.person_id)
        if not self._may_connect(person):
            raise NotSignedIn(_ENDED)
        if scope.value not in (secret.scopes or ()):
            raise NotAllowed("Ce jeton d’accès n’ouvre pas ce droit : {scope}.", scope=scope.value)
        return AppAccess(grant, person)

    # --- what an application reads and adds

    def credentials(
        self, access: AppAccess, *, limit: int, offset: int, since: datetime | None
    ) -> CredentialPage:
        """Open pages in force, and badges from elsewhere in an open portfolio or added by this application."""
        found: list[tuple[datetime, uuid.UUID, bool, Callable[[], str | bytes]]] = []
        for record in self._shown(self.awards.list_of_person(access.person.id)):
            award = record.award
            found.append(
                (award.reissued_at or award.awarded_at, award.id, False, lambda one=record: self._signed(one))  # type: ignore[misc]
            )
        for badge in self._imported(access.person.id, access.grant.app_id):
            identity = identity_of(badge.content)
            if identity is not None:
                content = identity.token or badge.content
                found.append(
                    (identity.issued_at, badge.id, bool(identity.token), lambda one=content: one)  # type: ignore[misc]
                )
        found = sorted((each for each in found if since is None or each[0] > since), key=lambda one: one[:2])
        page = found[offset : offset + limit]
        objects = [_bytes(read()) for _, _, is_token, read in page if not is_token]
        tokens = [str(read()) for _, _, is_token, read in page if is_token]
        return CredentialPage(objects, tokens, len(found))

    def _imported(self, person_id: uuid.UUID, app_id: uuid.UUID) -> list[ImportedBadge]:
        portfolio = self.portfolios.find_of(person_id)
        is_open = portfolio is not None and portfolio.is_open
        return [
            each
            for each in self.imported.of(person_id)
            if each.may_be_shown and (each.app_id == app_id or (is_open and each.is_shown))
        ]

    def _signed(self, record: AwardRecord) -> bytes:
        return self.publication.award_file(record, "json").body

    def _shown(self, records: Sequence[AwardRecord]) -> list[AwardRecord]:
        at = self.clock()
        return [each for each in records if may_carry(each.award, at=at)]

    def read_to_add(self, access: AppAccess, presented: bytes) -> BadgeToAdd:
        """May be slow, writes nothing; raises NotBrought for a badge that is not genuine.

        The body is the badge itself: nothing is fetched from an address that an application sends instead.
        """
        if identity_of(presented.decode(errors="replace")) is None:
            raise InvalidInput("Ce n’est pas un Open Badge 3.0.")
        return self.imported.read(access.person, presented, app_id=access.grant.app_id)

    def add(self, access: AppAccess, found: BadgeToAdd) -> Upserted:
        """Raises NotSignedIn where the learner ended the connection while the badge was verified."""
        if not self.store.hold(access.grant.id):
            raise NotSignedIn(_ENDED)
        return self.imported.upsert(found)

    def profile(self, access: AppAccess) -> JsonObject:
        """As Profile of Open Badges 3.0; of a child who needs a parent's agreement, no name and no address."""
        person = access.person
        profile: JsonObject = {
            "id": pairwise_id(self.secret, access.grant.app_id, person.id),
            "type": ["Profile"],
        }
        if person.needs_guardian:
            return profile
        verified = [each for each in self.own_addresses.list_of(person.id) if each.verified_at]
        names = {"name": person.name, "givenName": person.given_name, "familyName": person.family_name}
        address = verified[0].address if verified else ""
        return profile | {key: value for key, value in (names | {"email": address}).items() if value}


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
