"""Process-wide values, implementations of ports, and late dependencies: what type hints cannot express."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic

from dishka import (
    AnyOf,
    Container,
    Provider,
    Scope,
    from_context,
    provide,
)

from app.adapters.badge_pictures import BadgeArtist
from app.adapters.folders.log_files import FolderAnchors
from app.adapters.folders.recovery_files import RecoveryJournal
from app.adapters.papers import Papers
from app.adapters.passkey_ceremonies import WebAuthnCeremonies
from app.adapters.picture_codes import PictureCodes
from app.adapters.secrets import EncryptedTokens, KeyVault, SealedForms
from app.db.awards import AwardRecord
from app.domain.accounts.sign_in import Ceremonies
from app.domain.awards.signing_clock import Counter
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import WebhookClient
from app.domain.campus.sender import MailIdentity, MailRecords
from app.domain.core import Clock, ServiceOptions, Snapshot
from app.domain.frameworks import Competency, PublicAlignment
from app.domain.publishing import Addresses, SignedList
from app.services.activity_log import Anchors
from app.services.activity_log.integrity import StoredAnchors
from app.services.activity_log.log_check import AllAnchors
from app.services.activity_log.recovery import Journal
from app.services.awards.award_issuer import SigningClockService
from app.services.awards.papers import AwardPictures
from app.services.badges.wording import BadgeModel
from app.services.frameworks.importing import FrameworkCatalogue
from app.services.frameworks.trades import TradeService
from app.services.learners.contributions import SelfAwards
from app.services.learners.portfolios import PortfolioService
from app.services.privacy import ErasureService
from app.services.publishing.publication import PicturesOfAwards
from app.services.publishing.status import ListAnchors
from app.services.trust.external_trust_lists import TrustAnchors
from app.services.verification.issuer_standing import ListShelf
from app.settings import Settings
from sceau_credentials.values import DocumentSource


@dataclass(frozen=True)
class ProcessContext:
    """Process-lifetime dependencies of every unit of work."""

    settings: Settings
    clock: Clock
    addresses: Addresses
    secret: bytes
    vault: KeyVault
    anchors: FolderAnchors
    journal: RecoveryJournal
    artist: Callable[[], BadgeArtist]
    models: Callable[[], Sequence[BadgeModel]]
    papers: Callable[[], Papers]
    codes: PictureCodes
    beyond: DocumentSource
    """External documents."""
    renew_list: Callable[[uuid.UUID], SignedList]
    shelf: ListShelf
    counter: Counter | None
    """Monotonic seconds, independent of clock changes; None where the time is given."""
    label_of_service: Callable[[str], str]
    """The name of the sign-in service of an issuer."""
    mail_identity: MailIdentity
    mail_records: MailRecords
    webhook_client: WebhookClient


class AfterCommit(list[Callable[[], None]]):
    """What to do once the transaction stands."""


class ProcessProvider(Provider):
    """The process-wide objects."""

    scope = Scope.REQUEST
    context = from_context(ProcessContext)
    snapshot = from_context(Snapshot)

    @provide
    def options(self, process: ProcessContext) -> ServiceOptions:
        settings = process.settings
        return ServiceOptions(
            settings.session_life,
            settings.session_idle,
            settings.letters_per_minute,
            settings.time_zone,
            settings.vc_api_issue,
            settings.app_registration,
            settings.trusted_wallet_redirects,
        )

    @provide
    def clock(self, process: ProcessContext) -> Clock:
        return process.clock

    @provide
    def addresses(self, process: ProcessContext) -> Addresses:
        return process.addresses

    @provide
    def seconds(self) -> Callable[[], float]:
        return monotonic

    @provide
    def secret(self, process: ProcessContext) -> bytes:
        return process.secret

    @provide
    def vault(self, process: ProcessContext, clock: SigningClockService) -> KeyVault:
        """Opens no key while the clock cannot be trusted."""
        return process.vault.guarded(clock.check)

    @provide
    def anchors(
        self, process: ProcessContext
    ) -> AnyOf[FolderAnchors, Anchors, AllAnchors, ListAnchors, StoredAnchors, TrustAnchors]:
        return process.anchors

    @provide
    def journal(self, process: ProcessContext) -> AnyOf[RecoveryJournal, Journal]:
        return process.journal

    @provide
    def artist(self, process: ProcessContext) -> BadgeArtist:
        return process.artist()

    @provide
    def models(self, process: ProcessContext) -> Callable[[], Sequence[BadgeModel]]:
        return process.models

    @provide
    def papers(self, process: ProcessContext) -> Papers:
        return process.papers()

    @provide
    def codes(self, process: ProcessContext) -> PictureCodes:
        return process.codes

    @provide
    def documents_of_others(self, process: ProcessContext) -> DocumentSource:
        return process.beyond

    @provide
    def renew_list(self, process: ProcessContext) -> Callable[[uuid.UUID], SignedList]:
        return process.renew_list

    @provide
    def shelf(self, process: ProcessContext) -> ListShelf:
        return process.shelf

    @provide
    def counter(self, process: ProcessContext) -> Counter | None:
        return process.counter

    @provide
    def label_of_service(self, process: ProcessContext) -> Callable[[str], str]:
        return process.label_of_service

    @provide
    def mail_identity(self, process: ProcessContext) -> MailIdentity:
        return process.mail_identity

    @provide
    def mail_records(self, process: ProcessContext) -> MailRecords:
        return process.mail_records

    @provide
    def webhook_client(self, process: ProcessContext) -> WebhookClient:
        return process.webhook_client

    @provide
    def sealed_forms(self, process: ProcessContext) -> SealedForms:
        return SealedForms(process.secret)

    @provide
    def encrypted_tokens(self, process: ProcessContext) -> EncryptedTokens:
        return EncryptedTokens(process.secret)

    @provide
    def ceremonies(self, process: ProcessContext) -> Ceremonies:
        return WebAuthnCeremonies(process.addresses.base_url)


class LateProvider(Provider):
    """Services asked for when an event needs them: they need each other, or most requests do without."""

    scope = Scope.REQUEST

    @provide
    def pictures(self, services: Container) -> Callable[[], PicturesOfAwards]:
        return lambda: services.get(AwardPictures)

    @provide
    def end_self_awards(self, services: Container) -> Callable[[uuid.UUID], None]:
        return lambda person_id: services.get(SelfAwards).end_those_of(person_id)

    @provide
    def forget_listed(
        self, services: Container
    ) -> Callable[[Campus, uuid.UUID, uuid.UUID, str, Actor], bool]:
        return lambda campus, person_id, batch_id, reason, by: services.get(ErasureService).forget_listed(
            campus, person_id, batch_id, reason, by=by
        )

    @provide
    def relate(self, services: Container) -> Callable[[Campus, Competency, Iterable[str], Actor], bool]:
        return lambda campus, competency, lines, by: services.get(TradeService).relate(
            campus, competency, lines, by=by
        )

    @provide
    def stamp(self, services: Container) -> Callable[[Sequence[PublicAlignment]], list[PublicAlignment]]:
        return lambda alignments: services.get(FrameworkCatalogue).stamped(alignments)

    @provide
    def shown_in(self, services: Container) -> Callable[[uuid.UUID], Sequence[AwardRecord]]:
        return lambda portfolio_id: services.get(PortfolioService).shown_on(portfolio_id)
