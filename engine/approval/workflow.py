"""The order of steps that lead to a final output. Reads and writes nothing: it is fed bytes and hashes, and answers.

Feed it in this order: the statements, the hash of the source, the bytes of the record, those of the review, the terms
of the render. Each step refuses what does not belong to those before, and names what was tampered with. Then ask
whether somebody may sign, and for the clearance without which no render is final.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.access import Persons
from engine.approval.statements import (
    Meaning,
    SignedHashes,
    Statement,
    decode_statement,
    describe_changes,
    hash_terms,
    statement_file_name,
)
from engine.errors import RecordError, SignOffError
from engine.record import Record, Sha256, decode_record, sha256_hex
from engine.review.amendments import Review
from engine.review.review_file import decode_review

_CLEARANCE_SEAL = object()


@dataclass(frozen=True, slots=True)
class LoggedFacts:
    """What the audit log knows of a run.

    Attributes:
        statements: SHA-256 of the stored bytes of each statement, by number.
        runner_accounts: accounts of those who asked for the run.
        amender_accounts: accounts of those who amended.
        source: SHA-256 of the source as it was when it was detected, None when the log does not say.
        record: SHA-256 of the record as it was then.
        review: SHA-256 of the review after the newest amendment.
    """

    statements: Mapping[int, Sha256] = field(default_factory=dict)
    runner_accounts: frozenset[str] = frozenset()
    amender_accounts: frozenset[str] = frozenset()
    source: Sha256 | None = None
    record: Sha256 | None = None
    review: Sha256 | None = None


@dataclass(frozen=True, slots=True)
class Clearance:
    """The proof that every step before a final output was taken for these bytes; only `SignOff.clear` makes one."""

    run: str
    hashes: SignedHashes
    terms: Mapping[str, Any]
    statements: tuple[Statement, ...]
    persons: Persons
    seal: object

    def __post_init__(self) -> None:
        if self.seal is not _CLEARANCE_SEAL:
            raise SignOffError("A final output takes the clearance of the sign-off; nobody else can give it.")


@dataclass(frozen=True, slots=True)
class StatementStatus:
    """A statement and why it does not count any more, a clause each; empty while it counts."""

    statement: Statement
    void_reasons: tuple[str, ...]


class SignOff:
    """Review and sign-off of one run as it stands now."""

    def __init__(self, run: str, persons: Persons, logged_facts: LoggedFacts) -> None:
        self._run, self._persons, self._logged_facts = run, persons, logged_facts
        self._source: Sha256 | None = None
        self._record: tuple[Record, Sha256] | None = None
        self._review: Review | None = None
        self._hashes: SignedHashes | None = None
        self._terms: Mapping[str, Any] = {}
        self._statements: list[Statement] = []

    def feed_source(self, sha256: Sha256) -> None:
        """The second step: which video it is.

        Raises:
            SignOffError: it is not the one that was detected.
        """
        if self._logged_facts.source not in {None, sha256}:
            raise SignOffError("The source was changed: it is not the video that the audit log says was detected.")
        self._source = sha256

    def feed_record(self, data: bytes) -> Record:
        """The third step: the stored bytes of the record.

        Raises:
            SignOffError: they are not those that the detection wrote, or of another video.
        """
        sha256 = sha256_hex(data)
        if self._logged_facts.record not in {None, sha256}:
            raise SignOffError("The detection record was changed: it is not the one that the audit log knows.")
        try:
            record = decode_record(data, "The detection record")
        except RecordError as error:
            raise SignOffError(f"Nothing can be signed: {error}") from error
        if record.source.sha256 != self._source:
            raise SignOffError("The source was changed: it is not the video that the detection record is of.")
        self._record = record, sha256
        return record

    def feed_review(self, data: bytes) -> Review:
        """The fourth step: the stored bytes of the amendments, none when nobody has amended.

        Raises:
            SignOffError: a line is not bound to the one before, or they are not those that the log knows.
        """
        if self._record is None:
            raise ValueError("the record comes before the review")
        try:
            review = decode_review(data, self._record[1], "the review")
        except RecordError as error:
            raise SignOffError(f"The amendments were tampered with: {error}") from error
        if self._logged_facts.review not in {None, review.sha256}:
            raise SignOffError("The amendments were changed: they are not those that the audit log knows.")
        self._review = review
        return review

    def feed_terms(self, terms: Mapping[str, Any]) -> SignedHashes:
        """The fifth step: how the output is to be made."""
        if self._source is None or self._record is None or self._review is None:
            raise ValueError("source, record and review come before the terms")
        self._terms = terms
        self._hashes = SignedHashes(self._source, self._record[1], self._review.sha256, hash_terms(terms))
        return self._hashes

    def feed_statements(self, stored: Mapping[str, bytes]) -> None:
        """The first step: the stored bytes of every statement, by the name of its file, in the order of their numbers.

        One that the audit log does not know was never signed, and does not count.

        Raises:
            SignOffError: one was changed, is of another run, or is missing.
        """
        found = {name: decode_statement(data, name) for name, data in stored.items()}
        for name, statement in found.items():
            if statement.run != self._run:
                raise SignOffError(f"The signature {name} is of the run {statement.run}, not of {self._run}.")
            if name != statement_file_name(statement.number):
                raise SignOffError(f"The signature {name} is a copy of the signature {statement.number:04}; remove it.")
            known = self._logged_facts.statements.get(statement.number)
            if known is not None and known != sha256_hex(stored[name]):
                raise SignOffError(f"The signature {name} was tampered with: the audit log knows another.")
            if known is not None:
                self._statements.append(statement)
        if gone := self._logged_facts.statements.keys() - {statement.number for statement in self._statements}:
            raise SignOffError(f"The signature {min(gone):04} is missing, though the audit log knows it.")

    @property
    def hashes(self) -> SignedHashes:
        """What is signed now."""
        if self._hashes is None:
            raise ValueError("the terms come before anything is signed")
        return self._hashes

    def list_statement_statuses(self) -> tuple[StatementStatus, ...]:
        """Every statement, and why it does not count any more."""
        return tuple(
            StatementStatus(statement, tuple(self._find_void_reasons(statement))) for statement in self._statements
        )

    def find_refusal(self, meaning: Meaning, account: str) -> str | None:
        """Why somebody may not sign that now, in a sentence; None when they may.

        Their role is another question; see `engine.access.authorise`.
        """
        if meaning == "reviewed":
            return self._find_review_refusal(account)
        if meaning == "approved":
            return self._find_approval_refusal(account)
        if meaning == "released":
            return self._find_release_refusal()
        return None

    def clear(self) -> Clearance:
        """The proof that an output may be final.

        Raises:
            SignOffError: a step is missing or void; the sentence says which, and why.
        """
        if why := self._find_release_refusal():
            raise SignOffError(why)
        statements = (self._find_valid_statements("reviewed")[-1], self._find_valid_statements("approved")[-1])
        return Clearance(self._run, self.hashes, self._terms, statements, self._persons, _CLEARANCE_SEAL)

    def _find_review_refusal(self, account: str) -> str | None:
        if self._persons == "three" and account in self._logged_facts.runner_accounts:
            return f"{account} ran the detection, so somebody else must review it; the policy asks for three persons."
        return self._find_duplicate_refusal("reviewed", account)

    def _find_approval_refusal(self, account: str) -> str | None:
        if not self._find_valid_statements("reviewed"):
            return self._describe_missing("reviewed", "Nobody has signed that the run was reviewed")
        return self._find_independence_refusal(account) or self._find_duplicate_refusal("approved", account)

    def _find_release_refusal(self) -> str | None:
        approvals = self._find_valid_statements("approved")
        if not approvals:
            return self._describe_missing("approved", "Nobody has approved the run")
        if not self._find_valid_statements("reviewed"):
            return self._describe_missing("reviewed", "Nobody has signed that the run was reviewed")
        return self._find_independence_refusal(approvals[-1].account)

    def _find_independence_refusal(self, account: str) -> str | None:
        """Four eyes: who ran or reviewed cannot approve."""
        if self._persons == "one":
            return None
        asks = f"so somebody else must approve it; the policy asks for {self._persons} persons."
        if account in self._logged_facts.runner_accounts:
            return f"{account} ran the detection, {asks}"
        if account in self._find_reviewers():
            return f"{account} reviewed the run, {asks}"
        if self._persons == "three" and all(
            one.account in self._logged_facts.runner_accounts for one in self._find_valid_statements("reviewed")
        ):
            return "Who ran the detection reviewed it as well; the policy asks for three persons."
        return None

    def _find_reviewers(self) -> frozenset[str]:
        signed = {statement.account for statement in self._statements if statement.meaning == "reviewed"}
        amended = {one.by.account for one in self._review.amendments} if self._review else set()
        return self._logged_facts.amender_accounts | signed | amended

    def _find_duplicate_refusal(self, meaning: Meaning, account: str) -> str | None:
        if any(statement.account == account for statement in self._find_valid_statements(meaning)):
            return f"{account} has signed that the run was {meaning} already, and nothing changed since."
        return None

    def _find_valid_statements(self, meaning: Meaning) -> list[Statement]:
        return [one for one in self._statements if one.meaning == meaning and not self._find_void_reasons(one)]

    def _find_void_reasons(self, statement: Statement) -> list[str]:
        found = describe_changes(statement, self.hashes, self._terms)
        later = (one for one in self._statements if one.meaning == "rejected" and one.number > statement.number)
        return found + [f"{one.name} rejected the run after it ({one.reason})" for one in later]

    def _describe_missing(self, meaning: Meaning, never_signed_message: str) -> str:
        """Why no statement of that meaning counts: the newest one is void, or there never was one."""
        signed = [statement for statement in self._statements if statement.meaning == meaning]
        if not signed:
            return f"{never_signed_message}; that comes first."
        last = signed[-1]
        why = ", and ".join(self._find_void_reasons(last))
        return f"The run counts as {meaning} no more: since {last.name} signed that, {why}. It has to be signed again."
