"""E-mails about a person's own account: address confirmation, and changes of addresses or credentials."""

from __future__ import annotations

from dataclasses import dataclass

from app.db.accounts import SignInStore
from app.db.campus import CampusStore, TeamStore
from app.db.people import NameStore, PeopleStore
from app.domain.accounts.sign_in import OF_A_TEAM, WAYS_IN, Challenge, Changed, address_code, address_token
from app.domain.campus.campus import Campus
from app.domain.campus.sender import sender_code
from app.domain.campus.team import Invitation, InvitationState, invitation_proof
from app.domain.core import Clock, ServiceOptions
from app.domain.messages import Letter, Occasion, QueuedMessage
from app.domain.people import NameWish, Person
from app.domain.publishing import Addresses
from app.language import N_, addressing, moment, quoted, speaking, translated, translated_plural
from app.services.accounts.sign_in import SignInService
from app.services.messages.endorsements import OF_ENDORSEMENTS, EndorsementLetters
from app.services.messages.requests import (
    RIGHTS,
    Action,
    Notice,
    RequestLetters,
    RightsLetters,
    SurveyLetters,
    carrying,
)

OF_ACCOUNTS = (
    Occasion.SIGN_IN,
    Occasion.ADDRESS_CONFIRM,
    Occasion.ADDRESS_CHANGED,
    Occasion.WAY_IN_CHANGED,
)
_SENDER = "Sceau"
_CHANGES = {
    Changed.ADDRESS_ADDED: (
        N_("Une adresse de plus ouvre vos badges"),
        N_(
            "Une nouvelle adresse a été confirmée dans votre compte : un e-mail envoyé à cette adresse ouvre aussi vos badges."
        ),
    ),
    Changed.ADDRESS_REMOVED: (
        N_("Une adresse a été retirée de votre compte"),
        N_("Une de vos adresses a été retirée de votre compte : elle n’ouvre plus vos badges."),
    ),
    Changed.MAIN_ADDRESS: (
        N_("Votre adresse principale a changé"),
        N_("Une autre de vos adresses est maintenant la principale : c’est là que les campus vous écriront."),
    ),
    Changed.FIRST_ADDRESS: (
        N_("Vos badges ont maintenant un compte"),
        N_("Une personne, sans doute vous, a confirmé une adresse pour rassembler et ouvrir vos badges."),
    ),
    Changed.MERGED: (
        N_("Deux fiches à votre nom ont été fusionnées"),
        N_("Les badges de deux fiches à votre nom sont maintenant ensemble, dans un seul compte."),
    ),
    Changed.PASSKEY_ADDED: (
        N_("Une clé d’accès de plus ouvre votre compte"),
        N_("Une clé d’accès a été enregistrée dans votre compte : l’appareil qui la garde peut l’ouvrir."),
    ),
    Changed.PASSKEY_REMOVED: (
        N_("Une clé d’accès a été retirée de votre compte"),
        N_("Une de vos clés d’accès a été retirée : elle n’ouvre plus votre compte."),
    ),
    Changed.PASSKEYS_RESET: (
        N_("Vos clés d’accès ont été retirées"),
        N_(
            "L’administration d’un campus où vous travaillez a retiré toutes vos clés d’accès et fermé vos sessions "
            "partout. Entrez par un lien ou par votre mot de passe, puis enregistrez une nouvelle clé."
        ),
    ),
    Changed.PASSWORD_ADDED: (
        N_("Votre compte a maintenant un mot de passe"),
        N_("Un mot de passe a été choisi pour votre compte : il l’ouvre désormais, avec votre adresse."),
    ),
    Changed.PASSWORD_CHANGED: (
        N_("Votre mot de passe a changé"),
        N_("Le mot de passe de votre compte a été remplacé. Les autres navigateurs ont été déconnectés."),
    ),
    Changed.PASSWORD_REMOVED: (
        N_("Votre mot de passe a été retiré"),
        N_("Votre compte n’a plus de mot de passe. Un lien par e-mail l’ouvre toujours."),
    ),
    Changed.SERVICE_LINKED: (
        N_("Un compte d’un autre service ouvre le vôtre"),
        N_(
            "Un compte d’un autre service de connexion a été relié au vôtre : s’y connecter ouvre votre compte ici."
        ),
    ),
    Changed.SERVICE_UNLINKED: (
        N_("Un compte d’un autre service a été délié du vôtre"),
        N_("Un compte d’un autre service de connexion n’est plus relié au vôtre : il n’ouvre plus rien ici."),
    ),
    Changed.COURSE_LINKED: (
        N_("Des cours vous reconnaissent"),
        N_(
            "Un compte de la plateforme de cours {names} a été relié à vous : dans ses cours, il agit en votre nom. Il n’ouvre pas votre compte."
        ),
    ),
    Changed.COURSE_UNLINKED: (
        N_("Des cours ne vous reconnaissent plus"),
        N_(
            "Un compte de la plateforme de cours {names} n’est plus relié à vous : il n’y fait plus rien en votre nom."
        ),
    ),
    Changed.APP_CONNECTED: (
        N_("Une application est connectée à votre compte"),
        N_("Une application est connectée à votre compte : elle peut y faire ce qui a été autorisé."),
    ),
    Changed.ROLES_CHANGED: (
        N_("Vos rôles dans un campus ont changé"),
        N_("L’administration d’un campus a changé ce que vous pouvez y faire, dès maintenant."),
    ),
    Changed.LEFT_TEAM: (
        N_("Vous n’êtes plus dans l’équipe d’un campus"),
        N_("L’administration d’un campus vous a retiré de son équipe, dès maintenant."),
    ),
    Changed.PAGES_SHUT: (
        N_("Vos pages publiques sont fermées, à vous de les rouvrir"),
        N_(
            "Après une panne, une sauvegarde de ce service a été remise en place. Nous ne savons plus avec certitude ce que "
            "vous aviez ouvert ou fermé depuis : vos pages et votre portfolio sont donc fermés. Vos badges restent valables. "
            "Ouvrez de nouveau les pages que vous voulez montrer, et vérifiez vos réglages."
        ),
    ),
}
_NAMED = {
    Changed.ADDRESS_ADDED: N_(
        "L’adresse {names} a été confirmée dans votre compte : un e-mail envoyé à cette adresse ouvre aussi vos badges."
    ),
    Changed.ADDRESS_REMOVED: N_(
        "L’adresse {names} a été retirée de votre compte : elle n’ouvre plus vos badges."
    ),
    Changed.MAIN_ADDRESS: N_(
        "L’adresse {names} est maintenant la principale : c’est là que les campus vous écriront."
    ),
    Changed.FIRST_ADDRESS: N_(
        "Une personne, sans doute vous, a confirmé l’adresse {names} pour rassembler et ouvrir vos badges."
    ),
    Changed.PASSKEY_ADDED: N_(
        "La clé d’accès {names} a été enregistrée dans votre compte : l’appareil qui la garde peut l’ouvrir."
    ),
    Changed.PASSKEY_REMOVED: N_("La clé d’accès {names} a été retirée : elle n’ouvre plus votre compte."),
    Changed.PASSKEYS_RESET: N_(
        "L’administration d’un campus où vous travaillez a retiré toutes vos clés d’accès ({names}) et fermé vos sessions "
        "partout. Entrez par un lien ou par votre mot de passe, puis enregistrez une nouvelle clé."
    ),
    Changed.SERVICE_LINKED: N_(
        "Un compte du service {names} a été relié au vôtre : s’y connecter ouvre votre compte ici."
    ),
    Changed.SERVICE_UNLINKED: N_(
        "Un compte du service {names} n’est plus relié au vôtre : il n’ouvre plus rien ici."
    ),
    Changed.APP_CONNECTED: N_(
        "L’application {names} est connectée à votre compte : elle peut y faire ce qui a été autorisé."
    ),
    Changed.ROLES_CHANGED: N_(
        "L’administration du campus {names} a changé ce que vous pouvez y faire, dès maintenant."
    ),
    Changed.LEFT_TEAM: N_(
        "L’administration du campus {names} vous a retiré de son équipe, dès maintenant. Ce que vous y avez fait reste "
        "signé, et vos propres badges restent à vous."
    ),
}
"""Texts for changes where the address, key or service is known."""
_NOT_YOU = N_(
    "Ce n’était pas vous ? Retirez dans « Mon compte » ce que vous ne reconnaissez pas, et prévenez "
    "le campus qui vous a donné un badge."
)
_NOT_YOU_EITHER = N_(
    "Ce n’était pas vous ? Ouvrez « Mon compte » : retirez ce que vous ne reconnaissez pas, déconnectez les autres "
    "navigateurs, et prévenez un campus qui vous connaît."
)
_NOTHING_TO_FEAR = N_("Tant que vous ne faites rien, ces pages restent fermées à tous.")
_ASK_THE_CAMPUS = N_(
    "Vous ne savez pas pourquoi ? Demandez à l’administration de ce campus : elle seule peut y revenir."
)


