"""P1 to P5: who blocks whom, against a memory access and the maps of others."""

import contextlib

from .service import SECRET_KEY
from .standing import standing
from .table import Row
from .workshop import median, missing, serving

NEEDS = ("g++", "rustc", "cargo")
ABSEIL = ("pkg-config", "absl/container/flat_hash_map.h")
PARTS = {"the rows of P2 and P5 with abseil": ABSEIL}

SIZES = [10_000, 1_000_000, 10_000_000]
TARGETS_AT = SIZES[-1]
QUESTIONS = 500_000

# Each is one measurement of a round: whose turn, and what it does (check_chatblock.cpp, peers/).
TURNS = [
    ("embedded", "one"), ("remote", "one"), ("C++ std", "one"), ("abseil", "one"), ("Rust std", "one"),
    ("floor", "hash"), ("floor", "access"),
    ("embedded", "many"), ("embedded", "threads1"), ("embedded", "threads2"), ("embedded", "beside"),
]

BESIDE = "beside the floor stand finding both lengths, comparing seven words, counting the answer, and one line in twenty more"
TWICE = "owner and pair are read each, and the owner is looked at again after the pair"
WRITES = "writes take turns at the lock of the engine, and the lines that they change leave the cache of the other core"
BATCH = "hashing and finding lengths cost the same when asked together"
LOAD = "the table is kept 0.55 full"
TO_FORGET = "beside 15 bytes in the table there are 9 to forget a pair by, and the record and the names of each owner"


def run(workshop):
    programs = {
        "chatblock": workshop.ours("check_chatblock.cpp"),
        "C++ std": workshop.peer("peers/check_std.cpp"),
        "Rust std": workshop.rust_peer("peers/check_rust.rs"),
        "floor": workshop.peer("peers/check_floor.cpp"),
    }
    if not missing(ABSEIL):
        programs["abseil"] = workshop.abseil_peer("peers/check_absl.cpp")
    rows = []
    for pairs in SIZES:
        with contextlib.ExitStack() as stack:
            sides = fill(workshop, stack, programs, pairs)
            ns = take_turns(workshop, sides)
            rows += times(pairs, ns, is_in_huge_pages(sides["embedded"])) + memory(pairs, sides)
        note(workshop, pairs, ns)
    return sorted(rows, key=lambda row: row.number)


def fill(workshop, stack, programs, pairs):
    enter = lambda program, *arguments: stack.enter_context(standing(program, *arguments))
    with serving(workshop.http_server(), "lists") as service:
        remote = enter(programs["chatblock"], pairs, "remote", f"http://{service.address}", SECRET_KEY)
    embedded = enter(programs["chatblock"], pairs, "embedded")
    peers = {name: enter(programs[name], pairs) for name in ("C++ std", "abseil", "Rust std") if name in programs}
    floor = enter(programs["floor"], pairs, int(embedded.ready["cache_bytes"]))
    return {"embedded": embedded, "remote": remote, "floor": floor, **peers}


def take_turns(workshop, sides):
    """Medians in nanoseconds, by turn."""
    turn = lambda side, what: lambda: sides[side].turn(what, QUESTIONS)
    turns = [(side, what) for side, what in TURNS if side in sides]
    results = workshop.alternate(*(turn(side, what) for side, what in turns))
    ns = {which: median(result, "ns") for which, result in zip(turns, results)}
    ns["floor"] = ns["floor", "hash"] + ns["floor", "access"]
    return ns


def is_in_huge_pages(side):
    return side.ready["huge"] >= side.ready["cache_resident"] / 2 > 0


def times(pairs, ns, has_huge_pages):
    at = lambda target: target if pairs == TARGETS_AT else ""
    one, many = ns["embedded", "one"], ns["embedded", "many"]
    row = lambda number, subject, *cells: Row(number, f"{subject}, {pairs:,} pairs", *cells)
    rate = lambda side, what="one": 1e9 / ns[side, what]
    std, absl = (6, 4) if has_huge_pages else (4, 3)
    best = lambda peer: f"hashing and one memory access alone would be {ns[peer, 'one'] / ns['floor']:.1f} x"
    abseil = [
        row("P2", "is_blocked, embedded; peer: abseil", rate("embedded"), rate("abseil"), "/s",
            at(f">= {absl} x"), best("abseil")),
    ] if ("abseil", "one") in ns else []
    return [
        row("P1", "is_blocked, embedded; peer: hashing and one memory access", one, ns["floor"], "ns",
            at("<= 1.3 x"), BESIDE),
        row("P1r", "is_blocked, remote; peer: the same", ns["remote", "one"], ns["floor"], "ns", at("<= 1.6 x"), TWICE),
        row("P2", "is_blocked, embedded; peer: C++ std", rate("embedded"), rate("C++ std"), "/s",
            at(f">= {std} x"), best("C++ std")),
        *abseil,
        row("P2", "is_blocked, embedded; peer: Rust std", rate("embedded"), rate("Rust std"), "/s"),
        row("P3", "is_blocked with 1 % writes, 2 threads; peer: ours, 1 thread", rate("embedded", "threads2"),
            rate("embedded", "threads1"), "/s", at(">= 1.9 x"), WRITES),
        row("P3", "is_blocked beside a thread that only writes; peer: ours, alone", ns["embedded", "beside"], one, "ns"),
        row("P4", "is_blocked_many, 64 owners, each pair; peer: one by one", many, one, "ns", at("<= 0.6 x"), BATCH),
    ]


def memory(pairs, sides):
    """Bytes in memory for each pair. Chunks of the cache below 2 MiB are not in mappings of their own."""
    ready = {name: side.ready for name, side in sides.items()}
    std, rust, remote, embedded = (
        ready[name]["resident"] / pairs for name in ("C++ std", "Rust std", "remote", "embedded")
    )
    cache = max(ready["embedded"]["cache_resident"], ready["embedded"]["cache_bytes"])
    is_full = pairs == TARGETS_AT
    row = lambda subject, ours, peer, *cells: Row("P5", f"{subject}, {pairs:,} pairs", ours, peer, "bytes", *cells)
    rows = [
        row("embedded, the cache; peer: C++ std", cache / pairs, std, "<= 20 bytes" if is_full else "", LOAD),
        row("remote, all of the client; peer: C++ std", remote, std, "<= 32 bytes" if is_full else "", TO_FORGET),
    ]
    if is_full:
        share = 100 * ready["embedded"]["huge"] / cache
        if "abseil" in ready:
            rows.append(row("remote, all of the client; peer: abseil", remote, ready["abseil"]["resident"] / pairs))
        rows += [
            row("remote, all of the client; peer: Rust std", remote, rust),
            row("embedded, with the engine's lists in memory; peer: C++ std", embedded, std),
            Row("P5", f"embedded, the cache in huge pages, {pairs:,} pairs", share, None, "%"),
        ]
    return rows


def note(workshop, pairs, ns):
    measured = [(turn, value) for turn, value in ns.items() if turn in TURNS]
    sides = {side: value for (side, what), value in measured if what == "one"} | {"floor": ns["floor"]}
    for side, value in sides.items():
        workshop.ns_per_check.setdefault(side, {})[pairs] = value
