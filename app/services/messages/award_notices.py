"""E-mails about badges: what each occasion tells their holder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from app.adapters.badge_pictures import PictureOrder, picture_alternative
from app.db.awards import AwardRecord
from app.domain.badges import version_year
from app.domain.messages import Occasion
from app.domain.people import is_address
from app.domain.people.consents import needs_guardian_for
from app.language import N_, day, translated, translated_plural
from app.services.messages.requests import Action, Notice, NoticeBadge

Link = Callable[[AwardRecord], str]
"""The private link of an award."""


def notice_of(
    occasion: str,
    records: Sequence[AwardRecord],
    link: Link,
    *,
    by_account: bool = False,
    unsubscribe_url: str = "",
    former_names: Sequence[str] = (),
) -> Notice:
    """For one occasion, person and campus; `former_names`: names in the badges before a correction.

    `by_account`: the links require sign-in.
    """
    match occasion:
        case Occasion.WITHDRAWN:
            return _withdrawn(records[0], link)
        case Occasion.SUSPENDED:
            return _suspended(records[0], link)
        case Occasion.SUSPENSION_LIFTED:
            return _lifted(records[0], link)
        case Occasion.NAME_CORRECTED:
            return _corrected(records, former_names, link)
        case Occasion.KEY_REPLACED:
            return _signed_again(records, link)
        case Occasion.FIRST_REMINDER | Occasion.SECOND_REMINDER:
            return _reminder(records, link, unsubscribe_url)
        case Occasion.ENDS_IN_A_MONTH | Occasion.ENDS_IN_A_WEEK | Occasion.ENDS_TOMORROW:
            return _ending(records, link, unsubscribe_url, by_account=by_account)
        case Occasion.RENEWED:
            return _renewed(records[0], link)
        case _:
            return _awarded(records[0], link, by_account=by_account)


def _awarded(record: AwardRecord, link: Link, *, by_account: bool) -> Notice:
    activity = record.activity.title if record.activity else ""
    given = (
        N_("Le campus {campus} vous attribue le badge « {title} », pour « {activity} ».")
        if activity
        else N_("Le campus {campus} vous attribue le badge « {title} ».")
    )
    values = {"campus": record.campus.name, "title": record.version.name, "activity": activity}
    needs_guardian = needs_guardian_for(record.person, record.activity)
    return _notice(
        record,
        subject=translated("Votre badge « {title} »").format(title=record.version.name),
        lines=[translated(given).format(**values)],
        badges=[_badge(record, record.version.description)],
        action=Action(translated("Recevoir mon badge"), link(record)),
        after=[
            translated(
                "Ce badge est dans votre compte : connectez-vous avec l’adresse qui l’ouvre d’habitude."
            )
            if by_account
            else translated(
                N_(
                    "Ce lien est à vous : il ouvre votre badge sans compte ni mot de passe, autant de fois que vous "
                    "voulez. Ne le transférez pas : qui l’a peut fermer la page de votre badge, et demander à un "
                    "parent de l’ouvrir."
                )
                if needs_guardian
                else N_(
                    "Ce lien est à vous : il ouvre votre badge sans compte ni mot de passe, autant de fois que vous "
                    "voulez. Ne le transférez pas : qui l’a peut ouvrir ou fermer la page de votre badge."
                )
            ),
            translated(
                N_(
                    "Le badge existe déjà, avec ou sans cet e-mail. Personne ne le voit tant que sa page est fermée, et "
                    "un parent doit être d’accord pour l’ouvrir."
                )
                if needs_guardian
                else N_(
                    "Le badge existe déjà, avec ou sans cet e-mail. Personne ne le voit tant que vous n’avez pas ouvert "
                    "sa page."
                )
            ),
        ],
        small=[_not_you()],
    )


def _withdrawn(record: AwardRecord, link: Link) -> Notice:
    reason = record.award.revoked_reason
    return _notice(
        record,
        subject=translated("Le badge « {title} » a été retiré").format(title=record.version.name),
        lines=[
            translated("Le campus {campus} a retiré le badge « {title} » qu’il vous avait attribué.").format(
                campus=record.campus.name, title=record.version.name
            ),
            translated("La raison donnée : {reason}").format(reason=reason),
        ],
        action=Action(translated("Voir ce badge"), link(record)),
        after=[
            translated(
                "Un badge retiré n’atteste plus rien : qui vérifie sa page ou ses fichiers le lit. La raison "
                "n’est publiée nulle part. Vos autres badges ne changent pas."
            ),
            translated("Pour en parler avec le campus, répondez à cet e-mail."),
        ],
        small=[],
    )


def _suspended(record: AwardRecord, link: Link) -> Notice:
    until = record.award.suspended_until
    last = until - timedelta(seconds=1) if until else None
    return _notice(
        record,
        subject=translated("Le badge « {title} » est suspendu").format(title=record.version.name),
        lines=[
            translated("Le campus {campus} a suspendu votre badge « {title} » jusqu’au {day}.").format(
                campus=record.campus.name,
                title=record.version.name,
                day=day(last, record.campus.time_zone) if last else "",
            ),
            translated("La raison donnée : {reason}").format(reason=record.award.suspended_reason),
        ],
        action=Action(translated("Voir ce badge"), link(record)),
        after=[
            translated(
                "Votre badge n’est pas retiré. Jusqu’à cette date, toute personne qui le vérifie voit qu’il est suspendu. "
                "Ensuite il redevient valable : vous n’avez rien à faire. La raison n’est publiée nulle part."
            ),
            translated("Pour en parler avec le campus, répondez à cet e-mail."),
        ],
        small=[],
    )


def _lifted(record: AwardRecord, link: Link) -> Notice:
    return _notice(
        record,
        subject=translated("Le badge « {title} » est de nouveau valable").format(title=record.version.name),
        lines=[
            translated(
                "La suspension de votre badge « {title} » est terminée : il est de nouveau valable."
            ).format(title=record.version.name)
        ],
        badges=[_badge(record, record.version.description)],
        action=Action(translated("Voir ce badge"), link(record)),
        after=[
            translated(
                "Les liens et les QR codes que vous avez donnés restent bons. "
                "Vos fichiers déjà téléchargés ont une version plus récente : téléchargez-la."
            ),
        ],
        small=[],
    )


def _corrected(records: Sequence[AwardRecord], former_names: Sequence[str], link: Link) -> Notice:
    first, count = records[0], len(records)
    campus, name = first.campus.name, first.award.holder_name or first.person.name
    corrected = translated_plural(
        "Le campus {campus} a corrigé votre nom. Ce badge dit maintenant « {name} » :",
        "Le campus {campus} a corrigé votre nom. Ces {n} badges disent maintenant « {name} » :",
        count,
    )
    return _notice(
        first,
        subject=translated_plural(
            "Votre nom est corrigé dans un badge", "Votre nom est corrigé dans {n} badges", count
        ).format(n=count),
        lines=[corrected.format(campus=campus, n=count, name=name)],
        badges=[
            _badge(
                record,
                translated("Avant la correction : « {name} »").format(name=former),
                Action(translated("Voir ce badge"), link(record)),
            )
            for record, former in zip(records, former_names, strict=True)
        ],
        after=[
            translated(
                "Un badge corrigé est signé de nouveau, à la même adresse : les liens et les QR codes que vous avez "
                "donnés restent bons. Un fichier téléchargé avant la correction est remplacé, et qui le vérifie "
                "le lit : téléchargez le nouveau."
            ),
            translated(
                "Ce nom n’est pas le bon ? Répondez à cet e-mail : le campus {campus} corrigera de nouveau."
            ).format(campus=campus)
            if is_address(first.campus.contact_email)
            else translated(
                "Ce nom n’est pas le bon ? Dites-le au campus {campus}, qui corrigera de nouveau."
            ).format(campus=campus),
        ],
        small=[_not_you()],
    )


def _signed_again(records: Sequence[AwardRecord], link: Link) -> Notice:
    first, count = records[0], len(records)
    again = translated_plural(
        "La clé avec laquelle le campus {campus} signe ses badges a peut-être été volée. Il en a changé, et il a signé de "
        "nouveau votre badge :",
        "La clé avec laquelle le campus {campus} signe ses badges a peut-être été volée. Il en a changé, et il a signé de "
        "nouveau vos {n} badges :",
        count,
    )
    return _notice(
        first,
        subject=translated_plural(
            "Votre badge est signé de nouveau", "Vos {n} badges sont signés de nouveau", count
        ).format(n=count),
        lines=[again.format(campus=first.campus.name, n=count)],
        badges=[
            _badge(
                record,
                record.activity.title if record.activity else "",
                Action(translated("Voir ce badge"), link(record)),
            )
            for record in records
        ],
        after=[
            translated(
                "Rien d’autre ne change. Les liens et les QR codes que vous avez donnés restent bons. Un fichier "
                "téléchargé avant aujourd’hui peut être refusé ailleurs : téléchargez le nouveau."
            ),
        ],
        small=[_not_you()],
    )


def _reminder(records: Sequence[AwardRecord], link: Link, unsubscribe_url: str) -> Notice:
    first, count = records[0], len(records)
    subject = translated_plural("Votre badge vous attend", "{n} badges vous attendent", count).format(n=count)
    waiting = translated_plural(
        "Le campus {campus} vous a attribué un badge que vous n’avez pas encore reçu. Le voici :",
        "Le campus {campus} vous a attribué {n} badges que vous n’avez pas encore reçus. Les voici :",
        count,
    )
    return _notice(
        first,
        subject=subject,
        lines=[waiting.format(campus=first.campus.name, n=count)],
        badges=[
            _badge(
                record,
                record.activity.title if record.activity else "",
                Action(translated("Recevoir ce badge"), link(record)),
            )
            for record in records
        ],
        after=[translated("Rien ne presse : ces liens restent bons, et les badges sont à vous.")],
        small=[_not_you()],
        small_action=Action(translated("Ne plus recevoir de rappels"), unsubscribe_url),
    )


def _ending(records: Sequence[AwardRecord], link: Link, unsubscribe_url: str, *, by_account: bool) -> Notice:
    first, count = records[0], len(records)
    can_ask = any(record.badge.accepts_requests for record in records)
    lines = [
        translated_plural(
            "Un badge que le campus {campus} vous a attribué arrive à sa fin.",
            "{n} badges que le campus {campus} vous a attribués arrivent à leur fin.",
            count,
        ).format(campus=first.campus.name, n=count)
    ]
    return _notice(
        first,
        subject=translated("Votre badge « {title} » arrive à sa fin").format(title=first.version.name)
        if count == 1
        else translated_plural("Un badge arrive à sa fin", "{n} badges arrivent à leur fin", count).format(
            n=count
        ),
        lines=lines,
        badges=[
            _badge(
                record,
                _valid_until(record),
                Action(translated("Voir ce badge"), link(record)),
            )
            for record in records
        ],
        after=[
            translated(
                "Pour garder un badge en cours de validité, demandez son renouvellement dans « Mes badges ». Le campus regarde ce que vous avez fait depuis."
            )
            if can_ask and by_account
            else translated(
                "Pour garder un badge en cours de validité, ouvrez-le et demandez son renouvellement. Le campus regarde ce que vous avez fait depuis."
            )
            if can_ask
            else translated("Pour le renouveler, parlez-en à votre campus : répondez à cet e-mail."),
            translated("Après cette date, le badge reste à vous, et sa page dit qu’il a expiré."),
        ],
        small=[_not_you()],
        small_action=Action(translated("Ne plus recevoir de rappels"), unsubscribe_url),
    )


def _valid_until(record: AwardRecord) -> str:
    end = record.award.valid_until
    assert end is not None, "only what ends is announced"
    return translated("Valable jusqu’au {day}.").format(day=day(end, record.campus.time_zone))


def _renewed(record: AwardRecord, link: Link) -> Notice:
    return _notice(
        record,
        subject=translated("Votre badge « {title} » est renouvelé").format(title=record.version.name),
        lines=[
            translated("Le campus {campus} a renouvelé votre badge « {title} ».").format(
                campus=record.campus.name, title=record.version.name
            ),
            _valid_until(record),
        ],
        action=Action(translated("Voir ce badge"), link(record)),
        after=[
            translated(
                "Son adresse ne change pas : les liens que vous avez donnés mènent au badge renouvelé. Les fichiers "
                "téléchargés avant gardent l’ancienne date ; téléchargez-les de nouveau."
            )
        ],
        small=[_not_you()],
    )


def _notice(
    record: AwardRecord,
    *,
    subject: str,
    lines: Sequence[str],
    badges: Sequence[NoticeBadge] = (),
    after: Sequence[str],
    small: Sequence[str],
    action: Action | None = None,
    small_action: Action | None = None,
) -> Notice:
    campus, name = record.campus, record.person.given_name or record.person.name
    return Notice.of(
        campus,
        subject=subject,
        greeting=translated("Bonjour {name},").format(name=name),
        lines=lines,
        badges=badges,
        after=after,
        small=small,
        action=action,
        small_action=small_action,
    )


def _not_you() -> str:
    return translated(
        "Vous ne connaissez pas ce campus ? Répondez à cet e-mail : votre adresse y a peut-être été mal "
        "écrite. Sans ce lien, personne n’ouvre ce badge."
    )


def _badge(record: AwardRecord, beside: str, action: Action | None = None) -> NoticeBadge:
    order = PictureOrder(
        kind=record.version.kind.value,
        title=record.version.name,
        campus_short_name=record.campus.short_name,
        year=str(version_year(record.version)),
        address="",
        hue=record.campus.hue,
        liveliness=record.campus.liveliness,
    )
    words, values = picture_alternative(order)
    return NoticeBadge(
        title=record.version.name,
        beside=beside,
        picture=picture_name(record),
        picture_words=translated(words).format(**values),
        action=action,
    )


def picture_name(record: AwardRecord) -> str:
    return f"badge-{record.version.id.hex}"
