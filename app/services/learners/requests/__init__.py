"""Badges asked for: by their persons on one side, decided by reviewers on the other."""

from app.services.learners.requests.asking import Asked, AskingService, Known, MyRequest
from app.services.learners.requests.reviewing import ReviewService, UnderReview

__all__ = ["Asked", "AskingService", "Known", "MyRequest", "ReviewService", "UnderReview"]
