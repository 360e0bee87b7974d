"""E-mails about badge requests, opinions, and a person's own data."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from app.db.activities import ActivityStore
from app.db.awards import AwardRecord, AwardStore
from app.db.campus import CampusStore
from app.db.learners import RequestStore
from app.db.people import GuardianStore, PeopleStore
from app.db.reports.facts import SurveyStore
from app.domain.accounts.sign_in import LINK_LIFE, Wish, mailbox_token
from app.domain.activities import Activity
from app.domain.campus.campus import Campus, CampusColours
from app.domain.campus.team import MOST_COUNTED
from app.domain.core import Clock
from app.domain.learners.requests import BadgeRequest, RequestState, Step, request_proof
from app.domain.messages import Letter, Occasion, QueuedMessage
from app.domain.people import is_address
from app.domain.people.consents import ParentAgreement, is_replaced, parent_token
from app.domain.publishing import Addresses
from app.domain.reports.surveys import is_survey_open, participant_mark
from app.language import (
    N_,
    addressing,
    current_locale,
    filled,
    quoted,
    speaking,
    translated,
    translated_plural,
)

# --- E-mails about a person's own data: the erasure link


_FONT = "font-family:'Atkinson Hyperlegible Next',Verdana,'Segoe UI',Helvetica,Arial,sans-serif"
_INK, _SOFT, _GROUND, _PAPER, _LINE = "#1c1b1a", "#54504b", "#f4f2ee", "#ffffff", "#d9d5cd"
_DARK = (
    "@media (prefers-color-scheme:dark){{"
    ".ground{{background:#171614!important}}.paper{{background:#211f1d!important;border-color:#3c3935!important}}"
    ".ink{{color:#f1eee8!important}}.soft{{color:#bdb7ad!important}}"
    ".link{{color:{accent}!important}}.press{{background:{accent}!important;color:#171614!important}}}}"
    "@media (max-width:480px){{.room{{padding:20px 16px!important}}.edge{{padding:8px!important}}}}"
)


@dataclass(frozen=True)
class Action:
    label: str
    url: str


@dataclass(frozen=True)
class NoticeBadge:
    """A badge in a notice; `picture`: an inline attachment."""

    title: str
    beside: str
    picture: str
    picture_words: str
    action: Action | None = None


@dataclass(frozen=True)
class Notice:
    """`lines` before the badges, `after` behind them, `small` in the footer."""

    subject: str
    greeting: str
    lines: Sequence[str]
    campus: str
    hue: float
    liveliness: float
    badges: Sequence[NoticeBadge] = ()
    after: Sequence[str] = ()
    small: Sequence[str] = ()
    action: Action | None = None
    small_action: Action | None = None

    @staticmethod
    def of(
        campus: Campus,
        *,
        subject: str,
        lines: Sequence[str],
        greeting: str = "",
        badges: Sequence[NoticeBadge] = (),
        after: Sequence[str] = (),
        small: Sequence[str] = (),
        action: Action | None = None,
        small_action: Action | None = None,
    ) -> Notice:
        """In the name and colours of `campus`; `greeting` is « Bonjour, » if not given."""
        return Notice(
            subject=subject,
            greeting=greeting or translated("Bonjour,"),
            lines=lines,
            campus=translated("Campus {name}").format(name=campus.name),
            hue=campus.hue,
            liveliness=campus.liveliness,
            badges=badges,
            after=after,
            small=small,
            action=action,
            small_action=small_action,
        )


def carrying(
    notice: Notice,
    queued: QueuedMessage,
    *,
    language: str,
    to_name: str = "",
    campus: Campus | None = None,
) -> Letter:
    """Render a notice as an e-mail; replies go to the campus, if there is one."""
    answers_to = campus.contact_email if campus is not None else ""
    return Letter(
        to=queued.address,
        to_name=to_name,
        subject=notice.subject,
        text=text_of(notice),
        html=html_of(notice),
        sender_name=notice.campus,
        reply_to=answers_to if is_address(answers_to) else "",
        language=language,
    )


def text_of(notice: Notice) -> str:
    parts = [notice.greeting, *notice.lines]
    parts += [_badge_text(badge) for badge in notice.badges]
    if notice.action:
        parts.append(_action_text(notice.action))
    parts += [*notice.after, "-- \n" + notice.campus, *notice.small]
    if notice.small_action:
        parts.append(_action_text(notice.small_action))
    return "\n\n".join(part for part in parts if part) + "\n"


def _badge_text(badge: NoticeBadge) -> str:
    said = f"• {badge.title}" + (f"\n  {badge.beside}" if badge.beside else "")
    return said + (f"\n  {badge.action.url}" if badge.action else "")


def _action_text(action: Action) -> str:
    return translated("{label} :").format(label=action.label) + f"\n{action.url}"


def html_of(notice: Notice) -> str:
    """Tables and inline styles, for limited mail clients; readable without them too."""
    light = CampusColours.of(notice.hue, notice.liveliness)
    dark = CampusColours.of(notice.hue, notice.liveliness, dark=True)
    body = [_paragraph(notice.greeting), *map(_paragraph, notice.lines)]
    body += [_badge(badge, light.accent) for badge in notice.badges]
    if notice.action:
        body.append(_button(notice.action, light.accent))
    body += [_paragraph(line, soft=True) for line in notice.after]
    foot = [_small(line) for line in notice.small]
    if notice.small_action:
        foot.append(_small_link(notice.small_action, light.accent))
    return (
        f'<!doctype html>\n<html lang="{escape(current_locale())}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(notice.subject)}</title><style>{_DARK.format(accent=dark.accent)}</style></head>\n"
        f'<body class="ground" style="margin:0;padding:0;background:{_GROUND}">'
        f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" class="ground" style="background:{_GROUND}">'
        '<tr><td align="center" class="edge" style="padding:24px 12px">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px">\n'
        f'<tr><td class="link" style="{_FONT};font-size:15px;font-weight:bold;color:{light.accent};padding:0 4px 12px">{escape(notice.campus)}</td></tr>\n'
        f'<tr><td class="paper room" style="background:{_PAPER};border:1px solid {_LINE};border-top:4px solid {light.accent};padding:28px 32px">\n'
        + "\n".join(body)
        + "\n</td></tr>\n"
        f'<tr><td style="padding:16px 4px 0">{"".join(foot)}</td></tr>\n'
        "</table></td></tr></table></body></html>\n"
    )


def _paragraph(line: str, *, soft: bool = False) -> str:
    kind, colour, size = ("soft", _SOFT, 15) if soft else ("ink", _INK, 17)
    return f'<p class="{kind}" style="{_FONT};font-size:{size}px;line-height:1.5;color:{colour};margin:0 0 16px">{escape(line)}</p>'


def _badge(badge: NoticeBadge, accent: str) -> str:
    link = _link(badge.action, accent) if badge.action else ""
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 20px"><tr>'
        f'<td width="96" valign="top" style="padding:0 16px 0 0"><img src="cid:{escape(badge.picture)}" width="96" height="96" '
        f'alt="{escape(badge.picture_words)}" style="display:block;border:0;width:96px;height:96px"></td>'
        f'<td valign="middle"><p class="ink" style="{_FONT};font-size:18px;line-height:1.35;font-weight:bold;color:{_INK};margin:0 0 4px">{escape(badge.title)}</p>'
        f'<p class="soft" style="{_FONT};font-size:15px;line-height:1.45;color:{_SOFT};margin:0">{escape(badge.beside)}</p>{link}</td></tr></table>'
    )


def _link(action: Action, accent: str) -> str:
    return (
        f'<p style="{_FONT};font-size:16px;line-height:1.5;margin:8px 0 0"><a class="link" href="{escape(action.url)}" '
        f'style="color:{accent};text-decoration:underline">{escape(action.label)}</a></p>'
    )


def _button(action: Action, accent: str) -> str:
    return (
        '<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 20px"><tr>'
        f'<td class="press" style="background:{accent};border-radius:4px"><a class="press" href="{escape(action.url)}" '
        f'style="{_FONT};display:inline-block;font-size:17px;font-weight:bold;color:#ffffff;text-decoration:none;padding:13px 22px">'
        f"{escape(action.label)}</a></td></tr></table>"
    )


def _small(line: str) -> str:
    return f'<p class="soft" style="{_FONT};font-size:13px;line-height:1.5;color:{_SOFT};margin:0 0 8px">{escape(line)}</p>'


def _small_link(action: Action, accent: str) -> str:
    return (
        f'<p style="{_FONT};font-size:13px;line-height:1.5;margin:0"><a class="link" href="{escape(action.url)}" '
        f'style="color:{accent};text-decoration:underline">{escape(action.label)}</a></p>'
    )


_ASKED = (
    N_("{child} a reçu le badge « {title} » du campus {campus}, et voudrait en montrer la page."),
    N_(
        "Avant 15 ans, l’accord d’un parent est nécessaire. Le lien montre ce que tout le monde verrait. Vous dites "
        "oui ou non, et le même lien sert ensuite à changer d’avis."
    ),
)
_ASKED_AGAIN = (
    N_(
        "Vous avez accepté que la page du badge « {title} » du campus {campus} s’ouvre. {child} voudrait en "
        "montrer plus : sur la page, dans son portfolio, ou aux moteurs de recherche."
    ),
    N_(
        "Votre accord ne le disait pas : il faut vous le redemander. Le lien montre la phrase entière. Si vous ne "
        "répondez pas, votre accord reste ce qu’il était."
    ),
)
RIGHTS = (Occasion.ERASURE, Occasion.ARCHIVE, Occasion.PARENT)


@dataclass(frozen=True, eq=False)
class RightsLetters:
    awards: AwardStore
    guardians: GuardianStore
    addresses: Addresses
    secret: bytes

    def written(self, letter: QueuedMessage) -> Letter | None:
        """None if the e-mail has become irrelevant."""
        agreement = None
        if letter.occasion == Occasion.PARENT and letter.about_id:
            agreement = self.guardians.find(letter.about_id)
        award_id = agreement.award_id if agreement else letter.about_id
        record = self.awards.find_record(award_id) if award_id else None
        if record is None or (agreement and not self._is_asked(agreement, record)):
            return None
        language = record.person.language or record.campus.language
        # A parent is written to about their child.
        is_child = agreement is None and record.person.needs_guardian
        with speaking(addressing(language, is_child=is_child)):
            if agreement:
                notice = self._parent(agreement, record)
            elif letter.occasion == Occasion.ARCHIVE:
                notice = self._archive(letter, record)
            else:
                notice = self._erasure(letter, record)
            to_name = "" if agreement else record.person.name
            return carrying(notice, letter, language=language, to_name=to_name, campus=record.campus)

    def _is_asked(self, agreement: ParentAgreement, record: AwardRecord) -> bool:
        """Whether the link of the e-mail still shows something."""
        is_replaced_now = is_replaced(agreement, self.guardians.about(agreement.award_id))
        return record.person.needs_guardian and not is_replaced_now

    def _parent(self, agreement: ParentAgreement, record: AwardRecord) -> Notice:
        token = parent_token(self.secret, agreement.id)
        child = record.person.given_name or record.person.name
        values = {"child": child, "title": record.version.name, "campus": record.campus.name}
        asked = _ASKED_AGAIN if agreement.agreed else _ASKED
        return Notice.of(
            record.campus,
            subject=translated("{child} vous demande votre accord pour un badge").format(**values),
            lines=[
                *(translated(line).format(**values) for line in asked),
            ],
            action=Action(translated("Voir la page, puis répondre"), self.addresses.parent(token)),
            after=[translated("Gardez cet e-mail : son lien sert aussi à retirer votre accord.")],
            small=[
                translated(
                    "Vous n’êtes pas le parent de cette personne ? Ouvrez la page, et retirez l’accord qui a été donné."
                )
                if agreement.agreed
                else translated(
                    "Vous n’êtes pas le parent de cette personne ? Ne faites rien : la page reste fermée. Votre "
                    "adresse ne sert qu’à cette question."
                )
            ],
        )

    def _archive(self, letter: QueuedMessage, record: AwardRecord) -> Notice:
        token = mailbox_token(self.secret, record.award.id, letter.promised_at, Wish.ARCHIVE)
        return Notice.of(
            record.campus,
            subject=translated("Vos données, à emporter"),
            greeting=translated("Bonjour {name},").format(
                name=record.person.given_name or record.person.name
            ),
            lines=[
                translated(
                    "Vous avez demandé tout ce que ce service garde de vous. L’archive se fait quand vous ouvrez "
                    "le lien : elle est à jour."
                )
            ],
            action=Action(translated("Emporter mes données"), self.addresses.archive(token)),
            after=[
                translated("Ce lien vaut {several} jours. Ne le transférez pas.").format(
                    several=LINK_LIFE.days
                )
            ],
            small=[translated("Vous n’avez rien demandé ? Ne faites rien, et gardez cet e-mail pour vous.")],
        )

    def _erasure(self, letter: QueuedMessage, record: AwardRecord) -> Notice:
        wish = Wish(letter.once_key.split("/")[2])
        token = mailbox_token(self.secret, record.award.id, letter.promised_at, wish)
        everywhere = wish is Wish.ERASURE_EVERYWHERE
        reach = (
            N_("dans tous les campus de ce service")
            if everywhere
            else N_("au campus {campus}, et à lui seul")
        )
        return Notice.of(
            record.campus,
            subject=translated("Confirmez l’effacement de vos données"),
            greeting=translated("Bonjour {name},").format(
                name=record.person.given_name or record.person.name
            ),
            lines=[
                translated(
                    "Quelqu’un, vous sans doute, a demandé que vos données soient effacées {reach}."
                ).format(reach=translated(reach).format(campus=record.campus.short_name)),
                translated(
                    "Rien n’est encore effacé. La page suivante dit ce qui disparaît et ce qui reste. Un effacement ne "
                    "s’annule pas."
                ),
            ],
            action=Action(translated("Lire, puis décider"), self.addresses.erasure(token)),
            after=[
                translated("Ce lien vaut {several} jours. Ne le transférez pas.").format(
                    several=LINK_LIFE.days
                )
            ],
            small=[translated("Vous n’avez rien demandé ? Ne faites rien : rien ne sera effacé.")],
        )


# --- E-mails about badge requests, to requesters and to reviewers with pending tasks


_STILL_SO = {
    Occasion.REQUEST_CONFIRM.value: RequestState.UNCONFIRMED,
    Occasion.REQUEST_MORE.value: RequestState.MORE,
    Occasion.REQUEST_REFUSED.value: RequestState.REFUSED,
}


@dataclass(frozen=True, eq=False)
class RequestLetters:
    requests: RequestStore
    people: PeopleStore
    campuses: CampusStore
    addresses: Addresses
    secret: bytes
    clock: Clock

    def written(self, letter: QueuedMessage) -> Letter | None:
        """None if the e-mail has become irrelevant."""
        if letter.about_id is None:
            return None
        if letter.occasion == Occasion.REVIEW:
            return self._review(letter)
        request = self.requests.find(letter.about_id)
        if request is None or request.state is not _STILL_SO.get(letter.occasion, request.state):
            return None
        campus, badge = self.requests.subject_of(request)
        title = self.requests.title_of(badge)
        proof = request_proof(self.secret, request.id, request.link_generation)
        link = self.addresses.request(f"{request.id}.{proof}")
        person = self.people.get(request.person_id) if request.person_id else None
        is_child = person is not None and person.needs_guardian
        with speaking(addressing(request.language, is_child=is_child)):
            notice = _to_who_asks(letter.occasion, campus, title, request, link, self._said(request))
            named = "" if letter.occasion == Occasion.REQUEST_CONFIRM else request.name
            return carrying(notice, letter, language=request.language, to_name=named, campus=campus)

    def _said(self, request: BadgeRequest) -> str:
        """The reviewer's last comment."""
        for step, _ in reversed(self.requests.steps_of(request.id)):
            if step.step in (Step.ASKED_MORE, Step.REFUSED):
                return step.text
        return ""

    def _review(self, letter: QueuedMessage) -> Letter | None:
        assert letter.about_id is not None
        campus = self.campuses.get_by_id(letter.about_id)
        count = self.requests.count_waiting(campus.id, limit=MOST_COUNTED)
        if not count:
            return None
        with speaking(campus.language):
            waiting = translated_plural(
                "{n} demande de badge attend une décision de votre campus.",
                "{n} demandes de badge attendent une décision de votre campus.",
                count,
            ).format(n=count)
            notice = Notice.of(
                campus,
                subject=waiting.rstrip("."),
                lines=[
                    waiting,
                    translated("La plus ancienne attend depuis plus de trois jours."),
                ],
                action=Action(translated("Voir les demandes"), self.addresses.requests_of(campus.slug)),
            )
            return carrying(notice, letter, language=campus.language, campus=campus)


