"""Services about a campus: its keys and log, its competencies, badges and activities."""

from __future__ import annotations

from app.container.stores import Container, made_once
from app.services.activities.activities import ActivityJournal, ActivityService
from app.services.activities.attendance import AttendanceSheets
from app.services.activities.check_in import CheckInService, CheckInSignatures
from app.services.activities.files import FileService
from app.services.activities.participants import ParticipantService
from app.services.activities.plans import ActivityPlans, ActivitySessions, SeriesService
from app.services.activity_log.activity_log import ActivityLog, LoggedEvents
from app.services.activity_log.evidence import EvidenceDocuments, LogPublication
from app.services.activity_log.keys import LogKeyHistory
from app.services.awards.award_evidence import AwardEvidenceService, ContributedLines
from app.services.awards.reissuing import AwardAlignment, ReissueService
from app.services.badges.badges import BadgeService
from app.services.badges.modules import ModuleService
from app.services.badges.openings import OpeningService
from app.services.campus.campus import CampusService
from app.services.campus.dashboard import DashboardService
from app.services.campus.pictures import CampusPictures
from app.services.campus.registers import (
    ActivityRegister,
    AwardRegister,
    PeopleRegister,
    RequestRegister,
    SavedViews,
)
from app.services.frameworks import CompetencyService
from app.services.frameworks.catalogue import FrameworkCatalogue
from app.services.frameworks.importing import FrameworkImportService
from app.services.frameworks.pathway_progress import PathwayFollowers
from app.services.frameworks.pathways import PathwayService
from app.services.frameworks.search import FrameworkSearch
from app.services.frameworks.trades import TradeService
from app.services.people.name_disambiguation import Namesakes
from app.services.people.names import AgeBands
from app.services.publishing.catalogue import CatalogueService
from app.services.publishing.ratings import RatingService
from app.services.publishing.status import Signing
from app.services.trust.endorsements import EndorsementSubjects
from app.services.trust.labels import NetworkSigning
from app.services.trust.network_register import NetworkDocuments
from app.services.trust.organisations import OrganisationService
from app.services.verification.issuer_standing import IssuerStandings


