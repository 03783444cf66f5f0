"""Draws nanoseconds over pairs. Runs where matplotlib is; the figures come from standard input, see picture.py."""

import json
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import FuncFormatter, LogLocator

# Side, label, colour, line, and whether it is ours.
LINES = [
    ("C++ std", "C++ std: unordered_map, shared_mutex", "#b35900", "-", False),
    ("Rust std", "Rust std: HashMap, RwLock", "#8c564b", "-", False),
    ("abseil", "abseil: flat_hash_map, shared_mutex", "#7f7f7f", "-", False),
    ("remote", "chatblock, remote", "#1f77b4", "-", True),
    ("embedded", "chatblock, embedded", "#0b3d91", "-", True),
    ("floor", "floor: hashing and one memory access", "black", ":", False),
]


def main():
    figures = json.load(sys.stdin)
    # Texts stay texts, and the same run draws the same file.
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "check", "font.size": 11})
    figure, axes = pyplot.subplots(figsize=(8, 5.4), layout="constrained")
    ends = []
    for side, label, colour, line, is_ours in LINES:
        if side not in figures:
            continue
        points = sorted((int(pairs), ns) for pairs, ns in figures[side].items())
        style = {"color": colour, "linestyle": line, "linewidth": 2.6 if is_ours else 1.6}
        axes.plot(*zip(*points), marker="o", markersize=5 if is_ours else 4, label=label, **style)
        ends.append((points[-1][1], points[-1][0], colour))
    axes.set(xscale="log", yscale="log", xlabel="pairs", ylabel="nanoseconds per check")
    axes.set_title("Does owner block peer? One thread, half of the answers yes")
    axes.set_xlim(right=axes.get_xlim()[1] * 1.4)
    write_ends(axes, ends)
    nanoseconds = lambda value, _: f"{value:,.0f}"
    axes.yaxis.set_major_formatter(FuncFormatter(nanoseconds))
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.yaxis.set_minor_formatter(FuncFormatter(nanoseconds))
    axes.grid(which="both", alpha=0.25)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(sys.argv[1], metadata={"Date": None, "Creator": None}, facecolor="white")


def write_ends(axes, ends):
    """The last figure of each line, from the lowest up, none upon another."""
    lowest = 0
    for ns, pairs, colour in sorted(ends):
        height = max(ns, lowest)
        axes.annotate(f"{ns:,.0f}", (pairs, height), xytext=(8, -4), textcoords="offset points", color=colour)
        lowest = height * 1.14


main()