def _to_who_asks(
    occasion: str, campus: Campus, title: str, request: BadgeRequest, link: str, said: str
) -> Notice:
    greeting = translated("Bonjour {name},").format(name=request.given_name or request.name)
    values = {"title": title, "campus": campus.name}
    match occasion:
        case Occasion.REQUEST_CONFIRM:
            return Notice.of(
                campus,
                # Without the typed name: the address may be of another person, who would read any text in it.
                subject=translated("Confirmez votre demande du badge « {title} »").format(**values),
                lines=[
                    translated(
                        "Quelqu’un, vous sans doute, a demandé le badge « {title} » au campus {campus} avec cette adresse."
                    ).format(**values),
                    translated("Confirmez-le : le campus ne voit rien avant."),
                ],
                action=Action(translated("Confirmer ma demande"), link),
                after=[
                    translated(
                        "Ce lien est à vous : gardez-le, il montre où en est votre demande. Sans réponse, elle est oubliée après sept jours."
                    )
                ],
                small=[translated("Vous n’avez rien demandé ? Ne faites rien.")],
            )
        case Occasion.REQUEST_MORE:
            return Notice.of(
                campus,
                subject=translated("Votre demande du badge « {title} » : le campus vous répond").format(
                    **values
                ),
                greeting=greeting,
                lines=[
                    translated(
                        "Le campus {campus} a regardé votre demande et voudrait en savoir plus :"
                    ).format(**values),
                    quoted(said),
                ],
                action=Action(translated("Compléter ma demande"), link),
            )
        case Occasion.REQUEST_REFUSED:
            return Notice.of(
                campus,
                subject=translated("Votre demande du badge « {title} »").format(**values),
                greeting=greeting,
                lines=[
                    translated(
                        "Le campus {campus} ne vous donne pas ce badge cette fois. La raison :"
                    ).format(**values),
                    quoted(said),
                    translated(
                        "Cette raison n’est publiée nulle part : vous la lisez, et les personnes du campus qui "
                        "examinent les demandes. Vous pourrez demander de nouveau."
                    ),
                ],
                action=Action(translated("Voir ma demande"), link),
            )
        case _:
            return Notice.of(
                campus,
                subject=translated("Votre demande du badge « {title} »").format(**values),
                greeting=greeting,
                lines=[
                    translated(
                        "Le campus {campus} a bien reçu votre demande. Une personne va la regarder."
                    ).format(**values)
                ],
                action=Action(translated("Suivre ma demande"), link),
                after=[translated("Ce lien est à vous : gardez-le, il montre où en est votre demande.")],
            )