class CampusServices(Container):
    @made_once
    def signing(self) -> Signing:
        return Signing(self.stores.campuses, self.vault)

    @made_once
    def network_signing(self) -> NetworkSigning:
        return NetworkSigning(self.stores.recognition, self.vault, self.addresses)

    @made_once
    def network_documents(self) -> NetworkDocuments:
        return NetworkDocuments(
            self.stores.recognition, self.network_signing, self.lent.anchors, self.addresses, self.clock
        )

    @made_once
    def standings(self) -> IssuerStandings:
        return IssuerStandings(
            self.stores.recognition, self.network_signing, self.lent.shelf, self.clock, self.snapshot
        )

    @made_once
    def organisations(self) -> OrganisationService:
        return OrganisationService(
            self.stores.organisations, self.vault, self.lent.anchors, self.addresses, self.clock
        )

    @made_once
    def endorsement_subjects(self) -> EndorsementSubjects:
        return EndorsementSubjects(
            self.stores.awards, self.stores.badges, self.stores.campuses, self.addresses
        )

    @made_once
    def activity_log(self) -> ActivityLog:
        return ActivityLog(
            self.stores.activity_log,
            self.stores.campuses,
            self.signing,
            self.lent.anchors,
            self.lent.journal,
            self.addresses,
            self.clock,
            self.snapshot,
        )

    @made_once
    def log_keys(self) -> LogKeyHistory:
        return LogKeyHistory(self.activity_log, self.stores.campuses)

    @made_once
    def log_publication(self) -> LogPublication:
        return LogPublication(
            self.stores.activity_log,
            self.stores.log_watch,
            self.stores.campuses,
            self.activity_log,
            self.log_keys,
        )

    @made_once
    def logged_deeds(self) -> LoggedEvents:
        return LoggedEvents(
            self.activity_log,
            self.stores.activities,
            self.stores.campuses,
            self.stores.log_disputes,
            self.stores.pathways,
            self.addresses,
        )

    @made_once
    def campuses(self) -> CampusService:
        return CampusService(
            self.stores.campuses,
            self.stores.badges,
            self.stores.competencies,
            self.stores.activities,
            self.stores.awards,
            self.stores.history,
            self.signing,
            self.logged_deeds,
            self.addresses,
            self.clock,
        )

    @made_once
    def catalogue(self) -> CatalogueService:
        return CatalogueService(
            self.stores.catalogue,
            self.stores.campuses,
            self.stores.badges,
            self.stores.competencies,
            self.stores.activities,
            self.stores.activity_plans,
            self.stores.pathways,
            self.stores.history,
            self.ratings,
            self.clock,
            self.snapshot,
        )

    @made_once
    def campus_pictures(self) -> CampusPictures:
        return CampusPictures(self.stores.campuses, self.lent.artist(), self.stores.history, self.clock)

    @made_once
    def ratings(self) -> RatingService:
        return RatingService(self.stores.ratings, self.stores.history, self.clock)

    @made_once
    def competencies(self) -> CompetencyService:
        return CompetencyService(
            self.stores.competencies,
            self.stores.history,
            lambda campus, competency, lines, by: self.trades.relate(campus, competency, lines, by=by),
            self.clock,
        )

    @made_once
    def trades(self) -> TradeService:
        return TradeService(
            self.stores.frameworks,
            self.stores.competencies,
            self.stores.catalogue,
            self.stores.campuses,
            self.stores.recognition,
            self.frameworks,
            self.stores.history,
            self.clock,
        )

    @made_once
    def frameworks(self) -> FrameworkCatalogue:
        return FrameworkCatalogue(
            self.stores.frameworks,
            self.stores.campuses,
            self.stores.recognition,
            self.stores.badges,
            self.addresses,
            self.clock,
        )

    @made_once
    def framework_imports(self) -> FrameworkImportService:
        return FrameworkImportService(
            self.stores.frameworks, self.stores.full_text, self.stores.history, self.clock
        )

    @made_once
    def framework_search(self) -> FrameworkSearch:
        return FrameworkSearch(
            self.stores.frameworks, self.stores.competencies, self.stores.full_text, self.clock
        )

    @made_once
    def pathways(self) -> PathwayService:
        return PathwayService(
            self.stores.pathways,
            self.stores.campuses,
            self.stores.competencies,
            self.stores.catalogue,
            self.stores.history,
            self.clock,
        )

    @made_once
    def pathway_followers(self) -> PathwayFollowers:
        return PathwayFollowers(self.stores.pathways, self.stores.people, self.stores.history, self.clock)

    @made_once
    def dashboard(self) -> DashboardService:
        return DashboardService(
            self.stores.waiting,
            self.stores.campuses,
            self.stores.badges,
            self.stores.requests,
            self.stores.contributions,
            self.stores.activity_plans,
            self.stores.ratings,
            self.stores.names,
            self.stores.log_watch,
            self.stores.pathways,
            self.clock,
        )

    @made_once
    def activity_register(self) -> ActivityRegister:
        return ActivityRegister(self.stores.activity_register)

    @made_once
    def people_register(self) -> PeopleRegister:
        return PeopleRegister(self.stores.people_register, self.stores.people)

    @made_once
    def saved_views(self) -> SavedViews:
        return SavedViews(self.stores.saved_views, self.clock)

    @made_once
    def request_register(self) -> RequestRegister:
        return RequestRegister(self.stores.request_register)

    @made_once
    def award_register(self) -> AwardRegister:
        return AwardRegister(self.stores.award_register, self.stores.people)

    @made_once
    def badges(self) -> BadgeService:
        return BadgeService(
            self.stores.badges,
            self.stores.competencies,
            self.stores.activities,
            self.stores.history,
            self.lent.artist(),
            self.logged_deeds,
            self.addresses,
            self.clock,
            self.lent.models,
            lambda alignments: self.frameworks.stamped(alignments),
        )

    @made_once
    def modules(self) -> ModuleService:
        return ModuleService(
            self.stores.modules,
            self.stores.badges,
            self.stores.competencies,
            self.stores.history,
            self.clock,
        )

    @made_once
    def files(self) -> FileService:
        return FileService(self.stores.files, self.stores.history, self.clock)

    @made_once
    def openings(self) -> OpeningService:
        return OpeningService(
            self.stores.openings,
            self.stores.badges,
            self.stores.team,
            self.stores.campuses,
            self.stores.history,
            self.clock,
        )

    @made_once
    def evidence(self) -> EvidenceDocuments:
        return EvidenceDocuments(
            self.activity_log,
            self.stores.award_evidence,
            self.stores.log_watch,
            self.addresses,
            self.snapshot,
        )

    @made_once
    def _grounds(self) -> AwardEvidenceService:
        return AwardEvidenceService(
            self.logged_deeds,
            self.evidence,
            self.stores.award_evidence,
            self.addresses,
            ContributedLines(self.stores.contributions, self.stores.files, self.activity_log),
        )

    @made_once
    def reissuing(self) -> ReissueService:
        return ReissueService(
            self.stores.awards,
            self.stores.campuses,
            self.stores.activities,
            self.badges,
            self._grounds,
            self.signing,
            self.stores.history,
            self.addresses,
            self.clock,
        )

    @made_once
    def age_bands(self) -> AgeBands:
        return AgeBands(
            self.stores.guardians,
            self.stores.awards,
            self.evidence,
            self.reissuing,
            self.stores.portfolios,
            self.stores.consents,
            self.stores.history,
            self.stores.tenant_scope,
            self.clock,
        )

    @made_once
    def award_alignment(self) -> AwardAlignment:
        return AwardAlignment(self.stores.awards, self.reissuing, self.clock)

    @made_once
    def activities(self) -> ActivityService:
        return ActivityService(
            self.stores.activities,
            self.stores.people,
            self.stores.campuses,
            self.stores.history,
            self.logged_deeds,
            self.age_bands,
            self.namesakes,
            self.clock,
        )

    @made_once
    def namesakes(self) -> Namesakes:
        return Namesakes(self.stores.namesakes, self.stores.activities, self.stores.people, self.clock)

    @made_once
    def activity_plans(self) -> ActivityPlans:
        return ActivityPlans(
            self.stores.activity_plans,
            self.stores.activities,
            self.stores.campuses,
            self.stores.competencies,
            self.stores.badges,
            self.stores.team,
            self.stores.history,
            self.activities,
            self.logged_deeds,
            self.clock,
        )

    @made_once
    def attendance_sheets(self) -> AttendanceSheets:
        return AttendanceSheets(
            self.stores.activities,
            self.stores.activity_plans,
            self.stores.rooms,
            self.stores.people,
            self.stores.awards,
            self.lent.papers(),
            self.addresses,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def activity_sessions(self) -> ActivitySessions:
        return ActivitySessions(
            self.stores.activity_plans,
            self.stores.activities,
            self.stores.history,
            self.logged_deeds,
            self.clock,
        )

    @made_once
    def series(self) -> SeriesService:
        return SeriesService(
            self.stores.activity_plans,
            self.stores.activities,
            self.stores.rooms,
            self.stores.history,
            self.logged_deeds,
            self.clock,
        )

    @made_once
    def activity_journal(self) -> ActivityJournal:
        return ActivityJournal(
            self.stores.activity_log,
            self.stores.log_disputes,
            self.stores.activities,
            self.stores.activity_files,
        )

    @made_once
    def participants(self) -> ParticipantService:
        return ParticipantService(self.activities, self.stores.directory, self.stores.awards)

    @made_once
    def rooms(self) -> CheckInService:
        return CheckInService(
            self.stores.rooms,
            self.stores.activities,
            self.stores.campuses,
            self.stores.people,
            self.stores.history,
            self.stores.activity_plans,
            self.room_signatures,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def room_signatures(self) -> CheckInSignatures:
        return CheckInSignatures(
            self.stores.rooms,
            self.stores.activities,
            self.stores.activity_plans,
            self.stores.history,
            self.stores.consents,
            self.activities,
            self.activity_sessions,
            self.namesakes,
            self.clock,
        )
