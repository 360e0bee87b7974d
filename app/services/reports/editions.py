"""The yearly report of a campus: draft, contradictions, signed editions, and its files."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from app.adapters.papers import Papers
from app.adapters.sheets.report_files import Illustration, Table, text_document, workbook_of
from app.db.campus import CampusStore, HistoryStore
from app.db.reports.facts import EditionStore, SurveyStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, CampusColours, CampusPicture
from app.domain.campus.places import DEPARTEMENTS
from app.domain.core import Clock
from app.domain.reports.editions import (
    AXES,
    BEFORE,
    DEFINITIONS,
    PLAN,
    SETTLED,
    ChosenPicture,
    Contradiction,
    DraftText,
    ReportDraft,
    ReportEdition,
    check_counted,
    check_over,
    check_publishable,
    checked_reason,
    checked_source,
    chosen_value,
    contradictions,
    differences,
    faults_of_report,
    fill,
    is_over,
    joined,
    public_lines,
    read_value,
    signing_input,
    texts_of,
    verified,
)
from app.domain.reports.facts import AUDIENCES, Declared, DeclaredFigure
from app.domain.reports.indicators import (
    INDICATORS,
    SMALL,
    Figure,
    Unit,
    audience_totals,
    hidden_counts,
    hidden_rows,
    people_of,
    public_figures,
    public_value,
)
from app.domain.reports.ledger import ActivityRow, Ledger, Period, by_month, period_of
from app.errors import Conflict, NotAllowed, NotFound
from app.language import current_locale, quoted
from app.language import gettext as _
from app.services.publishing.status import Signing
from app.services.reports import ReportService
from app.services.reports.surveys import FactsOfActivity, ReportFactsService
from app.services.trust.labels import TrustAnchors, next_edition


@dataclass(frozen=True)
class ReportDraftPage:
    """`lines`, `earlier`: figures of counted lines; `texts`: the others. `now`, `before`: `ledger_with_objectives`."""

    period: Period
    now: Ledger
    before: Ledger
    lines: Mapping[str, Figure]
    earlier: Mapping[str, Figure]
    texts: Mapping[str, DraftText]
    quotes: Sequence[str]
    pictures: Sequence[tuple[CampusPicture, str]]
    """Chosen pictures that are still in the gallery, with their credit."""
    contradictions: Sequence[Contradiction]
    editions: Sequence[ReportEdition]
    leaders: Mapping[uuid.UUID, str]
    """The campus that leads, for activities with contradictions that another campus must settle."""
    is_over: bool

    @property
    def open_contradictions(self) -> int:
        """Those that this campus may settle: others do not block its report, which notes them."""
        return sum(1 for each in self.contradictions if not each.settled and not self.awaits(each))

    def awaits(self, each: Contradiction) -> str:
        """The short name of the campus that has yet to settle it; empty if settled, or if it is ours to settle."""
        return "" if each.settled else self.leaders.get(each.activity_id, "")

    @property
    def unread(self) -> int:
        return sum(1 for each in self.texts.values() if not each.reviewed)


@dataclass(frozen=True)
class EditionService:
    store: EditionStore
    reports: ReportService
    facts: ReportFactsService
    surveys: SurveyStore
    campuses: CampusStore
    signing: Signing
    anchors: TrustAnchors
    history: HistoryStore
    papers: Papers
    clock: Clock

    # --- the draft

    def page(self, campus: Campus, period: Period) -> ReportDraftPage:
        now, before = (self.reports.ledger_with_objectives(campus, each) for each in (period, period.before))
        draft = self.store.draft(campus.id, period.key)
        found = contradictions(now.rows, self.store.declared([row.id for row in now.rows]))
        return ReportDraftPage(
            period,
            now,
            before,
            fill(now),
            fill(before),
            self._texts(campus, period, draft),
            self._quotes(draft, now),
            self._pictures(campus, draft),
            found,
            self.store.editions(campus.id, period.key),
            self.facts.leaders({each.activity_id for each in found}, beside=campus),
            is_over=is_over(period, self.reports.last_day_begun(campus)),
        )

    def _quotes(self, draft: ReportDraft | None, ledger: Ledger) -> list[str]:
        """Without sentences that staff have rejected since."""
        if not draft or not draft.quotes:
            return []
        rejected = self.surveys.rejected([row.id for row in ledger.rows])
        return [each for each in draft.quotes if each not in rejected]

    def _pictures(self, campus: Campus, draft: ReportDraft | None) -> list[tuple[CampusPicture, str]]:
        if not draft or not draft.pictures:
            return []
        gallery = {str(each.id): each for each in self.campuses.pictures_of(campus.id)}
        return [(gallery[each["id"]], each["credit"]) for each in draft.pictures if each["id"] in gallery]

    def _texts(self, campus: Campus, period: Period, draft: ReportDraft | None) -> dict[str, DraftText]:
        return texts_of(draft) if draft else self._carried(campus, period)

    def _carried(self, campus: Campus, period: Period) -> dict[str, DraftText]:
        """Texts of the year before, to be reviewed."""
        key = period.before.key
        earlier = texts_of(self.store.draft(campus.id, key))
        return {
            number: DraftText(each.text, carried=key if each.text else "") for number, each in earlier.items()
        }

    def save(
        self,
        campus: Campus,
        period: Period,
        typed: Mapping[str, tuple[str, bool]],
        quotes: Sequence[str],
        pictures: Sequence[ChosenPicture] = (),
        *,
        by: Actor,
    ) -> None:
        """`typed`: text by line, and whether it was reviewed."""
        current = self._texts(campus, period, self.store.draft(campus.id, period.key))
        texts = {
            number: replace(each, text=typed[number][0], reviewed=typed[number][1])
            if number in typed
            else each
            for number, each in current.items()
        }
        written = {number: each.text for number, each in texts.items()}
        for fault in faults_of_report(written, quotes, pictures).values():
            raise fault
        gallery = {each.id for each in self.campuses.pictures_of(campus.id)}
        chosen = [{"id": str(each.id), "credit": each.credit} for each in pictures if each.id in gallery]
        at = self.clock()
        draft = self.store.draft(campus.id, period.key) or ReportDraft(
            campus_id=campus.id, period=period.key, updated_at=at
        )
        draft.texts = {number: asdict(each) for number, each in texts.items()}
        draft.quotes, draft.pictures, draft.updated_at = list(quotes), chosen, at
        self.store.save(draft)
        self.history.write(by, "amend", "report", campus.id, at=at, campus_id=campus.id, period=period.key)

    # --- contradictions

    def declare(
        self, campus: Campus, activity_id: uuid.UUID, about: Declared, value: str, source: str, *, by: Actor
    ) -> None:
        """A figure that another document gives for an activity."""
        activity = self._led(campus, activity_id).activity
        source = checked_source(source)
        value = read_value(about, value)
        row = DeclaredFigure(
            activity_id=activity.id, about=about, value=value, source=source, declared_at=self.clock()
        )
        self.store.save(row)
        self.history.write(by, "amend", "activity", activity.id, at=self.clock(), campus_id=campus.id)

    def settle(
        self, campus: Campus, activity_id: uuid.UUID, about: Declared, value: str, reason: str, *, by: Actor
    ) -> None:
        """The value that holds; a size becomes the activity's. The others stay as notes."""
        found = self._led(campus, activity_id)
        value, reason = chosen_value(about, value), checked_reason(reason)
        self.store.unsettle(activity_id, about)
        before = found.facts.declared_size
        if about is Declared.SIZE and before != int(value):
            if before is not None:
                self.store.save(
                    DeclaredFigure(
                        activity_id=activity_id,
                        about=about,
                        value=str(before),
                        source=BEFORE,
                        declared_at=self.clock(),
                    )
                )
            self.facts.write(campus, activity_id, replace(found.facts, declared_size=int(value)), by=by)
        day = Period(found.activity.starts_on, found.activity.starts_on)
        for row in self.reports.ledger(campus, day).all_rows:
            if row.id == activity_id:
                check_counted(row, about, value)
        self.store.save(
            DeclaredFigure(
                activity_id=activity_id,
                about=about,
                value=value,
                source=SETTLED,
                reason=reason,
                is_settled=True,
                declared_at=self.clock(),
            )
        )

    def _led(self, campus: Campus, activity_id: uuid.UUID) -> FactsOfActivity:
        """The campus that leads an activity signs its figures, and it alone chooses them."""
        found = self.facts.of(campus, activity_id)
        if not found.leads:
            raise NotAllowed("Seul le campus qui a créé cette activité la modifie.")
        return found

    # --- editions

    def publish(
        self, campus: Campus, period: Period, *, by: Actor, read: EditionService | None = None
    ) -> ReportEdition:
        """Freeze and sign the report; the newest version if nothing changed. Raises Conflict while something is open.
        `read`: in a reading transaction, so that all figures are of one snapshot."""
        check_over(period, self.reports.last_day_begun(campus))
        self.store.draft(campus.id, period.key, lock=True)
        shown = (read or self).page(campus, period)
        check_publishable(shown.open_contradictions, shown.unread)
        document, signer = (read or self).document(campus, shown), self.signing.signers_of(campus).embedded

        def to_sign(number: int, at: datetime) -> str:
            dated = document | {"edition": number, "signedAt": at.isoformat()}
            return signing_input(dated, signer.key.public.algorithm.value, signer.verification_method)

        newest, at = next(iter(self.store.editions(campus.id, period.key)), None), self.clock()
        if newest and newest.token.startswith(to_sign(newest.number, newest.signed_at) + "."):
            return newest
        if newest and newest.number not in {each.number for each in shown.editions}:
            raise Conflict("Une version a été signée entre-temps. Relisez-la avant d’en signer une autre.")
        number = next_edition(self.anchors, f"{campus.did} {period.key}", newest.number if newest else 0)
        signed = to_sign(number, at)
        token = joined(signed, signer.key.sign(signed.encode()))
        edition = ReportEdition(
            campus_id=campus.id, period=period.key, number=number, token=token, signed_at=at
        )
        self.store.save(edition)
        for picture, _credit in shown.pictures:
            self.store.keep_picture(campus.id, _sha256(picture.content), picture.content)
        self.history.write(by, "publish", "report", edition.id, at=at, campus_id=campus.id, number=number)
        return edition

    def edition(self, campus: Campus, period: Period, number: int) -> ReportEdition:
        found = next((e for e in self.store.editions(campus.id, period.key) if e.number == number), None)
        if found is None:
            raise NotFound("Cette version du rapport n’existe pas.")
        return found

    def check(self, campus: Campus, token: str) -> list[tuple[str, Any, Any]]:
        """Verify the signature, count again from the rows, and name what differs."""
        signed = verified(token, {each.id: each.key for each in self.signing.published_keys(campus)})
        shown = self.page(campus, period_of(signed["period"]["key"]))
        return differences(signed, self.document(campus, shown))

    def document(self, campus: Campus, shown: ReportDraftPage) -> dict[str, Any]:
        """Everything the report contains, as it leaves the campus.

        An activity hidden in one table is hidden in all: each sum that holds one of them is hidden.
        """
        now, before = (self.reports.with_organisers(each) for each in (shown.now, shown.before))
        behind, behind_before = hidden_rows(now.rows), hidden_rows(before.rows)
        counted = public_figures(shown.now, behind, shown.before)
        earlier = public_figures(shown.before, behind_before, None)
        lines = public_lines(shown.lines, shown.now, behind)
        lines_before = public_lines(shown.earlier, shown.before, behind_before)
        hidden, hidden_before = behind.ids, behind_before.ids
        return {
            "type": "SceauReport",
            "definitions": DEFINITIONS,
            "plan": "annexe-b",
            "campus": {"name": campus.name, "shortName": campus.short_name, "did": campus.did},
            "period": {
                "key": shown.period.key,
                "first": shown.period.first.isoformat(),
                "last": shown.period.last.isoformat(),
            },
            "log": {"entries": shown.now.log_size},
            "figures": [
                {
                    "id": each.id,
                    "name": _(each.name),
                    "unit": each.unit.value,
                    "definition": _(each.definition),
                }
                | _public(each.id, each.unit, counted[each.id], earlier[each.id])
                for each in INDICATORS
            ],
            "lines": [
                {"id": line.number, "name": _(line.name)}
                | (
                    {"unit": line.unit.value}
                    | _public(line.number, line.unit, lines[line.number], lines_before[line.number])
                    if line.count
                    else {"text": shown.texts[line.number].text}
                )
                for line in PLAN
            ],
            "months": _months(shown.now, shown.before, hidden, hidden_before),
            "audiences": _cells(
                {_(AUDIENCES[each]): count for each, count in audience_totals(shown.now).items()},
                {
                    _(AUDIENCES[count.audience])
                    for row in shown.now.rows
                    if row.id in hidden
                    for count in row.audiences
                },
            ),
            "departements": _cells(
                _departements(shown.now),
                {_departement_of(row) for row in shown.now.rows if row.id in hidden},
            ),
            "badges": [
                {"name": name, "holders": count}
                for name, count in self.reports.top_badges(campus, shown.period)
                if count >= SMALL
            ],
            "quotes": list(shown.quotes),
            "pictures": [
                {
                    "digest": _sha256(picture.content),
                    "alternative": picture.alternative,
                    "credit": credit,
                    "width": picture.width,
                    "height": picture.height,
                    "agreedOn": picture.added_at.date().isoformat(),
                }
                for picture, credit in shown.pictures
            ],
            "notes": [
                _note(each, shown.awaits(each), is_hidden=_is_hidden(each, hidden))
                for each in shown.contradictions
                if each.settled or shown.awaits(each)
            ],
            "actions": _actions(shown.now, hidden),
        }

    # --- files

    def illustrations(self, campus: Campus, document: Mapping[str, Any]) -> Mapping[str, Illustration]:
        """The pictures of a document by digest, without those taken back since; checked against it."""
        named = {each["digest"]: each for each in document.get("pictures", ())}
        if not named:
            return {}
        found = dict(self.store.pictures(campus.id, named))
        if len(found) < len(named):
            for picture in self.campuses.pictures_of(campus.id):
                found.setdefault(_sha256(picture.content), picture.content)
        return {
            digest: Illustration(found[digest], each["alternative"], each["width"], each["height"])
            for digest, each in named.items()
            if digest in found and _sha256(found[digest]) == digest
        }

    def pdf(
        self,
        campus: Campus,
        document: Mapping[str, Any],
        words: Mapping[str, Any],
        token: str,
        pictures: Mapping[str, Illustration],
    ) -> bytes:
        """A4, tagged, in the campus's colours; a signed edition is attached. Call it outside a transaction."""
        colours = CampusColours.of(campus.hue, campus.liveliness)
        values = {
            "lang": current_locale(),
            "colours": asdict(colours),
            "document": document,
            "words": words,
            "has-edition": bool(token),
            "files": {digest: f"{digest}.svg" for digest in pictures},
        }
        files = {f"{digest}.svg": each.to_svg() for digest, each in pictures.items()}
        if token:
            files["edition.jws"] = token.encode()
        return self.papers.pdf("report", values, files, at=self.clock())

    def workbook(self, document: Mapping[str, Any], kinds: Mapping[str, str]) -> bytes:
        """`kinds`: the name of each type of activity."""
        return workbook_of(tables_of(document, kinds))

    def text(
        self,
        document: Mapping[str, Any],
        title: str,
        kinds: Mapping[str, str],
        pictures: Mapping[str, Illustration],
    ) -> bytes:
        parts: list[tuple[str, str] | Table | Illustration] = [("Heading1", title)]
        first, *others = tables_of(document, kinds)
        parts += [("Heading2", first[0]), first]
        if document.get("pictures"):
            parts.append(("Heading2", _("Images")))
        for each in document.get("pictures", ()):
            if each["digest"] in pictures:
                parts.append(pictures[each["digest"]])
            parts.append(("Normal", picture_words(each, is_there=each["digest"] in pictures)))
        if document["quotes"]:
            parts.append(("Heading2", _("Paroles choisies")))
            parts += [("Normal", quoted(each)) for each in document["quotes"]]
        for axis, name in AXES.items():
            parts.append(("Heading2", f"B.{axis} {_(name)}"))
            lines = [each for each in document["lines"] if each["id"].startswith(f"{axis}.")]
            parts.append(
                ("", [_("N°"), _("Indicateur"), _("Valeur")], [
                    [each["id"], each["name"], _shown(each)] for each in lines if "text" not in each
                ])
            )  # fmt: skip
            for each in lines:
                if "text" in each:
                    parts += [("Normal", f"{each['id']} {each['name']}"), ("Normal", each["text"] or "–")]
        for table in others[1:]:
            parts += [("Heading2", table[0]), table]
        return text_document(parts)


