"""One open client of the library: calls that wait, calls of event loops, and the end of both.

A call without waiting is known to the library by a tag. Any loop that calls listens to the descriptor of
the client as long as one of its calls is under way, and whichever loop finds a completion hands it to the
loop of its call.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import itertools
import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from . import _native as native
from ._border import read
from ._errors import Error, checked, closed_error, error_of, error_of_status
from ._values import Result, Status

# Seconds for which completions are taken in one go, and items of a result that is read there: with more
# the loop would be held up.
_SLICE_S = 0.005
_FEW_ITEMS = 2000

# Writes of an earlier process carry this tag; those of this one begin at 1.
_REPLAYED = 0


# Seconds for which Ctrl-C may have to wait.
_LOOK_S = 0.1


def elsewhere(function: Any, *arguments: Any) -> Any:
    """What `function` of the library answers, on a thread of its own.

    Python runs the handlers of signals on its main thread, between two steps of it: never while that thread is inside
    the library. So Ctrl-C ends the wait here, and the call goes on there.
    """
    if threading.current_thread() is not threading.main_thread():
        return function(*arguments)
    answers: list[Any] = []
    over = threading.Event()

    def run(*arguments: Any) -> None:
        try:
            answers.append(function(*arguments))
        finally:
            over.set()

    threading.Thread(target=run, args=arguments, name="chatblock-call", daemon=True).start()
    # A traceback of what ends the wait would keep the handle among them alive.
    del arguments
    over.wait()
    return answers.pop()


class _Listener:
    """One event loop that listens; used in the thread of that loop only, but for its end.

    The loop gets a descriptor of its own, which is closed after the loop has let go of it: the number of
    one that is closed too early would soon belong to somebody else.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        self.loop = loop
        self._descriptor = descriptor
        self._calls = 0

    def __del__(self, _close: Callable[[int], None] = os.close) -> None:
        _close(self._descriptor)

    def begin(self, session: Session) -> None:
        if self._calls == 0:
            self.loop.add_reader(self._descriptor, session.take, self.loop)
        self._calls += 1

    def end(self) -> None:
        self._calls -= 1
        if self._calls == 0:
            self.loop.remove_reader(self._descriptor)


class _Waiter:
    """A call under way, and the future that its caller awaits."""

    def __init__(self, listener: _Listener) -> None:
        self.listener = listener
        self.future: asyncio.Future[Result] = listener.loop.create_future()

    def hand(self, result: Result, here: asyncio.AbstractEventLoop | None) -> None:
        """From the thread of the loop `here`, or of none."""
        if here is self.listener.loop:
            self._settle(result)
            return
        # A loop that was closed meanwhile says so: nobody is left there to be told.
        with contextlib.suppress(RuntimeError):
            self.listener.loop.call_soon_threadsafe(self._settle, result)

    def _settle(self, result: Result) -> None:
        self.listener.end()
        if self.future.done():
            return
        if result.status < 0:
            self.future.set_exception(error_of(result))
        else:
            self.future.set_result(result)


