"""Rows, verdicts, and the table they make."""

import re
from dataclasses import dataclass


@dataclass
class Row:
    """One comparison. A `target` that ends in "x" is about the ratio, another one about ours; it is ""
    on rows that only show how cost grows. `peer` is None where there is none."""

    number: str
    subject: str
    ours: float
    peer: float | None
    unit: str
    target: str = ""
    on_miss: str = ""

    @property
    def ratio(self):
        return None if self.peer is None else self.ours / self.peer

    @property
    def verdict(self):
        if not self.target:
            return ""
        comparison, limit = re.match(r"(<=|>=) ([0-9.]+)", self.target).groups()
        value = self.ratio if self.target.endswith("x") else self.ours
        reached = value <= float(limit) if comparison == "<=" else value >= float(limit)
        return "pass" if reached else "MISS"

    def cells(self):
        return [
            self.number,
            self.subject,
            f"{figure(self.ours)} {self.unit}",
            "-" if self.peer is None else f"{figure(self.peer)} {self.unit}",
            "-" if self.ratio is None else f"{self.ratio:.2f}",
            self.target or "-",
            self.verdict,
        ]


def figure(value):
    """Three significant digits; more would be noise."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


HEAD = ["#", "subject", "ours", "peer", "ratio", "target", "verdict"]


def markdown(rows):
    """The table, aligned so that it also reads well as plain text."""
    lines = [HEAD] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    lines.insert(1, ["-" * width for width in widths])
    text = lambda line: "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
    return "\n".join(text(line) for line in lines)


def misses(rows):
    """Why each missed target was missed."""
    return [f"- {row.number} {row.subject}: {row.on_miss}" for row in rows if row.verdict == "MISS"]