@dataclass(frozen=True, eq=False)
class AccountLetters:
    people: PeopleStore
    challenges: SignInStore
    sign_in: SignInService
    addresses: Addresses
    secret: bytes
    options: ServiceOptions
    clock: Clock

    def written(self, letter: QueuedMessage) -> Letter | None:
        """None if the e-mail has become irrelevant."""
        if letter.about_id is None:
            return None
        if letter.occasion == Occasion.SIGN_IN:
            return self.sign_in.written(letter)
        if letter.occasion == Occasion.ADDRESS_CONFIRM:
            return self._confirm(letter)
        person = self.people.get(letter.about_id)
        changed = Changed(letter.once_key.rpartition("/")[2].partition(".")[0])
        with speaking(addressing(person.language or "fr", is_child=person.needs_guardian)):
            return carrying(
                self._changed(person, changed, letter),
                letter,
                language=person.language or "fr",
                to_name=person.name,
            )

    def _confirm(self, letter: QueuedMessage) -> Letter | None:
        assert letter.about_id is not None
        token = address_token(self.secret, letter.about_id)
        challenge = self.challenges.find_challenge(token)
        if challenge is None or challenge.person_id is None or challenge.expires_at <= self.clock():
            return None
        person = self.people.get(challenge.person_id)
        language = str(challenge.facts.get("language", "fr"))
        with speaking(addressing(language, is_child=person.needs_guardian)):
            return carrying(
                self._confirms(person, challenge, token),
                letter,
                language=person.language or "fr",
                to_name=person.name,
            )

    def _confirms(self, person: Person, challenge: Challenge, token: str) -> Notice:
        code = address_code(self.secret, challenge.id)
        return _notice(
            person,
            subject=translated("Confirmez cette adresse pour vos badges"),
            lines=[
                translated(
                    "Vous avez demandé que cette adresse ouvre vos badges. Confirmez-le dans le navigateur où "
                    "votre compte est ouvert :"
                )
            ],
            action=Action(translated("Confirmer cette adresse"), self.addresses.confirm_address(token)),
            after=[
                translated(
                    "Vous lisez cet e-mail sur un autre appareil ? Tapez ce code dans « Mon compte » : {code}"
                ).format(code=code),
                translated("Le lien et le code valent vingt-quatre heures."),
            ],
            small=[
                translated(
                    "Vous n’avez rien demandé ? Ne faites rien, et ne donnez ce code à personne : sans lui, "
                    "cette adresse n’ouvre rien."
                )
            ],
        )

    def _changed(self, person: Person, changed: Changed, letter: QueuedMessage) -> Notice:
        subject, line = _CHANGES[changed]
        names = letter.named.splitlines()
        if changed in WAYS_IN or changed in OF_A_TEAM:
            names = [quoted(name) for name in names]
        if names:
            line = _NAMED.get(changed, line)
        seen, url, foot = N_("Ouvrir « Mon compte »"), self.addresses.account, _NOT_YOU_EITHER
        if changed is Changed.PAGES_SHUT:
            foot = _NOTHING_TO_FEAR
        elif changed in OF_A_TEAM:
            foot = _ASK_THE_CAMPUS
        elif changed not in WAYS_IN:
            seen, url, foot = N_("Voir mes adresses"), self.addresses.own_addresses, _NOT_YOU
        return _notice(
            person,
            subject=translated(subject),
            lines=[
                translated(line).format(names=", ".join(names)),
                translated("C’était le {when}.").format(
                    when=moment(letter.promised_at, self.options.time_zone)
                ),
            ],
            action=Action(translated(seen), url),
            after=[],
            small=[translated(foot)],
        )


