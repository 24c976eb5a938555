"""RunProfiles are parsed once a generation as well."""

from __future__ import annotations

from autopack_operator.cache import Cache
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.parsed_spec import ParsedSpec


class ParsedProfiles:
    """RunProfiles, which all runs that use them share. Those that the cache has no more are dropped."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._parsed: dict[tuple[str, str], ParsedSpec[RunProfileSpec]] = {}

    def of(self, namespace: str, name: str) -> tuple[RunProfileSpec | None, str]:
        """The profile as the cache has it; None when it is not there, and, with the reason, when it is unreadable."""
        found = self._cache.profiles.get(namespace, name)
        if found is None:
            return None, ""
        parsed = self._parsed.get((namespace, name))
        if parsed is None:
            self._parsed = {place: kept for place, kept in self._parsed.items() if self._cache.profiles.get(*place)}
            parsed = self._parsed[namespace, name] = ParsedSpec(RunProfileSpec)
        return parsed.of(found.uid, found.generation, found.spec)
