"""P6: what handing over a block costs the tick thread."""

import json
import tempfile

from .service import SECRET_KEY, chatblock_serve
from .table import Row
from .workshop import BUILD, measure, median

NEEDS = ("g++",)

CALLS = 100_000
PER_TICK = 200

# How the client keeps what it accepted, and the members of its configuration for that with a fresh folder.
WAYS = [
    ("no outbox", lambda folder: ""),
    ("outbox", lambda folder: f',"outbox":{json.dumps({"path": folder + "/outbox.db"})}'),
]

COPY = "the copy of the request, and a lock that is held for as long as it takes to put it into a queue"
SHARED = "two cores are shared with the server and the threads that send"
ALLOCATED = "accounts of up to 23 bytes are kept in place, longer ones are shared"


def run(workshop):
    ours = workshop.ours("submit_chatblock.cpp")

    def submit(more):
        # On the disk of the checkout: the usual place for temporary files may be memory.
        with chatblock_serve(workshop, 1_000_000) as server, tempfile.TemporaryDirectory(dir=BUILD) as folder:
            return measure(ours, f"http://{server.address}", SECRET_KEY, CALLS, PER_TICK, more(folder))

    rows = []
    for way, more in WAYS:
        results = [submit(more) for _ in range(workshop.rounds)]
        cost = lambda key: median(results, key)
        subject = f"add_async from a tick thread, {way}: "
        rows += [
            Row("P6", subject + "median", cost("median_us"), None, "us", "<= 2 us", COPY),
            Row("P6", subject + "p99.9", cost("p999_us"), None, "us", "<= 50 us", SHARED),
            Row("P6", subject + "worst", cost("worst_us"), None, "us"),
            Row("P6", subject + "CPU", cost("cpu_us"), None, "us"),
            Row("P6", subject + "allocations", cost("allocations"), None, "per call", "<= 1 per call", ALLOCATED),
        ]
    return rows
