"""Who is looking at a page, for the frame around it."""

from __future__ import annotations

from fastapi import Request

from app.http.pages.render import Visitor
from app.http.request_scope import find_signed_in, services_at_hand, session_secret


def visitor_of(request: Request) -> Visitor:
    """Looked up for each page, error pages included, and only when the browser carries a session."""
    if not session_secret(request):
        return Visitor()
    with services_at_hand(request) as services:
        who = find_signed_in(request, services)
        if who is None:
            return Visitor()
        manages = bool(who.memberships) or services.operators.is_operator(who.person.id)
        return Visitor(who.person.name, manages=manages, person_id=who.person.id)