def _notice(
    person: Person, *, subject: str, lines: list[str], action: Action, after: list[str], small: list[str]
) -> Notice:
    return Notice(
        subject=subject,
        greeting=translated("Bonjour {name},").format(name=person.given_name or person.name),
        lines=lines,
        action=action,
        after=after,
        small=small,
        campus=_SENDER,
        hue=250,
        liveliness=1,
    )


@dataclass(frozen=True, eq=False)
class NameLetters:
    names: NameStore
    people: PeopleStore
    campuses: CampusStore
    addresses: Addresses

    def written(self, letter: QueuedMessage) -> Letter | None:
        """None if the e-mail has become irrelevant."""
        wish = self.names.find(letter.about_id) if letter.about_id else None
        if wish is None or wish.decided_at is None or wish.accepted:
            return None
        person, campus = self.people.get(wish.person_id), self.campuses.get_by_id(wish.campus_id)
        language = person.language or campus.language
        with speaking(addressing(language, is_child=person.needs_guardian)):
            notice = _refused(wish, person, campus, self.addresses.own_name)
            return carrying(notice, letter, language=language, to_name=person.name, campus=campus)


def _refused(wish: NameWish, person: Person, campus: Campus, link: str) -> Notice:
    return Notice.of(
        campus,
        subject=translated("Votre nom dans les badges du campus {campus}").format(campus=campus.short_name),
        greeting=translated("Bonjour {name},").format(name=person.given_name or person.name),
        lines=[
            translated(
                "Vous avez demandé au campus {campus} d’écrire « {name} » dans vos badges. Il ne le fait pas. La raison :"
            ).format(campus=campus.name, name=wish.name),
            quoted(wish.answer),
            translated("Vos badges restent valables, et disent toujours le même nom."),
        ],
        action=Action(translated("Voir ma demande"), link),
        after=[translated("Vous pouvez demander de nouveau, en expliquant davantage.")],
        small=[translated("Cette raison n’est montrée qu’à vous.")],
    )


