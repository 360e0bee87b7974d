"""Services about activity logs as others see them: published, watched, and put right after a restore."""

from __future__ import annotations

from app.container.stores import made_once
from app.container.subjects.requests import RequestServices
from app.services.activities.files import ActivityFiles, ShownFiles
from app.services.activity_log.integrity import IntegrityService
from app.services.activity_log.log_check import AnchorCheck
from app.services.activity_log.log_monitoring import LogWatch
from app.services.activity_log.recovery import ChoiceJournal, JournalCheck
from app.services.activity_log.restoring import LogReconciliation, RestoreService
from app.services.awards.awards import AwardRegistration
from app.services.privacy import PrivateLooks
from app.services.verification.static_export import KeptSite


class LogServices(RequestServices):
    @made_once
    def activity_files(self) -> ActivityFiles:
        return ActivityFiles(
            self.stores.activity_files,
            self.stores.files,
            self.stores.activities,
            self.stores.activity_plans,
            self.stores.history,
            self.activity_log,
            self.clock,
        )

    @made_once
    def shown_files(self) -> ShownFiles:
        return ShownFiles(self.publication, self.evidence, self.activity_files)

    @made_once
    def private_looks(self) -> PrivateLooks:
        return PrivateLooks(self.stores.private_looks, self.clock)

    @made_once
    def kept_site(self) -> KeptSite:
        return KeptSite(
            self.stores.campuses,
            self.stores.badges,
            self.stores.awards,
            self.stores.statuses,
            self.stores.history,
            self.publication,
            self.older_badges,
            self.evidence,
            self.network_documents,
            self.endorsements,
            self.organisations,
            self.log_publication,
            self.status,
            self.verification,
            self.clock,
        )

    @made_once
    def log_watch(self) -> LogWatch:
        return LogWatch(
            self.stores.activity_log,
            self.stores.log_watch,
            self.stores.campuses,
            self.activity_log,
            self.log_keys,
            self.lent.anchors,
            self.stores.history,
            self.clock,
        )

    @made_once
    def anchor_check(self) -> AnchorCheck:
        return AnchorCheck(
            self.activity_log,
            self.log_keys,
            self.stores.statuses,
            self.stores.campuses,
            self.lent.anchors,
            self.choice_journal,
            self.addresses,
        )

    @made_once
    def choice_journal(self) -> ChoiceJournal:
        return ChoiceJournal(self.stores.choices, self.lent.journal, self.clock)

    @made_once
    def log_reconciliation(self) -> LogReconciliation:
        return LogReconciliation(
            self.stores.activity_log,
            self.activity_log,
            self.campus_keys,
            self.lent.anchors,
            self.stores.history,
            self.clock,
        )

    @made_once
    def restoring(self) -> RestoreService:
        return RestoreService(
            self.stores.recovery,
            self.activity_log,
            self.stores.statuses,
            self.status,
            self.log_reconciliation,
            self.lent.anchors,
            self.lent.journal,
            self.choice_journal,
            self._account_notices,
            self.stores.history,
            self.clock,
        )

    @made_once
    def journal_check(self) -> JournalCheck:
        return JournalCheck(self.stores.activity_log, self.stores.recovery, self.lent.journal, self.clock)

    @made_once
    def integrity(self) -> IntegrityService:
        return IntegrityService(
            self.stores.integrity,
            self.stores.statuses,
            self.stores.campuses,
            self.lent.anchors,
            self.addresses,
            self.clock,
        )

    @made_once
    def registration(self) -> AwardRegistration:
        return AwardRegistration(
            self.stores.recovery,
            self.stores.statuses,
            self.stores.campuses,
            self.stores.badges,
            self.activity_log,
            self.signing,
            self.stores.history,
            self.addresses,
            self.clock,
        )
