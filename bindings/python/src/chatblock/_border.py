"""From Python to C and back: arguments become bytes, results become values."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import accumulate, repeat
from operator import index
from typing import Any, Union

from . import _native as native
from ._errors import argument_error
from ._values import Item, Relation, Result, Status

Accounts = Union[str, Iterable[str]]
"""Account ids; one alone may stand for itself."""

_LARGEST = 2**32 - 1

_status = lru_cache(maxsize=None)(Status)
_relation = lru_cache(maxsize=None)(Relation)


def encoded(value: str, name: str) -> bytes:
    """UTF-8, which may contain a NUL."""
    try:
        return str.encode(value)
    except UnicodeEncodeError as error:
        raise argument_error(f"{name} is not valid text: {error.reason}") from error
    except (AttributeError, TypeError) as error:
        raise TypeError(f"{name} must be str, not {type(value).__name__}") from error


def text(value: str, name: str) -> bytes:
    """A string for the library, which ends at a NUL: one inside is refused."""
    result = encoded(value, name)
    # Bytes are searched with an exception inside, which takes longer than the library.
    if "\0" in value:
        raise argument_error(f"{name} contains a NUL")
    return result


def names(accounts: Accounts, name: str) -> tuple[ctypes.Array[ctypes.c_char_p], int]:
    """Strings for the library, and how many they are.

    All of them are one block of memory, pointers first, which takes a third of the time of one by one.
    """
    try:
        items = [accounts] if isinstance(accounts, str) else list(accounts)
    except TypeError as error:
        found = type(accounts).__name__
        raise TypeError(f"{name} must be str or an iterable of str, not {found}") from error
    count = len(items)
    if count == 0:
        return (ctypes.c_char_p * 0)(), 0
    try:
        texts = "\0".join(items).encode()
        sizes = [len(part) + 1 for part in texts.split(b"\0")]
    except (TypeError, UnicodeEncodeError):
        sizes = []
    if len(sizes) != count:
        # One of them is no text for the library: which one is said where they are looked at one by one.
        for index, item in enumerate(items):
            text(item, f"{name}[{index}]")
    width = count * ctypes.sizeof(ctypes.c_char_p)
    memory = bytearray(width) + texts + b"\0"
    pointers = (ctypes.c_char_p * count).from_buffer(memory)
    first = ctypes.addressof(pointers) + width
    memory[:width] = array("Q", accumulate(sizes[:-1], initial=first)).tobytes()
    return pointers, count


def unsigned(value: int, name: str) -> int:
    """A number of 32 bits; ctypes would cut off what does not fit."""
    try:
        number = index(value)
    except TypeError as error:
        raise TypeError(f"{name} must be int, not {type(value).__name__}") from error
    if not 0 <= number <= _LARGEST:
        raise argument_error(f"{name} is {number}, outside 0 to {_LARGEST}")
    return number


def seconds(value: float | None, name: str) -> float | None:
    """A time to wait; None is without limit."""
    if value is None:
        return None
    if not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds or None, not {type(value).__name__}")
    if value != value:
        raise argument_error(f"{name} is not a number")
    return value


def read(answer: native.NativeResult) -> Result:
    """Everything that a result of the library says."""
    return Result(
        status=_status(native.result_status(answer)),
        service_code=native.result_service_code(answer),
        retryable=native.result_retryable(answer) != 0,
        message=native.result_message(answer).decode(),
        json=native.result_json(answer).decode(),
        command=native.result_command(answer).decode(),
        owner=native.result_from_account(answer).decode(),
        items=tuple(_items(answer)),
        next_index=native.result_next_index(answer),
    )


def _items(answer: native.NativeResult) -> Iterable[Item]:
    """Member by member instead of item by item, because a page of a list has a thousand of them."""
    places = [ctypes.c_size_t(number) for number in range(native.result_item_count(answer))]

    def every(getter: Callable[..., Any]) -> Iterable[Any]:
        return map(getter, repeat(answer), places)

    return map(
        Item,
        map(bytes.decode, every(native.result_item_account)),
        map(_status, every(native.result_item_status)),
        every(native.result_item_code),
        map(_relation, every(native.result_item_relation)),
        every(native.result_item_time),
    )
