"""Blocking calls, arguments and errors, on the embedded engine."""

from __future__ import annotations

import asyncio
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from scenario import resident_bytes

import chatblock
from chatblock import CheckType, Client, Relation, Status

EMOJI = "🐉🦄🐙🐳🦊🐼🐸🐵"


def test_one_account_may_stand_for_itself(client: Client) -> None:
    assert [item.account for item in client.add("ann", "bob").items] == ["bob"]
    assert client.is_blocked_many("ann", "bob") == [True]


def test_any_iterable_of_accounts_will_do(client: Client) -> None:
    client.add("ann", (f"a{number}" for number in range(3)))
    assert [item.account for item in client.get("ann").items] == ["a0", "a1", "a2"]


def test_partial_is_no_exception(client: Client) -> None:
    result = client.add("ann", ["bob", "ann"])
    assert result.status is Status.PARTIAL
    assert [item.status for item in result.items] == [Status.OK, Status.ERR_SERVICE]


def test_an_error_carries_the_items(client: Client) -> None:
    with pytest.raises(chatblock.ServiceError, match="ann") as caught:
        client.add("ann", ["ann"])
    assert (caught.value.status, caught.value.service_code) == (Status.ERR_SERVICE, 30001)
    assert [item.code for item in caught.value.result.items] == [30001]


def test_quotes_backslashes_and_emoji_go_through_as_json(client: Client) -> None:
    odd = "\"quoted\\back/slash'"
    client.call("black_list_add", {"From_Account": EMOJI, "To_Account": [odd]})
    assert client.is_blocked(EMOJI, odd) is True
    assert client.check(EMOJI, odd, CheckType.BOTH).items[0].relation is Relation.A_WITH_B


@pytest.mark.parametrize("bad", ["bo\0b", "\0", "b\ud800"])
def test_a_text_that_c_would_cut_or_refuse_is_an_argument_error(client: Client, bad: str) -> None:
    for call in (
        lambda: client.add(bad, "bob"),
        lambda: client.add("ann", ["bob", bad]),
        lambda: client.get(bad),
        lambda: client.call("black_list_add", bad),
        lambda: client.is_blocked("ann", bad),
        lambda: client.is_blocked(bad, "ann"),
        lambda: client.is_blocked_many(["ann", bad], "bob"),
        lambda: client.is_blocked_many(["ann"], bad),
        lambda: client.blocked_pairs(["ann", bad]),
        lambda: client.watch([bad]),
        lambda: chatblock.verify_usersig(1, "key", bad, "sig"),
        lambda: Client(bad),
    ):
        with pytest.raises(chatblock.ArgumentError):
            call()


def test_an_argument_error_is_a_value_error(client: Client) -> None:
    with pytest.raises(ValueError, match="count"):
        client.add("ann", [])


def test_what_is_no_text_is_a_type_error(client: Client) -> None:
    for call in (
        lambda: client.add(7, "bob"),  # type: ignore[arg-type]
        lambda: client.add("ann", [b"bob"]),  # type: ignore[list-item]
        lambda: client.is_blocked("ann", 7),  # type: ignore[arg-type]
        lambda: client.is_blocked_many([7], "ann"),  # type: ignore[list-item]
        lambda: client.check("ann", "bob", "BOTH"),  # type: ignore[arg-type]
        lambda: client.get("ann", 0, 1.5),  # type: ignore[arg-type]
        lambda: asyncio.run(client.check_async("ann", "bob", "BOTH")),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            call()


def test_a_number_that_c_would_cut_is_an_argument_error(client: Client) -> None:
    with pytest.raises(chatblock.ArgumentError, match="start_index"):
        client.get("ann", 1 << 32)
    with pytest.raises(chatblock.ArgumentError, match="check_type"):
        client.check("ann", "bob", 7)  # type: ignore[arg-type]
    with pytest.raises(chatblock.ArgumentError, match="sdkappid"):
        chatblock.generate_usersig(-1, "key", "ann", 60)


def test_asking_many_names_the_owner_that_is_no_account(client: Client) -> None:
    with pytest.raises(chatblock.ArgumentError, match=r"owners\[1\]"):
        client.is_blocked_many(["ann", "x" * 33], "bob")
    with pytest.raises(chatblock.ArgumentError):
        client.is_blocked_many([], "bob")


def test_more_pairs_than_expected_are_all_there(client: Client) -> None:
    group = [f"p{number}" for number in range(40)]
    for account in group:
        client.add(account, [other for other in group if other != account])
    found = client.blocked_pairs(group)
    assert len(set(found.pairs)) == len(found.pairs) == 40 * 39
    assert found.unknown == 0


def test_a_bad_configuration_names_the_key() -> None:
    with pytest.raises(chatblock.ConfigError, match="colour"):
        Client({"colour": "red"})
    with pytest.raises(chatblock.ConfigError):
        Client("[")


def test_a_store_that_cannot_be_opened_is_a_storage_error() -> None:
    with pytest.raises(chatblock.StorageError):
        Client({"path": "/dev/null/store.db"})


def test_a_secret_key_is_in_no_text_of_a_client() -> None:
    config = {"sdkappid": 1400000001, "secret_key": "hush", "base_url": "http://127.0.0.1:9"}
    with Client(config) as client:
        assert "hush" not in repr(client)


def test_a_usersig_says_what_is_wrong_with_it() -> None:
    sig = chatblock.generate_usersig(1400000001, "key", "ann", 60)
    with pytest.raises(chatblock.SignatureError) as caught:
        chatblock.verify_usersig(1400000001, "other", "ann", sig)
    assert caught.value.service_code == 70009
    assert sig not in str(caught.value)


def test_sync_waits_for_a_store(tmp_path: object) -> None:
    config = {"path": f"{tmp_path}/store.db"}
    with Client(config) as client:
        client.add("ann", "bob")
        client.sync(10.0)
    with Client(config) as client:
        assert client.is_blocked("ann", "bob") is True


def test_64_threads_at_once_each_get_their_own_answers(client: Client) -> None:
    def work(thread: int) -> None:
        owner = f"owner{thread}"
        for number in range(50):
            peer = f"peer{number}"
            assert [item.account for item in client.add(owner, peer).items] == [peer]
            assert client.is_blocked(owner, peer) is True
            assert client.is_blocked_many([owner, "nobody"], peer) == [True, False]
        assert len(client.get(owner).items) == 50

    with ThreadPoolExecutor(64) as pool:
        for done in [pool.submit(work, thread) for thread in range(64)]:
            done.result()


def test_results_and_errors_can_be_sent_to_other_processes(client: Client) -> None:
    result = client.add("ann", "bob")
    assert pickle.loads(pickle.dumps(result)) == result
    with pytest.raises(chatblock.ServiceError) as caught:
        client.add("ann", "ann")
    error = pickle.loads(pickle.dumps(caught.value))
    assert (type(error), error.result) == (chatblock.ServiceError, caught.value.result)


def test_large_results_are_given_back(client: Client) -> None:
    client.add("ann", (f"account{number:04}" for number in range(1000)))
    client.get("ann")
    before = resident_bytes()
    for _ in range(200):
        assert len(client.get("ann").items) == 1000
    assert resident_bytes() - before < 16 << 20


def test_values_outlive_the_client() -> None:
    with Client({}) as client:
        result = client.add("ann", "bob")
    assert result.items[0].account == "bob"
