"""Facts of activities for the yearly report, and their surveys, for programs."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.domain.campus.places import departement_of, establishment_number, sector_of
from app.domain.reports.facts import (
    Audience,
    AudienceCount,
    Establishment,
    InvolvedOrganisation,
    OrganisationPart,
    OrganisationType,
    ReportFacts,
    SurveyCounts,
)
from app.domain.reports.surveys import SentenceState
from app.http.programs import ActivityWriter, Day, Program, Reader, Shape, Writing, example, version_1
from app.http.request_scope import WITH_ORGANISERS

router = version_1(
    "/campuses/{slug}/activities/{activity_id}/report",
    route_class=Writing,
    tags=["reports"],
    dependencies=[WITH_ORGANISERS],
)
Count = Annotated[int, Field(ge=0, le=1_000_000)]
_FACTS = {
    "declared_size": 27,
    "audiences": [{"audience": "high_school", "people": 24, "women": 10}],
    "organisations": [
        {"name": "Usinages de la Brenne", "part": "mobilised", "type": "company", "number": "732829320"}
    ],
    "establishments": [{"number": "0710012C", "name": "Lycée des Tilleuls"}],
    "objectives": ["2.3"],
    "departement": "71",
    "sector": "naf:C",
    "survey": {
        "asked": 27,
        "not_at_all": 0,
        "rather_not": 2,
        "rather": 9,
        "fully": 12,
        "recommends": 20,
        "recommends_not": 3,
    },
    "invited": 40,
    "cancelled": False,
}


class AudienceShape(Shape):
    audience: Audience
    people: int = Field(ge=1, le=1_000_000)
    women: int | None = Field(
        None, ge=0, le=1_000_000, description="Declared for the group, never per person; null if not counted."
    )


class OrganisationShape(Shape):
    name: str = Field(min_length=1, max_length=120)
    part: OrganisationPart = OrganisationPart.INVOLVED
    type: OrganisationType = OrganisationType.COMPANY
    number: str = Field("", max_length=120, description="A SIREN, else the domain of its site.")


class EstablishmentShape(Shape):
    number: str = Field(max_length=20, description="A UAI or a SIRET; both are checked.")
    name: str = Field("", max_length=120)


class SurveyShape(Shape):
    asked: Count
    not_at_all: Count = 0
    rather_not: Count = 0
    rather: Count = 0
    fully: Count = 0
    recommends: Count = 0
    recommends_not: Count = 0


class ReportFactsShape(Shape):
    """Replaces what was recorded before."""

    model_config = example(**_FACTS)
    declared_size: Count | None = Field(None, description="Everyone, with those whose names are unknown.")
    audiences: list[AudienceShape] = Field([], max_length=10)
    organisations: list[OrganisationShape] = Field([], max_length=200)
    establishments: list[EstablishmentShape] = Field([], max_length=200)
    objectives: list[Annotated[str, Field(max_length=20)]] = Field(
        [], max_length=20, description="Codes in the campus's tree of axes and objectives."
    )
    departement: str = Field("", max_length=40, description="Of the place: a code or a name.")
    sector: str = Field("", max_length=8, description="A NAF section, `naf:C`, or a ROME domain, `rome:H`.")
    survey: SurveyShape | None = None
    invited: Count | None = Field(None, description="To a council or a meeting.")
    cancelled: bool = Field(False, description="Planned, and did not take place.")

    def facts(self) -> ReportFacts:
        survey = self.survey
        return ReportFacts(
            self.declared_size,
            tuple(AudienceCount(one.audience, one.people, one.women) for one in self.audiences),
            tuple(
                InvolvedOrganisation(
                    " ".join(one.name.split()), one.part, one.type, one.number.strip().lower()
                )
                for one in self.organisations
            ),
            tuple(
                Establishment(establishment_number(one.number), one.name.strip())
                for one in self.establishments
            ),
            tuple(dict.fromkeys(self.objectives)),
            departement_of(self.departement),
            sector_of(self.sector),
            SurveyCounts(
                survey.asked,
                (survey.not_at_all, survey.rather_not, survey.rather, survey.fully),
                survey.recommends,
                survey.recommends_not,
            )
            if survey
            else None,
            self.invited,
            self.cancelled,
        )


class ReportFactsView(BaseModel):
    model_config = example(missing=[], **_FACTS)
    declared_size: int | None
    audiences: list[AudienceShape]
    organisations: list[OrganisationShape]
    establishments: list[EstablishmentShape]
    objectives: list[str]
    departement: str
    sector: str
    survey: SurveyShape | None
    invited: int | None
    cancelled: bool
    missing: list[str] = Field(description="What a report still needs.")

    @staticmethod
    def of(facts: ReportFacts) -> ReportFactsView:
        survey = facts.survey
        return ReportFactsView(
            declared_size=facts.declared_size,
            audiences=[
                AudienceShape(audience=one.audience, people=one.people, women=one.women)
                for one in facts.audiences
            ],
            organisations=[
                OrganisationShape(name=one.name, part=one.part, type=one.type, number=one.number)
                for one in facts.organisations
            ],
            establishments=[
                EstablishmentShape(number=one.number, name=one.name) for one in facts.establishments
            ],
            objectives=list(facts.objectives),
            departement=facts.departement,
            sector=facts.sector,
            survey=SurveyShape(
                asked=survey.asked,
                not_at_all=survey.answers[0],
                rather_not=survey.answers[1],
                rather=survey.answers[2],
                fully=survey.answers[3],
                recommends=survey.recommends,
                recommends_not=survey.recommends_not,
            )
            if survey
            else None,
            invited=facts.invited,
            cancelled=facts.is_cancelled,
            missing=facts.missing,
        )


@router.get("", summary="What an activity adds to the yearly report")
def get_report_facts(activity_id: uuid.UUID, program: Reader) -> ReportFactsView:
    return ReportFactsView.of(program.services.report_facts.of(program.campus, activity_id).facts)


@router.put("", summary="Write what an activity adds to the yearly report; safe to repeat")
def put_report_facts(
    activity_id: uuid.UUID, body: ReportFactsShape, program: ActivityWriter
) -> ReportFactsView:
    """Only the campus that leads the activity writes them; another organiser writes its own objectives."""
    program.services.report_facts.write(program.campus, activity_id, body.facts(), by=program.actor)
    return get_report_facts(activity_id, program)


surveys_router = version_1(
    "/campuses/{slug}/activities/{activity_id}/survey",
    route_class=Writing,
    tags=["reports"],
    dependencies=[WITH_ORGANISERS],
)


class SurveySettings(Shape):
    model_config = example(open=True, closes_on="2026-12-04")
    open: bool = Field(description="False closes it now.")
    closes_on: Day | None = Field(
        None, description="Open until the end of this day, within 90 days; null: a week after the activity."
    )


class SurveyView(BaseModel):
    model_config = example(
        state="open",
        address="https://badges.example/avis/7KQ2ZP",
        code="7KQ2ZP",
        opened_at="2026-11-27T15:30:00Z",
        closes_on="2026-12-04",
        asked=27,
        answered=24,
        not_at_all=0,
        rather_not=2,
        rather=9,
        fully=13,
        recommends=21,
        recommends_not=3,
        favourable_percent=92,
        recommendation_percent=88,
        asks_sentence=True,
        pending_sentences=1,
        quotes=["On a vraiment programmé le robot."],
    )
    state: Literal["none", "open", "closed"] = Field(description="`none`: never opened.")
    address: str = Field(description="The page that asks, without an account; empty if never opened.")
    code: str
    opened_at: datetime | None
    closes_on: date | None
    asked: int = Field(description="People present.")
    answered: int
    not_at_all: int | None = Field(
        description="Of the first 5, 10, 15… answers, as are the next five; null below 5."
    )
    rather_not: int | None
    rather: int | None
    fully: int | None
    recommends: int | None
    recommends_not: int | None
    favourable_percent: int | None = Field(description="`rather` and `fully`; null below 10 answers.")
    recommendation_percent: int | None = Field(description="null below 10 answers.")
    asks_sentence: bool = Field(description="False where minors take part.")
    pending_sentences: int = Field(description="Written, and not yet read by staff.")
    quotes: list[str] = Field(description="Sentences that staff approved, in no order of time.")


def _survey(program: Program, activity_id: uuid.UUID) -> SurveyView:
    found = program.services.surveys.page(program.campus, activity_id)
    link, results = found.link, found.results
    states = [each.sentence_state for each in found.sentences]
    split = (*results.answers, results.recommends, results.recommends_not)
    not_at_all, rather_not, rather, fully, yes, no = split if results.shows_split else (None,) * 6
    return SurveyView(
        state="none" if link is None else "open" if found.is_open else "closed",
        address=program.services.addresses.survey(link.code) if link else "",
        code=link.code if link else "",
        opened_at=link.opened_at if link else None,
        closes_on=link.closes_on if link else None,
        asked=results.asked,
        answered=results.received,
        not_at_all=not_at_all,
        rather_not=rather_not,
        rather=rather,
        fully=fully,
        recommends=yes,
        recommends_not=no,
        favourable_percent=results.favourable,
        recommendation_percent=results.recommendation,
        asks_sentence=found.asks_sentence,
        pending_sentences=states.count(SentenceState.PENDING),
        quotes=[each.sentence for each in found.sentences if each.sentence_state is SentenceState.APPROVED],
    )


@surveys_router.get("", summary="The survey of an activity: its address, answers of those asked, quotes")
def get_survey(activity_id: uuid.UUID, program: Reader) -> SurveyView:
    return _survey(program, activity_id)


@surveys_router.put("", summary="Open or close the survey of an activity; safe to repeat")
def put_survey(activity_id: uuid.UUID, body: SurveySettings, program: ActivityWriter) -> SurveyView:
    """Opens it again once closed; if it is open, only the closing day changes. Closing keeps the answers."""
    surveys, campus = program.services.surveys, program.campus
    if body.open:
        closes_on = body.closes_on or surveys.glance(campus, activity_id).proposed_day
        surveys.open(campus, activity_id, closes_on=closes_on, by=program.actor)
    else:
        surveys.close(campus, activity_id, by=program.actor)
    return _survey(program, activity_id)