# --- The e-mail that asks a participant for their opinion of an activity


@dataclass(frozen=True)
class SurveyLetters:
    surveys: SurveyStore
    people: PeopleStore
    activities: ActivityStore
    campuses: CampusStore
    addresses: Addresses
    secret: bytes
    clock: Clock

    def written(self, letter: QueuedMessage) -> Letter | None:
        """None if the survey is closed or the activity deleted."""
        link = self.surveys.find(letter.about_id) if letter.about_id else None
        activity = self.activities.find(link.activity_id) if link else None
        if link is None or activity is None:
            return None
        campus = self.campuses.get_by_id(link.campus_id)
        today = campus.day_of(self.clock())
        if not is_survey_open(link, today=today):
            return None
        participation_id = uuid.UUID(letter.once_key.rpartition("/")[2])
        mark = participant_mark(self.secret, activity.id, participation_id)
        person = self.people.get(letter.person_id) if letter.person_id else None
        is_child = person is not None and person.needs_guardian
        with speaking(addressing(campus.language, is_child=is_child)):
            notice = _asks(campus, activity, self.addresses.survey(link.code, mark))
            return carrying(notice, letter, language=campus.language, campus=campus)


def _asks(campus: Campus, activity: Activity, link: str) -> Notice:
    values = {"title": activity.title}
    return Notice.of(
        campus,
        subject=filled(translated("Votre avis sur « {title} »"), values),
        lines=[
            filled(translated("Vous avez pris part à « {title} ». Qu’en avez-vous pensé ?"), values),
            translated("Deux questions, vingt secondes, sans compte."),
        ],
        action=Action(translated("Donner mon avis"), link),
        after=[translated("Votre réponse est comptée sans votre nom.")],
        small=[translated("Vous ne voulez pas répondre ? Ne faites rien : il n’y aura pas de rappel.")],
    )
