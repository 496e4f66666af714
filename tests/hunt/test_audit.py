"""Hunts: what is planted is found, made small, and kept; the same seed finds the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness import pipeline
from harness.commands.auditing import Asked, Hunted, audit, screen
from harness.config import ConfigError, Options
from harness.model.verdict import Grade


def hunt(prey: str, tmp_path: Path, name: str, **more: object) -> Hunted:
    asked = replace(Asked(f"prey.{name}", search=True, budget=40_000, save=tmp_path / "found"), **more)  # type: ignore[arg-type]
    return audit(asked, Options(adapter=(prey,), seed=3))


def test_a_narrow_defect_is_found_made_readable_and_kept(prey: str, tmp_path: Path) -> None:
    hunted = hunt(prey, tmp_path, "narrow")
    assert hunted.failed
    assert hunted.case.inputs["logits"].tolist() == [13.0] or hunted.case.inputs["logits"].tolist() == [12.5]
    assert hunted.case.inputs["labels"].tolist() == [0.0]
    assert hunted.file is not None
    assert "found by harness audit prey.narrow --search --seed 3 --budget 40000" in hunted.file.read_text()
    run = Options(paths=(hunted.file,), adapter=(prey,), subject=("*:prey.*",), out=tmp_path / "run")
    assert pipeline.run(run) == 1
    assert any(line.startswith("next: harness explain") for line in screen(hunted))


def test_the_same_seed_finds_the_same(prey: str, tmp_path: Path) -> None:
    first, second = (hunt(prey, tmp_path, "narrow") for _ in range(2))
    assert first.file == second.file  # whose text is the same: another would not be overwritten, and not be told
    assert first.file is not None
    assert first.found.badness == second.found.badness


def test_the_wrong_class_is_the_worst(prey: str, tmp_path: Path) -> None:
    hunted = hunt(prey, tmp_path, "swallowing")
    assert hunted.verdicts[0].grade is Grade.BROKEN


def test_of_a_crash_the_point_to_blame_is_found(prey: str, tmp_path: Path) -> None:
    hunted = hunt(prey, tmp_path, "crashing")
    (logit,) = hunted.case.inputs["logits"].tolist()
    assert 100 < logit < 120
    assert hunted.verdicts[0].verdict == "crash"


def test_what_is_found_is_made_round(prey: str, tmp_path: Path) -> None:
    (logit,) = hunt(prey, tmp_path, "naive", budget=2000).case.inputs["logits"].tolist()
    assert logit in {89.0, 100.0, 1000.0}


def test_a_difference_that_overflows_is_found(prey: str, tmp_path: Path) -> None:
    hunted = hunt(prey, tmp_path, "spread", budget=2000)
    assert hunted.verdicts[0].grade is Grade.BROKEN
    assert hunted.verdicts[0].observed == "nan"
    assert hunted.case.inputs["labels"].sum() == 1


@pytest.mark.parametrize("search", [True, False])
def test_what_dies_at_each_call_is_asked_a_few_times(
    prey: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, search: bool
) -> None:
    deaths = tmp_path / "deaths"
    monkeypatch.setenv("PREY_DEATHS", str(deaths))
    assert hunt(prey, tmp_path, "dying", search=search).verdicts[0].verdict == "crash"
    assert len(deaths.read_text()) < 30


def test_what_is_right_has_no_case(prey: str, tmp_path: Path) -> None:
    hunted = hunt(prey, tmp_path, "right")
    assert not hunted.failed
    assert hunted.file is None


def test_every_number_of_a_half_format_is_tried(prey: str, tmp_path: Path) -> None:
    hunted = hunt(prey, tmp_path, "one", search=False)
    assert hunted.failed
    assert hunted.found.evaluations == 3 * (2 * 31744 - 1)  # finite numbers, with three labels
    assert hunted.case.inputs["logits"].tolist() == pytest.approx([0.1], abs=1e-4)


def test_a_disagreement_is_found(prey: str, tmp_path: Path) -> None:
    hunted = hunt(prey, tmp_path, "right", against="prey.narrow")
    assert [v.verdict.failed for v in hunted.verdicts] == [False, True]
    assert hunted.file is not None


def test_two_are_asked_the_same_operation(prey: str, tmp_path: Path) -> None:
    hunted = hunt(prey, tmp_path, "both", against="prey.late", budget=2000)
    assert [v.verdict.failed for v in hunted.verdicts] == [False, False]
    assert hunted.case.operation == "sigmoid_cross_entropy"


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("nobody", {}, "no such implementation"),
        ("right", {"dtype": "bfloat16"}, "no dtype bfloat16; it has float16, float32, float64"),
        ("right", {"mode": "graph"}, "no mode graph"),
        ("right", {"output": "gradient:logits"}, "no gradient:logits; it has gradients by nothing"),
        ("right", {"operation": "softmax"}, "it computes sigmoid_cross_entropy, not softmax"),
        ("right", {"search": False, "dtype": "float32"}, "too many numbers"),
        ("right", {"against": "prey.sigmoid"}, "different operations: prey.right: sigmoid_cross_entropy; "),
        ("right", {"against": "prey.smooth"}, "prey.smooth: doesn't offer label_smoothing=0.0"),
        ("mean", {}, "one with reduction=none is needed"),
    ],
)
def test_what_can_not_be_hunted_is_told(
    prey: str, tmp_path: Path, name: str, more: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        hunt(prey, tmp_path, name, **more)


def test_known_deviations_are_no_prey_unless_asked_for(tmp_path: Path) -> None:
    name = "torch.nn.functional.binary_cross_entropy_with_logits"
    asked = Asked(name, search=True, budget=20_000, save=tmp_path)
    assert audit(asked, Options()).verdicts[0].deviation is None
    assert audit(replace(asked, known=True), Options()).verdicts[0].deviation == "torch-bce-logits-tail"
