"""Plans: which subject is asked which case, decided before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.case import Case, Parameters, Unit
from harness.model.subject import Environment, Subject


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One call to be made.

    Attributes:
        rank: its place in the plan, which is the order of every report.
        unit: the case, or the relation that the call belongs to.
        call: the call; the case itself, or one of the relation's.
        subject: who is asked.
        adapter: path of the adapter's file.
        parameters: the call's parameters, completed with the operation's defaults.
        wanted: outputs that are asked for.
        refusal: why the subject's API can't express the call; "" if it can.
    """

    rank: int
    unit: Unit
    call: Case
    subject: Subject
    adapter: str
    parameters: Parameters
    wanted: tuple[str, ...]
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run will do.

    Attributes:
        units: cases, relations and claims, in the order of their files.
        places: the rank of each unit itself, where what its document prints is reported.
        items: the calls, those that are refused included.
        environments: by name.
    """

    units: list[Unit]
    places: list[int]
    items: list[Item]
    environments: Mapping[str, Environment]
