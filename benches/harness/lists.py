"""P12: full lists into a durable store, and opening it, against a plain log."""

import tempfile

from .table import Row
from .workshop import BUILD, measure, median

NEEDS = ("g++", "zlib.h")

TARGETS_AT = 1_000_000
# The largest is measured once: it takes minutes.
SIZES = [10_000, TARGETS_AT, 10_000_000]
ONCE = 10_000_000

INDEXED = "each pair is a row of SQLite's table, an item of a result and a line of the cache"
READ = "SQLite checks the whole file, and then each row is read and hashed into the cache"


def run(workshop):
    ours = workshop.ours("lists_chatblock.cpp")
    peer = workshop.peer("peers/checksummed_log.cpp", "z")
    rows = []
    for pairs in SIZES:
        sides = [lambda: once(ours, pairs), lambda: once(peer, pairs)]
        results = [[side()] for side in sides] if pairs == ONCE else workshop.alternate(*sides)
        rate = lambda key: [1e6 / median(result, key) for result in results]
        rounds = ", 1 round" if pairs == ONCE else ""
        target = ">= 0.2 x" if pairs == TARGETS_AT else ""
        rows += [
            Row("P12", f"embedded, adding lists of 1000, to {pairs:,} pairs{rounds}", *rate("add_us"), "/s", target, INDEXED),
            Row("P12", f"embedded, opening {pairs:,} pairs{rounds}", *rate("open_us"), "/s", target, READ),
        ]
    return rows


def once(program, pairs):
    # On the disk of the checkout: the usual place for temporary files may be memory.
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        return measure(program, f"{folder}/lists", pairs, timeout=900)