def picture_words(each: Mapping[str, Any], *, is_there: bool) -> str:
    """The caption of a picture, or what it showed."""
    if not is_there:
        return _("Image retirée depuis : %(alternative)s") % {"alternative": each["alternative"]}
    return _("%(alternative)s. Crédit : %(credit)s") % each


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _public(key: str, unit: Unit, now: Figure, before: Figure) -> dict[str, Any]:
    shown = {"value": public_value(key, unit, now), "previous": public_value(key, unit, before)}
    if now.whole is not None and shown["value"] is not None:
        shown |= {"part": now.part, "whole": now.whole}
    return shown


def _is_hidden(each: Contradiction, hidden: Collection[uuid.UUID]) -> bool:
    return each.about is Declared.SIZE and each.activity_id in hidden


def _note(each: Contradiction, awaits: str, *, is_hidden: bool) -> dict[str, Any]:
    """`awaits`: the campus that has yet to settle it; the figure is then the one that is counted."""
    holds = each.settled or each.counts
    return {
        "activity": each.title,
        "held": None if is_hidden else holds,
        "reason": "" if is_hidden else each.reason,
        "awaits": awaits,
        "others": [
            {"value": None if is_hidden else claim.value, "source": _(claim.source)}
            for claim in each.claims
            if claim.value != holds
        ],
    }


