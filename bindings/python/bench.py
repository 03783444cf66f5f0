"""Prints nanoseconds for one `is_blocked`, and for each owner of an `is_blocked_many` of 64."""

from __future__ import annotations

import time
from collections.abc import Callable

import chatblock

_OWNERS = 64
_ROUNDS = 500


def best_ns(call: Callable[[], object], times: int) -> float:
    """Of many short rounds the fastest: the one that other work of the machine did not disturb."""
    rounds = []
    for _ in range(_ROUNDS):
        before = time.perf_counter_ns()
        for _ in range(times):
            call()
        rounds.append((time.perf_counter_ns() - before) / times)
    return min(rounds)


def main() -> None:
    with chatblock.Client({}) as client:
        owners = [f"player{number:04}" for number in range(_OWNERS)]
        for owner in owners[::2]:
            client.add(owner, "speaker")
        print(f"one {best_ns(lambda: client.is_blocked('player0000', 'speaker'), 1000):.0f}")
        print(f"many {best_ns(lambda: client.is_blocked_many(owners, 'speaker'), 20) / _OWNERS:.0f}")


main()
