"""Every page of the HTML face, by noun."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
