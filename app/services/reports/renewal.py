"""The renewal file of a label, filled from the log, the signed reports and the texts carried over."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.adapters.papers import Papers
from app.adapters.sheets.report_files import Table, text_document
from app.db.campus import CampusStore, HistoryStore
from app.db.reports.facts import EditionStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, CampusColours, Label, Network
from app.domain.core import Clock, plain_text
from app.domain.reports.editions import (
    PLAN,
    DraftText,
    ReportDraft,
    ReportEdition,
    document_of,
    is_over,
    texts_of,
)
from app.domain.reports.ledger import Period, PeriodKind, establishments_of, period_of
from app.domain.reports.renewal import (
    THEMES,
    RenewalYear,
    carried,
    faults_of_texts,
    is_due,
    renewal_key,
    texts_written,
    years_of,
)
from app.errors import NotFound
from app.language import current_locale, labelled, translated
from app.services.reports import ReportService
from app.services.reports.editions import EditionService


@dataclass(frozen=True)
class LabelRenewal:
    network: Network
    label: Label
    is_due: bool


@dataclass(frozen=True)
class RenewalPage:
    network: Network
    label: Label
    years: Sequence[RenewalYear]
    texts: Mapping[str, DraftText]
    """By theme."""
    partners: Sequence[tuple[str, int]]
    """Names and numbers of actions, the most active first."""
    establishments: Sequence[str]

    @property
    def unsigned(self) -> list[RenewalYear]:
        """Years that are over without a signed report."""
        return [each for each in self.years if each.is_over and not each.edition]


@dataclass(frozen=True)
class RenewalService:
    store: EditionStore
    editions: EditionService
    reports: ReportService
    campuses: CampusStore
    history: HistoryStore
    papers: Papers
    clock: Clock

    def list_of(self, campus: Campus) -> list[LabelRenewal]:
        """The labels that were not withdrawn, the latest first."""
        pairs = [pair for pair in self.campuses.labels_of(campus.did) if pair[0].withdrawn_at is None]
        labels, today = [label for label, _ in pairs], self.reports.today()
        return [LabelRenewal(network, label, is_due(label, labels, on=today)) for label, network in pairs][
            ::-1
        ]

    def due(self, campus: Campus) -> list[LabelRenewal]:
        return [each for each in self.list_of(campus) if each.is_due]

    def page(self, campus: Campus, label_id: uuid.UUID) -> RenewalPage:
        found, today = self._due(campus, label_id), self.reports.today()
        signed = self._signed(campus, found.label)
        years = []
        for period, edition in signed:
            if edition:
                document = document_of(edition.token)
            else:
                document = self.editions.document(campus, self.editions.page(campus, period))
            number = edition.number if edition else 0
            years.append(RenewalYear(period, document, number, is_over(period, today)))
        partners, establishments = self._partners(campus, [each.period for each in years])
        texts = self._proposed(campus, signed) | self._written(campus, label_id)
        return RenewalPage(found.network, found.label, years, texts, partners, establishments)

    def _signed(self, campus: Campus, label: Label) -> list[tuple[Period, ReportEdition | None]]:
        """The years of the label, of the kind of the last signed report, with the last version of each."""
        found: dict[str, ReportEdition] = {}
        for each in self.store.all_editions(campus.id):
            found.setdefault(each.period, each)
        latest = max(map(period_of, found), key=lambda each: each.last, default=None)
        kind = latest.kind if latest else PeriodKind.CIVIL
        return [(each, found.get(each.key)) for each in years_of(label, kind, on=self.reports.today())]

    def _due(self, campus: Campus, label_id: uuid.UUID) -> LabelRenewal:
        found = next((each for each in self.due(campus) if each.label.id == label_id), None)
        if found is None:
            raise NotFound("Aucun dossier n’est ouvert pour ce label.")
        return found

    def _written(self, campus: Campus, label_id: uuid.UUID) -> dict[str, DraftText]:
        return texts_written(self.store.draft(campus.id, renewal_key(label_id)))

    def _proposed(
        self, campus: Campus, years: Sequence[tuple[Period, ReportEdition | None]]
    ) -> dict[str, DraftText]:
        """Texts of the last signed report, else of the last report with texts."""
        key, lines = "", dict[str, tuple[str, str]]()
        for period, edition in sorted(years, key=lambda pair: (bool(pair[1]), pair[0].last), reverse=True):
            if edition:
                document = document_of(edition.token)
                found = {each["id"]: (each["name"], each.get("text", "")) for each in document["lines"]}
            else:
                texts = texts_of(self.store.draft(campus.id, period.key))
                names = {line.number: translated(line.name) for line in PLAN}
                found = {number: (names[number], each.text) for number, each in texts.items()}
            if any(text.strip() for _, text in found.values()):
                key, lines = period.key, found
                break
        return {theme.id: carried(theme, lines, key) for theme in THEMES}

    def _partners(self, campus: Campus, periods: Sequence[Period]) -> tuple[list[tuple[str, int]], list[str]]:
        names: dict[str, str] = {}
        actions: dict[str, set[uuid.UUID]] = {}
        schools: dict[str, str] = {}
        for period in periods:
            rows = self.reports.ledger(campus, period.until(self.reports.today())).rows
            schools |= establishments_of(rows)
            for row in rows:
                for one in row.organisations:
                    names[one.key] = one.name
                    actions.setdefault(one.key, set()).add(row.id)
        partners = sorted(
            ((names[key], len(ids)) for key, ids in actions.items()),
            key=lambda pair: (-pair[1], plain_text(pair[0])),
        )
        return partners, sorted(sorted({name or number for number, name in schools.items()}), key=plain_text)

    def save(
        self, campus: Campus, label_id: uuid.UUID, typed: Mapping[str, tuple[str, bool]], *, by: Actor
    ) -> None:
        """`typed`: text by theme, and whether it was reviewed. A proposal left as it is stays a proposal."""
        found = self._due(campus, label_id)
        texts = self._written(campus, label_id)
        proposed = self._proposed(campus, self._signed(campus, found.label))
        for name, (text, reviewed) in typed.items():
            before = texts.get(name, proposed[name])
            if name in texts or reviewed or text.split() != before.text.split():
                texts[name] = DraftText(text, reviewed, before.carried)
        for fault in faults_of_texts(texts).values():
            raise fault
        key, at = renewal_key(label_id), self.clock()
        draft = self.store.draft(campus.id, key) or ReportDraft(
            campus_id=campus.id, period=key, updated_at=at
        )
        draft.texts, draft.updated_at = {name: asdict(each) for name, each in texts.items()}, at
        self.store.save(draft)
        self.history.write(by, "amend", "report", campus.id, at=at, campus_id=campus.id, period=key)

    # --- files

    def pdf(self, campus: Campus, words: Mapping[str, Any]) -> bytes:
        """A4, tagged, in the campus's colours. Call it outside a transaction."""
        colours = CampusColours.of(campus.hue, campus.liveliness)
        values = {"lang": current_locale(), "colours": asdict(colours), "words": words}
        return self.papers.pdf("renewal", values, {}, at=self.clock())

    def text(self, words: Mapping[str, Any]) -> bytes:
        parts: list[tuple[str, str] | Table] = [("Heading1", words["title"])]
        parts += [("Normal", line) for line in words["label"]]
        parts.append(("Normal", words["basis"]))
        for section in words["sections"]:
            parts += [("Heading2", section["title"]), ("Normal", section["text"] or words["to-write"])]
            if section["rows"]:
                parts.append(("", words["heads"], section["rows"]))
            parts += [("Normal", line) for line in section["lines"]]
        parts += [("Heading2", words["actions-title"]), ("", words["action-heads"], words["actions"])]
        parts += [("Heading2", words["definitions-title"])]
        parts += [("Normal", labelled(name, definition)) for name, definition in words["definitions"]]
        return text_document(parts)
