"""A client that is closed, dropped, or used elsewhere meanwhile."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from services import Silence, eventually, remote

import chatblock
from chatblock import Client


def test_a_closed_client_says_so() -> None:
    client = Client({})
    assert (client.closed, repr(client)) == (False, "<chatblock.Client open>")
    assert client.close()
    assert (client.closed, repr(client)) == (True, "<chatblock.Client closed>")
    assert client.close()


@pytest.mark.parametrize("round_", range(20))
def test_closing_under_calls_of_many_threads_ends_each_with_closed(round_: int) -> None:
    client = Client({})
    ending = client._session.handle.ending
    calls: list[Callable[[], object]] = [
        lambda: client.is_blocked("ann", "bob"),
        lambda: client.is_blocked_many(["ann"] * 64, "bob"),
        lambda: client.blocked_pairs(["ann", "bob"]),
        lambda: client.add("ann", "bob"),
        lambda: client.get("ann"),
        lambda: client.stats(),
        lambda: client.watch("ann"),
        lambda: asyncio.run(client.add_async("ann", "bob")),
    ]
    begun = threading.Barrier(len(calls) + 1)

    def repeat(call: Callable[[], object]) -> None:
        begun.wait()
        with pytest.raises(chatblock.ClosedError):
            while True:
                call()

    with ThreadPoolExecutor(len(calls)) as pool:
        running = [pool.submit(repeat, call) for call in calls]
        begun.wait()
        time.sleep(0.005 * round_)
        client.close(30.0)
        assert ending.over.is_set()
        for done in running:
            done.result(30.0)


def test_coroutines_under_way_end_with_closed(silence: Silence) -> None:
    async def leave() -> None:
        client = Client(remote(silence.base_url))
        calls = [asyncio.create_task(client.add_async(f"owner{n}", "bob")) for n in range(100)]
        await asyncio.sleep(0.1)
        assert not await client.close_async(1.0), "work was dropped"
        ends = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 5)
        assert [type(end) for end in ends] == [chatblock.ClosedError] * 100

    asyncio.run(leave())


def test_what_was_answered_before_closing_is_told_as_answered(client: Client) -> None:
    async def leave() -> None:
        calls = [asyncio.create_task(client.add_async("ann", f"a{n}")) for n in range(100)]
        await asyncio.sleep(0)
        client.flush(30.0)
        client.close()
        assert len(await asyncio.gather(*calls)) == 100

    asyncio.run(leave())


def test_a_blocking_call_under_way_holds_up_closing_no_longer_than_asked(silence: Silence) -> None:
    client = Client(remote(silence.base_url, attempt_ms=1000, call_ms=1500))
    ending = client._session.handle.ending
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.add, "ann", "bob")
        eventually(lambda: client.stats()["queue"]["in_flight"] == 1)
        before = time.monotonic()
        assert not client.close(0.2)
        assert time.monotonic() - before < 1.0
        assert not ending.over.is_set()
        with pytest.raises(chatblock.TimeoutError):
            call.result(30.0)
        assert ending.over.wait(30.0), "the call that was inside has closed the client"


def test_a_dropped_client_is_closed_and_warned_about() -> None:
    client = Client({})
    ending = client._session.handle.ending
    with pytest.warns(ResourceWarning, match="unclosed"):
        del client
        gc.collect()
    assert ending.over.is_set()


def test_a_client_that_is_dropped_beside_a_running_loop_is_closed() -> None:
    async def drop() -> None:
        client = Client({})
        ending = client._session.handle.ending
        await client.add_async("ann", "bob")
        with pytest.warns(ResourceWarning, match="unclosed"):
            del client
        assert ending.over.is_set(), "a loop without calls under way holds nothing"

    asyncio.run(drop())


def test_a_client_in_a_traceback_is_closed_all_the_same() -> None:
    client = Client({})
    ending = client._session.handle.ending
    with pytest.raises(chatblock.ServiceError) as kept:
        client.add("ann", "ann")
    assert client.close()
    assert ending.over.is_set()
    assert kept.traceback


def _python(code: str) -> subprocess.CompletedProcess[str]:
    source = Path(chatblock.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-X", "dev", "-c", f"import chatblock, os\n{code}"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_program_may_end_with_an_open_client() -> None:
    done = _python(
        "import asyncio\n"
        "client = chatblock.Client({})\n"
        "asyncio.run(client.add_async('ann', 'bob'))\n"
        "print('end')"
    )
    assert (done.returncode, done.stdout) == (0, "end\n")
    assert "Exception ignored" not in done.stderr


def test_a_program_may_end_while_a_thread_is_inside(silence: Silence) -> None:
    done = _python(
        "import threading, time\n"
        f"client = chatblock.Client({remote(silence.base_url)!r})\n"
        "threading.Thread(target=client.add, args=('ann', 'bob'), daemon=True).start()\n"
        "time.sleep(0.2)\nprint('end')"
    )
    assert (done.returncode, done.stdout) == (0, "end\n")


def test_a_forked_child_is_refused_and_does_the_parent_no_harm() -> None:
    done = _python(
        "client = chatblock.Client({})\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n"
        "        client.add('ann', 'bob')\n"
        "    except chatblock.Error as error:\n"
        "        print(error.status.name, client.close(), flush=True)\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "print(client.add('ann', 'bob').status.name, client.close())"
    )
    assert (done.returncode, done.stdout) == (0, "ERR_FORKED True\nOK True\n"), done.stderr
