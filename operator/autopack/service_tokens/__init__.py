"""ServiceAccount tokens, verified offline: what the services that pods call have in common."""
