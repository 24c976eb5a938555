"""Words that this project replaced, wherever they come back. `make lint` and pre-commit call it; a phrase may wrap."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

EVERYWHERE = {
    "can not": "cannot",
    "anew": "again",
    "for ever": "forever",
    "finalisers?": "finalizer, as Kubernetes spells it",
    "he|him|his": "they, their",
    "taken in|takes in|took in": "imported",
    "an other": "another",
}
FOR_READERS = {
    "told (?:of|late)|tells of|(?:is|are) told": "reported",
    "in place of": "instead of",
    "so many at a time": "a limited number at a time",
    "go on, nothing else starts|no others start|no further runs start": "N runs continue; no new runs start",
    "surroundings": "environment",
    r"\w+\(s\)": "count_of() of autopack/counts.py, which knows the plural",
}
"""Only in texts for users: pages, the chart, the CRDs, templates of the dashboard. Comments may say more."""

SKIPPED = re.compile(r"\.(lock|sum|png|svg|css)$|^scripts/check_words\.py$|^tests/unit/docs/test_words\.py$")
READERS = re.compile(r"^(docs/(?!adr/)|charts/|crds/|[A-Z]+\.md$|\.github/.*\.md$|operator/.*\.(html|txt)$)")


def _pattern(words: str) -> re.Pattern[str]:
    """Between two words there may be the end of a line, and the sign of a comment at the beginning of the next."""
    spaced = words.replace(" ", r"(?:\s+(?:(?:#|//|\*|>)\s*)?)")
    return re.compile(rf"(?<![\w-])(?:{spaced})(?![\w-])", re.IGNORECASE)


_RULES = [(_pattern(words), fix, False) for words, fix in EVERYWHERE.items()]
_RULES += [(_pattern(words), fix, True) for words, fix in FOR_READERS.items()]


def found(path: str, text: str) -> Iterator[str]:
    """Yield `path:line: 'words': what to write` for each replaced word in a file's text."""
    for pattern, fix, for_readers in _RULES:
        if for_readers and not READERS.search(path):
            continue
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: '{' '.join(match[0].split())}': write {fix}"


def main() -> int:
    """Check all files that git knows; 1 when a word was found."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [path for path in listed.split("\0") if path and not SKIPPED.search(path) and (ROOT / path).is_file()]
    problems = [line for path in paths for line in found(path, (ROOT / path).read_text("utf-8", errors="replace"))]
    sys.stdout.write("".join(f"{line}\n" for line in problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
