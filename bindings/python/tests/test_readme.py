"""The README shows what is tested."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import chatblock

_HERE = Path(__file__).parents[1]


def test_the_readme_shows_the_example_that_is_packaged() -> None:
    example = (_HERE / "examples" / "ten_lines.py").read_text("utf-8")
    assert len(example.splitlines()) == 10
    assert f"```python\n{example}```\n" in (_HERE / "README.md").read_text("utf-8")


def test_the_readme_opens_a_client_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAT_KEY", "synthetic-key-for-tests-0001")
    client = chatblock.Client(
        {
            "sdkappid": 1400000001,
            "secret_key_env": "CHAT_KEY",
            "region": "singapore",
            "outbox": {"path": "writes.db"},
        }
    )
    assert client.stats()["backend"] == "remote"
    client.close()


def _route(
    client: chatblock.Client, speaker: str, hearer: str, deliver: Callable[[str, str], None]
) -> None:
    blocked = client.is_blocked(hearer, speaker)
    if blocked is None:
        client.watch(hearer)  # read the list, for the next time
    if not blocked:
        deliver(speaker, hearer)


def test_the_readme_delivers_where_nobody_is_blocked(client: chatblock.Client) -> None:
    delivered: list[tuple[str, str]] = []
    client.add("bob", "ann")
    for hearer in ("bob", "cem"):
        _route(client, "ann", hearer, lambda *message: delivered.append(message))
    assert delivered == [("ann", "cem")]
