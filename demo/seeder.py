"""Each action of the demo, done through the services as the person responsible for it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from app.cli.terminal import out, say
from app.container import Process, Services
from app.domain.activities import Activity, Plan
from app.domain.activities.files import FileState, TakenFile
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import AwardState, Visibility
from app.domain.badges import Badge
from app.domain.badges.rules import rule_of
from app.domain.badges.shared_definitions import BADGE_PARTS
from app.domain.campus.audit_log import DEMO, Actor
from app.domain.campus.campus import Campus, Network
from app.domain.frameworks import PublicAlignment, public_alignment
from app.domain.learners.portfolios import ContributionStatement
from app.domain.learners.ratings import RATED_AFTER, may_write_sentence, sentence_digest
from app.domain.people import AgeGroup, Role
from app.domain.reports.facts import DeclaredFigure
from app.domain.reports.network import Topic
from app.domain.reports.surveys import Answer
from app.domain.trust import checked_peer_words
from app.domain.trust.organisations import checked_words
from app.errors import NotFound
from app.language import gettext as _
from app.services.awards.awards import AwardRecord, AwardRequest
from app.services.badges import Wording
from app.services.badges.modules import ModuleText
from app.services.badges.wording import wording_in
from app.services.frameworks import Details
from app.services.learners.portfolios import Wishes
from app.services.learners.requests import RequestOutcome
from app.services.trust.endorsement_requests import EndorsementAsked as Endorsing
from app.services.trust.endorsements import EndorsementOutcome as Signing
from app.services.trust.network_register import Named
from demo import content as demo_content
from demo import content as written
from demo.content import Learner

OPINIONS = (
    (4, "J’ai trouvé une machine que j’ai envie d’apprendre."),
    (4, "On nous a laissé faire, et on nous a expliqué ensuite."),
    (3, "Une journée de plus en entreprise aurait été bien."),
    *((rating, "") for rating in (4, 4, 3, 4, 2, 3, 4, 4, 3, 1, 4, 3)),
)
BY_COMMAND = DEMO


@dataclass(frozen=True)
class Giving:
    """A badge awarded to people of one activity on one day; the first `open` of them make it public."""

    badge: str
    activity: str
    lines: tuple[ListedPerson, ...]
    on: date
    version: int | None = None
    open: int = 0
    revoked_on: date | None = None
    reason: str = ""


_SCORES = ("5545435545", "5434554251", "4535442553")
_PICTURES = (
    ("itip", "bras-robotise", "Un bras robotisé pose une pièce sur une table, dans l’atelier du VRAI."),
    ("itip", "impression-3d", "Une imprimante 3D achève une pièce bleue."),
)
_RATED_FROM, _MOST_RATERS = 10, 24
_SENTENCES = (
    "Je l’ai montré à mon tuteur : nous avons parlé de ce que je sais faire.",
    "On voit enfin ce que j’ai appris en dehors des cours.",
    "J’aurais aimé plus de temps sur la machine.",
    "Il m’a servi à préparer mon entretien.",
)
"""The last one still waits for its campus."""


class NotAsWritten(Exception):
    """The services' result differs from the written content; the message names the difference."""