class Session:
    """Used by any number of threads and loops at once."""

    def __init__(self, handle: native.NativeClient) -> None:
        handle.ending = native.Ending()
        self.handle = handle
        """Becomes NULL when the client is closed. Put it into a call, never into a variable."""
        self._tags = itertools.count(_REPLAYED + 1)
        self._waiters: dict[int, _Waiter] = {}
        self._listeners: dict[asyncio.AbstractEventLoop, _Listener] = {}
        self._replayed: deque[Result] = deque()
        # Of another service than the engine inside this process, whose calls end at once.
        self._waits = "service" in json.loads(native.result_json(native.client_stats(handle)))

    def opened(self) -> native.NativeClient:
        """The handle, for a call that cannot tell a closed client from a bad argument."""
        handle = self.handle
        if not handle:
            raise closed_error()
        return handle

    def refusal(self, status: int) -> Error:
        """Why a function of the library answered with a negative status."""
        return error_of_status(status) if self.handle else closed_error()

    def call(self, function: Any, *arguments: Any) -> Result:
        """Makes a call that waits for its answer."""
        if self._waits:
            return self.long_call(function, *arguments)
        return checked(read(function(self.opened(), *arguments)))

    def long_call(self, function: Any, *arguments: Any) -> Result:
        """Makes a call that may take long: Ctrl-C ends the wait for it."""
        return checked(read(elsewhere(function, self.opened(), *arguments)))

    def wait(self, function: Any, timeout: float | None) -> None:
        """Waits for what `function` waits for, in slices: between two of them Python sees Ctrl-C."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _LOOK_S if until is None else min(_LOOK_S, until - time.monotonic())
            status = function(self.opened(), native.milliseconds(left))
            if status >= 0:
                return
            if status != Status.ERR_TIMEOUT or (until is not None and time.monotonic() >= until):
                raise error_of_status(status)

    def tell(self, function: Any, *arguments: Any) -> None:
        """Calls a function that answers with a status."""
        status = function(self.opened(), *arguments)
        if status < 0:
            raise error_of_status(status)

    def submit(self, function: Any, *arguments: Any) -> Coroutine[Any, Any, Result]:
        """Hands a call over, and gives what to await for its outcome."""
        waiter = _Waiter(self._listener(asyncio.get_running_loop()))
        waiter.listener.begin(self)
        tag = next(self._tags)
        # First, because closing ends what stands here after it has made the handle NULL.
        self._waiters[tag] = waiter
        why = native.NativeResult()
        status = function(self.handle, *arguments, tag, ctypes.byref(why))
        if status < 0:
            waiter.future.cancel()
            if self._waiters.pop(tag, None) is not None:
                waiter.listener.end()
            raise error_of(read(why)) if self.handle else closed_error()
        return self._outcome(tag, waiter.future)

    async def _outcome(self, tag: int, future: asyncio.Future[Result]) -> Result:
        try:
            return await future
        except asyncio.CancelledError:
            # What is cancelled still completes, and its waiter stands here until then.
            native.client_cancel(self.handle, tag)
            raise

    def take(self, here: asyncio.AbstractEventLoop) -> None:
        """Takes completions: a loop calls this when the descriptor is readable."""
        if not self._take_one(self.handle, here):
            self._end_if_broken()
            return
        until = time.monotonic() + _SLICE_S
        while time.monotonic() < until and self._take_one(self.handle, here):
            pass

    def take_replayed(self) -> list[Result]:
        """The completions of writes of an earlier process, which all have been refused."""
        while self._take_one(self.handle, None):
            pass
        taken: list[Result] = []
        with contextlib.suppress(IndexError):
            while True:
                taken.append(self._replayed.popleft())
        return taken

    def close(self, timeout: float | None) -> bool:
        """Ends everything; whether nothing was dropped or is left behind."""
        handle, self.handle = self.handle, native.NativeClient()
        if not handle:
            return True
        ending = handle.ending
        ending.begin(timeout)
        while self._take_one(handle, None):
            pass
        self._end_waiters(closed_error().result)
        # The last one to let go of it closes it, and waits inside the library.
        held = [handle]
        del handle
        elsewhere(held.clear)
        return ending.over.wait(ending.left()) and ending.clean

    def _listener(self, loop: asyncio.AbstractEventLoop) -> _Listener:
        listener = self._listeners.get(loop)
        if listener is None:
            for other in list(self._listeners):
                if other.is_closed():
                    self._listeners.pop(other, None)
            descriptor = native.client_event_fd(self.handle)
            if descriptor < 0:
                raise self.refusal(descriptor)
            listener = self._listeners[loop] = _Listener(loop, os.dup(descriptor))
        return listener

    def _take_one(self, handle: native.NativeClient, here: asyncio.AbstractEventLoop | None) -> bool:
        completion = native.client_poll(handle, 0)
        if not completion:
            return False
        if here is not None and native.result_item_count(completion) > _FEW_ITEMS:
            threading.Thread(target=self._hand_over, args=(completion, None)).start()
        else:
            self._hand_over(completion, here)
        return True

    def _hand_over(self, completion: native.NativeResult, here: asyncio.AbstractEventLoop | None) -> None:
        tag = native.result_tag(completion)
        result = read(completion)
        waiter = self._waiters.pop(tag, None)
        if waiter is not None:
            waiter.hand(result, here)
        elif tag == _REPLAYED:
            self._replayed.append(result)

    def _end_if_broken(self) -> None:
        """A client that met a bug gives no completions any more, and its descriptor may stay readable."""
        status = native.client_flush(self.handle, 0)
        if status in (Status.ERR_PANIC, Status.ERR_FORKED):
            self._end_waiters(error_of_status(status).result)

    def _end_waiters(self, result: Result) -> None:
        for tag in list(self._waiters):
            waiter = self._waiters.pop(tag, None)
            if waiter is not None:
                waiter.hand(result, None)
