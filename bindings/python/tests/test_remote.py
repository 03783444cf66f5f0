"""Clients of a service on this machine."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from services import eventually, remote, serving

import chatblock
from chatblock import Client, Status

# Nobody listens there: ports below 1024 are not given out.
_NOBODY = "http://127.0.0.1:9"


def test_a_call_is_answered_by_the_service(service: str) -> None:
    with Client(remote(service)) as client:
        assert client.add("ann", "bob").items[0].status is Status.OK
        assert client.add("ann", "bob").items[0].status is Status.UNCHANGED


def test_an_owner_is_unknown_until_it_is_watched(service: str) -> None:
    with Client(remote(service)) as client:
        client.add("ann", "bob")
        assert client.is_blocked("ann", "bob") is None
        assert client.is_blocked_many(["ann"], "bob") == [None]
        assert client.blocked_pairs(["ann", "bob"]).unknown == 2
        client.watch("ann")
        eventually(lambda: client.is_blocked("ann", "bob") is not None)
        assert client.is_blocked("ann", "bob") is True
        assert client.is_blocked("ann", "eve") is False
        client.unwatch("ann")


def test_a_service_that_is_not_there_is_a_network_error_and_nothing_was_sent() -> None:
    with Client(remote(_NOBODY, retry={"attempts": 1})) as client:
        with pytest.raises(chatblock.NetworkError) as caught:
            client.add("ann", "bob")
        assert caught.value.status is Status.ERR_CONNECT
        with pytest.raises(chatblock.NetworkError):
            asyncio.run(client.add_async("ann", "bob"))


def test_a_write_that_is_on_disk_and_not_answered_is_queued(tmp_path: Path) -> None:
    outbox = {"path": str(tmp_path / "outbox.db")}
    with Client(remote(_NOBODY, call_ms=3000, outbox=outbox)) as client:
        with pytest.raises(chatblock.QueuedError) as caught:
            client.add("ann", "bob")
        assert caught.value.status is Status.ERR_QUEUED
        assert not caught.value.retryable


def _webhook(token: str) -> tuple[str, bytes]:
    command = "Sns.CallbackBlackListAdd"
    at = str(int(time.time()))
    sign = hashlib.sha256((token + at).encode()).hexdigest()
    query = {"SdkAppid": "1400000001", "CallbackCommand": command, "RequestTime": at, "Sign": sign}
    pairs = [{"From_Account": "ann", "To_Account": "bob"}]
    return urlencode(query), json.dumps({"CallbackCommand": command, "PairList": pairs}).encode()


def test_a_signed_webhook_is_applied(service: str) -> None:
    with Client(remote(service, webhook={"token": "right"})) as client:
        result = client.apply_webhook(*_webhook("right"))
        assert json.loads(result.json)["ActionStatus"] == "OK"
        assert client.stats()["webhooks"]["accepted"] == 1


def test_a_forged_webhook_is_a_signature_error_with_the_answer_to_give(service: str) -> None:
    with Client(remote(service, webhook={"token": "right"})) as client:
        with pytest.raises(chatblock.SignatureError) as caught:
            client.apply_webhook(*_webhook("wrong"))
        assert json.loads(caught.value.result.json)["ActionStatus"] == "FAIL"


@pytest.mark.parametrize("taken_by", ["hand", "loop", "close"])
def test_a_write_of_an_earlier_client_that_is_refused_is_told(tmp_path: Path, taken_by: str) -> None:
    outbox = {"path": str(tmp_path / "outbox.db")}

    async def leave() -> None:
        async with Client(remote(_NOBODY, outbox=outbox)) as client:
            asyncio.create_task(client.add_async("ann", "bob")).add_done_callback(
                lambda call: call.exception()
            )
            await asyncio.sleep(0)
            await client.sync_async(10.0)

    asyncio.run(leave())
    with serving(tmp_path, {"accounts": "imported"}) as url:
        client = Client(remote(url, outbox=outbox))
        eventually(lambda: client.stats()["queue"]["completions"] == 1)
        if taken_by == "loop":
            with pytest.raises(chatblock.ServiceError):
                asyncio.run(client.add_async("eve", "bob"))
        if taken_by == "close":
            client.close()
        (refused,) = client.take_replayed()
        assert (refused.owner, refused.service_code) == ("ann", 30003)
        assert [item.account for item in refused.items] == ["bob"]
        assert client.take_replayed() == []
        client.close()
