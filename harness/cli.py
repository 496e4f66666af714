"""The command line: thin verbs. Each imports what it needs when it is called, to start at once.

Annotations are values here, not text (`from __future__ import annotations`): typer reads those of every verb at each
start, and compiling them again was a twentieth of `harness list cases`.
"""

import gc
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="harness",
    help="Conformance harness for cross-entropy losses.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
baseline_app = typer.Typer(help="Keep a run to compare with, and compare.", no_args_is_help=True, rich_markup_mode=None)
env_app = typer.Typer(
    help="Environments: interpreters and the frameworks in them.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(baseline_app, name="baseline")
app.add_typer(env_app, name="env")

OK, FAILED, INTERRUPTED, INTERNAL, USAGE, EMPTY = range(6)
TYPERS_INTERRUPTED = 130
"""What typer returns for a KeyboardInterrupt, although it isn't to handle errors here."""
GOES_ON = {"run": ("--resume",), "upgrade": ("--resume",), "matrix": (), "bisect": (), "env create": ()}
"""What is said beside the same arguments to go on with what was interrupted, of the verbs that can."""

Strings = list[str] | None
Paths = Annotated[list[Path] | None, typer.Argument(help="Case files or folders; all of cases/ if none is given.")]
Keyword = Annotated[str, typer.Option("--keyword", "-k", help="Words in case or subject ids: and, or, not, ( ).")]
Subject = Annotated[Strings, typer.Option(help="Glob over subject ids; repeatable.")]
Operation = Annotated[Strings, typer.Option(help="Glob over operations; repeatable.")]
Dtype = Annotated[Strings, typer.Option(help="float16, bfloat16, float32 or float64; repeatable.")]
Python = Annotated[Strings, typer.Option(help="Interpreter, or virtual environment, to use as it is; repeatable.")]
Env = Annotated[Strings, typer.Option(help="Environment to use, made if it isn't there; repeatable.")]
Cache = Annotated[Path | None, typer.Option(help="Folder that environments are kept in.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Names of environments.")]
Adapter = Annotated[Strings, typer.Option(help="File of an adapter of your own; repeatable.")]
Tier = Annotated[str | None, typer.Option(help="quick, stock or nightly.  [default: stock]")]
Threads = Annotated[int | None, typer.Option(help="Threads that a call may use.  [default: 1]")]
Timeout = Annotated[float | None, typer.Option(help="Seconds that a call may take.  [default: 60]")]
Seed = Annotated[int | None, typer.Option(help="Seed of the generators.  [default: 0]")]
Jobs = Annotated[int | None, typer.Option("-n", "--jobs", help="Worker processes at once.")]
Out = Annotated[Path | None, typer.Option(help="Folder of the run, instead of a new one in reports/.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, or the latest.")]
CaseFiles = Annotated[list[Path] | None, typer.Option(help="Case file or folder, instead of the tier's; repeatable.")]
Reports = Annotated[Strings, typer.Option(help="FORMAT[:PATH]: json, html, markdown; repeatable.")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of lines.")]


@app.command()
def run(
    context: typer.Context,
    paths: Paths = None,
    keyword: Keyword = "",
    subject: Subject = None,
    operation: Operation = None,
    dtype: Dtype = None,
    env: Env = None,
    python: Python = None,
    require: Annotated[Strings, typer.Option(help="Framework or environment that must be there; repeatable.")] = None,
    tier: Tier = None,
    jobs: Jobs = None,
    threads: Threads = None,
    timeout: Timeout = None,
    seed: Seed = None,
    out: Out = None,
    resume: Resume = False,
    report: Annotated[
        Strings,
        typer.Option(help="FORMAT[:PATH]: json, html, csv, junit, markdown, sarif, github, terminal; repeatable."),
    ] = None,
    baseline: Annotated[Path | None, typer.Option(help="Baseline file, or run folder, to compare with.")] = None,
    fail_on: Annotated[str | None, typer.Option(help="any failure, new ones, or regression.  [default: any]")] = None,
    rtol: Annotated[float | None, typer.Option(help="Relative tolerance of the named judge.")] = None,
    atol: Annotated[float | None, typer.Option(help="Absolute tolerance of the named judge.")] = None,
    max_failures: Annotated[int | None, typer.Option(help="Stop after so many failures, and fail.")] = None,
    time_budget: Annotated[
        float | None, typer.Option(help="Stop after so many seconds of calls, the most telling first.")
    ] = None,
    adapter: Adapter = None,
    cache: Cache = None,
) -> None:
    """Run cases through the frameworks, judge them, and write the reports."""
    from harness import config, pipeline

    raise typer.Exit(pipeline.run(config.resolve(context.params)))


@app.command(name="list")
def list_(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="operations, implementations, subjects, cases, deviations, environments")],
    json: Json = False,
    tier: Tier = None,
    env: Env = None,
    python: Python = None,
    adapter: Adapter = None,
    cache: Cache = None,
) -> None:
    """List what there is."""
    from harness import config
    from harness.commands import listing

    if what not in listing.LISTS:
        raise config.ConfigError(f"list {what}: there is no such list, only {', '.join(listing.LISTS)}")
    given = {key: value for key, value in context.params.items() if key not in {"what", "json"}}
    rows = listing.LISTS[what](config.resolve(given))
    _print_rows(rows, listing.line, as_json=json)


