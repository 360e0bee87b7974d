"""The guarantees of the service, checked in the database and the mail server after all work is done."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from sqlmodel import SQLModel, select

from app.domain.activity_log import EntryKind, LogEntry, LogPayload
from app.domain.awards import Award, AwardState, LineOutcome, SignedDocument
from app.domain.awards.batches import AwardBatch, BatchLine, BatchState, WithdrawalLine, WithdrawalOutcome
from app.domain.campus.audit_log import HistoryEntry
from app.domain.messages import LetterState, QueuedMessage
from app.domain.publishing import StatusList, StatusSlot
from app.services.activity_log.log_check import LogCheck
from sceau_credentials import Verdict
from sceau_credentials.status_list import StatusList as Bits
from sceau_credentials.values import parse_json
from tests.torture.scene import Scene
from tests.torture.trainers import Board

READ_AS_AN_EMPLOYER = 100
SETTLED = (BatchState.DONE, BatchState.UNDONE)
Question = Callable[["Evidence"], Iterator[str]]


@dataclass
class Evidence:
    """All rows and letters, read once."""

    scene: Scene
    board: Board

    def _all(self, kind: type[SQLModel]) -> list:
        with self.scene.app.unit_of_work(reading=True) as services:
            return list(services.stores.session.exec(select(kind)).all())

    @cached_property
    def batches(self) -> dict[UUID, AwardBatch]:
        return {batch.id: batch for batch in self._all(AwardBatch)}

    @cached_property
    def lines(self) -> dict[UUID, list[BatchLine]]:
        found = defaultdict(list)
        for line in self._all(BatchLine):
            found[line.batch_id].append(line)
        return found

    @cached_property
    def awards(self) -> dict[UUID, Award]:
        return {award.id: award for award in self._all(Award)}

    @cached_property
    def signed(self) -> dict[UUID, SignedDocument]:
        return {document.award_id: document for document in self._all(SignedDocument)}

    @cached_property
    def slots(self) -> list[StatusSlot]:
        return self._all(StatusSlot)

    @cached_property
    def letters(self) -> list[QueuedMessage]:
        return self._all(QueuedMessage)

    @cached_property
    def received(self) -> Counter[str]:
        """How often each letter was delivered, by Message-ID."""
        return Counter(str(letter["Message-ID"]) for letter in self.scene.office.received)

    @cached_property
    def _letters_by_hex(self) -> dict[str, QueuedMessage]:
        return {letter.id.hex: letter for letter in self.letters}

    def letter_named(self, name: str) -> QueuedMessage | None:
        """The queued letter of a Message-ID `<{id}.{proof}@{domain}>`."""
        return self._letters_by_hex.get(name.strip("<>").partition("@")[0].partition(".")[0])

    @property
    def undone(self) -> set[UUID]:
        return {batch.id for batch in self.batches.values() if batch.state is BatchState.UNDONE}


def acknowledged_promises_are_kept(found: Evidence) -> Iterator[str]:
    """Every line of an acknowledged batch has an outcome, and every award of an outcome exists."""
    for promise in found.board.acknowledged():
        if len(promise.batches) != 1:
            yield f"one promise was kept as {len(promise.batches)}"
        for batch_id in promise.batches:
            yield from _kept(found, batch_id, len(promise.people))
            if promise.undone and batch_id not in found.undone:
                yield f"{batch_id}: taken back, and still {found.batches[batch_id].state}"


def _kept(found: Evidence, batch_id: UUID, asked: int) -> Iterator[str]:
    batch, lines = found.batches.get(batch_id), found.lines[batch_id]
    if batch is None or batch.state not in SETTLED:
        yield f"{batch_id}: acknowledged, and {batch.state if batch else 'nowhere'}"
        return
    if len(lines) != asked:
        yield f"{batch_id}: {asked} lines were given, {len(lines)} are kept"
    if batch.state is BatchState.UNDONE:
        return
    for line in lines:
        award = found.awards.get(line.award_id) if line.award_id else None
        if line.outcome is LineOutcome.READY:
            yield f"{batch_id}, line {line.position}: never answered"
        if line.outcome is LineOutcome.AWARDED and (award is None or award.batch_id != batch_id):
            yield f"{batch_id}, line {line.position}: awarded, and no award"
        if line.outcome is LineOutcome.ALREADY_HELD and award is None:
            yield f"{batch_id}, line {line.position}: held, and by no award"


def unacknowledged_promises_are_whole_or_absent(found: Evidence) -> Iterator[str]:
    for batch in found.batches.values():
        if batch.state not in SETTLED:
            yield f"{batch.id}: {batch.state} for ever"
    kept, asked = len(found.batches), len(found.board.promises)
    if kept > asked:
        yield f"{asked} promises were asked for, {kept} are kept"


def nobody_has_a_badge_twice(found: Evidence) -> Iterator[str]:
    once = found.scene.app.presence.badge.id
    standing = [award for award in found.awards.values() if award.state is AwardState.ISSUED]
    for person, count in Counter(award.person_id for award in standing if award.badge_id == once).items():
        if count > 1:
            yield f"person {person} has it {count} times"
    for (batch, person), count in Counter(
        (award.batch_id, award.person_id) for award in found.awards.values()
    ).items():
        if count > 1:
            yield f"{batch}: person {person} was given it {count} times"


def every_award_is_the_answer_to_one_line(found: Evidence) -> Iterator[str]:
    spoken = Counter(
        line.award_id
        for lines in found.lines.values()
        for line in lines
        if line.outcome is LineOutcome.AWARDED
    )
    for award_id in found.awards.keys() | spoken.keys():
        if spoken[award_id] != 1 or award_id not in found.awards:
            yield f"award {award_id}: {spoken[award_id]} lines speak of it"


def every_award_is_signed_once_and_whole(found: Evidence) -> Iterator[str]:
    if found.awards.keys() != found.signed.keys():
        yield f"{len(found.awards)} awards, {len(found.signed)} signed documents"
    for document in found.signed.values():
        if hashlib.sha256(document.embedded).hexdigest() != document.embedded_digest:
            yield f"award {document.award_id}: its bytes changed"


def no_place_in_a_status_list_serves_two(found: Evidence) -> Iterator[str]:
    """Neither in the table of slots, nor in the signed documents."""
    for place, count in Counter((slot.list_id, slot.position) for slot in found.slots).items():
        if count > 1:
            yield f"place {place} is {count} awards'"
    if {slot.award_id for slot in found.slots} != found.awards.keys():
        yield f"{len(found.awards)} awards have {len(found.slots)} places"
    places = {slot.award_id: (str(slot.list_id), str(slot.position)) for slot in found.slots}
    said = Counter()
    for document in found.signed.values():
        entry = parse_json(document.embedded)["credentialStatus"]
        place = (entry["statusListCredential"].rpartition("/")[2], entry["statusListIndex"])
        said[place] += 1
        if places.get(document.award_id) != place:
            yield f"award {document.award_id}: signed for place {place}, kept at {places.get(document.award_id)}"
    yield from (f"place {place} was signed {count} times" for place, count in said.items() if count > 1)


def the_published_lists_say_who_was_withdrawn(found: Evidence) -> Iterator[str]:
    for listed in found._all(StatusList):
        document = parse_json(listed.published)
        bits = Bits.decode(document["credentialSubject"]["encodedList"])
        for slot in found.slots:
            if slot.list_id == listed.id:
                revoked = found.awards[slot.award_id].state is AwardState.REVOKED
                if bits.get(slot.position) != revoked:
                    yield f"award {slot.award_id}: the list says the contrary"


def awards_stand_unless_they_were_taken_back(found: Evidence) -> Iterator[str]:
    for award in found.awards.values():
        taken_back = award.batch_id in found.undone or award.id in found.board.withdrawn
        if (award.state is AwardState.REVOKED) != taken_back:
            yield f"award {award.id}: {award.state}"


def every_line_of_a_withdrawal_has_its_answer(found: Evidence) -> Iterator[str]:
    """Also, only requested awards are revoked."""
    answered = {line.award_id: line.outcome for line in found._all(WithdrawalLine)}
    if answered.keys() != found.board.withdrawn:
        yield f"{len(found.board.withdrawn)} withdrawals were asked for, {len(answered)} are written down"
    for award_id, outcome in answered.items():
        if outcome is not WithdrawalOutcome.WITHDRAWN:
            yield f"award {award_id}: {outcome}"


def every_award_is_reported_of_at_least_once(found: Evidence) -> Iterator[str]:
    """If the line has an address and the award was not undone; a second copy has the same Message-ID."""
    addressed = {
        line.award_id
        for lines in found.lines.values()
        for line in lines
        if line.outcome is LineOutcome.AWARDED and line.address
    }
    told = {letter.once_key.partition("/")[2] for letter in map(found.letter_named, found.received) if letter}
    for award_id in addressed:
        if found.awards[award_id].batch_id in found.undone or award_id in found.board.withdrawn:
            continue
        if str(award_id) not in told:
            yield f"award {award_id}: nobody was told"
    if len({letter.once_key for letter in found.letters}) != len(found.letters):
        yield "a letter was promised twice"
    for letter in found.letters:
        if letter.state is LetterState.WAITING:
            yield f"letter {letter.id}: still waits"


def letters_carry_the_name_of_their_award(found: Evidence) -> Iterator[str]:
    for name in found.received:
        if found.letter_named(name) is None:
            yield f"{name} names no promise"


def nobody_hears_of_what_was_taken_back_in_time(found: Evidence) -> Iterator[str]:
    for name in found.received:
        letter = found.letter_named(name)
        if letter is None:
            continue
        occasion, _, rest = letter.once_key.partition("/")
        award = found.awards.get(UUID(rest))
        if award is not None and occasion == "awarded" and award.batch_id in found.undone:
            yield f"award {award.id}: undone, and told of"


def history_tells_of_each_award_once(found: Evidence) -> Iterator[str]:
    told = Counter(
        entry.noun_id
        for entry in found._all(HistoryEntry)
        if (entry.noun, entry.action) == ("award", "award")
    )
    if told.keys() != found.awards.keys() or any(count > 1 for count in told.values()):
        yield f"{len(found.awards)} awards, {sum(told.values())} entries about {len(told)}"


def the_activity_log_tells_of_each_award_and_agrees_with_itself(found: Evidence) -> Iterator[str]:
    app = found.scene.app
    with app.unit_of_work(reading=True) as services:
        log, store = services.activity_log.open(app.campus), services.activity_log.store
        keys = services.log_keys.keys(app.campus, log)
        for fault in LogCheck(store, log, keys, app.process.anchors).run():
            yield f"{fault.fault} at {fault.where}"
    decided = {entry.number for entry in found._all(LogEntry) if entry.kind is EntryKind.AWARD}
    told = Counter(payload.noun_id for payload in found._all(LogPayload) if payload.number in decided)
    if told.keys() != found.awards.keys() or any(count > 1 for count in told.values()):
        yield f"{len(found.awards)} awards, {sum(told.values())} entries about {len(told)}"


def an_employer_finds_them_genuine(found: Evidence) -> Iterator[str]:
    """A random sample, with the full verifier, as on the page of an award."""
    app = found.scene.app
    some = random.Random(7).sample(sorted(found.awards), min(len(found.awards), READ_AS_AN_EMPLOYER))
    for award_id in some:
        with app.unit_of_work(reading=True) as services:
            report = services.verification.verify_award(services.awards.record(award_id)).report
        stands = found.awards[award_id].state is AwardState.ISSUED
        if report is None or (report.verdict is Verdict.VALID) != stands:
            yield f"award {award_id}: {report.verdict if report else 'no report'}"


QUESTIONS: tuple[Question, ...] = (
    acknowledged_promises_are_kept,
    unacknowledged_promises_are_whole_or_absent,
    nobody_has_a_badge_twice,
    every_award_is_the_answer_to_one_line,
    every_award_is_signed_once_and_whole,
    no_place_in_a_status_list_serves_two,
    the_published_lists_say_who_was_withdrawn,
    awards_stand_unless_they_were_taken_back,
    every_line_of_a_withdrawal_has_its_answer,
    every_award_is_reported_of_at_least_once,
    letters_carry_the_name_of_their_award,
    nobody_hears_of_what_was_taken_back_in_time,
    history_tells_of_each_award_once,
    the_activity_log_tells_of_each_award_and_agrees_with_itself,
    an_employer_finds_them_genuine,
)


def faults_in(found: Evidence) -> dict[str, list[str]]:
    """Violations by guarantee; empty if all hold."""
    answers = {question.__name__.replace("_", " "): list(question(found)) for question in QUESTIONS}
    return {question: faults for question, faults in answers.items() if faults}
