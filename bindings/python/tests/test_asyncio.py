"""Calls of event loops."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from services import Silence, eventually, remote

import chatblock
from chatblock import CheckType, Client, Relation, Result, Status, _border, _session
from chatblock import _native as native

_CALLS = 1000
_BEAT_S = 0.01


async def _beat(gaps: list[float]) -> None:
    """Notes how late the loop is, again and again."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(_BEAT_S)
        gaps.append(time.monotonic() - before - _BEAT_S)


def test_the_loop_goes_on_while_1000_calls_wait_for_silence(silence: Silence, report: list[str]) -> None:
    gaps: list[float] = []

    async def wait() -> None:
        heart = asyncio.create_task(_beat(gaps))
        async with Client(remote(silence.base_url)) as client:
            calls = [asyncio.create_task(client.add_async(f"owner{n}", "bob")) for n in range(_CALLS)]
            await asyncio.sleep(3.0)
            assert not any(call.done() for call in calls)
            assert client.stats()["calls"]["total"]["pending"] == _CALLS
            for call in calls[::2]:
                call.cancel()
            await asyncio.wait(calls[::2])
        ends = await asyncio.gather(*calls, return_exceptions=True)
        heart.cancel()
        kinds = [asyncio.CancelledError, chatblock.ClosedError] * (_CALLS // 2)
        assert [type(end) for end in ends] == kinds

    asyncio.run(wait())
    worst = max(gaps)
    report.append(f"heartbeat: worst gap {worst * 1000:.0f} ms")
    assert len(gaps) > 100
    assert worst < 1.0


def test_completions_that_rush_in_are_taken_in_many_turns_of_the_loop(client: Client) -> None:
    async def rush() -> int:
        calls = [asyncio.create_task(client.add_async(f"owner{n % 100}", f"a{n}")) for n in range(10_000)]
        await asyncio.sleep(0)
        client.flush(60.0)
        assert client.stats()["queue"]["completions"] == len(calls)
        turns = 0
        while not all(call.done() for call in reversed(calls)):
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert asyncio.run(rush()) >= 10


def test_a_large_result_is_read_beside_the_loop(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    readers = []

    def read(answer: native.NativeResult) -> Result:
        readers.append(threading.current_thread())
        return _border.read(answer)

    monkeypatch.setattr(_session, "read", read)

    async def ask() -> None:
        for count in (10, 5000):
            result = await client.check_async("ann", [f"a{n}" for n in range(count)])
            assert len(result.items) == count

    asyncio.run(ask())
    assert [reader is threading.main_thread() for reader in readers] == [True, False]


def test_every_call_has_a_coroutine(client: Client) -> None:
    async def use() -> None:
        assert (await client.add_async("ann", ["bob", "cem"])).status is Status.OK
        assert (await client.delete_async("ann", "cem")).command == "black_list_delete"
        assert (await client.get_async("ann")).items[0].account == "bob"
        checked = await client.check_async("ann", "bob", CheckType.BOTH)
        assert checked.items[0].relation is Relation.A_WITH_B
        request = '{"From_Account":"ann","StartIndex":0,"MaxLimited":9,"LastSequence":0}'
        called = await client.call_async("black_list_get", request)
        assert [item.account for item in called.items] == ["bob"]
        await client.flush_async(10.0)
        with pytest.raises(chatblock.Error) as caught:
            await client.sync_async(10.0)
        assert caught.value.status is Status.ERR_UNSUPPORTED

    asyncio.run(use())


def test_a_refusal_of_the_service_is_raised_where_it_is_awaited(client: Client) -> None:
    with pytest.raises(chatblock.ServiceError) as caught:
        asyncio.run(client.add_async("ann", "ann"))
    assert caught.value.result.items[0].code == 30001


def test_a_call_that_is_not_accepted_is_raised_at_once(client: Client) -> None:
    with pytest.raises(chatblock.ArgumentError):
        asyncio.run(client.add_async("ann", []))
    with pytest.raises(chatblock.ArgumentError):
        asyncio.run(client.call_async("black_list_add", {"From_Account": "ann"}))


def test_a_full_queue_is_a_busy_error(silence: Silence) -> None:
    async def fill() -> None:
        async with Client(remote(silence.base_url, queue={"max_calls": 2})) as client:
            calls = [asyncio.create_task(client.add_async("ann", f"a{n}")) for n in range(3)]
            done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            assert [type(call.exception()) for call in done] == [chatblock.BusyError]
        ends = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(end) for end in ends[:2]] == [chatblock.ClosedError] * 2

    asyncio.run(fill())


def test_loops_in_many_threads_each_get_their_own_completions(client: Client) -> None:
    async def block(owner: str) -> list[Result]:
        return await asyncio.gather(*(client.add_async(owner, f"a{n}") for n in range(200)))

    def run(owner: str) -> None:
        results = asyncio.run(asyncio.wait_for(block(owner), 60))
        assert [(r.owner, r.items[0].account) for r in results] == [
            (owner, f"a{n}") for n in range(200)
        ]

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(run, f"owner{n}") for n in range(16)]:
            done.result()


def test_loops_that_come_and_go_leave_no_descriptor_behind(client: Client) -> None:
    asyncio.run(client.add_async("ann", "bob"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        asyncio.run(client.add_async("ann", "bob"))
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_loop_that_ended_with_calls_under_way_disturbs_no_later_loop(silence: Silence) -> None:
    async def leave(client: Client) -> None:
        call = asyncio.create_task(client.add_async("ann", "bob"))
        await asyncio.sleep(0.05)
        call.cancel()

    async def wait(client: Client) -> None:
        with pytest.raises(chatblock.TimeoutError):
            await client.add_async("eve", "bob")

    config = remote(silence.base_url, attempt_ms=300, call_ms=600)
    with Client(config) as client:
        for _ in range(3):
            asyncio.run(leave(client))
            asyncio.run(wait(client))
        eventually(lambda: client.stats()["queue"]["calls"] == 0)
        client.take_replayed()
        assert client.stats()["queue"]["completions"] == 0


def test_a_cancelled_task_takes_its_call_back(silence: Silence) -> None:
    async def cancel() -> None:
        async with Client(remote(silence.base_url, connections=1)) as client:
            sent = asyncio.create_task(client.add_async("ann", "bob"))
            while client.stats()["queue"]["in_flight"] == 0:
                await asyncio.sleep(0.01)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.add_async("eve", "bob"), 0.05)
            assert client.stats()["calls"]["add"]["cancelled"] == 1
            assert not sent.done()
        with pytest.raises(chatblock.ClosedError):
            await sent

    asyncio.run(cancel())


def test_calls_end_when_the_library_met_a_bug(silence: Silence, monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait() -> None:
        async with Client(remote(silence.base_url)) as client:
            call = asyncio.create_task(client.add_async("ann", "bob"))
            await asyncio.sleep(0.05)
            # A client that met a bug is readable, has no completion, and says so when it is asked to flush.
            monkeypatch.setattr(native, "client_poll", lambda *_: native.NativeResult())
            monkeypatch.setattr(native, "client_flush", lambda *_: Status.ERR_PANIC)
            client._session.take(asyncio.get_running_loop())
            with pytest.raises(chatblock.Error) as caught:
                await asyncio.wait_for(call, 10)
            assert caught.value.status is Status.ERR_PANIC

    asyncio.run(wait())
