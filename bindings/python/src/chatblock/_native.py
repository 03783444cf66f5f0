"""The functions of libchatblock as ctypes calls them.

What the library gives out is an object whose finalizer gives it back, so nobody can forget to. The name
of each function here is its name in chatblock.h without the prefix.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from ctypes import POINTER, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

_MAX_MS = 2**31 - 1


def milliseconds(seconds: float | None) -> int:
    """A time for the library: None is without limit."""
    return -1 if seconds is None else int(max(0, min(seconds * 1000, _MAX_MS)))


def _load() -> tuple[ctypes.CDLL, ctypes.PyDLL]:
    path = os.environ.get("CHATBLOCK_LIBRARY") or str(Path(__file__).with_name("libchatblock.so"))
    try:
        return ctypes.CDLL(path), ctypes.PyDLL(path)
    except OSError as error:
        raise ImportError(
            f"cannot load {path}: {error}; install a wheel for this platform, or name a "
            "libchatblock.so in the environment variable CHATBLOCK_LIBRARY"
        ) from error


# Other threads of Python run while a function of `_waiting` does. Those of `_instant` answer from memory:
# to let go of the interpreter and to get it back would take longer than they do.
_waiting, _instant = _load()


def _function(library: ctypes.CDLL, name: str, answer: Any, *arguments: Any) -> Any:
    function = library[f"chatblock_{name}"]
    function.restype = answer
    function.argtypes = arguments
    return function


_result_free = _function(_instant, "result_free", None, c_void_p)
_client_close = _function(_waiting, "client_close", c_int32, c_void_p, c_int32)


class NativeResult(c_void_p):
    """A chatblock_result; false when it is NULL."""

    def __del__(self, _free: Any = _result_free) -> None:
        _free(self)


class Ending:
    """How a client ends: who closes it says until when, who lets go of it last says how it went."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.clean = True
        self._until: float | None = 0.0

    def begin(self, seconds: float | None) -> None:
        self._until = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Seconds; None is without limit."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())


class NativeClient(c_void_p):
    """A chatblock_client; false when it is NULL, and then every function answers so.

    Its reference count is the count of the calls that are inside: a call holds a reference, and the last
    one to let go closes. So a client cannot be closed under a call, and no lock is needed to see to it.
    Keep it in no variable that a traceback could keep alive.
    """

    ending: Ending

    def __del__(self, _close: Any = _client_close) -> None:
        if not self:
            return
        # There is none when Ctrl-C came while it was opened.
        ending = getattr(self, "ending", None) or Ending()
        ending.clean = _close(self, milliseconds(ending.left())) >= 0
        ending.over.set()


_texts = POINTER(c_char_p)
_call = (c_void_p, c_char_p, _texts, c_size_t)

version = _function(_instant, "version", c_char_p)
version_number = _function(_instant, "version_number", c_uint32)
status_name = _function(_instant, "status_name", c_char_p, c_int32)

client_open = _function(_waiting, "client_open", NativeClient, c_char_p, POINTER(NativeResult))
client_event_fd = _function(_instant, "client_event_fd", c_int32, c_void_p)
client_poll = _function(_instant, "client_poll", NativeResult, c_void_p, c_int32)
client_cancel = _function(_instant, "client_cancel", c_int32, c_void_p, c_uint64)
client_sync = _function(_waiting, "client_sync", c_int32, c_void_p, c_int32)
client_flush = _function(_waiting, "client_flush", c_int32, c_void_p, c_int32)
client_watch = _function(_waiting, "client_watch", c_int32, c_void_p, _texts, c_size_t)
client_unwatch = _function(_waiting, "client_unwatch", c_int32, c_void_p, _texts, c_size_t)
client_apply_webhook = _function(
    _waiting, "client_apply_webhook", NativeResult, c_void_p, c_char_p, c_char_p, c_size_t
)
client_backup = _function(_waiting, "client_backup", NativeResult, c_void_p, c_char_p)
client_stats = _function(_waiting, "client_stats", NativeResult, c_void_p)

blocklist_add = _function(_waiting, "blocklist_add", NativeResult, *_call)
blocklist_delete = _function(_waiting, "blocklist_delete", NativeResult, *_call)
blocklist_check = _function(_waiting, "blocklist_check", NativeResult, *_call, c_int32)
blocklist_get = _function(_waiting, "blocklist_get", NativeResult, c_void_p, c_char_p, c_uint32, c_uint32)
client_call = _function(_waiting, "client_call", NativeResult, c_void_p, c_char_p, c_char_p)

# The tag, and where the reason goes when the call is not accepted.
_handed_over = (c_uint64, POINTER(NativeResult))
blocklist_add_async = _function(_instant, "blocklist_add_async", c_int32, *_call, *_handed_over)
blocklist_delete_async = _function(_instant, "blocklist_delete_async", c_int32, *_call, *_handed_over)
blocklist_check_async = _function(_instant, "blocklist_check_async", c_int32, *_call, c_int32, *_handed_over)
blocklist_get_async = _function(
    _instant, "blocklist_get_async", c_int32, c_void_p, c_char_p, c_uint32, c_uint32, *_handed_over
)
client_submit = _function(
    _instant, "client_submit", c_int32, c_void_p, c_char_p, c_char_p, *_handed_over
)

client_blocked_pairs = _function(
    _waiting,
    "client_blocked_pairs",
    c_int32,
    c_void_p,
    _texts,
    c_size_t,
    POINTER(c_uint32),
    c_size_t,
    POINTER(c_size_t),
)
# Without declared arguments ctypes takes instances of its types as they are, in half of the time. So what
# is asked often has none; its caller has to pass the handle, bytes, and c_size_t for a size.
client_is_blocked = _instant.chatblock_client_is_blocked
client_is_blocked_many = _instant.chatblock_client_is_blocked_many


def _getter(name: str, answer: Any) -> Any:
    getter = _instant[f"chatblock_result_{name}"]
    getter.restype = answer
    return getter


result_status = _getter("status", c_int32)
result_service_code = _getter("service_code", c_int32)
result_retryable = _getter("retryable", c_int32)
result_message = _getter("message", c_char_p)
result_json = _getter("json", c_char_p)
result_tag = _getter("tag", c_uint64)
result_command = _getter("command", c_char_p)
result_from_account = _getter("from_account", c_char_p)
result_item_count = _getter("item_count", c_size_t)
result_item_account = _getter("item_account", c_char_p)
result_item_status = _getter("item_status", c_int32)
result_item_code = _getter("item_code", c_int32)
result_item_relation = _getter("item_relation", c_int32)
result_item_time = _getter("item_time", c_int64)
result_next_index = _getter("next_index", c_uint32)
result_usersig = _getter("usersig", c_char_p)

usersig_generate = _function(
    _instant, "usersig_generate", NativeResult, c_uint32, c_char_p, c_char_p, c_uint32
)
usersig_verify = _function(_instant, "usersig_verify", NativeResult, c_uint32, c_char_p, c_char_p, c_char_p)
