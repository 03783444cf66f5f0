"""P7, P8: what one call to the service costs the client."""

from .service import SECRET_KEY, throw_away_ca, usersig
from .table import Row
from .workshop import measure, median, serving

NEEDS = ("g++", "cargo", "openssl", "curl/curl.h", "nlohmann/json.hpp")

# Targets, in flight, calls of one run.
P7 = [(1, 1, 8000), (1, 8, 24000), (1, 32, 24000)]
P8 = [(100, 8, 8000), (1000, 8, 1200)]

HAND_OVER = (
    "every call is handed to a thread of the library and back, so that the caller needs neither a large stack "
    "nor more time than it gave; libcurl works on the caller's thread"
)
COPIES = (
    "each account is checked, written as JSON, found in the answer, judged and given to C"
)


def run(workshop):
    ours = workshop.ours("remote_chatblock.cpp")
    peer = workshop.peer("peers/remote_libcurl.cpp", "curl")
    server = workshop.http_server()
    ca, certificate, key = throw_away_ca()
    signature = usersig(workshop)
    rows = []
    with serving(server, "service") as plain, serving(server, "service", certificate, key) as tls:
        ways = [
            ("HTTP", f"http://{plain.address}", "-"),
            ("TLS", f"https://localhost:{tls.address.rsplit(':')[1]}", ca),
        ]
        for targets, in_flight, calls in P7 + P8:
            for way, url, ca_file in ways:
                arguments = (url, ca_file, signature, SECRET_KEY, targets, in_flight, calls // in_flight)
                sides = workshop.alternate(
                    lambda: measure(ours, *arguments),
                    lambda: measure(peer, *arguments),
                )
                rows.append(row(way, targets, in_flight, *(median(side, "cpu_us") for side in sides)))
    return rows


def row(way, targets, in_flight, ours, peer):
    number, target, on_miss = "P7" if targets == 1 else "P8", "", ""
    if (targets, in_flight) == (1, 8):
        target, on_miss = "<= 1.0 x", HAND_OVER
    if targets == 1000:
        target, on_miss = "<= 0.2 x", COPIES
    plural = "s" if targets > 1 else ""
    subject = f"one remote call, {targets} target{plural}, {way}, {in_flight} in flight: client CPU"
    return Row(number, subject, ours, peer, "us", target, on_miss)