@app.command()
def coverage(
    context: typer.Context,
    paths: Paths = None,
    operation: Operation = None,
    dtype: Dtype = None,
    tier: Tier = None,
    seed: Seed = None,
    cases: Annotated[bool, typer.Option("--cases", help="Print the cases that fill it, as a case file.")] = False,
    json: Json = False,
) -> None:
    """Count the calls of each operation, pair of parameters, dtype, output and domain; exit 1 if some have none."""
    from harness import config
    from harness.commands import coverage as counting
    from harness.commands import covering

    if cases:
        print(covering.text(), end="")
        return
    given = {key: value for key, value in context.params.items() if key not in {"cases", "json"}}
    found = counting.table(config.resolve(given))
    if json:
        _print_json(list(counting.rows(found)))
    else:
        print("\n".join(counting.lines(found)))
    raise typer.Exit(OK if all(found.values()) else FAILED)


@app.command()
def check(paths: Paths = None, json: Json = False) -> None:
    """Validate case files and the list of deviations, and run nothing."""
    from dataclasses import asdict

    from harness import casefile

    root = casefile.cases_folder()
    try:
        found = casefile.check(paths or [root], root)
    except casefile.CaseFileErrors as errors:
        if not json:
            raise
        _print_json({"problems": [asdict(problem) for problem in errors.problems]})
        raise typer.Exit(USAGE) from errors
    if not found.files:
        from harness.mistakes import NothingSelectedError

        raise NothingSelectedError("no case file is there")
    if json:
        _print_json({**found._asdict(), "problems": []})
    else:
        print(f"{found.files} files, {found.entries} entries, {found.deviations} deviations: no error")


@app.command()
def check_adapter(
    file: Annotated[Path, typer.Argument(help="File of the adapter.")],
    env: Env = None,
    python: Python = None,
    threads: Threads = None,
    timeout: Timeout = None,
    json: Json = False,
) -> None:
    """Tell an adapter's author what is wrong with it: its table, and its answers to small telling calls."""
    from harness import config
    from harness.commands import adapters

    options = config.resolve({"env": env, "python": python, "threads": threads, "timeout": timeout})
    found = adapters.checked(file, options)
    if json:
        _print_rows(adapters.rows(found), str, as_json=True)
    else:
        print("\n".join(adapters.lines(file, found)))
    raise typer.Exit(FAILED if any(each.complaints for each in found.values()) else OK)


