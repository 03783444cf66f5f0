"""check.svg: what a check costs as the number of pairs grows, drawn by matplotlib from the figures of the run."""

import json
import subprocess
import sys

from .workshop import BENCHES, BUILD, Failed, output

MATPLOTLIB = "matplotlib>=3.8,<4"
VENV = BUILD / "venv"
PYTHON = VENV / "bin" / "python"
PICTURE = BENCHES / "check.svg"


def install():
    """Before anything is measured, so that nobody waits in vain."""
    if has_matplotlib():
        return
    try:
        output([sys.executable, "-m", "venv", "--clear", str(VENV)])
        output([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", MATPLOTLIB])
    except Failed as why:
        raise Failed(f"--picture needs {MATPLOTLIB} from PyPI in a virtual environment: {why}") from why


def has_matplotlib():
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", "import matplotlib"], check=False).returncode == 0


def draw(workshop):
    if not workshop.ns_per_check:
        raise Failed("--picture shows P1 and P2, which were not measured")
    script = BENCHES / "harness" / "draw_checks.py"
    output([str(PYTHON), "-B", str(script), str(PICTURE)], input=json.dumps(workshop.ns_per_check))
