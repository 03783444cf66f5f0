"""The client: blocking calls, the same as coroutines, and the hot path."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from . import _native as native
from ._border import Accounts, encoded, names, read, seconds, text, unsigned
from ._errors import argument_error, error_of
from ._session import Session, elsewhere
from ._values import BlockedPairs, CheckType, Result, Status

_UNKNOWN = int(Status.ERR_UNKNOWN)

# Answers of the hot path as they come: 1, 0 and ERR_UNKNOWN as a byte.
_ANSWERS: dict[int, bool | None] = {1: True, 0: False, _UNKNOWN & 0xFF: None}

# Room for pairs at first; more is made when they are more.
_PAIRS = 256


class Client:
    """Blocklists behind one handle: opened once, used by any number of threads and event loops, closed once.

    `config` is a mapping, or the same as JSON text; `{}` is the engine inside this process, in memory.
    docs/configuration.md of chatblock lists every key. Unknown keys are errors. Prefer `secret_key_file` or
    `secret_key_env` to a key in the program. Opening waits while a durable store is read. Raises
    `ConfigError` or `StorageError`.

    A call takes one account or an iterable of up to 100,000, each 1 to 32 bytes of UTF-8 without a NUL.
    Calls raise `ServiceError`, `NetworkError`, `TimeoutError`, `QueuedError`, `BusyError`, `StorageError`,
    `ArgumentError` or `ClosedError`; a call that was done for some accounts only returns, with
    `Status.PARTIAL`, and its items say for which. Repeating a call is safe, but do not
    repeat what raised `QueuedError`: it is on disk and will be sent.

    A blocking call takes at most `call_ms` of the configuration. Ctrl-C (any exception of a signal handler) ends every
    wait of the main thread at once; what was sent goes on, and a write may have happened.
    Names that end in `_async` are coroutines: a cancelled one is taken back when it was not sent yet, else
    it may have happened. A client works only in the process that opened it.
    """

    __slots__ = ("__weakref__", "_session")

    def __init__(self, config: Mapping[str, Any] | str) -> None:
        document = config if isinstance(config, str) else json.dumps(config)
        why = native.NativeResult()
        handle = elsewhere(native.client_open, text(document, "config"), ctypes.byref(why))
        if not handle:
            raise error_of(read(why))
        self._session = Session(handle)

    @classmethod
    async def open_async(cls, config: Mapping[str, Any] | str) -> Client:
        """Open a client in another thread, for a durable store that takes a while to read."""
        return await asyncio.to_thread(cls, config)

    def __repr__(self) -> str:
        return f"<chatblock.Client {'closed' if self.closed else 'open'}>"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close_async()

    def __del__(self) -> None:
        if hasattr(self, "_session") and not self.closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return not self._session.handle

    def close(self, timeout: float | None = 2.0) -> bool:
        """End the client: refuse new calls and end the coroutines under way with `ClosedError`.

        Waits up to `timeout` seconds (None: without limit) for blocking calls in other threads and for the
        network; what is left then ends by itself. False when work was dropped or is left: call `flush`
        before, to let it finish. With an outbox, writes are recorded first. Closing twice does nothing.
        """
        return self._session.close(seconds(timeout, "timeout"))

    async def close_async(self, timeout: float | None = 2.0) -> bool:
        """`close`, in another thread."""
        return await asyncio.to_thread(self.close, timeout)

    def add(self, owner: str, targets: Accounts) -> Result:
        """Block: `owner` no longer wants to hear `targets`.

        An account that is blocked already counts as done, with `Status.UNCHANGED`.
        """
        return self._session.call(
            native.blocklist_add, text(owner, "owner"), *names(targets, "targets")
        )

    async def add_async(self, owner: str, targets: Accounts) -> Result:
        """Block, without waiting; writes of one owner keep their order."""
        return await self._session.submit(
            native.blocklist_add_async, text(owner, "owner"), *names(targets, "targets")
        )

    def delete(self, owner: str, targets: Accounts) -> Result:
        """Unblock. An account that is not blocked counts as done, with `Status.UNCHANGED`."""
        return self._session.call(
            native.blocklist_delete, text(owner, "owner"), *names(targets, "targets")
        )

    async def delete_async(self, owner: str, targets: Accounts) -> Result:
        """Unblock, without waiting."""
        return await self._session.submit(
            native.blocklist_delete_async,
            text(owner, "owner"),
            *names(targets, "targets"),
        )

    def get(self, owner: str, start_index: int = 0, limit: int = 1000) -> Result:
        """Read one page of a list, oldest entry first: at most `limit` (1 to 1000) from `start_index`.

        Go on with `next_index` of the result until it is 0.
        """
        return self._session.call(
            native.blocklist_get,
            text(owner, "owner"),
            unsigned(start_index, "start_index"),
            unsigned(limit, "limit"),
        )

    async def get_async(self, owner: str, start_index: int = 0, limit: int = 1000) -> Result:
        """Read one page of a list, without waiting."""
        return await self._session.submit(
            native.blocklist_get_async,
            text(owner, "owner"),
            unsigned(start_index, "start_index"),
            unsigned(limit, "limit"),
        )

    def check(
        self, owner: str, targets: Accounts, check_type: CheckType = CheckType.SINGLE
    ) -> Result:
        """Ask who blocks whom: each item has the relation of `owner` (A) and its account (B).

        It sees every write of `owner` that was accepted before.
        """
        return self._session.call(
            native.blocklist_check,
            text(owner, "owner"),
            *names(targets, "targets"),
            unsigned(check_type, "check_type"),
        )

    async def check_async(
        self, owner: str, targets: Accounts, check_type: CheckType = CheckType.SINGLE
    ) -> Result:
        """Ask who blocks whom, without waiting."""
        return await self._session.submit(
            native.blocklist_check_async,
            text(owner, "owner"),
            *names(targets, "targets"),
            unsigned(check_type, "check_type"),
        )

    def call(self, command: str, request: Mapping[str, Any] | str) -> Result:
        """Make one call with the service's own request, as a mapping or JSON text; at most 1000 accounts.

        `command` is `black_list_add`, `black_list_delete`, `black_list_get` or `black_list_check`.
        """
        return self._session.call(native.client_call, text(command, "command"), _document(request))

    async def call_async(self, command: str, request: Mapping[str, Any] | str) -> Result:
        """Make one call with the service's own request, without waiting."""
        return await self._session.submit(native.client_submit, text(command, "command"), _document(request))

    def take_replayed(self) -> list[Result]:
        """Take the writes of an earlier process that the service has refused since they were replayed.

        For a client with `outbox.path`: what a process left there is sent when the file is opened again,
        and nobody awaits it any more. Never waits; ask now and then, and after `close` for the last ones.
        """
        return self._session.take_replayed()

    def flush(self, timeout: float | None) -> None:
        """Wait up to `timeout` seconds (None: without limit) until all calls accepted before are done.

        Raises `TimeoutError` when work is left; it goes on.
        """
        self._session.wait(native.client_flush, seconds(timeout, "timeout"))

    async def flush_async(self, timeout: float | None) -> None:
        """`flush`, in another thread."""
        await asyncio.to_thread(self.flush, timeout)

    def sync(self, timeout: float | None) -> None:
        """Wait up to `timeout` seconds (None: without limit) until all writes accepted before are on disk.

        Raises `TimeoutError` when work is left, `StorageError`, and `Error` with `ERR_UNSUPPORTED` without
        `path` or `outbox.path`.
        """
        self._session.wait(native.client_sync, seconds(timeout, "timeout"))

    async def sync_async(self, timeout: float | None) -> None:
        """`sync`, in another thread."""
        await asyncio.to_thread(self.sync, timeout)

    def is_blocked(self, owner: str, peer: str) -> bool | None:
        """Does `owner` block `peer`? From memory, without waiting. None: nothing is known of the owner.

        The embedded engine knows everybody. On the remote backend an owner is known after `watch` has read
        the list. None is never "no": deliver and `watch`, or ask with a `check`.
        """
        # As `text`, which says what is wrong, but without its calls: they take half as long as the library.
        try:
            owner_text, peer_text = str.encode(owner), str.encode(peer)
            is_sound = not ("\0" in owner or "\0" in peer)
        except (TypeError, UnicodeEncodeError):
            is_sound = False
        if not is_sound:
            owner_text, peer_text = text(owner, "owner"), text(peer, "peer")
        answer = native.client_is_blocked(self._session.handle, owner_text, peer_text)
        if answer >= 0:
            return bool(answer)
        if answer == _UNKNOWN:
            return None
        if answer == Status.ERR_ARGUMENT and not self.closed:
            raise argument_error("owner or peer is empty or longer than 32 bytes")
        raise self._session.refusal(answer)

    def is_blocked_many(self, owners: Accounts, peer: str) -> list[bool | None]:
        """Which of `owners` block `peer`, in their order? Faster than one by one; None as in `is_blocked`."""
        texts, count = names(owners, "owners")
        answers = bytearray(count)
        place = (ctypes.c_char * count).from_buffer(answers)
        status = native.client_is_blocked_many(
            self._session.handle, texts, ctypes.c_size_t(count), text(peer, "peer"), place
        )
        if status < 0:
            raise self._session.refusal(status)
        try:
            return [_ANSWERS[answer] for answer in answers]
        except KeyError:
            index = next(index for index, answer in enumerate(answers) if answer not in _ANSWERS)
            raise argument_error(f"owners[{index}] is empty or longer than 32 bytes") from None

    def blocked_pairs(self, accounts: Accounts) -> BlockedPairs:
        """Which of these accounts (1 to 10,000) block which: may they share a match?"""
        texts, count = names(accounts, "accounts")
        unknown = ctypes.c_size_t()
        capacity = _PAIRS
        while True:
            room = (ctypes.c_uint32 * (2 * capacity))()
            found = native.client_blocked_pairs(
                self._session.opened(), texts, count, room, capacity, ctypes.byref(unknown)
            )
            if found < 0:
                raise self._session.refusal(found)
            if found <= capacity:
                indices = iter(room[: 2 * found])
                return BlockedPairs(list(zip(indices, indices)), unknown.value)
            capacity = found

    def watch(self, owners: Accounts) -> None:
        """Know these owners from now on, such as players who log in, for `is_blocked`.

        Returns at once; their lists are read in the background, again and again.
        """
        self._session.tell(native.client_watch, *names(owners, "owners"))

    def unwatch(self, owners: Accounts) -> None:
        """Let go of owners, such as players who log out."""
        self._session.tell(native.client_unwatch, *names(owners, "owners"))

    def apply_webhook(self, query: str, body: bytes | str) -> Result:
        """Take a webhook of the service: verify it and learn from it, for `is_blocked`.

        `query` is what stands after the question mark. Answer the service with HTTP status 200 and the
        `json` of the result as body, in every case: an error's `result` has it too. Raises
        `SignatureError`, `ArgumentError` (not a webhook of a blocklist), or another `Error`; nothing was
        learned then.
        """
        if not isinstance(body, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"body must be str or bytes, not {type(body).__name__}")
        content = encoded(body, "body") if isinstance(body, str) else bytes(body)
        return self._session.call(native.client_apply_webhook, text(query, "query"), content, len(content))

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the durable store (`path`) or the outbox (`outbox.path`) to a new file while the client goes on.

        Waits until the copy is on disk. Raises `StorageError` when something is at `path` already or the disk
        fails, and `Error` with `ERR_UNSUPPORTED` where nothing is on disk; there is no copy then.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"path must be str or os.PathLike, not {type(path).__name__}")
        self._session.long_call(native.client_backup, text(os.fspath(path), "path"))

    async def backup_async(self, path: str | os.PathLike[str]) -> None:
        """`backup`, in another thread."""
        await asyncio.to_thread(self.backup, path)

    def stats(self) -> dict[str, Any]:
        """Statistics of the client, taken at one moment; docs/statistics.md of chatblock lists the keys."""
        document: dict[str, Any] = json.loads(self._session.call(native.client_stats).json)
        return document


def _document(request: Mapping[str, Any] | str) -> bytes:
    return text(request if isinstance(request, str) else json.dumps(request), "request")
