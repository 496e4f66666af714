"""Proof that bounds are neither jumpy nor blind: textbook forms stay inside, documents' forms don't, none is too wide.

    python benchmarks/bounds.py [--share 0.1] [--dtype float32]... [--write]

--share does a part of the work, --write puts figures and tables into docs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.proofs import documents, textbook, tightness
from benchmarks.proofs.figure import figure
from benchmarks.proofs.inside import ELEMENTS, Inside, inside
from benchmarks.proofs.lacking import lacking
from benchmarks.proofs.tightness import Answer, answers, questions, unreached
from harness.oracle import library
from harness.oracle.formats import FORMATS

DOCS = Path(__file__).resolve().parent.parent / "docs"
BEGIN, END = "<!-- benchmarks/bounds.py writes: {} -->\n", "<!-- as far as here -->"
"""Around the tables in docs/numerics.md."""
ALARMS = 20
"""That are printed."""


def main() -> int:
    """Hold all claims; 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="part of the work, up to 1")
    parser.add_argument("--dtype", action="append", choices=list(FORMATS), help="these only")
    parser.add_argument("--write", action="store_true", help="write the tables and the figure into docs/")
    asked = parser.parse_args()
    dtypes = asked.dtype or list(FORMATS)
    library.check()
    if objections := lacking():
        print("\n".join(objections))
        return 1
    kept = {dtype: _inside(dtype, asked.share) for dtype in dtypes}
    graded = _graded()
    tight = {dtype: _tight(dtype, asked.share) for dtype in dtypes}
    if asked.write:
        _write(kept, tight)
    jumpy = any(found.alarms for found in kept.values())
    blind = not all(answer.holds for row in tight.values() for answer in row)
    blind |= asked.share == 1 and any(unreached(row) for row in tight.values())
    return int(jumpy or blind or bool(graded))


def _inside(dtype: str, share: float) -> Inside:
    wanted, begun = round(share * ELEMENTS[dtype]), time.perf_counter()
    found = inside(dtype, wanted)
    _told(
        not found.alarms,
        f"inside, {dtype}: {found.elements:,} elements, {found.bounded:,} with a finite bound, at most "
        f"{found.largest:.3f} B, {len(found.alarms)} alarms ({time.perf_counter() - begun:.0f} s)",
    )
    for alarm in found.alarms[:ALARMS]:
        print(f"     {alarm}")
    return found


def _graded() -> list[str]:
    """Objections to how the documents' forms are graded."""
    objections = [objection for row in documents.rows() for objection in row.objections]
    _told(not objections, f"documents' forms: {len(documents.FORMS)}, {len(objections)} graded otherwise than claimed")
    for objection in objections:
        print(f"     {objection}")
    return objections


def _tight(dtype: str, share: float) -> list[Answer]:
    begun = time.perf_counter()
    found = [answer for question in questions(dtype, share) for answer in answers(question)]
    loose = [answer for answer in found if not answer.holds]
    # A part of the questions may have left out the ones that tell.
    nowhere = unreached(found) if share == 1 else []
    _told(
        not loose and not nowhere,
        f"tight, {dtype}: {len(found)} outputs, {sum(a.is_tight for a in found)} tight, {len(loose)} loose, the rest "
        f"by the library's m, {textbook.library(dtype):.2g} here ({time.perf_counter() - begun:.0f} s)",
    )
    for name in nowhere:
        print(f"     {name}: no output is tight")
    for answer in found:
        if not answer.is_tight:
            print(f"     {answer}")
    return found


def _told(kept: bool, what: str) -> None:  # noqa: FBT001 - as it is printed
    print(f"{'ok  ' if kept else 'MISS'} {what}", flush=True)


def _write(kept: Mapping[str, Inside], tight: Mapping[str, Sequence[Answer]]) -> None:
    page = DOCS / "numerics.md"
    text = page.read_text()
    tables = {"inside": _kept_table(kept), "documents": documents.table(), "tightness": tightness.table(tight)}
    for name, rows in tables.items():
        before, mark, rest = text.partition(BEGIN.format(name))
        text = before + mark + "\n" + rows + "\n\n" + END + rest.partition(END)[2]
    page.write_text(text)
    (DOCS / "bounds.svg").write_text(figure())


def _kept_table(kept: Mapping[str, Inside]) -> str:
    lines = ["| dtype | elements | with a finite bound | largest error | alarms |", "|---|---|---|---|---|"]
    lines += [
        f"| {dtype} | {found.elements:,} | {found.bounded:,} | {found.largest:.3f} B | {len(found.alarms)} |"
        for dtype, found in kept.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
