"""Attributes that a container builds on first use, from the type hints of constructors."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

from dishka import Container


class Parts:
    """Subclasses declare `name: Type`."""

    def __init__(self, container: Container) -> None:
        self.container = container

    @classmethod
    @cache
    def types(cls) -> dict[str, Any]:
        return get_type_hints(cls)

    if not TYPE_CHECKING:  # otherwise mypy accepts any name

        def __getattr__(self, name: str) -> Any:
            try:
                part = self.types()[name]
            except KeyError:
                raise AttributeError(name) from None
            made = self.__dict__[name] = self.container.get(part)
            return made