@dataclass(frozen=True, eq=False)
class PersonalLetters:
    team: TeamStore
    campuses: CampusStore
    requests: RequestLetters
    rights: RightsLetters
    accounts: AccountLetters
    endorsements: EndorsementLetters
    names: NameLetters
    surveys: SurveyLetters
    addresses: Addresses
    secret: bytes
    clock: Clock

    def written(self, letter: QueuedMessage) -> Letter | None:
        """None if the e-mail has become irrelevant."""
        if letter.occasion == Occasion.INVITATION:
            return self._invitation(letter)
        if letter.occasion == Occasion.SENDER_CONFIRM:
            return self._sender_code(letter)
        if letter.occasion in (Occasion.WEBHOOK_PAUSED, Occasion.CALENDAR_PAUSED):
            return self._paused(letter)
        if letter.occasion in RIGHTS:
            return self.rights.written(letter)
        if letter.occasion in OF_ACCOUNTS:
            return self.accounts.written(letter)
        if letter.occasion in OF_ENDORSEMENTS:
            return self.endorsements.written(letter)
        if letter.occasion == Occasion.NAME_REFUSED:
            return self.names.written(letter)
        if letter.occasion == Occasion.SURVEY:
            return self.surveys.written(letter)
        return self.requests.written(letter)

    def _sender_code(self, letter: QueuedMessage) -> Letter | None:
        sender = self.campuses.sender(letter.campus_id) if letter.campus_id else None
        if sender is None or letter.once_key.rpartition("/")[2] != sender.asked_at.isoformat():
            return None
        campus = self.campuses.get_by_id(sender.campus_id)
        with speaking(campus.language):
            notice = _sender_notice(campus, sender_code(self.secret, sender))
            return carrying(notice, letter, language=campus.language)

    def _paused(self, letter: QueuedMessage) -> Letter | None:
        """None for a person who no longer administers the campus."""
        if letter.campus_id is None or letter.about_id is None or letter.person_id is None:
            return None
        if letter.person_id not in self.team.administrators(letter.campus_id, at=self.clock()):
            return None
        campus = self.campuses.get_by_id(letter.campus_id)
        language = self.accounts.people.get(letter.person_id).language or campus.language
        with speaking(language):
            if letter.occasion == Occasion.CALENDAR_PAUSED:
                notice = _calendar_notice(campus, letter.named, self.addresses.campus_calendars(campus.slug))
            else:
                link = self.addresses.campus_webhook(campus.slug, letter.about_id)
                notice = _webhook_notice(campus, letter.named, link)
            return carrying(notice, letter, language=language)

    def _invitation(self, letter: QueuedMessage) -> Letter | None:
        invitation = self.team.find_invitation(letter.about_id) if letter.about_id else None
        if invitation is None or invitation.state(at=self.clock()) is not InvitationState.WAITING:
            return None
        if letter.once_key.rpartition("/")[2] != str(invitation.generation):
            return None
        campus = self.campuses.get_by_id(invitation.campus_id)
        proof = invitation_proof(self.secret, invitation)
        link = self.addresses.invitation(f"{invitation.id}.{invitation.generation}.{proof}")
        with speaking(campus.language):
            return carrying(
                _invites(campus, invitation, link), letter, language=campus.language, campus=campus
            )


