"""Whether the repro script of each finding runs on its own, and exits 1: the defect is there.

    python benchmarks/findings.py [--python INTERPRETER] [WORD...]

Scripts are written by `harness repro` and run by another process, in an empty folder, without the harness on its path:
in a fresh environment with `--python` of one that has nothing but the pinned frameworks. Words select ids.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import casefile
from harness.model.deviation import Finding

THERE, GONE = 1, 0
LONGEST = 300


def script(finding: Finding) -> tuple[str, str]:
    """The script, and why there is none: one of them is empty."""
    command = [sys.executable, "-m", "harness", "repro", finding.case, finding.subject, "--output", finding.output]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout, "") if done.returncode == 0 else ("", done.stderr.strip().rpartition("\n")[2])


def code(text: str, python: str) -> tuple[int, str]:
    """The exit code of a script, and the last line that it prints."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "repro.py"
        file.write_text(text, encoding="utf-8")
        around = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        command, limit = [python, "-I", str(file)], LONGEST
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=folder, env=around, timeout=limit
        )
    return done.returncode, (done.stdout or done.stderr).strip().rpartition("\n")[2]


def result(finding: Finding, python: str) -> tuple[str, bool]:
    """What became of a finding, and whether that is a fault of its script."""
    text, missing = script(finding)
    if missing:
        return f"no script: {missing}", "nothing is wrong" not in missing
    try:
        exited, said = code(text, python)
    except subprocess.TimeoutExpired:
        return f"no answer within {LONGEST} s", True
    known = {THERE: "there", GONE: "gone"}
    return f"{known.get(exited, f'exit code {exited}')}: {said}", exited != THERE


def main() -> int:
    """A line for each finding; 1 if a script doesn't show its defect."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("words", nargs="*")
    asked = parser.parse_args()
    faults = 0
    for finding in casefile.load_known(casefile.cases_folder()).findings:
        if asked.words and not any(word in finding.id for word in asked.words):
            continue
        said, fault = result(finding, asked.python)
        faults += fault
        print(f"{'FAULT' if fault else 'ok   '}  {finding.id}  {said}", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
