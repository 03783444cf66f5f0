"""P17: an outbox in which a million writes wait."""

import tempfile

from .table import Row
from .workshop import BUILD, measure, median

NEEDS = ("g++",)

MANY = 1_000_000
# Memory is counted for each write beyond this number: a client may keep as many as that in memory as a whole.
WINDOW = 100_000

READ = "every row is looked at when the file is opened"


def run(workshop):
    program = workshop.ours("outbox_chatblock.cpp")
    # On the disk of the checkout: the usual place for temporary files may be memory.
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        files = {writes: f"{folder}/{writes}.db" for writes in (WINDOW, MANY)}
        for writes, file in files.items():
            measure(program, "fill", file, writes, timeout=1200)
        opened = lambda writes: lambda: measure(program, "open", files[writes])
        few, many = workshop.alternate(opened(WINDOW), opened(MANY))
    each = lambda key: (median(many, key) - median(few, key)) / (MANY - WINDOW)
    subject = f"outbox with {MANY:,} recorded writes"
    return [
        Row("P17", f"{subject}: memory for each beyond {WINDOW:,}", each("bytes"), None, "bytes", "<= 64 bytes", READ),
        Row("P17", f"{subject}: peak memory for each beyond {WINDOW:,}", each("peak_bytes"), None, "bytes"),
        Row("P17", f"{subject}: open to first request", median(many, "first_request_s"), None, "s", "<= 1 s", READ),
        Row("P17", f"{subject}: open returns", median(many, "open_s"), None, "s"),
    ]
