"""What `harness selftest` says of mutants and variants."""

import json
from pathlib import Path

import pytest

from harness import cli
from harness.commands import selftest
from harness.selftest import rounds

PIPELINE = Path(__file__).parent.parent / "pipeline"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite and the adapters of the pipeline's tests, both as mutants and as variants."""
    settings = selftest.settings(None, None).model_copy(update={"paths": (PIPELINE / "telling.yaml",)})
    monkeypatch.setattr(selftest, "settings", lambda *_: settings)
    monkeypatch.setattr(rounds, "files", lambda _kind: [str(PIPELINE / "wrong.py")])


@pytest.mark.usefixtures("small")
def test_survivors_and_the_accused_are_named_and_the_exit_code_is_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["harness", "selftest"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "survives: wrong.right_sigmoid in sigmoid_cross_entropy"
    assert lines[2].startswith("accused: wrong.missing_term in sigmoid_cross_entropy: telling:ordinary/float32 value: ")
    assert lines[-1] == "9 of 11 mutants killed, 2 of 11 variants passed"


@pytest.mark.usefixtures("small")
def test_json_counts_paths(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["harness", "selftest", "--json"])
    with pytest.raises(SystemExit):
        cli.main()
    told = json.loads(capsys.readouterr().out)
    assert [told[key] for key in ("mutants", "killed", "variants", "passed")] == [11, 9, 11, 2]
    assert {each["path"] for each in told["survivors"]} == {"wrong.right_sigmoid", "wrong.right_softmax"}
    assert len(told["kills"]) == len(told["accused"]) == 9


def test_it_passes_only_where_all_mutants_fail_and_no_variant_does() -> None:
    assert selftest.Selftest({}, {}).passed
    assert not selftest.Selftest({rounds.Row("a", "b"): None}, {}).passed