@dataclass
class Stage:
    """The services of one transaction, and existing objects, by their names in the written content."""

    services: Services
    asked_for: frozenset[str] = frozenset()
    """Badges that accept requests."""
    campuses: dict[str, Campus] = field(default_factory=dict)
    trainers: dict[str, Actor] = field(default_factory=dict)
    competencies: dict[tuple[str, str], uuid.UUID] = field(default_factory=dict)
    badges: dict[str, Badge] = field(default_factory=dict)
    activities: dict[str, Activity] = field(default_factory=dict)
    awards: dict[Giving, list[uuid.UUID]] = field(default_factory=dict)
    """The awards of each giving, in the order of its lines."""
    age_groups: Mapping[tuple[str, str], AgeGroup] = field(default_factory=dict)
    """Of each invented person, by given and family name."""

    def found(self, campus: written.Campus) -> None:
        """Creates a campus with its key, its frameworks and their competencies."""
        row = Campus(
            slug=campus.slug,
            did="",
            short_name=campus.short,
            name=campus.name,
            sector=campus.sector,
            carrier=campus.carrier or "",
            site=", ".join(place for place in (campus.site, campus.town) if place),
            description=campus.description,
            contact_email=campus.contact,
            department=campus.department,
            hue=campus.hue,
            liveliness=campus.liveliness,
            created_at=self.services.clock(),
        )
        self.campuses[campus.slug] = self.services.campuses.create(row, by=BY_COMMAND)
        for framework in campus.frameworks:
            self._write_framework(row, framework)

    def _write_framework(self, campus: Campus, framework: written.Framework) -> None:
        row = self.services.competencies.framework(
            campus, code=framework.code, name=framework.name, description=framework.description, by=BY_COMMAND
        )
        for competency in framework.competencies:
            made = self.services.competencies.create(
                campus,
                row,
                code=competency.code,
                statement=competency.statement,
                levels=[*framework.levels],
                details=Details(rubric=competency.rubric),
                by=BY_COMMAND,
            )
            self.services.trades.relate(campus, made, competency.related, by=BY_COMMAND)
            self.competencies[campus.slug, competency.code] = made.id

    def _alignments(self, aligned: Sequence[written.Aligned]) -> list[PublicAlignment]:
        """With the release of the badge's day, as the editor stores them."""
        return self.services.frameworks.stamped([self._alignment(each) for each in aligned])

    def _alignment(self, aligned: written.Aligned) -> PublicAlignment:
        item = self.services.frameworks.public_item(aligned.framework, aligned.code)
        assert item is not None, f"not in the demo's registers: {aligned.code}"
        return public_alignment(aligned.framework, aligned.code, item.statement)

    def join_networks(self, content: written.DemoContent) -> None:
        """The region recognises and labels every campus; groups of campuses are networks too."""
        region = self._network(
            content.network.slug, content.network.name, content.network.description, [*content.campuses]
        )
        for group in content.groups_of_campuses:
            self._network(group.slug, group.name, group.description, group.campuses)
        for campus in content.campuses.values():
            issuer = self.campuses[campus.slug].did
            self.services.register.write(region, Named(issuer, campus.name, campus.short), by=BY_COMMAND)
            for label in campus.labels:
                self.services.register.give_label(
                    region,
                    issuer,
                    label.category,
                    starts_on=label.valid_from,
                    ends_on=label.valid_until,
                    note=label.note or "",
                    by=BY_COMMAND,
                )

    def fill_catalogue(self, now: datetime) -> None:
        """Announces what is still to come, and lists every campus."""
        for activity in self.activities.values():
            campuses = self.services.activities.activities.campuses_of(activity.id)
            if activity.starts_on > now.date():
                self.services.catalogue.announce(campuses[0], activity, enrolment="", by=BY_COMMAND)
        for campus in self.services.campuses.list_all():
            self.services.catalogue.refresh(campus.id)

    def hang_pictures(self) -> None:
        for slug, name, alternative in _PICTURES:
            content = (Path(__file__).parent / "pictures" / f"{name}.svg").read_bytes()
            picture = self.services.campus_pictures.read(
                self.campuses[slug], content, alternative=alternative, agreed=True
            )
            self.services.campus_pictures.add(self.campuses[slug], picture, by=BY_COMMAND)

    def rate(self, now: datetime) -> None:
        """Most holders rate their badge; a few adults add a sentence, which their campus publishes."""
        sentences = iter(_SENTENCES)
        for giving, given in self.awards.items():
            if len(given) < _RATED_FROM or giving.on > (now - RATED_AFTER).date():
                continue
            campus, by = self._of(giving.badge)
            for position, award_id in enumerate(given[:_MOST_RATERS]):
                record = self.services.awards.record(award_id)
                if record.award.state is not AwardState.ISSUED:
                    continue
                scores = _SCORES[len(giving.badge) % len(_SCORES)]
                score = scores[position % len(scores)]
                is_adult = may_write_sentence(record.person, record.activity)
                sentence = next(sentences, "") if position % 5 == 0 and is_adult else ""
                self.services.ratings.rate(record, score=score, sentence=sentence)
                rating = self.services.ratings.of_holder(record)
                if rating is not None and rating.sentence and sentence != _SENTENCES[-1]:
                    self.services.ratings.decide(
                        campus, rating.id, publish=True, seen=sentence_digest(rating.sentence), by=by
                    )

    def write_modules(self, content: written.DemoContent) -> None:
        """Each module attests what its badge does."""
        for campus in content.campuses.values():
            place, by = self.campuses[campus.slug], self.trainers[campus.slug]
            for each in campus.module_sets:
                found = self.services.modules.create(
                    place,
                    title=each.title,
                    description=each.description,
                    badge_id=self.badges[f"{campus.slug}/{each.badge}"].id,
                    by=by,
                )
                for module in each.modules:
                    text = ModuleText(
                        module.title,
                        "\n".join(module.contents),
                        module.audience,
                        module.hours,
                        self.badges[f"{campus.slug}/{module.badge}"].id,
                    )
                    self.services.modules.add_module(place, found.id, text, by=by)

    def share_definitions(self, content: written.DemoContent) -> None:
        """A badge of one campus becomes the region's; another campus adopts it, and an improvement waits at both."""
        shared = self.services.shared_definitions
        network = self.services.register.network(content.network.slug)
        person = self.services.network_team.appoint(
            network, "Nadia", "Ferrandier", content.network.contact, by=BY_COMMAND
        )
        by = Actor(person.id)
        own = self.badges["itip/acteur-explor-ici"]
        proposal = self.services.adoptions.propose_badge(
            self.campuses["itip"],
            network.slug,
            own.id,
            "Chaque campus a des personnes qui tiennent un rôle dans ses événements.",
            by=self.trainers["itip"],
        )
        definition_id = shared.decide(network, proposal.id, BADGE_PARTS, "Merci, tout est repris.", by=by)
        assert definition_id is not None, "it was accepted"
        self.services.adoptions.adopt(self.campuses["fb"], definition_id, by=self.trainers["fb"])
        found = shared.definition(definition_id)
        values = found.newest.values
        wording = replace(
            wording_in(values),
            name="Acteur ou actrice d’un événement",
            tags=[*values["tags"], "événement"],
            validity_days=1095,
            competencies=[(uuid.UUID(each["id"]), each["level"]) for each in values["competencies"]],
        )
        reason = "Le titre vaut pour tous les campus, et le badge se renouvelle après trois ans."
        shared.improve_badge(network, definition_id, wording, reason, seen=found.newest.number, by=by)
        self.services.adoptions.propose_badge(
            self.campuses["agt"],
            network.slug,
            self.badges["agt/presenter-un-produit"].id,
            "Présenter un produit sert aussi au bois et à la mécanique.",
            by=self.trainers["agt"],
        )

    def renew_lists(self) -> None:
        """Daily task of the worker."""
        for network_id in self.services.register.due():
            self.services.register.renew(network_id)

    def _network(self, slug: str, name: str, description: str, members: Sequence[str]) -> Network:
        row = Network(slug=slug, name=name, description=description)
        return self.services.campuses.create_network(
            row, [self.campuses[member] for member in members], by=BY_COMMAND
        )

    def hire(self, member: written.StaffMember) -> None:
        given, _, family = member.name.partition(" ")
        person = self.services.people.add_staff(
            self.campuses[member.campus],
            given_name=given,
            family_name=family,
            address=member.address,
            role=member.role,
            by=BY_COMMAND,
        )
        if member.role is Role.TRAINER:
            self.trainers.setdefault(member.campus, Actor(person.id))

    def write_badge(self, place: str, badge: written.Badge, number: int) -> None:
        """Version `number` of the badge, in its original wording."""
        campus, by = self.campuses[place], self.trainers[place]
        is_today = number == badge.version
        wording = badge if is_today else badge.earlier[number - 1]
        given = Wording(
            badge.kind,
            badge.name,
            wording.description,
            wording.criteria,
            language=badge.language,
            tags=[*badge.tags],
            validity_days=badge.validity_days,
            required_hours=wording.required_hours,
            competencies=[(self.competencies[place, item.code], item.level) for item in badge.competencies],
            alignments=self._alignments(badge.alignments),
            rule=rule_of(badge.rule),
        )
        reference = f"{place}/{badge.slug}"
        if number == 1:
            page = self.services.badges.create(
                campus,
                given,
                slug=badge.slug,
                repeat=badge.repeat,
                accepts_requests=reference in self.asked_for,
                by=by,
            )
            self.badges[reference] = page.badge
        else:
            self.services.badges.revise(campus, self.badges[reference].id, given, by=by)

    def announce(self, reference: str, activity: written.Activity, today: date) -> None:
        row = Activity(
            kind=activity.kind,
            title=activity.title,
            description=activity.description,
            starts_on=activity.starts_on(today),
            ends_on=activity.ends_on(today),
            start_time=activity.start_time,
            end_time=activity.end_time,
            place=activity.place or "",
            hours=activity.hours / max(len(activity.sessions), 1),
            audience=", ".join(activity.audience),
            declared_size=activity.declared_size,
            created_at=self.services.clock(),
        )
        organisers = [self.campuses[slug] for slug in activity.campuses]
        by = self.trainers[activity.campuses[0]]
        plan = Plan([campus.slug for campus in organisers[1:]], days=activity.sessions)
        self.activities[reference] = self.services.activity_plans.create(organisers[0], row, plan, by=by)
        for campus in organisers[1:]:
            self.services.activity_plans.answer(campus, row.id, accepts=True, by=by)

    def set_objectives(self, objectives: str) -> None:
        for campus in self.campuses.values():
            self.services.report_facts.write_objectives(campus, objectives, by=BY_COMMAND)

    def share_year(self) -> None:
        """Every campus shares its year with the region; one keeps its partners to itself."""
        for slug, campus in self.campuses.items():
            topics = [topic for topic in Topic if topic is not Topic.PARTNERS or slug != "mma"]
            for network, _topics in self.services.network_reports.choices(campus):
                self.services.network_reports.share(campus, network.slug, topics, by=BY_COMMAND)

    def complete(self, reference: str, activity: written.Activity) -> None:
        """Facts for the report, with the figures on which other documents disagree."""
        campus, by = self._of(reference)
        row = self.activities[reference]
        size = "" if row.declared_size is None else str(row.declared_size)
        self.services.report_facts.correct(campus, row.id, {"effectif": size, **activity.facts}, by=by)
        at = self.services.clock()
        self.services.report_facts.store.session.add_all(
            DeclaredFigure(activity_id=row.id, about=about, value=value, source=source, declared_at=at)
            for about, value, source in activity.declared
        )

    def ask_opinions(self, reference: str) -> None:
        """A survey by QR code, with the answers of invented phones."""
        campus, by = self._of(reference)
        row, surveys = self.activities[reference], self.services.surveys
        link = surveys.open(
            campus, row.id, closes_on=campus.day_of(surveys.clock()) + timedelta(days=14), by=by
        )
        for number, (rating, sentence) in enumerate(OPINIONS):
            surveys.answer(link.code, Answer(rating, rating > 1, sentence), phone=f"demo-{number}")
        approved = next(
            each for each in surveys.page(campus, row.id).sentences if each.sentence == OPINIONS[0][1]
        )
        surveys.moderate(campus, row.id, approved.id, approved=True, by=by)

    def record(self, reference: str, lines: Sequence[ListedPerson]) -> None:
        """Records participants in the activity log."""
        campus, by = self._of(reference)
        recorded = self.services.activities.record(campus, self.activities[reference].id, lines, by=by)
        if recorded.refused:
            raise NotAsWritten(f"{reference}: {recorded.refused}")
        self._note_age_groups(campus, self.activities[reference], by)

    def _note_age_groups(self, campus: Campus, activity: Activity, by: Actor) -> None:
        """A trainer's single answer to the age question of an activity for pupils."""
        if not activity.is_for_pupils:
            return
        for _participation, person in self.services.activities.activities.participants(activity.id):
            group = self.age_groups.get((person.given_name, person.family_name))
            if group is not None and person.age_group is not group:
                self.services.age_bands.set_group(person, group, by=by, campus_id=campus.id)

    def give(self, giving: Giving) -> None:
        campus, by = self._of(giving.badge)
        self.record(giving.activity, giving.lines)
        request = AwardRequest(
            self.badges[giving.badge].id,
            self.activities[giving.activity].id,
            lines=giving.lines,
            tells=False,
        )
        result = self.services.awards.award(campus, request, by=by)
        if giving.version not in (None, result.version.number):
            raise NotAsWritten(f"{giving.badge}: version {result.version.number}, not {giving.version}")
        given = [line.award_id for line in result.lines if line.award_id in result.generations]
        if len(given) != len(giving.lines):
            refused = [(line.family_name, line.outcome.value) for line in result.lines]
            raise NotAsWritten(f"{giving.badge} in {giving.activity}: {refused}")
        self.awards[giving] = [award_id for award_id in given if award_id]

    def open_to_the_world(self, giving: Giving) -> None:
        """The first holders open the page of their badge, each for themselves."""
        for award_id in self.awards[giving][: giving.open]:
            holder = self.services.awards.record(award_id).award.person_id
            self.services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(holder))

    def show_together(self, portfolio: demo_content.Portfolio, learner: Learner) -> None:
        """A portfolio of all badges that this person opened, opened as well."""
        mine = [
            award_id
            for giving, given in self.awards.items()
            for line, award_id in zip(giving.lines, given, strict=True)
            if (line.given_name, line.family_name) == (learner.given, learner.family)
        ]
        kept = self.services.portfolios
        made = kept.start(self.services.awards.record(mine[0]).person, mine)
        kept.wish(made, Wishes(portfolio.line, portfolio.naming, portfolio.grouping, portfolio.findable))
        kept.set_open(made, True)
        shown = [each.record for each in kept.pieces(made) if each.is_open]
        for one in portfolio.peers:
            self._recommend(shown[0], one)

    def _recommend(self, record: AwardRecord, one: demo_content.Peer) -> None:
        """The learner asks a person they worked with, who writes two lines."""
        peers, by = self.services.peer_recommendations, Actor(record.person.id)
        asked = peers.ask(record, one.address, "", refused=False, by=by)
        words = checked_peer_words(one.words, one.signature)
        written = peers.write(peers.write_token(asked.id), words, language="fr")
        if one.accepted:
            peers.accept(record, written.id, by=by)

    def revoke(self, giving: Giving) -> None:
        campus, by = self._of(giving.badge)
        for award_id in self.awards[giving]:
            self.services.awards.revoke(campus, award_id, giving.reason, by=by)

    def ask(self, request: demo_content.Request, learner: Learner) -> None:
        """A badge request, confirmed from the e-mail."""
        asked = RequestOutcome(
            learner.given, learner.family, learner.addresses[0], request.narrative, "\n".join(request.links)
        )
        made = self.services.asking.ask(self.badges[request.badge].id, asked)
        self.services.asking.confirm(self.services.asking.token_of(made))

    def contribute(self, one: demo_content.Contribution) -> None:
        """A participant's contribution, on the last day of the activity; the trainer may have confirmed
        it."""
        campus, by = self._of(one.activity)
        activity = self.activities[one.activity]
        _, person = self.services.activities.page(campus, activity.id).participants[one.person - 1]
        done_on = min(activity.ends_on, self.services.clock().date())
        given = ContributionStatement(
            one.title, one.telling, one.part, done_on, one.hours, "\n".join(one.links)
        )
        note = TakenFile("notice.txt", "text/plain", one.note.encode(), None, FileState.CLEAN)
        made = self.services.contributions.add(
            person, campus, given, activity.id, [note] if one.note else [], today=done_on, by=Actor(person.id)
        )
        if one.confirmed:
            self.services.contributions.confirm(campus, made.id, "Merci, et bravo.", by=by)

    def endorse(self, one: demo_content.Endorsement) -> None:
        """The campus asks a contact at a company, who answers where the content has a text."""
        campus, by = self._of(one.about)
        subjects, signing = self.services.endorsement_subjects, self.services.endorsement_signing
        subject = (
            subjects.of_badge(campus, self.badges[one.about].id)
            if one.about in self.badges
            else subjects.of_campus(campus)
        )
        asked = self.services.endorsement_asking.ask(
            subject, Endorsing(one.address, one.organisation), refused=False, by=by
        )
        if one.words:
            words = checked_words(one.words, one.role, "", shows_name=False)
            given = Signing(one.organisation, "")
            signing.sign(signing.token_of(asked.id), given, words, language="fr")

    def _of(self, reference: str) -> tuple[Campus, Actor]:
        """The campus of a badge or an activity, and the person who acts for it."""
        slug = reference.partition("/")[0]
        return self.campuses[slug], self.trainers[slug]


