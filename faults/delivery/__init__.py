"""Deliveries under faults: a publisher's real process, real git, and a host whose every request can be disturbed."""
