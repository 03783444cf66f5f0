"""What calls answer: plain values, without a tie to the library or the client."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeVar

_Number = TypeVar("_Number", bound="_OpenEnum")


class _OpenEnum(IntEnum):
    """Numbers that a later library may add to: one without a name here is a member named by its digits."""

    @classmethod
    def _missing_(cls: type[_Number], value: object) -> _Number | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = str(value)
        member._value_ = value
        return member


class Status(_OpenEnum):
    """Outcome of a call or of an item: zero or more is done, negative is not."""

    UNCHANGED = 2
    """Items only: it was so already."""
    PARTIAL = 1
    """Done for some accounts, not for others: read the items."""
    OK = 0
    """Every account is as wanted now."""
    ERR_ARGUMENT = -1
    """Empty, too long, not valid text, or out of range."""
    ERR_CONFIG = -2
    """Bad configuration; the message names the key."""
    ERR_REQUEST = -3
    """Bad request JSON; nothing was sent."""
    ERR_SERVICE = -4
    """The service refused: see the service code."""
    ERR_NETWORK = -5
    """No valid answer; a write may have happened."""
    ERR_TIMEOUT = -6
    """Out of time; a write may have happened."""
    ERR_BUSY = -7
    """Too many calls are waiting; nothing was accepted."""
    ERR_CANCELLED = -8
    """Cancelled before it was sent."""
    ERR_CLOSED = -9
    """The client is closed; a write that was under way may have happened."""
    ERR_STORAGE = -10
    """The store or the outbox failed."""
    ERR_UNKNOWN = -11
    """Local state has no answer: ask with a check."""
    ERR_SIGNATURE = -12
    """A UserSig or a webhook did not verify."""
    ERR_UNSUPPORTED = -13
    """Not on this platform or backend."""
    ERR_FORKED = -14
    """The client belongs to the process that opened it: open another one after a fork."""
    ERR_PANIC = -15
    """A bug in the library: close the client and report it."""
    ERR_CONNECT = -16
    """Name, connection or TLS failed, or no turn came in time; nothing was sent."""
    ERR_QUEUED = -17
    """Not answered; the write is recorded in the outbox and will be sent: do not repeat it."""


class Relation(_OpenEnum):
    """Who blocks whom between the owner A and the account B of an item."""

    NONE = 0
    """Not a check, or the item failed: no statement."""
    NO = 1
    """No block, in the directions asked about."""
    A_WITH_B = 2
    """A blocks B; with `CheckType.BOTH` also: B does not block A."""
    B_WITH_A = 3
    """B blocks A, A does not block B."""
    BOTH_WAY = 4
    """Each blocks the other."""


class CheckType(IntEnum):
    """Which directions a check looks at."""

    SINGLE = 1
    """Does the owner block the account?"""
    BOTH = 2
    """The same, and does the account block the owner?"""


@dataclass(frozen=True)
class Item:
    """What became of one account of a call, or one entry of a list."""

    account: str
    status: Status
    """`OK`, `UNCHANGED`, or why there is no answer for this account."""
    code: int
    """The service's raw ResultCode; 0 when there is none."""
    relation: Relation
    """Of a check, else `NONE`."""
    time: int
    """Of an entry of a list: when it was blocked, in Unix seconds; else 0."""


@dataclass(frozen=True)
class Result:
    """What a call answered."""

    status: Status
    """`OK` or `PARTIAL`; negative only in an error."""
    service_code: int = 0
    """The service's own code, of the first account that failed or of a refusal; 0 when there is none."""
    retryable: bool = False
    """Whether the same call may succeed later without anybody changing anything."""
    message: str = ""
    """A sentence for people: what failed, why, and the next step. Not for branching."""
    json: str = ""
    """The service's answer object; empty when there was no answer."""
    command: str = ""
    """In the service's words, for example `black_list_add`."""
    owner: str = ""
    """The owner of the list that was read or changed."""
    items: tuple[Item, ...] = ()
    """One per account of the request, in its order; of `get` one per entry, oldest first."""
    next_index: int = 0
    """Of `get`: where the next page starts; 0 when the list is complete."""


class BlockedPairs(NamedTuple):
    """Which accounts of a group block which."""

    pairs: list[tuple[int, int]]
    """Index of the owner and of the account it blocks, in order of owners."""
    unknown: int
    """How many of the accounts are not known as owners: nothing is said of whom they block."""