@app.command()
def explain(
    case: Annotated[str, typer.Argument(help="Case id, or the part of it behind the colon.")] = "",
    paths: Paths = None,
    operation: Annotated[str | None, typer.Option(help="Instead of CASE: operation that --input is for.")] = None,
    input_: Annotated[Strings, typer.Option("--input", help="NAME=FILE.npy, of the operation; repeatable.")] = None,
    param: Annotated[Strings, typer.Option(help="NAME=VALUE, of the operation; repeatable.")] = None,
    dtype: Annotated[
        str | None, typer.Option(help="Of the inputs; bfloat16 for uint16 bits.  [default: the first input's own]")
    ] = None,
    observed: Annotated[
        Strings,
        typer.Option(help="NAME=FILE.npy, or NAME:gradient:INPUT=FILE.npy: seen elsewhere, judged too; repeatable."),
    ] = None,
    at: Annotated[str | None, typer.Option(help="INDEX of the only element, or row, of --input to look at.")] = None,
    save: Annotated[Path | None, typer.Option(help="Case file to write of --input.")] = None,
    json: Json = False,
    env: Env = None,
    python: Python = None,
    subject: Subject = None,
    adapter: Adapter = None,
    threads: Threads = None,
    timeout: Timeout = None,
    seed: Seed = None,
    cache: Cache = None,
) -> None:
    """Show one case, or arrays of your own, with all subjects side by side: values, bits, errors, and who is nearer."""
    from harness import config
    from harness.casefile.own import Asked
    from harness.commands import arrays, explaining
    from harness.reporting import explanation, explanation_json

    flags = {"paths": paths, "env": env, "python": python, "subject": subject, "adapter": adapter, "cache": cache}
    options = config.resolve(flags | {"threads": threads, "timeout": timeout, "seed": seed})
    given = [input_, param, dtype, observed, at, save]
    if bool(case) == bool(operation) or (case and any(given)):
        raise config.ConfigError("explain: CASE, or --operation NAME with --input NAME=FILE.npy, and not both")
    if operation:
        asked = Asked(operation, input_ or (), param or (), observed or (), dtype)
        found = arrays.explain(asked, at, save, options)
    else:
        found = explaining.explain(case, options)
    if json:
        _print_json(explanation_json.document(found))
    else:
        print("\n".join(explanation.lines(found)))


@app.command()
def repro(
    case: Annotated[str, typer.Argument(help="Case id, or the part of it behind the colon.")],
    subject: Annotated[str, typer.Argument(help="Id of a subject, or a glob that one alone matches.")],
    output: Annotated[str, typer.Option(help="value or gradient:NAME.  [default: the first that is wrong]")] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="As the text of an upstream issue.")] = False,
    env: Env = None,
    python: Python = None,
    adapter: Adapter = None,
    threads: Threads = None,
    timeout: Timeout = None,
    seed: Seed = None,
    cache: Cache = None,
) -> None:
    """Write a failure or deviation as a script with nothing but the framework; it exits 1 while the defect is there."""
    from harness import config
    from harness.commands import reproducing

    flags = {"env": env, "python": python, "adapter": adapter, "cache": cache}
    options = config.resolve(flags | {"threads": threads, "timeout": timeout, "seed": seed})
    found = reproducing.repro(case, subject, output, options)
    print(reproducing.text_of(found, as_markdown=markdown), end="")


@app.command()
def selftest(threads: Threads = None, timeout: Timeout = None, json: Json = False) -> None:
    """Does the stock suite notice faulty implementations, and leave right ones alone?"""
    from harness.commands import selftest as selftests

    found = selftests.selftest(selftests.settings(threads, timeout))
    if json:
        _print_json(selftests.document(found))
    else:
        print("\n".join(selftests.lines(found)))
    raise typer.Exit(OK if found.passed else FAILED)


@app.command()
def schema(
    what: Annotated[str, typer.Argument(help="Of which files: cases or deviations.")] = "cases",
    out: Annotated[Path | None, typer.Option(help="File to write, instead of standard output.")] = None,
) -> None:
    """Write the JSON Schema of case files, or of the list of deviations, for editors."""
    import json

    from harness import casefile, config

    if what not in casefile.SCHEMAS:
        raise config.ConfigError(f"schema {what}: there is no such schema, only {', '.join(casefile.SCHEMAS)}")
    text = json.dumps(casefile.SCHEMAS[what](), indent=2) + "\n"
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, encoding="utf-8")


