"""P13: `chatblock serve` under load, against HTTP alone."""

import http.client
import json
import re

from .service import IDENTIFIER, SDKAPPID, chatblock_serve, usersig
from .table import Row
from .workshop import BENCHES, LeftOut, median, output, serving

NEEDS = ("cargo", "wrk")

COMMAND = "black_list_check"
MEMBERS = {"To_Account": ["bob"], "CheckType": "BlackCheckResult_Type_Both"}
SECONDS = 3
PROTOCOL = "each request is parsed, its signature and rate checked, the engine asked and the answer written"


def run(workshop):
    with chatblock_serve(workshop, 1_000_000) as ours:
        answer = accepted(request(workshop, ours, COMMAND, MEMBERS))
        with serving(workshop.http_server(), "constant", str(len(answer))) as bare:
            sides = workshop.alternate(
                lambda: load(workshop, ours, COMMAND, MEMBERS), lambda: load(workshop, bare, COMMAND, MEMBERS)
            )
    rate = [median(side, "per_second") for side in sides]
    cpu = [median(side, "cpu_us") for side in sides]
    subject = "chatblock serve, wrk with 64 connections: "
    return [
        Row("P13", subject + "requests", *rate, "/s", ">= 0.5 x", PROTOCOL),
        Row("P13", subject + "server CPU", *cpu, "us"),
    ]


def path_of(workshop, command):
    return (
        f"/v4/sns/{command}?sdkappid={SDKAPPID}&identifier={IDENTIFIER}"
        f"&usersig={usersig(workshop)}&random=99999999&contenttype=json"
    )


def body_of(members):
    return json.dumps({"From_Account": "ann"} | members)


def request(workshop, server, command, members):
    connection = http.client.HTTPConnection(server.address)
    connection.request("POST", path_of(workshop, command), body_of(members), {"Content-Type": "application/json"})
    answer = connection.getresponse().read()
    connection.close()
    return answer


def accepted(answer):
    """The answer, unless it is a refusal."""
    if b'"ErrorCode":0' not in answer:
        raise LeftOut(f"the server refuses the request: {answer.decode()}")
    return answer


def load(workshop, server, command, members):
    script = str(BENCHES / "wrk_post.lua")
    before = server.cpu_us()
    url = f"http://{server.address}{path_of(workshop, command)}"
    report = output(["wrk", "-t1", "-c64", f"-d{SECONDS}s", "-s", script, url, "--", body_of(members)])
    used = server.cpu_us() - before
    requests = int(re.search(r"(\d+) requests in", report).group(1))
    return {"per_second": float(re.search(r"Requests/sec: +([0-9.]+)", report).group(1)), "cpu_us": used / requests}