CAMPUS = "itip"


def sign_in_link(services: Services, campus: Campus, role: Role) -> str:
    """A new single-use sign-in link of the first person with that role."""
    person = services.people.first_with_role(campus, role)
    if person is None:
        raise NotFound("Personne n’a ce rôle dans le campus {slug}.", slug=campus.slug)
    return services.addresses.sign_in_link(services.sign_in.make_link(person.id, by=BY_COMMAND))


def network_link(services: Services, campus: Campus) -> str:
    """The same for an administrator of one of the campus's networks; empty if there is none."""
    people = [
        person
        for network in services.campuses.networks_of(campus)
        for person in services.network_team.members(network)
    ]
    if not people:
        return ""
    return services.addresses.sign_in_link(services.sign_in.make_link(people[0].id, by=BY_COMMAND))


def print_links(process: Process) -> None:
    """Links for a newcomer to act as trainer, administrator, learner and employer."""
    with process.unit_of_work() as services:
        campus = services.campuses.find(CAMPUS)
        if campus is None:
            say(
                "Cette base n’est pas celle de la démonstration : il n’y a pas de campus « {slug} ».",
                slug=CAMPUS,
            )
            return
        sign_in = {
            _("Formation"): sign_in_link(services, campus, Role.TRAINER),
            _("Administration"): sign_in_link(services, campus, Role.CAMPUS_ADMIN),
        }
        if services.people.first_with_role(campus, Role.REVIEWER) is not None:
            sign_in[_("Examen des demandes")] = sign_in_link(services, campus, Role.REVIEWER)
        if link := network_link(services, campus):
            sign_in[_("Réseau")] = link
        badges = _award_links(services, campus)
    say(
        "Pour se connecter au campus {campus} (chaque lien sert une fois, pendant dix minutes) :",
        campus=campus.short_name,
    )
    _print_column(sign_in)
    if badges:
        say("Pour voir un badge :")
        _print_column(badges)


def _print_column(links: dict[str, str]) -> None:
    for label, link in links.items():
        out().print(f"  {label:<20}{link}", markup=False)


def _award_links(services: Services, campus: Campus) -> dict[str, str]:
    """The newest closed badge as its learner opens it, and the newest open one as an employer does."""
    records = services.awards.list_in(campus, limit=200)
    good = [record.award for record in records if record.award.state is AwardState.ISSUED]
    closed = next((award for award in good if award.visibility is Visibility.CLOSED), None)
    opened = next((award for award in good if award.visibility is Visibility.OPEN), None)
    links = {}
    if closed is not None:
        token = services.people.private_link_token(closed.id, closed.link_generation)
        links[_("En apprenant")] = services.addresses.private_link(token)
    if opened is not None:
        links[_("En employeur")] = services.addresses.award(opened.id)
    return links
