"""`make lint` finds the words that were replaced, and leaves alone what only looks like them."""

from __future__ import annotations

import pytest
from scripts.check_words import found


@pytest.mark.parametrize(
    ("path", "text", "line", "words"),
    [
        ("operator/a.py", "x = 1\n# It can not be.\n", 2, "can not"),
        ("operator/a.py", "# waits for\n# ever\n", 1, "for # ever"),
        ("docs/a.md", "Its work is taken\nin later.", 1, "taken in"),
        ("docs/a.md", "Whether he may.", 1, "he"),
        ("docs/a.md", "The run is told late.", 1, "is told"),
        ("charts/autopack/values.yaml", "# 3 run(s) wait", 1, "run(s)"),
        ("operator/autopack_dashboard/templates/a.html", "bad surroundings", 1, "surroundings"),
    ],
)
def test_a_replaced_word_is_found(path: str, text: str, line: int, words: str) -> None:
    [problem] = found(path, text)
    assert problem.startswith(f"{path}:{line}: '{words}': write ")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/a.md", "It cannot. The history, another, for every run, taken into account."),
        ("operator/a.py", "the keeper is told to stop; print(s)"),
        ("docs/a.md", "`take-in-pods`, the-anew-ones"),
    ],
)
def test_what_only_looks_like_one_is_left_alone(path: str, text: str) -> None:
    assert list(found(path, text)) == []
