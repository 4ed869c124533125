"""The checks that lead to a release, in the order in which they must be made. Reads and writes no file.

`SignOff` is fed the stored bytes of a run. Each method refuses what does not fit what was fed before, and a method
called out of order raises ValueError. The rules:

1. Statements (`feed_statements`): every statement is one that the audit log knows, byte for byte, and none is missing.
2. Source (`feed_source`): the file has the hash that the audit log knows.
3. Record (`feed_record`): the bytes have the hash that the audit log knows, and the record belongs to the source.
4. Review (`feed_review`): every amendment is bound to the one before, the first one to the record, and the whole has
   the hash that the audit log knows.
5. Terms (`feed_terms`): source, record, review and terms give the hashes that a statement is bound to.
6. Only then: which statements count (`list_statement_statuses`), the next step (`next_step`), who may sign
   (`find_refusal`), and the clearance for a release (`clear`).

    sign_off = SignOff(run.id, policy.persons, logged_facts)
    sign_off.feed_statements({"0001.json": statement_bytes})
    sign_off.feed_source(source_sha256)
    sign_off.feed_record(record_bytes)
    sign_off.feed_review(review_bytes)
    sign_off.feed_terms(terms)
    if refusal := sign_off.find_refusal("approved", "anna"):
        raise SignOffError(refusal)
    ...
    clearance = sign_off.clear()

A clearance cannot be made in another way, and no release is rendered without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.access import Persons
from engine.approval import steps
from engine.approval.amendment_check import LoggedAmendment, check_amendments
from engine.approval.statements import (
    Meaning,
    SignedHashes,
    Statement,
    decode_statement,
    describe_changes,
    hash_terms,
    statement_file_name,
)
from engine.approval.steps import StatementStatus, StepName, StepStatus
from engine.errors import RecordError, SignOffError
from engine.record import Record, Sha256, decode_record, sha256_hex
from engine.review.amendments import Review
from engine.review.review_file import decode_review

_CLEARANCE_SEAL = object()
"""Known to this module only, so that no other code can build a clearance."""


@dataclass(frozen=True, slots=True)
class LoggedFacts:
    """Facts about a run in the audit log.

    Attributes:
        statements: SHA-256 of the stored bytes of each statement, by number.
        runner_accounts: Accounts that started the run.
        amender_accounts: Accounts that amended the record.
        source: SHA-256 of the source when it was detected, None if the log has none.
        record: SHA-256 of the record when it was written, None if the log has none.
        review: SHA-256 of the review after the newest amendment, None if the log has none.
        amendments: The entries about single amendments, oldest first.
    """

    statements: Mapping[int, Sha256] = field(default_factory=dict)
    runner_accounts: frozenset[str] = frozenset()
    amender_accounts: frozenset[str] = frozenset()
    source: Sha256 | None = None
    record: Sha256 | None = None
    review: Sha256 | None = None
    amendments: tuple[LoggedAmendment, ...] = ()


@dataclass(frozen=True, slots=True)
class Clearance:
    """The proof that every step before a release was taken for these bytes; only `SignOff.clear` makes one.

    Attributes:
        run: Identifier of the run.
        hashes: The hashes of source, record, review and terms.
        terms: The terms of the render.
        statements: The review and the approval that count.
        persons: The number of people that the policy requires.
        seal: The mark that only `engine.approval.workflow` has.
    """

    run: str
    hashes: SignedHashes
    terms: Mapping[str, Any]
    statements: tuple[Statement, ...]
    persons: Persons
    seal: object

    def __post_init__(self) -> None:
        if self.seal is not _CLEARANCE_SEAL:
            raise SignOffError("A release needs a clearance of the sign-off; call SignOff.clear to get one.")


class SignOff:
    """Review and sign-off of one run as it stands now.

    Args:
        run: Identifier of the run.
        persons: The number of people that the policy requires.
        logged_facts: Facts about the run in the audit log.
    """

    def __init__(self, run: str, persons: Persons, logged_facts: LoggedFacts) -> None:
        self._run, self._persons, self._logged_facts = run, persons, logged_facts
        self._statements: tuple[Statement, ...] | None = None
        self._source: Sha256 | None = None
        self._record: tuple[Record, Sha256] | None = None
        self._review: Review | None = None
        self._hashes: SignedHashes | None = None
        self._terms: Mapping[str, Any] = {}

    def feed_statements(self, stored: Mapping[str, bytes]) -> None:
        """Step 1: check the stored bytes of every statement.

        A statement that the audit log does not know was never signed and does not count.

        Args:
            stored: Bytes by file name, in the order of the statements' numbers.

        Raises:
            SignOffError: A statement was changed, belongs to another run, or is missing.
        """
        decoded = {name: decode_statement(data, name) for name, data in stored.items()}
        known_statements = []
        for name, statement in decoded.items():
            if statement.run != self._run:
                raise SignOffError(f"The signature {name} is of the run {statement.run}, not of {self._run}.")
            if name != statement_file_name(statement.number):
                raise SignOffError(f"The signature {name} is a copy of the signature {statement.number:04}; remove it.")
            logged_sha256 = self._logged_facts.statements.get(statement.number)
            # The log is written after the file. A crash between the two leaves a file that was never acknowledged, so a
            # statement without an entry is ignored, while one with another hash was changed after it was signed.
            if logged_sha256 is None:
                continue
            if logged_sha256 != sha256_hex(stored[name]):
                raise SignOffError(f"The signature {name} was tampered with: the audit log knows another.")
            known_statements.append(statement)
        missing = self._logged_facts.statements.keys() - {statement.number for statement in known_statements}
        if missing:
            raise SignOffError(f"The signature {min(missing):04} is missing, though the audit log knows it.")
        self._statements = tuple(known_statements)

    def feed_source(self, sha256: Sha256) -> None:
        """Step 2: check the hash of the source.

        Raises:
            SignOffError: It is not the video that was detected.
        """
        if self._statements is None:
            raise ValueError("feed_statements must be called before feed_source")
        if self._logged_facts.source not in {None, sha256}:
            raise SignOffError("The source was changed: it is not the video that the audit log says was detected.")
        self._source = sha256

    def feed_record(self, data: bytes) -> Record:
        """Step 3: check and decode the stored bytes of the record.

        Raises:
            SignOffError: The detection did not write these bytes, or the record belongs to another video.
        """
        if self._source is None:
            raise ValueError("feed_source must be called before feed_record")
        sha256 = sha256_hex(data)
        if self._logged_facts.record is None:
            raise SignOffError("The audit log has no detection that wrote this record. Detect the source again.")
        if self._logged_facts.record != sha256:
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
        """Step 4: check and decode the stored bytes of the review, which are empty without amendments.

        Raises:
            SignOffError: An amendment is not bound to the one before, or the audit log knows other bytes.
        """
        if self._record is None:
            raise ValueError("feed_record must be called before feed_review")
        try:
            review = decode_review(data, self._record[1], "the review")
        except RecordError as error:
            raise SignOffError(f"The amendments cannot be read: {error}") from error
        if self._logged_facts.review not in {None, review.sha256}:
            raise SignOffError("The amendments were changed: they are not those that the audit log knows.")
        check_amendments(data, review, self._logged_facts.amendments)
        self._review = review
        return review

    def feed_terms(self, terms: Mapping[str, Any]) -> SignedHashes:
        """Step 5: combine everything into the hashes that a statement is bound to.

        May be called again with other terms, to show what a change of the style would void.
        """
        if self._source is None or self._record is None or self._review is None:
            raise ValueError("feed_review must be called before feed_terms")
        self._terms = terms
        self._hashes = SignedHashes(self._source, self._record[1], self._review.sha256, hash_terms(terms))
        return self._hashes

    @property
    def hashes(self) -> SignedHashes:
        """The hashes that a statement signed now is bound to."""
        if self._hashes is None:
            raise ValueError("feed_terms must be called first")
        return self._hashes

    def list_statement_statuses(self) -> tuple[StatementStatus, ...]:
        """Return every statement, oldest first, with the reasons why it no longer counts."""
        return tuple(
            StatementStatus(statement, self._find_void_reasons(statement)) for statement in self._statements or ()
        )

    @property
    def next_step(self) -> StepName | None:
        """The step that has to be taken next, None if the run is released."""
        return steps.derive_next_step(self.list_statement_statuses())

    @property
    def rejection(self) -> Statement | None:
        """The rejection that no later statement follows, None if there is none."""
        return steps.find_rejection(self.list_statement_statuses())

    def list_steps(self) -> tuple[StepStatus, ...]:
        """Return all steps in order, each with the statement that completes it."""
        return steps.list_steps(self.list_statement_statuses())

    def find_valid_statements(self, meaning: Meaning) -> tuple[Statement, ...]:
        """Return the statements of a meaning that count, oldest first."""
        return steps.find_valid_statements(self.list_statement_statuses(), meaning)

    def find_refusal(self, meaning: Meaning, account: str) -> str | None:
        """Return a sentence on why an account may not sign that now, None if it may.

        Whether a role of the person allows it is checked by `engine.access.authorise`.
        """
        match meaning:
            case "reviewed":
                return self._find_review_refusal(account)
            case "approved":
                return self._find_approval_refusal(account)
            case "released":
                return self._find_release_refusal()
            case "rejected":
                return None

    def clear(self) -> Clearance:
        """Return the proof that an output may be released.

        Raises:
            SignOffError: A step is missing or void; the sentence names the step and the reason.
        """
        if refusal := self._find_release_refusal():
            raise SignOffError(refusal)
        statements = (self.find_valid_statements("reviewed")[-1], self.find_valid_statements("approved")[-1])
        return Clearance(self._run, self.hashes, self._terms, statements, self._persons, _CLEARANCE_SEAL)

    def _find_review_refusal(self, account: str) -> str | None:
        if self._persons == "three" and account in self._logged_facts.runner_accounts:
            return f"{account} ran the detection, so another person must review it; the policy asks for three persons."
        return self._find_duplicate_refusal("reviewed", account)

    def _find_approval_refusal(self, account: str) -> str | None:
        if not self.find_valid_statements("reviewed"):
            return self._describe_missing("reviewed", "The run has not been signed as reviewed")
        return self._find_independence_refusal(account) or self._find_duplicate_refusal("approved", account)

    def _find_release_refusal(self) -> str | None:
        approvals = self.find_valid_statements("approved")
        if not approvals:
            return self._describe_missing("approved", "The run has not been approved")
        if not self.find_valid_statements("reviewed"):
            return self._describe_missing("reviewed", "The run has not been signed as reviewed")
        # The approver is checked again: a policy that was made stricter since applies to approvals given before.
        return self._find_independence_refusal(approvals[-1].account)

    def _find_independence_refusal(self, account: str) -> str | None:
        """Apply the four-eyes rule: an account that ran or reviewed the run cannot approve it."""
        if self._persons == "one":
            return None
        consequence = f"so another person must approve it; the policy asks for {self._persons} persons."
        if account in self._logged_facts.runner_accounts:
            return f"{account} ran the detection, {consequence}"
        if account in self._list_reviewers():
            return f"{account} reviewed the run, {consequence}"
        # With three people the reviewer must differ from the starter as well. One such review is enough, also when the
        # starter has signed another.
        if self._persons == "three" and all(
            statement.account in self._logged_facts.runner_accounts
            for statement in self.find_valid_statements("reviewed")
        ):
            return "The person who ran the detection reviewed it as well; the policy asks for three persons."
        return None

    def _list_reviewers(self) -> frozenset[str]:
        # Who amends reviews, also without signing: the log, the statements and the review file each name reviewers.
        signed = {statement.account for statement in self._statements or () if statement.meaning == "reviewed"}
        amended = {amendment.by.account for amendment in self._review.amendments} if self._review else set()
        return self._logged_facts.amender_accounts | signed | amended

    def _find_duplicate_refusal(self, meaning: Meaning, account: str) -> str | None:
        if any(statement.account == account for statement in self.find_valid_statements(meaning)):
            return f"{account} has already signed that the run was {meaning}, and nothing has changed since."
        return None

    def _find_void_reasons(self, statement: Statement) -> tuple[str, ...]:
        changes = describe_changes(statement, self.hashes, self._terms)
        rejections = tuple(
            f"{later.name} rejected the run after it ({later.reason})"
            for later in self._statements or ()
            if later.meaning == "rejected" and later.number > statement.number
        )
        return (*changes, *rejections)

    def _describe_missing(self, meaning: Meaning, never_signed_message: str) -> str:
        """Return a sentence on why no statement of that meaning counts: the newest is void, or there is none."""
        signed = [statement for statement in self._statements or () if statement.meaning == meaning]
        if not signed:
            return f"{never_signed_message}; that comes first."
        newest = signed[-1]
        reasons = ", and ".join(self._find_void_reasons(newest))
        return (
            f"The run no longer counts as {meaning}: since {newest.name} signed that, {reasons}. It has to be signed "
            "again."
        )
