"""P11: the durable embedded engine, against the disk alone and against SQLite used directly."""

import tempfile

from .serve import accepted, load, request
from .service import chatblock_serve
from .table import Row
from .workshop import BUILD, measure, median, missing

# Callers, adds of each, and pairs that are in each list before.
ADDS = [(1, 500, 0), (16, 200, 0), (64, 100, 0), (16, 80, 900)]
CHECKED = 1_000_000
CHECKS = 200_000
LISTED = [10, 100, 1000]
GETS = 5_000

NEEDS = ("g++",)
TABLE = ("sqlite3.h",)
WRK = ("wrk",)
PARTS = {"the rows of P11 with a plain table": TABLE, "the rows of P11 with chatblock serve": WRK}

WAL = "SQLite syncs its log and writes a page or two per commit"
GROUP = "some thirty callers share a commit; what each of them does in SQLite is done one after another"
RULES = "each add is a request, a result and a line of the cache too, and its commit looks whether the files are in their places"
CHECKED_BY = "the call is counted and makes a result with JSON; chatblock_client_is_blocked() is the check alone"
LISTING = "a page is a result with JSON, and every row of a list is counted, where the peer only sorts out the first 100"
SERVED = "checks are answered from memory; a get reads rows, on another thread, as it may wait for the disk"


def run(workshop):
    ours = workshop.ours("durable_chatblock.cpp")
    rows = against_disk(workshop, ours)
    if not missing(TABLE):
        rows += against_table(workshop, ours, workshop.peer("peers/plain_table.cpp", "sqlite3"))
    if not missing(WRK):
        rows += served(workshop)
    return rows


def on_disk(program, what, *numbers):
    # On the disk of the checkout: the usual place for temporary files may be memory.
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        return measure(program, what, f"{folder}/lists.db", *numbers, timeout=900)


def against_disk(workshop, ours):
    floor = workshop.peer("peers/fdatasync.cpp")

    def sync():
        with tempfile.NamedTemporaryFile(dir=BUILD) as file:
            return measure(floor, file.name, 500)

    one, many, disk = workshop.alternate(
        lambda: on_disk(ours, "adds", 1, 500, 0), lambda: on_disk(ours, "adds", 64, 100, 0), sync
    )
    rates = [1e6 / median(side, "wall_us") for side in (one, many, disk)]
    return [
        Row("P11", "durable adds, 1 caller", rates[0], rates[2], "/s", ">= 0.7 x", WAL),
        Row("P11", "durable adds, 64 callers", rates[1], rates[2], "/s", ">= 8 x", GROUP),
    ]


def against_table(workshop, ours, peer):
    def both(what, *numbers):
        return workshop.alternate(lambda: on_disk(ours, what, *numbers), lambda: on_disk(peer, what, *numbers))

    rows = []
    for callers, each, before in ADDS:
        sides = both("adds", callers, each, before)
        subject = f"durable adds, {callers} caller{'s' if callers > 1 else ''}"
        subject += f", to lists of {before}" if before else ""
        rates = [1e6 / median(side, "wall_us") for side in sides]
        cpu = [median(side, "cpu_us") for side in sides]
        target = "" if before else ">= 1.0 x"
        rows.append(Row("P11", f"{subject}; peer: plain table", *rates, "/s", target, RULES))
        rows.append(Row("P11", f"{subject}: CPU; peer: plain table", *cpu, "us"))
    cpu = [median(side, "cpu_us") for side in both("checks", CHECKED, CHECKS)]
    rows.append(Row("P11", f"durable check, {CHECKED:,} pairs; peer: plain table", *cpu, "us", "<= 1 us", CHECKED_BY))
    for listed in LISTED:
        cpu = [median(side, "cpu_us") for side in both("gets", listed, GETS)]
        rows.append(Row("P11", f"durable get of up to 100 of {listed:,}; peer: plain table", *cpu, "us", "<= 1.0 x", LISTING))
    return rows


def served(workshop):
    """`chatblock serve` with `path`, against the same in memory."""
    bodies = {
        "checks": ("black_list_check", {"To_Account": ["bob"], "CheckType": "BlackCheckResult_Type_Both"}),
        "gets": ("black_list_get", {"StartIndex": 0, "MaxLimited": 100, "LastSequence": 0}),
    }
    rows = []
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        with chatblock_serve(workshop, 1_000_000, path=f"{folder}/lists.db") as durable, chatblock_serve(workshop, 1_000_000) as memory:
            for server in (durable, memory):
                targets = [f"play_{number:010}" for number in range(20)]
                accepted(request(workshop, server, "black_list_add", {"To_Account": targets}))
            for what, (command, members) in bodies.items():
                ask = lambda server, command=command, members=members: load(workshop, server, command, members)
                sides = workshop.alternate(lambda: ask(durable), lambda: ask(memory))
                rate = [median(side, "per_second") for side in sides]
                subject = f"chatblock serve with path, {what}; peer: in memory"
                rows.append(Row("P11", subject, *rate, "/s", ">= 0.7 x", SERVED))
    return rows
