"""`harness findings`: the root causes behind the known deviations, as a run and the baselines show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from harness import casefile, config
from harness.casefile.deviations import Known
from harness.commands import matrix
from harness.commands.explaining import named, units
from harness.config import ConfigError, Options
from harness.model.case import Case
from harness.model.deviation import Deviation, Finding
from harness.model.run import Results
from harness.model.verdict import Verdict
from harness.oracle.truth import evaluate
from harness.reporting.findings_report import WRITERS, Findings, Shown
from harness.session import results
from harness.store import folder
from harness.store.database import reading
from harness.store.entries import Entry, Key
from harness.versions import cube
from harness.versions.cube import Presence, Since, Versions


def text(run: Path | None, form: str, baselines: Sequence[Path]) -> str:
    """The document.

    Args:
        run: a run's folder; the latest if None.
        form: one of `WRITERS`.
        baselines: folders of the matrix's baselines; of findings that none has measured it says so.

    Raises:
        ConfigError: there is no such format.
        RunFolderError: there is no such run, or a baseline is none.
    """
    if form not in WRITERS:
        raise ConfigError(f"--format {form}: no such format here; there are {', '.join(WRITERS)}")
    place = folder.find(run)
    known = casefile.load_known(casefile.cases_folder())
    versions = _versions(baselines)
    with reading(place) as store:
        return WRITERS[form](gathered(known, results(store, place), versions))


def gathered(known: Known, measured: Results, versions: Versions) -> Findings:
    """Each finding with its row of a run, and with the versions that have it."""
    parts: dict[str, list[Deviation]] = defaultdict(list)
    for deviation in known.deviations:
        parts[deviation.finding].append(deviation)
    rows = {(v.case, v.subject, v.output): v for v in measured.verdicts}
    through = {each.deviation: each.presence for each in cube.since(versions, known.deviations)}
    shown = []
    for finding in known.findings:
        own = parts[finding.id]
        row = rows.get((finding.case, finding.subject, finding.output))
        alone = cube.own_case(versions, finding, [part.kind for part in own])
        since = Since(finding.id, _presence([alone, *(through[part.id] for part in own)], versions))
        ids = tuple(part.id for part in own)
        shown.append(Shown(finding, ids, row, _truth(finding, row), _words(since)))
    packages = {n: v for print_ in measured.run.environments.values() for n, v in print_.packages.items()}
    return Findings(shown, dict(sorted(packages.items())))


def _versions(folders: Iterable[Path]) -> Versions:
    """What the baselines of all folders have of each version."""
    found: dict[str, dict[Key, Entry]] = {}
    for place in folders:
        for name, each in matrix.baselines(place).items():
            found.setdefault(name, {}).update(each.entries())
    return found


def _presence(each: Iterable[Mapping[str, Presence]], versions: Iterable[str]) -> dict[str, Presence]:
    """A finding is there where its case or one of its deviations shows it, and measured where one of them is."""
    every, best = list(each), (Presence.THERE, Presence.NOT_THERE, Presence.NOT_MEASURED)
    return {version: min((own[version] for own in every), key=best.index) for version in versions}


def _words(since: Since) -> str:
    measured = [version for version, presence in since.presence.items() if presence is not Presence.NOT_MEASURED]
    return f"{since} ({', '.join(measured)})" if len(measured) > 1 else str(since)


def _truth(finding: Finding, row: Verdict | None) -> str:
    """The enclosure of the number that a row looks at."""
    if row is None or row.observed is None or row.index is None:
        return ""
    options: Options = config.resolve({})
    case = named(finding.case, units(finding.case, options))
    if not isinstance(case, Case):
        return ""
    found = evaluate(case).outputs[finding.output]
    high, radius = float(found.high[row.index]), float(found.radius[row.index])
    return f"{high!r} ± {radius:.1g}" if np.isfinite(high) else repr(high)
