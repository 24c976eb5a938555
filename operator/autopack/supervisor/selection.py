"""Which of the given runs are executed."""

from __future__ import annotations

import re
from pathlib import Path

from autopack.errors import InvalidInput, printable
from autopack.run_ids import check_run_ids

_SLICE = re.compile(r"(-?\d{1,9})?:(-?\d{1,9})?(?::(-?\d{1,9})?)?", re.ASCII)


def parse_run_ids(text: str) -> list[str]:
    """Return the run ids of a comma-separated list, or of a file with one a line (`@path`), in order.

    Raises InvalidInput for a bad or repeated id, and for a file that cannot be read.
    """
    if not text.startswith("@"):
        return check_run_ids(part.strip() for part in text.split(","))
    path = Path(text[1:])
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{printable(str(path), 200)} cannot be read as text"
        raise InvalidInput("run_ids", message, "Give a file with one run id per line") from error
    return check_run_ids(line.strip() for line in lines if line.strip())


def select(run_ids: list[str], pattern: str | None = None, slice_text: str | None = None) -> list[str]:
    """Return the runs whose id matches the regular expression (anywhere in it), then the Python slice of those.

    Raises InvalidInput for a bad expression or slice, and when nothing is left.
    """
    chosen = run_ids
    if pattern is not None:
        try:
            expression = re.compile(pattern)
        except re.error as error:
            message = f"'{printable(pattern, 80)}' is not a regular expression: {error}"
            raise InvalidInput("filter", message, "For example --filter '^lint-'") from error
        chosen = [run_id for run_id in chosen if expression.search(run_id)]
    if slice_text is not None:
        chosen = chosen[_parse_slice(slice_text)]
    if not chosen:
        raise InvalidInput("run_ids", "no run is left after --filter and --slice", "Choose fewer restrictions")
    return chosen


def _parse_slice(text: str) -> slice:
    found = _SLICE.fullmatch(text.strip())
    if found is None or (found[3] is not None and int(found[3]) == 0):
        raise InvalidInput("slice", f"'{printable(text, 80)}' is not a slice", "For example --slice 0:10")
    return slice(*(None if part is None else int(part) for part in found.groups()))
