"""The scenario that every host language goes through."""

from __future__ import annotations

import scenario


def test_every_step_answers_as_all_hosts_expect(report: list[str]) -> None:
    steps = scenario.load()
    host = scenario.Scenario()
    for number, step in enumerate(steps):
        try:
            host.go(step)
        except BaseException as error:
            raise AssertionError(f"step {number}, {step['do']}: {error}") from error
    report.append(f"scenario: {len(steps)} steps")