@app.command()
def upgrade(
    context: typer.Context,
    sides: Annotated[
        list[str] | None,
        typer.Argument(help="The two sides: an environment's name, REQUIREMENTS[@pythonX.Y], or a lock file."),
    ] = None,
    keyword: Keyword = "",
    subject: Subject = None,
    operation: Operation = None,
    dtype: Dtype = None,
    python: Python = None,
    adapter: Adapter = None,
    tier: Tier = None,
    jobs: Annotated[int | None, typer.Option("-n", "--jobs", help="Worker processes of each side at once.")] = None,
    threads: Threads = None,
    timeout: Timeout = None,
    seed: Seed = None,
    cases: CaseFiles = None,
    out: Out = None,
    resume: Resume = False,
    report: Reports = None,
    fail_on: Annotated[
        str | None, typer.Option(help="new: newly broken; regression: worse in any way; any failure.  [default: new]")
    ] = None,
    cache: Cache = None,
) -> None:
    """Run the same cases in two environments, and say what is not as it was."""
    from harness import config
    from harness.commands import upgrading

    given = _renamed(context.params, sides="env", cases="paths")
    options = config.resolve(given, defaults=upgrading.DEFAULTS, together=upgrading.TOGETHER)
    found = upgrading.upgrade(options)
    for line in upgrading.screen(found):
        print(line)
    raise typer.Exit(upgrading.exit_code(found))


@app.command()
def matrix(
    context: typer.Context,
    environments: Annotated[
        list[str] | None, typer.Argument(help="As in upgrade; those in --out if none is given.")
    ] = None,
    keyword: Keyword = "",
    subject: Subject = None,
    operation: Operation = None,
    dtype: Dtype = None,
    adapter: Adapter = None,
    tier: Annotated[str, typer.Option(help="quick, stock or nightly.")] = "quick",
    jobs: Jobs = None,
    threads: Threads = None,
    timeout: Timeout = None,
    seed: Seed = None,
    cases: CaseFiles = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the baselines.  [default: reports/matrix]")] = None,
    report: Reports = None,
    cache: Cache = None,
) -> None:
    """Run the same cases in many environments, one after another: since when does each deviation exist."""
    from harness import config
    from harness.commands import matrix as matrices

    given = _renamed(context.params, environments=None, cases="paths")
    for line in matrices.screen(matrices.matrix(environments or [], config.resolve(given))):
        print(line)


@app.command()
def audit(
    implementation: Annotated[str, typer.Argument(help="Path of the implementation, as in list implementations.")],
    search: Annotated[
        bool, typer.Option("--search", help="Search; else every number of a half format is tried.")
    ] = False,
    against: Annotated[str, typer.Option(help="Another implementation: look for the largest disagreement.")] = "",
    operation: Annotated[str, typer.Option(help="Operation, where it computes several.")] = "",
    output: Annotated[str, typer.Option(help="value, or gradient:NAME.")] = "value",
    dtype: Annotated[str, typer.Option(help="Of the inputs.  [default: float32 with --search, else float16]")] = "",
    mode: Annotated[str, typer.Option(help="How it is executed.  [default: its usual mode]")] = "",
    classes: Annotated[int, typer.Option(min=2, help="Classes of a row.")] = 3,
    budget: Annotated[int, typer.Option(min=1, help="Points that may be tried.")] = 200_000,
    known: Annotated[bool, typer.Option("--known", help="Look for known deviations too.")] = False,
    save: Annotated[Path, typer.Option(help="Folder that the case is kept in.")] = Path("cases/found"),
    seed: Seed = None,
    env: Env = None,
    python: Python = None,
    adapter: Adapter = None,
    threads: Threads = None,
    timeout: Timeout = None,
    cache: Cache = None,
) -> None:
    """Hunt for the worst input of an implementation, make it small, and keep it as a case."""
    from harness import config
    from harness.commands import auditing

    flags = {"seed": seed, "env": env, "python": python, "adapter": adapter, "cache": cache}
    options = config.resolve(flags | {"threads": threads, "timeout": timeout})
    asked = auditing.Asked(
        implementation, against, operation, output, dtype, mode, classes, budget, search, known, save
    )
    hunted = auditing.audit(asked, options)
    for line in auditing.screen(hunted):
        print(line)
    raise typer.Exit(FAILED if hunted.failed else OK)


@app.command()
def atlas(
    run: Annotated[
        Path | None, typer.Argument(help="Folder of the run to take evidence from.  [default: the latest]")
    ] = None,
    report: Reports = None,
    cache: Cache = None,
) -> None:
    """Tell which public calls compute the same function, where defaults differ, and how to port one to another."""
    from harness import config
    from harness.commands import atlas as atlases

    for line in atlases.screen(atlases.made(run, config.resolve({"report": report, "cache": cache}))):
        print(line)


