"""A part of a unit of work that is made when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self, TypeVar, overload

_Made = TypeVar("_Made")


class made_once(cached_property[_Made]):
    """`cached_property` without its lock: one transaction is used by one thread, and a page asks for forty parts."""

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> _Made: ...

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Self | _Made:
        if instance is None:
            return self
        assert self.attrname is not None
        made = instance.__dict__[self.attrname] = self.func(instance)
        return made
