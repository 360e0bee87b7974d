"""Letters to people about their own place in the house: written when they leave, if there is still a reason."""

from __future__ import annotations

from app.db.campus.campus import CampusStore
from app.db.campus.team import TeamStore
from app.domain.campus.campus import Campus
from app.domain.campus.team import Invitation, InvitationState, invitation_proof
from app.domain.core.clock import Clock
from app.domain.messages.letters import Letter, Occasion, PromisedLetter
from app.domain.publishing.addresses import Addresses
from app.language import N_, speaking
from app.language.typography import say, say_plural
from app.services.messages.account import OF_ACCOUNTS, AccountLetters
from app.services.messages.endorsements import OF_ENDORSEMENTS, EndorsementLetters
from app.services.messages.names import NameLetters
from app.services.messages.notice import Action, Notice, carrying
from app.services.messages.requests import RequestLetters
from app.services.messages.rights import RIGHTS, RightsLetters


class PersonalLetters:
    def __init__(
        self,
        team: TeamStore,
        campuses: CampusStore,
        requests: RequestLetters,
        rights: RightsLetters,
        accounts: AccountLetters,
        endorsements: EndorsementLetters,
        names: NameLetters,
        addresses: Addresses,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.team = team
        self.campuses = campuses
        self.requests = requests
        self.rights = rights
        self.accounts = accounts
        self.endorsements = endorsements
        self.names = names
        self.addresses = addresses
        self.secret = secret
        self.clock = clock

    def written(self, letter: PromisedLetter) -> Letter | None:
        """None where there is nothing to say any more."""
        if letter.occasion == Occasion.INVITATION:
            return self._invitation(letter)
        if letter.occasion in RIGHTS:
            return self.rights.written(letter)
        if letter.occasion in OF_ACCOUNTS:
            return self.accounts.written(letter)
        if letter.occasion in OF_ENDORSEMENTS:
            return self.endorsements.written(letter)
        if letter.occasion == Occasion.NAME_REFUSED:
            return self.names.written(letter)
        return self.requests.written(letter)

    def _invitation(self, letter: PromisedLetter) -> Letter | None:
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


def _invites(campus: Campus, invitation: Invitation, link: str) -> Notice:
    return Notice(
        subject=say(N_("Rejoindre l’équipe du campus {campus}")).format(campus=campus.short_name),
        greeting=say(N_("Bonjour,")),
        lines=[
            say(
                N_("Le campus {campus} vous invite à travailler avec son équipe, sur son service de badges.")
            ).format(campus=campus.name)
        ],
        badges=[],
        action=Action(say(N_("Voir l’invitation")), link),
        after=[
            say_plural(
                "Ce lien vaut {n} jour et sert une seule fois. Ne le transférez pas : il est pour vous.",
                "Ce lien vaut {n} jours et sert une seule fois. Ne le transférez pas : il est pour vous.",
                invitation.days,
            ).format(n=invitation.days)
        ],
        small=[
            say(
                N_(
                    "Vous n’attendiez pas cette lettre ? Ne faites rien : sans ce lien, rien n’est ouvert à votre nom."
                )
            )
        ],
        campus=say(N_("Campus {name}")).format(name=campus.name),
        hue=campus.hue,
        liveliness=campus.liveliness,
    )
