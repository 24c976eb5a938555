"""Errors are safe to print and travel between processes."""

import copy

import pytest

from autopack.errors import AutopackError, InvalidInput, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢", "plain é 漢"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\0c", "a\\nb\\x00c"),
        ("user\u202egnp", "user\\u202egnp"),
        ("\ud800", "\\ud800"),
        ("x" * 600, "x" * 511 + "…"),
    ],
)
def test_printable_shows_what_is_there(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_printable_keeps_to_its_limit_when_escapes_make_it_longer() -> None:
    assert len(printable("\x1b" * 500)) == 512


def test_an_error_reads_as_message_then_fix() -> None:
    assert str(AutopackError("Why", "it broke", "Mend it")) == "it broke. Mend it"


def test_invalid_input_names_its_field_after_a_copy_as_between_processes() -> None:
    error = copy.copy(InvalidInput("ref", "is bad", "Give a good one"))
    assert (error.field, error.reason, str(error)) == ("ref", "InvalidInput", "ref: is bad. Give a good one")
