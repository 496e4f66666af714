"""`harness bisect`: the release of a package in which a case's verdict changed.

OUT/bisect.json     what each version that could be had does; one that is there is not probed again
OUT/VERSION/        the run of each
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from harness import casefile, pipeline, provision
from harness.config import ConfigError, Options
from harness.environments import definitions, pythons
from harness.environments.adapters import adapters
from harness.environments.definitions import Definition
from harness.files import replacing
from harness.model.run import Results
from harness.store.changes import UNMEASURED
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
        ConfigError: there is no such case, package or version, or an end of the range can't be had;
            or bisect.json is of another search.
    """
    files = _files(case, options)
    versions = _range(released(package, python), ends)
    folder = options.out or FOLDER / re.sub(r"[^A-Za-z0-9._-]+", "-", f"{package}-{case}")
    asked: dict[str, object] = {"case": case, "package": package, "python": python, "subjects": list(options.subject)}
    seen = _read(folder / STATE, asked)

    def requirement(version: str) -> str:
        return defined(f"{package}=={version}@python{python}")

    def ready(version: str) -> bool:
        return version in seen or provision.kept(options).contents(provision.defined(requirement(version))) is not None

    def probe(version: str) -> str | None:
        if (told := seen.get(version)) is None:
            settings = {"paths": files, "keyword": case, "out": folder / version, "tier": "stock"}
            told = _probe(requirement(version), case, options.model_copy(update=settings))
        if told is not None:  # what can't be had may be had another time
            seen[version] = told
            _write(folder / STATE, {**asked, "seen": seen})
        said = told or "can't be had"
        print(f"{package} {version}: {said}", file=sys.stderr, flush=True)  # noqa: T201 - each takes minutes
        return told

    try:
        return bisect(versions, probe, ready)
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


def defined(requirement: str) -> str:
    """The name of an environment that is defined by just this requirement, so that what is installed is used; or it."""
    wanted = _held(definitions.adhoc(requirement))
    return next((name for name, known in provision.known().items() if _held(known) == wanted), requirement)


def _held(definition: Definition) -> tuple[str, frozenset[str]]:
    """An environment's interpreter, and what is required on this machine."""
    required = map(Requirement, definition.requirements)
    here = (each for each in required if each.marker is None or each.marker.evaluate())
    return definition.python, frozenset(f"{canonicalize_name(each.name)}{each.specifier}" for each in here)


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
    found: dict[tuple[str, str], dict[str, Counter[str]]] = {}
    for v in results.verdicts:
        asked = v.environment != "document" and (not subjects or any(fnmatchcase(v.subject, glob) for glob in subjects))
        if asked and _is_of(v.case, case) and v.verdict not in UNMEASURED:
            outputs = found.setdefault((v.implementation, v.mode or ""), {})
            outputs.setdefault(v.output, Counter())[str(v.grade or v.verdict)] += 1
    modes: dict[tuple[str, str], list[str]] = {}
    for (implementation, mode), outputs in sorted(found.items()):
        modes.setdefault((implementation, _told(outputs)), []).append(mode)
    return "; ".join(f"{name}@{','.join(several)}: {told}" for (name, told), several in modes.items()) or None


def _told(outputs: Mapping[str, Counter[str]]) -> str:
    """`gradient:logits exact, value 2 broken 1 stable`."""
    return ", ".join(
        f"{output} " + " ".join(grade if len(grades) == 1 else f"{n} {grade}" for grade, n in sorted(grades.items()))
        for output, grades in sorted(outputs.items())
    )


def _is_of(case: str, entry: str) -> bool:
    """Whether a case is the one of an id, or one that it is expanded to."""
    return case == entry or case.startswith(f"{entry}/")


def _probe(requirement: str, case: str, options: Options) -> str | None:
    environment = provision.environment(requirement, options, adapters(options.adapter))
    if environment.complaint:
        return None
    resume = options.out is not None and pipeline.resumable(options.out)
    settings = {"env": (requirement,), "python": (), "resume": resume}
    results = pipeline.measured(options.model_copy(update=settings))
    provision.kept(options).release()
    return does(results, case, options.subject)


def _files(case: str, options: Options) -> tuple[Path, ...]:
    """The files that a case is in: that of its id, or those that are given.

    Raises:
        ConfigError: there is no such case.
    """
    usual = casefile.cases_folder() / f"{case.partition(':')[0]}.yaml"
    files = options.paths or ((usual,) if ":" in case and usual.is_file() else ())
    entries = pipeline.find_entries(None, options.model_copy(update={"paths": files})) if files else []
    if not any(_is_of(unit.id, case) for unit in pipeline.expand_units(entries, options)):
        raise ConfigError(f"bisect {case}: no case has this id; `harness list cases` shows them")
    return files


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


def _read(path: Path, asked: dict[str, object]) -> dict[str, str]:
    """What was found before it was interrupted.

    Raises:
        ConfigError: that was another search, whose runs are beside it; or the file has been changed.
    """
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict) or {key: kept.get(key) for key in asked} != asked:
        raise ConfigError(f"{path}: another search was made here: give another --out")
    if not isinstance(seen := kept.get("seen"), dict):
        raise ConfigError(f"{path}: 'seen' is no table of versions: remove the file, and what they do is asked again")
    return {version: told for version, told in seen.items() if told is not None}


def _write(path: Path, kept: dict[str, object]) -> None:
    with replacing(path) as part:
        part.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
