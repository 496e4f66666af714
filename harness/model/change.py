"""What may become of a verdict from one run to another."""

from __future__ import annotations

from enum import StrEnum


class Change(StrEnum):
    """Classes of differences, the gravest first.

    NEW_FAILURE: it fails, and did not. SEMANTICS: a value became an error, an error a value or another error, or one
    way of failing another. WORSE: the error grew past what repeated runs differ by. NOT_MEASURED: it was, and its
    environment can't be had, or its case is gone. REMOVED: its API is gone, or no longer takes the call. FIXED: it
    failed or departed from the truth, and does not. BETTER: the error shrank. NEW: it was not measured, and is right.
    JUDGED: the same bits with another verdict: what they are held against has changed. BITS: others, as good.
    """

    NEW_FAILURE = "new failure"
    SEMANTICS = "semantics changed"
    WORSE = "worse"
    NOT_MEASURED = "not measured"
    REMOVED = "removed"
    FIXED = "fixed"
    BETTER = "better"
    NEW = "newly supported"
    JUDGED = "judged anew"
    BITS = "bits changed"
