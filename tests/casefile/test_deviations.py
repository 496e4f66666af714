"""`deviations.yaml`: what it may say, and each mistake at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import casefile
from harness.casefile import CaseFileErrors, deviations
from harness.model.deviation import Deviation, Requirement

ENTRY = """deviations:
- id: tail
  subjects: "*:torch.*@*"
  versions: ">=2.0,<3"
  operations: sigmoid_cross_entropy
  outputs: [value, "gradient:*"]
  inputs: {logits: "< 0 and finite", truth: subnormal}
  kind: accuracy
  reason: the tail is lost
  link: unreported
  date: 2026-11-23
  shown_by: operations/sigmoid_cross_entropy:boundaries/*
"""


def read(tmp_path: Path, text: str) -> tuple[Deviation, ...]:
    file = tmp_path / "deviations.yaml"
    file.write_text(text, encoding="utf-8")
    return deviations.read(file, tmp_path)


def test_an_entry_is_read_with_one_thing_for_a_list_of_one(tmp_path: Path) -> None:
    (found,) = read(tmp_path, ENTRY)
    assert (found.subjects, found.operations) == (("*:torch.*@*",), ("sigmoid_cross_entropy",))
    assert found.outputs == ("value", "gradient:*")
    assert found.inputs["logits"] == (Requirement("<", 0.0), Requirement("finite"))
    assert found.inputs["truth"] == (Requirement("subnormal"),)
    assert (str(found.kind), found.source.line) == ("accuracy", 2)


def test_the_shipped_list_is_sound_and_every_case_that_shows_one_exists() -> None:
    root = casefile.cases_folder()
    known = casefile.load_deviations(root)
    assert known
    entries = {entry.id for entry in casefile.load(casefile.find([root], root), root)}
    for deviation in known:
        assert deviation.link == "unreported" or deviation.link.startswith("https://")
        for glob in deviation.shown_by:
            assert glob.partition("/")[0] == "operations"
            assert "/".join(glob.split("/")[:2]) in entries, glob


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("accuracy", "acuracy", ":8:9", "accuracy"),
        ("sigmoid_cross_entropy\n  outputs", "sigmoid_cross_entrop\n  outputs", ":5:15", "sigmoid_cross_entropy"),
        ('">=2.0,<3"', "two", ":4:13", "no version specifier"),
        ("< 0 and finite", "< zero", ":7:20", "no condition"),
        ("logits:", "logit:", ":7:12", "logits"),
        ("link: unreported", "link: somewhere", ":10:9", "no link"),
        ("2026-11-23", "yesterday", ":11:9", "no date"),
        ("  reason: the tail is lost\n", "", ":2:3", "'reason' is missing"),
        ("kind:", "knd:", ":8:3", "kind"),
        ("deviations:\n", "deviation:\n", ":1:1", "deviations"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, place: str, said: str) -> None:
    assert old in ENTRY
    with pytest.raises(CaseFileErrors) as raised:
        read(tmp_path, ENTRY.replace(old, new, 1))
    text = str(raised.value)
    assert f"deviations.yaml{place}" in text
    assert said in text


def test_an_id_is_its_own(tmp_path: Path) -> None:
    with pytest.raises(CaseFileErrors, match="again; it is on line"):
        read(tmp_path, ENTRY + ENTRY.partition("\n")[2])


def test_without_the_file_nothing_is_known(tmp_path: Path) -> None:
    assert casefile.load_deviations(tmp_path) == ()
