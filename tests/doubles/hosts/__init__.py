"""Git hosts that are played: as much of their REST APIs as delivering uses, over TLS, with faults on demand."""
