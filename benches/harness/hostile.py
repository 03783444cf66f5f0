"""Identifiers chosen to collide: under the random key of a process they are like any others."""

from .table import Row
from .workshop import measure, median

NEEDS = ("g++",)

SLOW = "somebody can choose identifiers that are slow to ask about"

HASHES = [("sip", "SipHash-1-3 without a key"), ("fnv", "FNV-1a")]


def run(workshop):
    ours = workshop.ours("hostile_chatblock.cpp")
    unkeyed = workshop.peer("peers/hostile_unkeyed.cpp")
    rows = []
    for hash, name in HASHES:
        runs = [measure(ours, hash) for _ in range(workshop.rounds)]
        slowest = median(runs, "slowest_ns")
        victim = measure(unkeyed, hash, timeout=600)
        subject = f"ids that collide under {name}, slowest is_blocked; peer: "
        rows += [
            Row("hostile", subject + "ordinary ids, median", slowest, median(runs, "ordinary_ns"), "ns", "<= 2.0 x", SLOW),
            Row("hostile", subject + "the same ids, median", slowest, median(runs, "median_ns"), "ns", "<= 2.0 x", SLOW),
            Row("hostile", subject + "a table with that hash", slowest, victim["slowest_ns"], "ns"),
        ]
    return rows
