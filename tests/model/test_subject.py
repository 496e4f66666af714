from __future__ import annotations

import pytest

from harness.model.subject import DOCUMENT, Subject


@pytest.mark.parametrize(
    ("device", "subject"),
    [("cpu", "tf1.15:tf.contrib.losses.x@session"), ("gpu:0", "tf1.15:tf.contrib.losses.x@session@gpu:0")],
)
def test_the_device_is_named_unless_it_is_the_cpu(device: str, subject: str) -> None:
    assert Subject("tf1.15", "tf.contrib.losses.x", "session", device).id == subject


def test_a_document_is_a_subject_of_its_own() -> None:
    assert (DOCUMENT.implementation, DOCUMENT.framework, DOCUMENT.mode) == ("document", "document", "")
