"""Programs that are filled once and measure when their turn comes; see standing.hpp."""

import contextlib
import itertools
import json
import pathlib
import subprocess

from .workshop import Failed

SEEDS = itertools.count(1)


class Standing:
    """`ready` is what the program said of itself when it was filled."""

    def __init__(self, process):
        self.process = process
        self.ready = self._read()

    def turn(self, what, count):
        self.process.stdin.write(f"{what} {count} {next(SEEDS)}\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            name = pathlib.Path(self.process.args[0]).name
            raise Failed(f"{name} ended with {self.process.wait()}; what it said stands above")
        return json.loads(line)


@contextlib.contextmanager
def standing(program, *arguments):
    command = [program, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Standing(process)
            process.stdin.close()
            if process.wait(timeout=60) != 0:
                raise Failed(f"{pathlib.Path(program).name} ended with {process.returncode}")
        finally:
            process.kill()
