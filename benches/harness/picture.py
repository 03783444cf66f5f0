"""check.svg: what a check costs as the number of pairs grows, drawn by matplotlib from the figures of the run."""

import json
import subprocess
import sys

from .workshop import BENCHES, BUILD, Failed, output

MATPLOTLIB = "matplotlib>=3.8,<4"
VENV = BUILD / "venv"
PYTHON = VENV / "bin" / "python"
PICTURE = BENCHES / "check.svg"


def install(workshop):
    """Before anything is measured, so that it is known early whether there will be a picture."""
    if has_matplotlib():
        return
    try:
        output([sys.executable, "-m", "venv", "--clear", str(VENV)])
        output([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", MATPLOTLIB])
    except Failed as why:
        line = f"- the picture: needs {MATPLOTLIB} from PyPI in a virtual environment: {str(why).splitlines()[-1]}"
        print(line, file=sys.stderr, flush=True)
        workshop.left_out.append(line)


def has_matplotlib():
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", "import matplotlib"], check=False).returncode == 0


def draw(workshop):
    if not has_matplotlib():
        return
    if not workshop.ns_per_check:
        workshop.left_out.append("- the picture: it shows P1 and P2, which were not measured")
        return
    script = BENCHES / "harness" / "draw_checks.py"
    try:
        output([str(PYTHON), "-B", str(script), str(PICTURE)], input=json.dumps(workshop.ns_per_check))
    except Failed as why:
        workshop.left_out.append(f"- the picture: {str(why).splitlines()[-1]}")
