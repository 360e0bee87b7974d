"""Every address of the JSON face, by noun."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
