"""One failed verdict as the text of a test failure: one fact a line."""

from __future__ import annotations

import shlex

from harness.model.verdict import Verdict
from harness.reporting.text import visible


def message(row: Verdict) -> str:
    """What failed, by how much, and what to type next."""
    facts = [
        f"{row.verdict}: {row.case}",
        f"  subject   {row.subject}  {row.output}",
        f"  reason    {visible(row.reason)}",
    ]
    if row.observed is not None:
        facts.append(f"  observed  {row.observed}")
        facts.append(f"  truth     {row.truth}")
    if row.max_ulp is not None:
        facts.append(f"  worst     {row.max_ulp:+.6g} ulp")
    facts.append(f"  case      {row.source}")
    facts.append(f"  next      {explain(row)}")
    return "\n".join(facts)


def explain(row: Verdict) -> str:
    """The command that shows the case of a verdict, with its file if that doesn't lie in the folder cases/."""
    words = ["harness", "explain", row.case]
    stem = row.case.partition(":")[0]
    return shlex.join(words if "/" in stem else [*words, row.source.rpartition(":")[0]])
