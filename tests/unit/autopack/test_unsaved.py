"""What is said of work that could not be kept."""

from __future__ import annotations

import pytest

from autopack.unsaved import Unsaved, condition, describe

HUGE = Unsaved(path="data/huge.bin", bytes=1 << 40, reason="larger than the disk")


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B, "), (1023, "1023 B, "), (1536, "1.5 KiB, "), (1 << 40, "1.0 TiB, "), (None, "")],
)
def test_a_file_is_named_with_its_size_and_the_reason(size: int | None, said: str) -> None:
    assert describe([Unsaved(path="a", bytes=size, reason="no room")]) == f"a ({said}no room)"


def test_many_files_are_counted() -> None:
    said = describe([Unsaved(path=f"f{number}", bytes=1, reason="no") for number in range(5)])
    assert said == "f0 (1 B, no); f1 (1 B, no); f2 (1 B, no); and 2 more"


def test_names_are_made_safe_to_print() -> None:
    assert "\x1b" not in describe([Unsaved(path="\x1b[31m", bytes=None, reason="\x1b[0m")])


def test_it_can_be_had_as_a_condition() -> None:
    assert condition("partly", [HUGE], "2026-01-06T00:00:00+00:00") == {
        "type": "WorkSaved",
        "status": "Partly",
        "reason": "NotSaved",
        "message": "data/huge.bin (1.0 TiB, larger than the disk)",
        "at": "2026-01-06T00:00:00+00:00",
    }
