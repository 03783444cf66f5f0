"""P11: durable adds of the embedded engine, against what the disk can do."""

import tempfile

from .table import Row
from .workshop import BUILD, measure, median

NEEDS = ("g++",)

WAL = "SQLite syncs its log and writes a page or two per commit"
GROUP = "some thirty callers share a commit; what each of them does in SQLite is done one after another"


def run(workshop):
    ours = workshop.ours("durable_chatblock.cpp")
    floor = workshop.peer("peers/fdatasync.cpp")

    def add(callers, each):
        # On the disk of the checkout: the usual place for temporary files may be memory.
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            return measure(ours, f"{folder}/lists.db", callers, each)

    def sync():
        with tempfile.NamedTemporaryFile(dir=BUILD) as file:
            return measure(floor, file.name, 500)

    one, many, disk = workshop.alternate(lambda: add(1, 500), lambda: add(64, 100), sync)
    rates = [1e6 / median(side, "wall_us") for side in (one, many, disk)]
    return [
        Row("P11", "durable adds, 1 caller", rates[0], rates[2], "/s", ">= 0.7 x", WAL),
        Row("P11", "durable adds, 64 callers", rates[1], rates[2], "/s", ">= 8 x", GROUP),
    ]
