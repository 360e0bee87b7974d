"""Setup steps run once, and are copied into later apps with the same sequence of steps."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.support.app import App, build_app, done_once
from tests.support.databases.engines import ENGINES, temporary_walled

Build = Callable[[], App]


@pytest.fixture(params=ENGINES)
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Build]:
    numbers = count()
    with ExitStack() as closing:

        def build() -> App:
            (folder := tmp_path / str(next(numbers))).mkdir()
            if request.param == "sqlite":
                (database := folder / "database").mkdir()
                migrated = request.getfixturevalue("migrated_sqlite")
                url = f"sqlite:///{shutil.copyfile(migrated, database / 'sceau.sqlite')}"
            else:
                server, template = map(request.getfixturevalue, ("postgres_server", "migrated_postgres"))
                url = closing.enter_context(temporary_walled(server, template))
            app = build_app(url, folder)
            closing.callback(app.close)
            return app

        build()  # the model, if this worker has none
        yield build


def test_same_setup_steps_are_copied_and_can_be_extended(build: Build) -> None:
    done: list[App] = []

    def begin(app: App, *, at: float = 0) -> list[object]:
        def give() -> object:
            done.append(app)
            app.clock.move(hours=2)
            return app.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id

        app.clock.move(hours=at)
        first = app.once((__name__, "given"), give)
        return [first, app.award("Léo Petit").lines[0].award_id, app.clock.now]

    as_done = begin(first := build())
    copied = begin(second := build())
    assert copied == as_done
    assert done == [first]
    for app in (first, second):
        third = app.award("Ola Nord").lines[0].award_id
        with app.unit_of_work(reading=True) as services:
            assert services.awards.record(third).person.given_name == "Ola"
    begin(later := build(), at=1)
    assert done == [first, later]


def test_a_step_after_any_other_action_is_run_again(build: Build) -> None:
    def done_in(app: App) -> bool:
        return bool(app.once((__name__, "anew"), lambda: done.append(app)) or app in done)

    done: list[App] = []
    assert done_in(build())
    assert not done_in(build())
    with (read := build()).unit_of_work(reading=True) as services:
        services.stores.awards.open_ids(read.campus.id, after=read.campus.id, limit=1)
    assert done_in(read)
    (served := build()).client().get("/")
    assert done_in(served)
    (looked_at := build()).owner.connect().close()
    assert done_in(looked_at)


def test_nothing_is_copied_where_something_is_patched(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def do_in(app: App) -> int:
        app.once((__name__, "patched"), lambda: done.append(1))
        return len(done)

    assert [do_in(build()), do_in(build())] == [1, 1]
    (exchanged := build()).process.clock = lambda: exchanged.clock.now
    assert do_in(exchanged) == 2
    monkeypatch.setattr(__name__ + ".count", count)
    assert [do_in(build()), do_in(build())] == [3, 4]


def test_steps_that_cannot_be_cached_run_in_each_app(build: Build) -> None:
    done: list[str] = []

    @done_once
    def rename(app: App, name: str) -> None:
        done.append(name)
        app.campus.short_name = name

    @done_once
    def open_file(_app: App) -> object:
        done.append("file")
        return open(__file__)

    @done_once
    def start(app: App) -> None:
        done.append("start")
        app.client().get("/")

    for _ in range(2):
        rename(app := build(), "ITIP bis")
        assert app.campus.short_name == "ITIP bis"
        with open_file(build()):
            pass
        start(build())
    assert done == ["ITIP bis", "file", "start"] * 2


def test_steps_are_cached_by_their_arguments(build: Build) -> None:
    done: list[object] = []

    @done_once
    def note(_app: App, *what: object) -> tuple[object, ...]:
        done.append(what)
        return what

    for what in ("one", "two", "one", ["a list"], ["a list"]):
        assert note(build(), what) == (what,)
    assert done == [("one",), ("two",), (["a list"],), (["a list"],)]
