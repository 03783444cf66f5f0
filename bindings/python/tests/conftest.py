"""What the tests stand on: clients, a service that answers, one that never does, and lines to report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from services import Silence, serving

import chatblock

_lines = pytest.StashKey[list[str]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> list[str]:
    """Lines that are printed at the end of the run."""
    return request.config.stash.setdefault(_lines, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    for line in config.stash.get(_lines, []):
        terminalreporter.write_line(line)


@pytest.fixture
def client() -> Iterator[chatblock.Client]:
    """On the embedded engine."""
    with chatblock.Client({"account_charset": "utf8"}) as client:
        yield client


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """The base URL of a service that answers."""
    with serving(tmp_path, {}) as url:
        yield url


@pytest.fixture
def silence() -> Iterator[Silence]:
    """A service that accepts connections and never answers."""
    with Silence() as silence:
        yield silence