def _sender_notice(campus: Campus, code: str) -> Notice:
    return Notice(
        subject=translated("{code} : le code pour envoyer depuis cette adresse").format(code=code),
        greeting=translated("Bonjour,"),
        lines=[
            translated("Le campus {campus} veut que ses e-mails de badges partent de cette adresse.").format(
                campus=campus.name
            ),
            translated("Si vous êtes d’accord, tapez ce code dans ses réglages : {code}").format(code=code),
        ],
        after=[translated("Le code vaut vingt-quatre heures.")],
        small=[translated("Vous n’êtes pas d’accord ? Ne faites rien : sans ce code, rien ne part d’ici.")],
        campus=_SENDER,
        hue=campus.hue,
        liveliness=campus.liveliness,
    )


def _webhook_notice(campus: Campus, label: str, link: str) -> Notice:
    return _paused_notice(
        campus,
        translated("Le webhook « {label} » est en pause").format(label=label),
        [
            translated("Le logiciel « {label} » ne reçoit plus les changements du campus {campus}.").format(
                label=label, campus=campus.name
            ),
            translated("Son adresse n’accepte plus nos messages : nous avons arrêté de lui écrire."),
        ],
        Action(translated("Voir les envois"), link),
        translated(
            "Quand vous reprendrez les envois, ce qui a changé entre-temps partira. Les messages abandonnés se renvoient depuis la page du webhook."
        ),
    )


def _calendar_notice(campus: Campus, source: str, link: str) -> Notice:
    return _paused_notice(
        campus,
        translated("L’agenda « {source} » est en pause").format(source=source),
        [
            translated(
                "Le campus {campus} ne lit plus l’agenda « {source} » : son adresse n’a rien donné depuis plus de dix jours."
            ).format(campus=campus.name, source=source),
            translated(
                "Vos activités restent comme elles sont. Ce qui change dans l’agenda n’arrive plus ici."
            ),
        ],
        Action(translated("Voir les agendas suivis"), link),
        translated(
            "La page dit pourquoi. Demandez la bonne adresse à qui tient l’agenda, ou reprenez la lecture si c’était une panne."
        ),
    )


def _paused_notice(campus: Campus, subject: str, lines: list[str], action: Action, after: str) -> Notice:
    return Notice(
        subject=subject,
        greeting=translated("Bonjour,"),
        lines=lines,
        action=action,
        after=[after],
        small=[translated("Vous recevez cet e-mail parce que vous administrez ce campus.")],
        campus=_SENDER,
        hue=campus.hue,
        liveliness=campus.liveliness,
    )


def _invites(campus: Campus, invitation: Invitation, link: str) -> Notice:
    return Notice.of(
        campus,
        subject=translated("Rejoindre l’équipe du campus {campus}").format(campus=campus.short_name),
        lines=[
            translated(
                "Le campus {campus} vous invite à travailler avec son équipe, sur son service de badges."
            ).format(campus=campus.name)
        ],
        action=Action(translated("Voir l’invitation"), link),
        after=[
            translated_plural(
                "Ce lien vaut {n} jour et sert une seule fois. Ne le transférez pas : il est pour vous.",
                "Ce lien vaut {n} jours et sert une seule fois. Ne le transférez pas : il est pour vous.",
                invitation.days,
            ).format(n=invitation.days)
        ],
        small=[
            translated(
                "Vous n’attendiez pas cet e-mail ? Ne faites rien : sans ce lien, rien n’est ouvert à votre nom."
            )
        ],
    )
