"""One notice as text and as HTML that common mail programs show without fetching anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from app.domain.accounts.access import digest_of
from app.domain.campus.campus import Campus
from app.domain.campus.colours import CampusColours
from app.domain.messages.letters import Letter, PromisedLetter
from app.domain.people.people import is_address
from app.language import N_, current_locale
from app.language.typography import say

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
    """A badge in a notice; `picture` names one that travels inside the letter."""

    title: str
    beside: str
    picture: str
    picture_words: str
    action: Action | None = None


@dataclass(frozen=True)
class Notice:
    """`lines` before the badges, `after` behind them, `small` at the foot."""

    subject: str
    greeting: str
    lines: Sequence[str]
    badges: Sequence[NoticeBadge]
    after: Sequence[str]
    small: Sequence[str]
    campus: str
    hue: float
    liveliness: float
    action: Action | None = None
    small_action: Action | None = None


def carrying(
    notice: Notice,
    promised: PromisedLetter,
    *,
    language: str,
    to_name: str = "",
    campus: Campus | None = None,
) -> Letter:
    """The letter that says the notice; where a campus writes, it is the campus that answers go to."""
    answers_to = campus.contact_email if campus is not None else ""
    return Letter(
        to=promised.address,
        to_name=to_name,
        subject=notice.subject,
        text=text_of(notice),
        html=html_of(notice),
        sender_name=notice.campus,
        reply_to=answers_to if is_address(answers_to) else "",
        key=digest_of(promised.once_key)[:40],
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
    return say(N_("{label} :")).format(label=action.label) + f"\n{action.url}"


def html_of(notice: Notice) -> str:
    """Tables and inline styles, since mail programs know little else; readable without them too."""
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
