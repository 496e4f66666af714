from __future__ import annotations

from harness.model.case import Source


def test_a_source_is_where_an_editor_can_jump_to() -> None:
    assert str(Source("cases/documents/003.yaml", 12, "003", "example 1")) == "cases/documents/003.yaml:12"
