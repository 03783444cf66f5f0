"""What a check costs from each host language, against the same from C++; see bindings/README.md."""

import os

from .table import Row
from .workshop import BUILD, ROOT, Failed, LeftOut, median, missing, output

BASE = "cpp"
NEEDS = ("gcc", "cargo")
PROGRAMS = {
    "csharp": ("mcs", "mono"),
    "go": ("go", "pkg-config"),
    "java": ("mvn", "javac"),
    "lua": ("luajit",),
    "node": ("node", "npm"),
}
PARTS = {f"the language {host}": programs for host, programs in PROGRAMS.items()}
# Each run starts, and the first one builds, the host anew.
MOST_ROUNDS = 3


def run(workshop):
    scripts = {path.parent.name: path for path in sorted((ROOT / "bindings").glob("*/run"))}
    if BASE not in scripts:
        raise LeftOut(f"needs bindings/{BASE}/run, to which the others are compared")
    costs = {}
    for host, script in scripts.items():
        if missing(PROGRAMS.get(host, ())):
            continue
        try:
            rounds = [bench(workshop, host, script) for _ in range(min(workshop.rounds, MOST_ROUNDS))]
        except Failed as why:
            workshop.left_out.append(f"- hosts: {host} left out: {str(why).splitlines()[-1]}")
            continue
        costs[host] = {key: median(rounds, key) for key in ("one", "many")}
    if BASE not in costs:
        raise LeftOut(f"bindings/{BASE} gave no figures, to which the others are compared")
    base = costs.pop(BASE)
    return [
        Row("hosts", f"{call} from {host}; peer: C++", cost[key], base[key], "ns")
        for key, call in [("one", "is_blocked"), ("many", "is_blocked_many, 64 owners, each pair,")]
        for host, cost in costs.items()
    ]


def bench(workshop, host, script):
    """The figures among the lines that the script prints: "one NANOSECONDS", "many NANOSECONDS"."""
    work = BUILD / "hosts" / host
    work.mkdir(parents=True, exist_ok=True)
    places = {"CHATBLOCK_PREFIX": str(workshop.prefix()), "CHATBLOCK_WORK": str(work)}
    lines = [line.split() for line in output([str(script), "bench"], env=os.environ | places).splitlines()]
    found = {line[0]: float(line[1]) for line in lines if len(line) == 2 and line[0] in ("one", "many")}
    if len(found) != 2:
        raise Failed(f"{host} did not print both figures")
    return found
