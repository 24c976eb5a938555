"""The query strings of readers, checked: pure."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from autopack.errors import InvalidInput, printable

_MAX_FIELDS = 300
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
_ATTEMPT = re.compile(r"(?P<uid>[0-9a-zA-Z-]{8,64})/(?P<attempt>[1-9][0-9]{0,8})", re.ASCII)


class Query:
    """The fields of a query string; InvalidInput for unknown ones, doubled ones, and values that are none."""

    def __init__(self, raw: str, *known: str, many: frozenset[str] = frozenset()) -> None:
        try:
            # Names of files need not be UTF-8.
            pairs = parse_qsl(raw, keep_blank_values=True, errors="surrogateescape", max_num_fields=_MAX_FIELDS)
        except ValueError as error:
            raise InvalidInput("query", f"has more than {_MAX_FIELDS} fields", "Ask for less at once") from error
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if name not in known or (name in self._values and name not in many):
                what = "is given twice" if name in known else "is unknown"
                fix = f"Known are {', '.join(known) or 'none'}"
                raise InvalidInput("query", f"'{printable(name, 60)}' {what}", fix)
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str | None:
        """Return a value, None when it is not given."""
        return self._values.get(name, [None])[0]

    def needed(self, name: str) -> str:
        """Return a value that must be given."""
        value = self.text(name)
        if not value:
            raise InvalidInput(name, "is missing", f"Add ?{name}=…")
        return value

    def number(self, name: str, most: int) -> int | None:
        """Return a whole number from 0, at most `most` (a greater one is cut), None when it is not given."""
        value = self.text(name)
        if value is None:
            return None
        if not _NUMBER.fullmatch(value):
            raise InvalidInput(name, f"'{printable(value, 20)}' is not a whole number from 0", "Use digits")
        return min(int(value), most)

    def flag(self, name: str) -> bool:
        """Tell whether a field is `true`; it may be absent or `false`."""
        value = self.text(name)
        if value not in {None, "true", "false"}:
            raise InvalidInput(name, f"'{printable(str(value), 20)}' is not true or false", "Use true or false")
        return value == "true"

    def attempts(self, most: int) -> list[tuple[str, int]]:
        """Return what `attempt=<uid>/<number>` names, each once; from 1 to `most` of them."""
        values = list(dict.fromkeys(self._values.get("attempt", ())))
        if not 1 <= len(values) <= most:
            raise InvalidInput("attempt", f"is given {len(values)} times", f"Give from 1 to {most} attempts")
        return [_attempt(value) for value in values]


def _attempt(text: str) -> tuple[str, int]:
    found = _ATTEMPT.fullmatch(text)
    if found is None:
        raise InvalidInput("attempt", f"'{printable(text, 80)}' is not <uid>/<number>", "Name attempts so")
    return found["uid"], int(found["attempt"])
