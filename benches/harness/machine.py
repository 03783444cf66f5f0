"""Where and on what the numbers were taken."""

import datetime
import os
import platform
import shutil
import subprocess


def describe():
    return (
        f"{cpu_model()}, {os.cpu_count()} cores, kernel {platform.release()}, huge pages: {huge_pages()}; "
        f"{datetime.date.today().isoformat()}; commit {commit()}"
    )


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def huge_pages():
    """When the kernel gives them: "always", "madvise" (to who asks, as chatblock does) or "never"."""
    try:
        with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="ascii") as setting:
            return setting.read().split("[")[1].split("]")[0]
    except FileNotFoundError:
        return "never"


def commit():
    name = git("rev-parse", "--short", "HEAD")
    if not name:
        return "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no", ":!benches/RESULTS.md", ":!benches/check.svg")
    return name + (" with changes" if changed else "")


def git(*arguments):
    if not shutil.which("git"):
        return ""
    found = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return found.stdout.strip()
