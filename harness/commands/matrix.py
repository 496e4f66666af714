"""`harness matrix`: the same plan in many environments, one after another, as baselines and one table.

OUT/NAME.txt       an environment's baseline; one that is there is not measured again
OUT/runs/NAME/     its run; one that was interrupted is resumed
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.version import InvalidVersion, Version

from harness import casefile, pipeline, provision
from harness.commands import formats
from harness.config import ConfigError, Options, named
from harness.environments.adapters import adapters
from harness.reporting.text import plural
from harness.store import baseline
from harness.store.baseline import RUN, Baseline
from harness.store.database import begun
from harness.versions import cube
from harness.versions.cube import Presence
from harness.versions.cube_reports import FORMATS, Matrix

FOLDER = Path("reports") / "matrix"
PACKAGE = "package "


def matrix(names: Sequence[str], options: Options) -> Matrix:
    """Measure what has no baseline yet, and put all together.

    Args:
        names: environments, in the order in which they are shown; all in the folder if none are given.

    Raises:
        ConfigError: there is nothing to show, a report's format is unknown, two environments have one name, or what is
            there was measured otherwise.
    """
    wanted = formats.wanted(options.report, FORMATS)
    folder = options.out or FOLDER
    _see_distinct(names)
    for name in names:
        _measure(name, folder, options)
    found = baselines(folder)
    kept = {named(name): found[named(name)] for name in names if named(name) in found} if names else found
    if not kept:
        cause = f"{', '.join(names)} can't be had" if names else "no environment is named"
        raise ConfigError(f"matrix: {cause}, and there is no baseline in {folder}")
    made = put_together(kept)
    formats.write(made, wanted, FORMATS, folder)
    return made


def baselines(folder: Path) -> dict[str, Baseline]:
    """The baselines of a folder by the name of their environment, older versions first."""
    found = {file.stem: baseline.load(file) for file in sorted(folder.glob("*.txt"))}
    return dict(sorted(found.items(), key=_age))


def put_together(kept: Mapping[str, Baseline]) -> Matrix:
    """The cube of baselines, with the known deviations through them."""
    versions = {name: dict(each.entries()) for name, each in kept.items()}
    contents = {name: _contents(each) for name, each in kept.items()}
    known = casefile.load_deviations(casefile.cases_folder())
    reasons = {deviation.id: deviation.reason for deviation in known}
    return Matrix(contents, cube.table(versions), cube.outputs(versions), cube.since(versions, known), reasons)


def screen(made: Matrix) -> Iterator[str]:
    """Since when each deviation exists, and where implementations differ between versions."""
    yield f"{len(made.versions)} versions: {', '.join(made.versions)}"
    measured = [each for each in made.since if set(each.presence.values()) != {Presence.NOT_MEASURED}]
    for each in measured:
        yield f"  {each.deviation}: {each}"
    if others := [each.deviation for each in made.since if each not in measured]:
        yield f"  {plural(len(others), 'deviation')} not measured: {', '.join(others)}"
    moved = plural(len(cube.moved(made.outputs)), "output")
    yield f"{plural(len(made.table), 'implementation')}; {moved} departing in one version and not in another"


def _see_distinct(names: Sequence[str]) -> None:
    """See that each environment has a column of its own, which is kept by its name."""
    texts: dict[str, str] = {}
    for text in names:
        if (first := texts.setdefault(named(text), text)) != text:
            same = f"{first} and {text} are both called {named(text)}"
            raise ConfigError(f"matrix: {same}: give them names, in [tool.harness.env.NAME]")


def _measure(name: str, folder: Path, options: Options) -> None:
    """The baseline of an environment, unless there is one; its environment is made for it, and then left to others."""
    environment = provision.environment(name, options, adapters(options.adapter))
    file = folder / f"{environment.name}.txt"
    place = folder / "runs" / environment.name
    options = options.model_copy(update={"env": (name,), "python": (), "out": place})
    _see_same(file, options)
    if file.is_file():
        return
    if environment.complaint:
        return  # said already, in one line; it has no column
    results = pipeline.measured(options.model_copy(update={"resume": pipeline.resumable(place)}))
    count = baseline.save(baseline.of_run(results.run, results.verdicts), file)
    print(f"{environment.name}: {count:,} verdicts in {file}", file=sys.stderr, flush=True)  # noqa: T201 - it takes minutes
    provision.kept(options).release()


def _see_same(file: Path, options: Options) -> None:
    """See that an environment's run, if it is there, is of the same selection: columns of others can't be compared."""
    if options.out is not None and begun(options.out):
        for flag in pipeline.differing(pipeline.reopened(options), options):
            anew = f"give another --out, or remove {options.out}, and {file}"
            raise ConfigError(f"matrix: {flag}: {file.stem} was measured otherwise: {anew}")


def _age(named_baseline: tuple[str, Baseline]) -> list[tuple[str, Version]]:
    """What baselines are ordered by that no name has ordered: framework by framework, older versions first."""
    packages = {
        fact.removeprefix(PACKAGE): value
        for facts in named_baseline[1].facts.values()
        for fact, value in facts.items()
        if fact.startswith(PACKAGE) and fact != f"{PACKAGE}numpy"
    }
    return [(name, _version(packages[name])) for name in sorted(packages, reverse=True)]  # Keras after TensorFlow


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


def _contents(kept: Baseline) -> str:
    """What a baseline says of its environments."""
    told = []
    for name, facts in kept.facts.items():
        if name == RUN:
            continue
        packages = [f"{fact.removeprefix(PACKAGE)} {facts[fact]}" for fact in facts if fact.startswith(PACKAGE)]
        told.append(", ".join([f"Python {facts.get('python', 'unknown')}", *packages]))
    return "; ".join(told)