@app.command()
def findings(
    run: Annotated[
        Path | None, typer.Argument(help="Folder of the run that measured them.  [default: the latest]")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="markdown or json.")] = "markdown",
    baselines: Annotated[
        list[Path], typer.Option(help="Folder of the matrix's baselines: since when each is there; repeatable.")
    ] = [Path("reports/baselines/quick"), Path("reports/baselines/findings")],  # noqa: B006 - typer copies it
) -> None:
    """Write down the root causes behind the known deviations, each with its smallest case as a run measured it."""
    from harness.commands import findings as verb

    print(verb.text(run, form, baselines), end="")


@app.command()
def misuse(
    run: Annotated[Path | None, typer.Argument(help="Folder of the run that tried it.  [default: the latest]")] = None,
    form: Annotated[str, typer.Option("--format", help="markdown or json.")] = "markdown",
) -> None:
    """Write down which implementation raises what for bad input, or silently gives a number, by kind and mode."""
    from harness.commands import misuse as verb

    print(verb.text(run, form), end="")


@app.command()
def bisect(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="Case id.")],
    package: Annotated[str, typer.Option(help="Package, as pip knows it.")],
    first: Annotated[str, typer.Option("--from", help="Version at one end of the range.")],
    last: Annotated[str, typer.Option("--to", help="Version at the other end.")],
    version: Annotated[str, typer.Option("--on", help="Version of Python.")] = "3.11",
    subject: Subject = None,
    adapter: Adapter = None,
    threads: Threads = None,
    timeout: Timeout = None,
    cases: CaseFiles = None,
    out: Annotated[Path | None, typer.Option(help="Folder of its runs; a search that was interrupted goes on.")] = None,
    cache: Cache = None,
) -> None:
    """Find the release of a package in which the verdict of a case changed, with as few installs as possible."""
    from harness import config
    from harness.commands import bisecting

    given = _renamed(context.params, case=None, package=None, first=None, last=None, version=None, cases="paths")
    found = bisecting.search(case, package, (first, last), version, config.resolve(given))
    for line in bisecting.screen(package, found):
        print(line)


@baseline_app.command()
def save(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs: of several, for the spread.")],
    to: Annotated[Path, typer.Option(help="File to write.")],
) -> None:
    """Keep a run as a text file that git can show the changes of."""
    from harness.commands import baselines

    print(f"{baselines.save(runs, to)} verdicts in {to}")


@baseline_app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="Run folder or baseline file.")],
    after: Annotated[Path, typer.Argument(help="Run folder or baseline file.")],
    json: Json = False,
) -> None:
    """Show what is not as it was; exit 0 when nothing differs."""
    from harness.commands import baselines
    from harness.reporting.text import one_line
    from harness.store.changes import summary

    found = baselines.diff(before, after)
    if json:
        _print_rows((baselines.row(d) for d in found.differences), str, as_json=True)
    else:
        print("\n".join(map(one_line, summary(found, most=len(found.differences)))))
    raise typer.Exit(FAILED if found.differences else OK)


