"""What a publisher asks a host, described so that the same request has the same description in every trial. Pure."""

from __future__ import annotations

from tests.doubles.hosts.front import Request

from faults.plan import Match


def place_of(request: Request) -> tuple[str, str]:
    """Return verb and resource: of git by its services, of the API by the last word of the path."""
    verb = request.method.lower()
    last = [part for part in request.path.split("/") if part and not part.isdecimal()][-1]
    if last == "refs":
        return verb, f"refs for {request.query.get('service', '')}"
    if "/statuses/" in request.path:
        return verb, "statuses"
    return verb, "repository" if request.path.startswith("/repos/") and request.path.count("/") == 3 else last


class Counting:
    """Numbers the requests of one trial."""

    def __init__(self) -> None:
        self.seen: list[Match] = []

    def take(self, request: Request) -> Match:
        """Return which one this is."""
        verb, resource = place_of(request)
        nth = 1 + sum((one.verb, one.resource) == (verb, resource) for one in self.seen)
        self.seen.append(Match(verb=verb, resource=resource, name="~", nth=nth))
        return self.seen[-1]