def _cells(counts: Mapping[str, int], also: Collection[str]) -> list[dict[str, Any]]:
    """With the hidden cells as null; without empty ones."""
    hidden = hidden_counts(dict(counts), also)
    return [{"name": name, "people": hidden[name]} for name, count in counts.items() if count]


def _departement_of(row: ActivityRow) -> str:
    return DEPARTEMENTS.get(row.departement) or _("Non précisé")


def _departements(ledger: Ledger) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in ledger.rows:
        name = _departement_of(row)
        counts[name] = counts.get(name, 0) + row.people
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))


def _months(
    now: Ledger, before: Ledger, hidden: Collection[uuid.UUID], hidden_before: Collection[uuid.UUID]
) -> list[dict[str, Any]]:
    """Attendances of each month; `previous`: of the same month one year earlier."""
    shown, earlier = _month_counts(now, hidden), _month_counts(before, hidden_before)
    return [
        {
            "month": f"{year}-{month:02}",
            "people": people,
            "previous": earlier.get(f"{year - 1}-{month:02}", 0),
        }
        for (year, month), people in (((int(key[:4]), int(key[5:])), count) for key, count in shown.items())
    ]


def _month_counts(ledger: Ledger, hidden: Collection[uuid.UUID]) -> dict[str, int | None]:
    months = {
        f"{year}-{month:02}": rows for (year, month), rows in by_month(ledger.rows, ledger.period).items()
    }
    counts = {key: people_of(rows) for key, rows in months.items()}
    also = {key for key, rows in months.items() if any(row.id in hidden for row in rows)}
    # Each half of a civil or school year hides its own: what one report shows does not give another's away.
    halves = ([key for key in counts if (int(key[5:]) < 9) is spring] for spring in (True, False))
    shown: dict[str, int | None] = {}
    for half in halves:
        shown |= hidden_counts({key: counts[key] for key in half}, also)
    return {key: shown[key] for key in counts}


