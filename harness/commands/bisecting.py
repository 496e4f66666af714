"""`harness bisect`: the release of a package in which a case's verdict changed.

OUT/bisect.json     what each version that was probed does; one that is there is not probed again
OUT/VERSION/        the run of each
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from packaging.version import InvalidVersion, Version

from harness import casefile, pipeline, provision
from harness.config import ConfigError, Options
from harness.environments import pythons
from harness.environments.adapters import adapters
from harness.files import replacing
from harness.model.run import Results
from harness.store.folder import DATABASE
from harness.versions.bisection import Bisection, UndecidedError, bisect

FOLDER = Path("reports") / "bisect"
STATE = "bisect.json"
SECONDS = 120


def search(case: str, package: str, ends: tuple[str, str], python: str, options: Options) -> Bisection:
    """Find the release in which the verdict of a case changed.

    Args:
        case: its id; `options.subject` says whose verdict.
        package: as pip knows it.
        ends: the first and the last version of the range.
        python: version of the interpreter.

    Raises:
        ConfigError: there is no such case, package or version, or an end of the range can't be had.
    """
    file = _file(case)
    versions = _range(released(package, python), ends)
    folder = options.out or FOLDER / re.sub(r"[^A-Za-z0-9._-]+", "-", f"{package}-{case}")
    asked: dict[str, object] = {"case": case, "package": package, "python": python, "subjects": list(options.subject)}
    seen = _read(folder / STATE, asked)

    def probe(version: str) -> str | None:
        if version not in seen:
            settings = {"paths": (file,), "keyword": case, "out": folder / version}
            seen[version] = _probe(f"{package}=={version}@python{python}", case, options.model_copy(update=settings))
            _write(folder / STATE, {**asked, "seen": seen})
        told = seen[version] or "can't be had"
        print(f"{package} {version}: {told}", file=sys.stderr, flush=True)  # noqa: T201 - each takes minutes
        return seen[version]

    try:
        return bisect(versions, probe)
    except UndecidedError as error:
        raise ConfigError(f"bisect: {package} {error}") from error


def released(package: str, python: str) -> list[str]:
    """The versions of a package that pip offers an interpreter, oldest first.

    Raises:
        ConfigError: there is no such interpreter or package.
    """
    interpreter = pythons.find(python)
    if interpreter is None:
        raise ConfigError(f"bisect: no Python {python} here")
    command = [str(interpreter), "-m", "pip", "index", "versions", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603 - pip
    listed = re.search(r"^Available versions: (.*)$", done.stdout, re.MULTILINE)
    if listed is None:
        raise ConfigError(f"bisect: pip offers no {package} for Python {python}")
    return sorted((v for v in listed[1].split(", ") if _is_version(v)), key=Version)


def screen(package: str, found: Bisection) -> Iterator[str]:
    """What was found, and with how many probes."""
    yield f"{len(found.seen)} versions of {package} probed: {', '.join(found.seen)}"
    if not found.first:
        yield f"nothing changed up to {found.last}: {found.seen[found.last]}"
        return
    yield f"{package} {found.last}: {found.seen[found.last]}"
    yield f"{package} {found.first}: {found.seen[found.first]}"
    if found.between:
        yield f"between them, and not to be had: {', '.join(found.between)}"


def does(results: Results, case: str, subjects: tuple[str, ...]) -> str | None:
    """What the subjects of a run did with a case, in words; None if nothing was measured."""
    told = sorted(
        f"{v.subject.partition(':')[2]} {v.output} {v.grade or v.verdict}"
        for v in results.verdicts
        if (v.case == case or v.case.startswith(f"{case}/"))
        and v.environment != "document"
        and str(v.verdict) not in {"unsupported", "unavailable"}
        and (not subjects or any(fnmatchcase(v.subject, glob) for glob in subjects))
    )
    return "; ".join(told) or None


def _probe(requirement: str, case: str, options: Options) -> str | None:
    environment = provision.environment(requirement, options, adapters(options.adapter))
    if environment.complaint:
        return None
    resumed = options.out is not None and (options.out / DATABASE).is_file()
    settings = {"env": (requirement,), "python": (), "tier": "stock", "resume": resumed}
    results = pipeline.measured(options.model_copy(update=settings))
    provision.kept(options).release()
    return does(results, case, options.subject)


def _file(case: str) -> Path:
    """The file that a case is in.

    Raises:
        ConfigError: there is none.
    """
    file = casefile.cases_folder() / f"{case.partition(':')[0]}.yaml"
    if ":" not in case or not file.is_file():
        raise ConfigError(f"bisect {case}: no case has this id; `harness list cases` shows them")
    return file


def _range(versions: list[str], ends: tuple[str, str]) -> list[str]:
    for end in ends:
        if end not in versions:
            raise ConfigError(f"bisect: pip does not offer version {end}; it offers {', '.join(versions)}")
    first, last = sorted(versions.index(end) for end in ends)
    return versions[first : last + 1]


def _is_version(text: str) -> bool:
    try:
        return not Version(text).is_prerelease
    except InvalidVersion:
        return False


def _read(path: Path, asked: dict[str, object]) -> dict[str, str | None]:
    """What was found before it was interrupted, if that was the same search."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    same = isinstance(kept, dict) and {key: kept.get(key) for key in asked} == asked
    return kept["seen"] if same else {}


def _write(path: Path, kept: dict[str, object]) -> None:
    with replacing(path) as part:
        part.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
