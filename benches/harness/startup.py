"""P14: size, and the time until the first answer."""

from .table import Row
from .workshop import BUILD, measure, median, output

NEEDS = ("gcc", "strip")

RUNS_PER_ROUND = 5


def run(workshop):
    program = workshop.ours("startup_chatblock.c")
    stripped = BUILD / "libchatblock.stripped.so"
    output(["strip", "--strip-unneeded", "-o", str(stripped), str(workshop.library)])
    runs = [measure(program, stripped) for _ in range(workshop.rounds * RUNS_PER_ROUND)]
    return [
        Row("P14", "stripped shared library", stripped.stat().st_size / 2**20, None, "MiB", "<= 4 MiB",
            "most is SQLite and TLS"),
        Row("P14", "dlopen, open, first check: wall", median(runs, "wall_ms"), None, "ms", "<= 10 ms",
            "relocations and first page faults of the library"),
        Row("P14", "dlopen, open, first check: CPU", median(runs, "cpu_ms"), None, "ms"),
    ]
