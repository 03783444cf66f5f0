"""The steps of the shared scenario; bindings/README.md says what each of them does."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chatblock
from chatblock import CheckType, Client, Error, Result, Status
from chatblock import _native as native

Step = dict[str, Any]

_PAGE = 300
_ANSWERS = {True: "YES", False: "NO", None: "UNKNOWN"}


def load() -> list[Step]:
    file = Path(__file__).parents[2] / "scenario.json"
    steps: list[Step] = json.loads(file.read_text("utf-8"))["steps"]
    return steps


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def expect_json(wanted: Any, found: Any) -> None:
    """The same, where "<any>" stands for anything."""
    if wanted == "<any>":
        return
    if isinstance(wanted, dict) and isinstance(found, dict):
        assert wanted.keys() == found.keys()
        for key in wanted:
            expect_json(wanted[key], found[key])
    elif isinstance(wanted, list) and isinstance(found, list):
        assert len(wanted) == len(found)
        for one, other in zip(wanted, found):
            expect_json(one, other)
    else:
        assert wanted == found


def expect_result(expect: Step, result: Result) -> None:
    found = {
        "status": result.status.name,
        "service_code": result.service_code,
        "retryable": result.retryable,
        "command": result.command,
        "from": result.owner,
        "next_index": result.next_index,
        "items": [[i.account, i.status.name, i.code, i.relation.name] for i in result.items],
    }
    for member in expect.keys() & found.keys():
        assert found[member] == expect[member], member
    if "json" in expect:
        expect_json(expect["json"], json.loads(result.json))
    assert expect.get("message_has", "") in result.message
    if expect.get("timed"):
        assert all(abs(item.time - time.time()) < 60 for item in result.items)


class Scenario:
    """One method for each kind of step."""

    client: Client

    def go(self, step: Step) -> None:
        method: Callable[[Step, Step], None] = getattr(self, f"do_{step['do']}")
        method(step, step.get("expect", {}))

    def do_version(self, _: Step, expect: Step) -> None:
        assert chatblock.version().startswith(expect["starts_with"])

    def do_open(self, step: Step, _: Step) -> None:
        self.client = Client(step["config"])

    def do_open_fails(self, step: Step, expect: Step) -> None:
        self._fails(expect, lambda: Client(step["config"]))

    def _fails(self, expect: Step, call: Callable[[], object]) -> Error:
        with pytest.raises(Error) as caught:
            call()
        expect_result(expect, caught.value.result)
        return caught.value

    def _answers(self, expect: Step, call: Callable[[], Result]) -> None:
        if Status[expect["status"]] < 0:
            self._fails(expect, call)
        else:
            expect_result(expect, call())

    def do_add(self, step: Step, expect: Step) -> None:
        self._answers(expect, lambda: self.client.add(step["from"], step["to"]))

    def do_delete(self, step: Step, expect: Step) -> None:
        self._answers(expect, lambda: self.client.delete(step["from"], step["to"]))

    def do_check(self, step: Step, expect: Step) -> None:
        kind = CheckType[step["type"]]
        self._answers(expect, lambda: self.client.check(step["from"], step["to"], kind))

    def do_get(self, step: Step, expect: Step) -> None:
        self._answers(expect, lambda: self.client.get(step["from"], step["start"], step["max"]))

    def do_call(self, step: Step, expect: Step) -> None:
        self._answers(expect, lambda: self.client.call(step["command"], step["request"]))

    def do_is_blocked(self, step: Step, expect: Step) -> None:
        if "status" in expect:
            self._fails(expect, lambda: self.client.is_blocked(step["owner"], step["peer"]))
        else:
            assert _ANSWERS[self.client.is_blocked(step["owner"], step["peer"])] == expect["answer"]

    def do_is_blocked_many(self, step: Step, expect: Step) -> None:
        answers = self.client.is_blocked_many(step["owners"], step["peer"])
        assert [_ANSWERS[answer] for answer in answers] == expect["answers"]

    def do_blocked_pairs(self, step: Step, expect: Step) -> None:
        found = self.client.blocked_pairs(step["accounts"])
        assert sorted(found.pairs) == sorted(map(tuple, expect["pairs"]))
        assert found.unknown == expect["unknown"]

    def do_bad_value(self, step: Step, _: Step) -> None:
        arguments: Step = {
            "owner": "ann", "targets": ["bob", "cem"], "owners": ["ann", "bob"], "peer": "bob",
            "accounts": ["ann", "bob"],
        }
        name = step["argument"]
        if "index" in step:
            arguments[name][step["index"]] = step["value"]
            name = f"{name}[{step['index']}]"
        else:
            arguments[name] = step["value"]
        method = getattr(self.client, step["function"])
        wanted = [name for name in method.__code__.co_varnames[: method.__code__.co_argcount] if name in arguments]
        with pytest.raises(TypeError) as caught:
            method(*(arguments[argument] for argument in wanted))
        message = str(caught.value)
        assert message.startswith(f"{name} must be ")
        assert "evil" not in message and "sequence item" not in message

    def do_watch(self, step: Step, _: Step) -> None:
        self.client.watch(step["owners"])

    def do_unwatch(self, step: Step, _: Step) -> None:
        self.client.unwatch(step["owners"])

    def _block_many(self, step: Step) -> list[asyncio.Task[Result]]:
        calls = (self.client.add_async(step["from"], f"t{i}") for i in range(step["count"]))
        return [asyncio.ensure_future(call) for call in calls]

    def do_async(self, step: Step, expect: Step) -> None:
        async def block() -> list[Result]:
            return await asyncio.gather(*self._block_many(step))

        for number, result in enumerate(asyncio.run(block())):
            assert [item.account for item in result.items] == [f"t{number}"]
            assert result.status.name == expect["status"]
        page = self.client.get(step["from"], 0, _PAGE)
        listed = list(page.items)
        while page.next_index:
            page = self.client.get(step["from"], page.next_index, _PAGE)
            listed += page.items
        assert len({item.account for item in listed}) == len(listed) == expect["listed"]

    def do_flush(self, _: Step, __: Step) -> None:
        self.client.flush(60.0)

    def do_sync_fails(self, _: Step, expect: Step) -> None:
        self._fails(expect, lambda: self.client.sync(60.0))

    def do_backup_fails(self, _: Step, expect: Step) -> None:
        self._fails(expect, lambda: self.client.backup("no-copy.db"))

    def do_backup(self, step: Step, expect: Step) -> None:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy.db"
            with Client({"backend": "embedded", "path": f"{folder}/lists.db"}) as store:
                store.add(step["from"], step["to"])
                store.backup(copy)
                self._fails(expect, lambda: store.backup(copy))
            with Client({"backend": "embedded", "path": str(copy)}) as copied:
                assert [item.account for item in copied.get(step["from"]).items] == step["to"]

    def do_cancel(self, step: Step, expect: Step) -> None:
        # Tags are hidden behind the cancelling of tasks.
        assert native.client_cancel(self.client._session.handle, step["tag"]) == expect["cancelled"]

    def do_stats(self, _: Step, expect: Step) -> None:
        document = self.client.stats()
        for path, wanted in expect["has"].items():
            found: Any = document
            for key in path.split("."):
                found = found[key]
            assert found == wanted, path

    def do_usersig(self, step: Step, _: Step) -> None:
        who = (step["sdkappid"], step["key"], step["identifier"])
        chatblock.verify_usersig(*who, chatblock.generate_usersig(*who, step["expire"]))

    def do_usersig_fails(self, step: Step, expect: Step) -> None:
        who = (step["sdkappid"], step["key"], step["identifier"])
        self._fails(expect, lambda: chatblock.verify_usersig(*who, step["usersig"]))

    def do_webhook(self, step: Step, expect: Step) -> None:
        error = self._fails(expect, lambda: self.client.apply_webhook(step["query"], step["body"]))
        assert error.result.json

    def do_many_results(self, step: Step, _: Step) -> None:
        before = 0
        for number in range(step["count"]):
            if number == 1000:
                before = resident_bytes()
            self.client.check(step["from"], "bob")
        assert resident_bytes() - before < step["max_growth_mib"] << 20

    def do_submit_and_close(self, step: Step, _: Step) -> None:
        async def leave() -> list[Result | BaseException]:
            calls = self._block_many(step)
            await asyncio.sleep(0)
            await self.client.close_async(5.0)
            return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 60)

        ends = asyncio.run(leave())
        assert len(ends) == step["count"]
        assert all(isinstance(end, (Result, chatblock.ClosedError)) for end in ends)

    def do_after_close(self, _: Step, __: Step) -> None:
        client = self.client
        calls: list[Callable[[], object]] = [
            lambda: client.add("ann", "bob"),
            lambda: client.delete("ann", "bob"),
            lambda: client.check("ann", "bob"),
            lambda: client.get("ann"),
            lambda: client.call("black_list_get", "{}"),
            lambda: client.is_blocked("ann", "bob"),
            lambda: client.is_blocked_many(["ann"], "bob"),
            lambda: client.blocked_pairs(["ann", "bob"]),
            lambda: client.watch("ann"),
            lambda: client.unwatch("ann"),
            lambda: asyncio.run(client.add_async("ann", "bob")),
            lambda: asyncio.run(client.delete_async("ann", "bob")),
            lambda: asyncio.run(client.check_async("ann", "bob")),
            lambda: asyncio.run(client.get_async("ann")),
            lambda: client.flush(0.0),
            lambda: client.sync(0.0),
            lambda: client.backup("copy.db"),
            lambda: asyncio.run(client.backup_async("copy.db")),
            lambda: client.stats(),
            lambda: client.apply_webhook("", b"{}"),
        ]
        for call in calls:
            with pytest.raises(chatblock.ClosedError):
                call()
        assert client.close()