@baseline_app.command()
def update(
    file: Annotated[Path, typer.Argument(help="Baseline file.")],
    runs: Annotated[list[Path], typer.Option("--from", help="Folder of the run that takes its place; repeatable.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Show what a run would change in a baseline, ask, and write it."""
    from harness.commands import baselines
    from harness.reporting.text import one_line
    from harness.store import baseline as baseline_files
    from harness.store.changes import summary

    found, proposal = baselines.proposed(file, runs)
    print("\n".join(map(one_line, summary(found, most=len(found.differences)))))
    if found.differences and not yes and not _confirmed(f"Accept this as {file}?"):
        print("nothing was written")
        raise typer.Exit(FAILED)
    print(f"{baseline_files.save(proposal, file)} verdicts in {file}")


@env_app.command(name="list")
def env_list(json: Json = False, cache: Cache = None) -> None:
    """Show the environments that there are, and which of them are made."""
    from harness import config
    from harness.commands import environments

    _print_rows(environments.rows(config.resolve({"cache": cache})), environments.line, as_json=json)


@env_app.command()
def create(
    names: Names = None,
    relock: Annotated[bool, typer.Option("--relock", help="Resolve anew, and write a new lock file.")] = False,
    cache: Cache = None,
) -> None:
    """Make environments that are not there."""
    from harness import config
    from harness.commands import environments

    made = list(environments.create(names or [], config.resolve({"cache": cache}), relock=relock))
    _print_rows(made, environments.line, as_json=False)
    raise typer.Exit(FAILED if any(row["complaint"] for row in made) else OK)


@env_app.command()
def remove(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are in the cache.")] = False,
    cache: Cache = None,
) -> None:
    """Remove environments from the cache, and free their disk; lock files stay."""
    from harness import config
    from harness.commands import environments

    for key, freed in environments.remove(names or [], config.resolve({"cache": cache}), everything=everything):
        print(f"{key}: {freed:,} MB freed")


@env_app.command()
def doctor(
    names: Names = None,
    json: Json = False,
    python: Python = None,
    adapter: Adapter = None,
    threads: Threads = None,
    cache: Cache = None,
) -> None:
    """Start each framework in each environment, and tell what is missing; without names, in those that are made."""
    from harness import config
    from harness.commands import doctor as doctors

    options = config.resolve({"python": python, "adapter": adapter, "threads": threads, "cache": cache})
    rows = list(doctors.rows(names or [], options))
    _print_rows(rows, doctors.line, as_json=json)
    raise typer.Exit(OK if all(row["available"] for row in rows) else FAILED)


def main() -> None:
    """Run the command line and exit; one clear message for wrong input, a traceback only for our own bugs."""
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # looking for some takes as long as reading half the case files
    gc.set_threshold(100_000)  # nearly all that start-up makes stays: the collector needn't look so often
    code = _exit_code()
    gc.freeze()  # the process ends: a last look through all that is alive would take a sixth of `harness list cases`
    sys.exit(code)


def _exit_code() -> int:
    try:
        code = int(app(standalone_mode=False) or OK)
    except typer.TyperException as error:
        print(f"harness: {error.format_message()}", file=sys.stderr)
        return USAGE
    except (KeyboardInterrupt, typer.Abort):
        code = TYPERS_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last place that can tell a user's mistake from a bug
        return _explained(error)
    if code == TYPERS_INTERRUPTED:
        print(_interrupted(sys.argv[1:]), file=sys.stderr)
        return INTERRUPTED
    return code


def _interrupted(arguments: list[str]) -> str:
    import shlex

    words = 2 if arguments[:1] == ["env"] else 1
    verb, given = arguments[:words], arguments[words:]
    more = GOES_ON.get(" ".join(verb))
    if more is None:
        return "interrupted"
    flags = [flag for flag in more if flag not in given]
    return f"interrupted: go on with `{shlex.join(['harness', *verb, *flags, *given])}`"


def _explained(error: Exception) -> int:
    from harness.mistakes import MISTAKES, NothingSelectedError

    if isinstance(error, NothingSelectedError):
        print(f"harness: {error}", file=sys.stderr)
        return EMPTY
    if isinstance(error, MISTAKES):
        print(f"harness: {error}", file=sys.stderr)
        return USAGE
    traceback.print_exception(error)
    print("harness: internal error: this is a bug of the harness, not a finding", file=sys.stderr)
    return INTERNAL


def _confirmed(question: str) -> bool:
    """What is answered to a question.

    Raises:
        ConfigError: nobody is there to answer.
    """
    from harness import config

    try:
        return typer.confirm(question)
    except typer.Abort:
        if sys.stdin.isatty():
            raise  # interrupted
        raise config.ConfigError("--yes is needed where nobody answers: nothing was written") from None


def _renamed(given: Mapping[str, Any], **names: str | None) -> dict[str, Any]:
    """Arguments by the names of the settings that they are; None for those that are none."""
    return {name: value for key, value in given.items() if (name := names.get(key, key)) is not None}


def _print_json(value: Any) -> None:
    import json

    print(json.dumps(value, indent=2, default=str))


def _print_rows(rows: Iterable[Mapping[str, Any]], line: Callable[[Any], str], *, as_json: bool) -> None:
    if as_json:
        _print_json(list(rows))
    else:
        for row in rows:
            print(line(row))
