"""From untrusted bytes to an IntentionAnchorV2, or to one sentence that says what is wrong. Pure: no I/O."""

from __future__ import annotations

import json
import math
from typing import NoReturn

from pydantic import ValidationError

from autopack.errors import AutopackError, printable

from .v2 import IntentionAnchorV2

MAX_BYTES = 256 * 1024
MAX_DEPTH = 64

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_MAX_MESSAGE = 512


class AnchorError(AutopackError):
    """The anchor is refused.

    `reason` is AnchorAbsent, AnchorTooLarge, AnchorMalformed, AnchorWrongVersion or AnchorInvalid. The message is safe
    to print (control characters escaped) and, with the fix, at most 512 characters long.
    """

    def __init__(self, reason: str, message: str, fix: str) -> None:
        super().__init__(reason, printable(message, _MAX_MESSAGE - len(fix) - 2), fix)
        self.args = (reason, message, fix)


def parse_anchor(raw: bytes | str | None) -> IntentionAnchorV2:
    """Return the anchor in `raw` (JSON, UTF-8 without byte order mark, at most 256 KiB, at most 64 levels deep).

    Types are strict: `"true"` is no boolean. Raises AnchorError.
    """
    data = _bounded_bytes(raw)
    _check_depth(data)
    document = _parse(data)
    _check_version(document)
    try:
        return IntentionAnchorV2.model_validate_json(data)
    except ValidationError as error:
        raise _explain(error) from None


def _bounded_bytes(raw: bytes | str | None) -> bytes:
    if raw is None or not raw.strip():
        raise AnchorError(
            "AnchorAbsent",
            "there is no intention anchor" if raw is None else "the intention anchor is empty",
            "Write an IntentionAnchorV2 with pivot_intentions.parallelism_isolation.allowed=true",
        )
    if len(raw) <= MAX_BYTES:
        try:
            data = raw if isinstance(raw, bytes) else raw.encode()
        except UnicodeEncodeError:
            _malformed("it has characters that UTF-8 cannot hold")
        if len(data) <= MAX_BYTES:
            return data
    raise AnchorError("AnchorTooLarge", f"the anchor has more than {MAX_BYTES // 1024} KiB", "Shorten it")


def _malformed(what: str) -> NoReturn:
    fix = "Save it as plain JSON in UTF-8 without byte order mark"
    raise AnchorError("AnchorMalformed", f"the anchor is not proper JSON: {what}", fix)


def _check_depth(data: bytes) -> None:
    """Refuse deep nesting before any parser recurses into it."""
    depth, in_string, escaped = 0, False, False
    for byte in data:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                _malformed(f"it is nested more than {MAX_DEPTH} levels deep")
        elif byte in b"]}":
            depth -= 1


def _parse(data: bytes) -> object:
    if data.startswith(_BYTE_ORDER_MARKS):
        _malformed("it begins with a byte order mark")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        _malformed(f"byte {error.start} is not UTF-8")
    try:
        return json.loads(
            text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        _malformed(f"line {error.lineno} column {error.colno}: {error.msg}")
    except ValueError:
        # The one other cause is Python's own bound on the digits of an integer.
        _malformed("it has a number of too many digits")


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            _malformed(f"the field '{printable(name, 80)}' is given twice")
        found[name] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    _malformed(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _malformed(f"the number {text[:40]} is too large")
    return number


def _check_version(document: object) -> None:
    if not isinstance(document, dict):
        _malformed("it is not an object")
    version = document.get("format_version")
    if version != "v2":
        shown = "absent" if version is None else json.dumps(version)[:80]
        raise AnchorError("AnchorWrongVersion", f"format_version is {shown}, not v2", 'Set "format_version": "v2"')


def _explain(error: ValidationError) -> AnchorError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        _malformed(first["msg"])
    where = ".".join(printable(str(part), 80) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return AnchorError("AnchorInvalid", f"{where}: {first['msg']}{more}", "Correct this field of the anchor")
