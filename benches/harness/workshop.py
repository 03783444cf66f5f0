"""Builds the programs of the benches and runs them."""

import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCHES = ROOT / "benches"
BUILD = BENCHES / "peers" / "build"

C_FLAGS = ["-O2", "-DNDEBUG", "-Wall", "-Wextra", "-pthread"]
CXX_FLAGS = ["-std=c++17", *C_FLAGS]

# What to look for, and the Debian package that brings it.
PACKAGES = {
    "gcc": "gcc",
    "g++": "g++",
    "readelf": "binutils",
    "strip": "binutils",
    "cargo": "rustup",
    "rustc": "rustup",
    "go": "golang-go",
    "javac": "default-jdk-headless",
    "mvn": "maven",
    "luajit": "luajit",
    "mcs": "mono-mcs",
    "mono": "mono-runtime",
    "node": "nodejs",
    "npm": "npm",
    "wrk": "wrk",
    "openssl": "openssl",
    "curl/curl.h": "libcurl4-openssl-dev",
    "nlohmann/json.hpp": "nlohmann-json3-dev",
    "openssl/hmac.h": "libssl-dev",
    "zlib.h": "zlib1g-dev",
    "sqlite3.h": "libsqlite3-dev",
    "pkg-config": "pkg-config",
    "absl/container/flat_hash_map.h": "libabsl-dev",
}


class LeftOut(Exception):
    """A subject cannot be measured here; the text says why."""


def missing(needed):
    """Those that are not installed. A name with the ending of a header is one, others are programs."""
    is_there = lambda name: has_header(name) if name.endswith((".h", ".hpp")) else shutil.which(name)
    return [name for name in needed if not is_there(name)]


def lack(names):
    packages = " ".join(sorted({PACKAGES[name] for name in names}))
    return f"needs {', '.join(names)}; Debian: {packages}"


class Failed(Exception):
    """A program of the benches failed."""


class Workshop:
    """`library_dir` has the release build of libchatblock.so and, for P6, P9, P11 and P13, of `chatblock`.
    `prefix` is where the same is installed, for the hosts; without one it is installed when they need it."""

    def __init__(self, library_dir, rounds, prefix=None):
        self.rounds = rounds
        self.installed = prefix and pathlib.Path(prefix).resolve()
        self.left_out = []
        # For the picture: nanoseconds of a check by side and number of pairs.
        self.ns_per_check = {}
        self.release = pathlib.Path(library_dir).resolve()
        self.library = self.release / "libchatblock.so"
        if not self.library.exists():
            raise Failed(f"{self.library} is missing: cargo build --release")
        BUILD.mkdir(exist_ok=True)
        self._link_library()

    def _link_library(self):
        """The loader looks for the SONAME."""
        dynamic = output(["readelf", "-d", str(self.library)])
        soname = re.search(r"SONAME.*\[(.+)\]", dynamic).group(1)
        for name in (soname, "libchatblock.so"):
            link = BUILD / name
            link.unlink(missing_ok=True)
            link.symlink_to(self.library)

    def ours(self, source):
        """A program of ours, linked with the shared library."""
        return self._compile(source, ["-I", str(ROOT / "include"), "-L", str(BUILD), "-lchatblock", "-Wl,-rpath,$ORIGIN"])

    def peer(self, source, *libraries):
        return self._compile(source, [f"-l{library}" for library in libraries])

    def abseil_peer(self, source):
        packages = output(["pkg-config", "--libs", "absl_flat_hash_map", "absl_flat_hash_set"])
        return self._compile(source, packages.split())

    def rust_peer(self, source):
        source = BENCHES / source
        program = BUILD / source.stem
        output(["rustc", "--edition", "2024", "-C", "opt-level=3", "-C", "codegen-units=1", str(source), "-o", str(program)])
        return str(program)

    def _compile(self, source, flags):
        source = BENCHES / source
        program = BUILD / source.stem
        inputs = [source, *BENCHES.glob("**/*.hpp"), ROOT / "include" / "chatblock.h"]
        if not program.exists() or program.stat().st_mtime < max(path.stat().st_mtime for path in inputs):
            compiler = ["gcc", *C_FLAGS] if source.suffix == ".c" else ["g++", *CXX_FLAGS]
            output([*compiler, str(source), "-o", str(program), *flags])
        return str(program)

    def http_server(self):
        """The bare hyper server, built in a directory of its own: see its Cargo.toml."""
        target = BUILD / "cargo"
        manifest = BENCHES / "peers" / "http_server" / "Cargo.toml"
        output(["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", str(manifest), "--target-dir", str(target)])
        return str(target / "release" / "bench_server")

    def prefix(self):
        """Where `make install` put what is measured."""
        if self.installed is None:
            prefix = BUILD / "prefix"
            output(["make", "--quiet", "install", f"PREFIX={prefix}"], timeout=1800)
            self.installed = prefix
        return self.installed

    def alternate(self, *sides):
        """Measures every side once per round, in alternating order; gives each side's list of results."""
        results = [[] for _ in sides]
        for number in range(self.rounds):
            order = range(len(sides)) if number % 2 == 0 else reversed(range(len(sides)))
            for index in order:
                results[index].append(sides[index]())
        return results


@functools.cache
def has_header(name):
    if not shutil.which("g++"):
        return False
    probe = ["g++", "-std=c++17", "-x", "c++", "-E", "-include", name, "/dev/null", "-o", "/dev/null"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def output(command, timeout=600, **more):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout, cwd=ROOT, **more)
    except (OSError, subprocess.TimeoutExpired) as why:
        raise Failed(f"{pathlib.Path(command[0]).name}: {why}") from why
    if done.returncode != 0:
        raise Failed(f"{pathlib.Path(command[0]).name} failed: {done.stderr.strip() or done.returncode}")
    return done.stdout


def measure(program, *arguments, timeout=120):
    """Runs a program that prints one JSON object of figures."""
    return json.loads(output([program, *map(str, arguments)], timeout=timeout))


def median(results, key):
    return statistics.median(result[key] for result in results)


class Server:
    """A server under test: where it listens and what its process has used."""

    def __init__(self, process, address):
        self.process = process
        self.address = address

    def cpu_us(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1e6


@contextlib.contextmanager
def serving(*command):
    """Starts a server that prints "listening on ADDRESS", and ends it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            line = process.stdout.readline()
            if not line.startswith("listening on "):
                raise Failed(f"{pathlib.Path(command[0]).name} does not serve: {line.strip()}")
            yield Server(process, line.removeprefix("listening on ").strip().removeprefix("http://"))
        finally:
            process.terminate()
