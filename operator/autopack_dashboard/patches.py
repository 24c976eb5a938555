"""A patch as rows to show: what kind each line is, and its numbers in the old and the new file. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from autopack_dashboard.texts import line as inert

MOST_LINES = 5000
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_HEADERS = ("old mode ", "new mode ", "new file mode ", "deleted file mode ", "rename ", "copy ", "similarity ")


@dataclass(frozen=True)
class Row:
    """One line of a hunk. `kind`: `add`, `del`, `same`, `hunk` or `note`; numbers are None where there is none."""

    kind: str
    text: str
    old: int | None = None
    new: int | None = None


@dataclass
class FilePatch:
    """What happened to one file."""

    name: str
    notes: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def added(self) -> int:
        """Lines that came."""
        return sum(row.kind == "add" for row in self.rows)

    @property
    def removed(self) -> int:
        """Lines that went."""
        return sum(row.kind == "del" for row in self.rows)


def parse(data: bytes) -> tuple[list[FilePatch], bool]:
    """Return the files of a patch as `git diff` prints it, and whether it was cut after MOST_LINES lines."""
    files: list[FilePatch] = []
    old = new = 0
    in_hunk = False
    lines = data.decode("utf-8", "replace").split("\n")
    for text in lines[:MOST_LINES]:
        if text.startswith("diff --git "):
            files.append(FilePatch(_name(text)))
            in_hunk = False
        elif not files:
            continue
        elif found := _HUNK.match(text):
            old, new, in_hunk = int(found[1]), int(found[2]), True
            files[-1].rows.append(Row("hunk", inert(text)))
        elif not in_hunk:
            _header(files[-1], text)
        elif text.startswith("+"):
            files[-1].rows.append(Row("add", inert(text[1:]), None, new))
            new += 1
        elif text.startswith("-"):
            files[-1].rows.append(Row("del", inert(text[1:]), old, None))
            old += 1
        elif text.startswith(" "):
            files[-1].rows.append(Row("same", inert(text[1:]), old, new))
            old, new = old + 1, new + 1
        elif text.startswith("\\"):
            files[-1].rows.append(Row("note", inert(text[2:])))
    return files, len(lines) > MOST_LINES


def _header(file: FilePatch, text: str) -> None:
    if text.startswith("+++ ") and not text.startswith("+++ /dev/null"):
        file.name = inert(text[4:].removeprefix("b/").rstrip("\t"))
    elif text.startswith(_HEADERS) or text.startswith("Binary files "):
        file.notes.append(inert(text))


def _name(text: str) -> str:
    """`diff --git a/x b/x` is only unambiguous when both names are equal, which they are but for renames."""
    rest = text.removeprefix("diff --git ")
    half = rest[: len(rest) // 2]
    return inert(half.removeprefix("a/") if rest == f"{half} b/{half.removeprefix('a/')}" else rest)
