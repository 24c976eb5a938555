"""Which cluster and namespace a person means."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Access:
    """Which cluster and namespace, as kubectl's flags of these names; None means what the kubeconfig says."""

    kubeconfig: str | None
    context: str | None
    namespace: str | None

    def kubectl_flags(self, namespace: str) -> list[str]:
        """Return the same as arguments of kubectl."""
        flags = [f"--namespace={namespace}"]
        flags += [f"--kubeconfig={self.kubeconfig}"] if self.kubeconfig else []
        return flags + ([f"--context={self.context}"] if self.context else [])
