"""Effects: the Kubernetes API, the kopf informer, the volume service, HTTP endpoints."""