def _actions(ledger: Ledger, hidden: Collection[uuid.UUID]) -> list[dict[str, Any]]:
    return [
        {
            "title": row.title,
            "kind": row.kind.value,
            "first": row.starts_on.isoformat(),
            "last": row.ends_on.isoformat(),
            "people": None if row.id in hidden else row.people,
        }
        for row in ledger.rows
    ]


def _shown(each: Mapping[str, Any]) -> str:
    if each["value"] is None:
        return "–"
    return f"{each['value']} %" if each["unit"] == Unit.PERCENT.value else str(each["value"])


def tables_of(document: Mapping[str, Any], kinds: Mapping[str, str]) -> list[Table]:
    """Figures, lines, audiences, départements and actions."""
    people = _("Présences")

    def cells(name: str) -> list[list[Any]]:
        return [
            [each["name"], _("masqué") if each["people"] is None else each["people"]]
            for each in document[name]
        ]

    return [
        (
            _("Chiffres"),
            [_("Chiffre"), _("Définition"), _("Valeur"), _("Année précédente")],
            [[each["name"], each["definition"], _shown(each), each["previous"]] for each in document["figures"]],
        ),
        (
            _("Annexe B"),
            [_("N°"), _("Indicateur"), _("Valeur"), _("Année précédente")],
            [
                [each["id"], each["name"], each.get("text", "")] if "text" in each
                else [each["id"], each["name"], _shown(each), each["previous"]]
                for each in document["lines"]
            ],
        ),
        (_("Publics"), [_("Public"), people], cells("audiences")),
        (_("Départements"), [_("Département"), people], cells("departements")),
        (
            _("Actions"),
            [_("Action"), _("Type"), _("Premier jour"), _("Dernier jour"), people],
            [
                [each["title"], kinds[each["kind"]], each["first"], each["last"],
                 _("masqué") if each["people"] is None else each["people"]]
                for each in document["actions"]
            ],
        ),
    ]  # fmt: skip
