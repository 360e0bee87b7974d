"""Telling people: what letters say, when they leave, and what became of them."""

from app.services.letters.account import AccountLetters
from app.services.letters.endorsements import EndorsementLetters
from app.services.letters.letters import LetterService, Outgoing
from app.services.letters.names import NameLetters
from app.services.letters.personal import PersonalLetters
from app.services.letters.post import Post
from app.services.letters.reminders import ReminderService
from app.services.letters.requests import RequestLetters
from app.services.letters.rights import RightsLetters

__all__ = [
    "AccountLetters",
    "EndorsementLetters",
    "LetterService",
    "NameLetters",
    "Outgoing",
    "PersonalLetters",
    "Post",
    "ReminderService",
    "RequestLetters",
    "RightsLetters",
]
