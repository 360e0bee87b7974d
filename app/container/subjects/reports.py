"""Services about the report of a campus."""

from __future__ import annotations

from app.container.stores import made_once
from app.container.subjects.trust import TrustServices
from app.services.imports.calendar_imports import CalendarImports, CalendarJudging, CalendarWriting
from app.services.imports.import_matching import ImportJudging
from app.services.imports.imports import ImportService, ListMappings, StatementImports
from app.services.imports.writing import ImportWriting
from app.services.reports.editions import EditionService
from app.services.reports.facts import ReportFactsService
from app.services.reports.network import NetworkReports
from app.services.reports.partners import PartnerReports
from app.services.reports.reports import ReportService
from app.services.reports.surveys import SurveyService


class ReportServices(TrustServices):
    @made_once
    def reports(self) -> ReportService:
        return ReportService(self.stores.report_counts, self.clock)

    @made_once
    def report_editions(self) -> EditionService:
        return EditionService(
            self.stores.report_editions,
            self.reports,
            self.report_facts,
            self.signing,
            self.stores.history,
            self.lent.papers(),
            self.clock,
        )

    @made_once
    def report_facts(self) -> ReportFactsService:
        return ReportFactsService(
            self.stores.report_facts,
            self.stores.activities,
            self.stores.activity_plans,
            self.stores.history,
            self.clock,
        )

    @made_once
    def network_reports(self) -> NetworkReports:
        return NetworkReports(
            self.stores.report_sharing,
            self.stores.report_counts,
            self.stores.campuses,
            self.reports,
            self.stores.history,
            self.clock,
        )

    @made_once
    def partner_reports(self) -> PartnerReports:
        return PartnerReports(self.reports, self.lent.papers(), self.clock)

    @made_once
    def surveys(self) -> SurveyService:
        return SurveyService(
            self.stores.surveys,
            self.stores.activities,
            self.stores.campuses,
            self.stores.people,
            self.stores.letters,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )


class ImportServices(ReportServices):
    @made_once
    def _import_judging(self) -> ImportJudging:
        return ImportJudging(
            self.stores.imports, self.activities, self.activity_plans, self.report_facts, self.lent.secret
        )

    @made_once
    def list_mappings(self) -> ListMappings:
        return ListMappings(self.stores.imports, self.clock)

    @made_once
    def imports(self) -> ImportService:
        return ImportService(
            self.stores.imports,
            self.stores.campuses,
            self.stores.history,
            self._import_judging,
            ImportWriting(
                self.stores.imports,
                self._import_judging,
                self.activities,
                self.activity_plans,
                self.report_facts,
            ),
            self.clock,
        )

    @made_once
    def statement_imports(self) -> StatementImports:
        return StatementImports(self.imports)

    @made_once
    def calendar_imports(self) -> CalendarImports:
        imports, plans = self.stores.imports, self.stores.activity_plans
        judging = CalendarJudging(imports, plans, self._import_judging)
        writing = CalendarWriting(
            imports, plans, judging, self.activity_plans, self.activity_sessions, self.series
        )
        return CalendarImports(self.imports, judging, writing)
