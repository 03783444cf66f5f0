"""Ctrl-C ends whatever the main thread waits for."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from services import Silence, remote

from chatblock import Client

# Far below what the calls would wait for, and far above what a busy machine needs.
_PATIENCE_S = 8.0
_CALL_MS = 10_000

_WAITS: list[tuple[str, Callable[[Client], object]]] = [
    ("add", lambda client: client.add("ann", "bob")),
    ("delete", lambda client: client.delete("ann", "bob")),
    ("get", lambda client: client.get("ann")),
    ("check", lambda client: client.check("ann", "bob")),
    ("call", lambda client: client.call("black_list_delete", {"From_Account": "ann", "To_Account": ["bob"]})),
    ("flush", lambda client: client.flush(None)),
    ("flush for long", lambda client: client.flush(60.0)),
]


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """A shell starts what runs in the background with Ctrl-C ignored, and Python leaves it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press_ctrl_c() -> None:
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(("name", "wait"), _WAITS)
@pytest.mark.parametrize("recorded", [False, True])
def test_ctrl_c_ends_every_wait(
    name: str, wait: Callable[[Client], object], recorded: bool, tmp_path: Path
) -> None:
    more = {"outbox": {"path": str(tmp_path / "outbox.db")}} if recorded else {}
    with Silence() as silence:
        client = Client(remote(silence.base_url, call_ms=_CALL_MS, attempt_ms=_CALL_MS, **more))
        other = threading.Thread(target=lambda: pytest.raises(Exception, client.add, "eve", "bob"), daemon=True)
        other.start()
        while client.stats()["calls"]["total"]["accepted"] == 0:
            time.sleep(0.001)
        key = threading.Thread(target=press_ctrl_c)
        begin = time.monotonic()
        key.start()
        with pytest.raises(KeyboardInterrupt):
            wait(client)
            time.sleep(_PATIENCE_S)
        assert time.monotonic() - begin < _PATIENCE_S, name
        key.join()
        client.close(0.0)


def test_ctrl_c_ends_a_close(tmp_path: Path) -> None:
    with Silence() as silence:
        client = Client(remote(silence.base_url, call_ms=_CALL_MS, attempt_ms=_CALL_MS))
        other = threading.Thread(target=lambda: pytest.raises(Exception, client.add, "eve", "bob"), daemon=True)
        other.start()
        while client.stats()["calls"]["total"]["accepted"] == 0:
            time.sleep(0.001)
        key = threading.Thread(target=press_ctrl_c)
        key.start()
        with pytest.raises(KeyboardInterrupt):
            client.close(None)
            time.sleep(_PATIENCE_S)
        key.join()


def test_ctrl_c_while_a_client_is_opened_leaves_none(tmp_path: Path) -> None:
    for round_ in range(20):
        key = threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            key.start()
            while True:
                Client({"path": str(tmp_path / f"{round_}-{time.monotonic_ns()}.db")}).close()
        key.join()
