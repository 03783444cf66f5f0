"""P9: blocks under the limit of the service, against one call per block."""

from .recorder import recording
from .service import SECRET_KEY, chatblock_serve, usersig
from .table import Row
from .workshop import measure, median

NEEDS = ("g++", "curl/curl.h", "nlohmann/json.hpp")

RATE = 200
BLOCKS, OWNERS = 20_000, 50
# The peer takes as long as the limit says; a tenth shows it.
PEER_SHARE = 10
# Nothing to merge: every call has an owner of its own, and the pace is all that keeps them back.
UNMERGED = 1000

FASTER = "the pace that the client keeps is not the one that arrives"


def run(workshop):
    ours = workshop.ours("drain_chatblock.cpp")
    peer = workshop.peer("peers/drain_libcurl.cpp", "curl")
    merged = [drain(workshop, ours, BLOCKS, OWNERS) for _ in range(workshop.rounds)]
    unmerged = drain(workshop, ours, UNMERGED, UNMERGED)
    with chatblock_serve(workshop, 1_000_000) as server:
        few = BLOCKS // PEER_SHARE
        each = measure(peer, f"http://{server.address}", usersig(workshop), few, OWNERS, RATE)
    seconds = each["seconds"] * PEER_SHARE
    subject = f"{BLOCKS:,} blocks, {OWNERS} owners, {RATE} calls/s: "
    alone = f"{UNMERGED:,} blocks, {UNMERGED:,} owners, {RATE} calls/s: "
    return [
        Row("P9", subject + "until all are confirmed", median(merged, "seconds"), seconds, "s", "<= 1.5 s",
            "the calls wait for the engine of the server"),
        Row("P9", subject + "requests", median(merged, "requests"), BLOCKS, "calls"),
        Row("P9", subject + "client CPU per block", median(merged, "cpu_us"), each["cpu_us"], "us"),
        Row("P9", subject + "most calls in one second", max(run["most"] for run in merged), None, "calls",
            f"<= {RATE} calls", FASTER),
        Row("P9", alone + "most calls in one second", unmerged["most"], None, "calls", f"<= {RATE} calls", FASTER),
        Row("P9", alone + "refusals for too many calls", unmerged["refusals"], None, "calls", "<= 0 calls", FASTER),
    ]


def drain(workshop, program, blocks, owners):
    with chatblock_serve(workshop, RATE) as server, recording(server.address) as way:
        result = measure(program, f"http://{way.address}", SECRET_KEY, blocks, owners, RATE)
        return result | {"requests": len(way.arrivals), "most": way.most_in_one_second()}
