"""The Kubernetes API over kubernetes.aio, with raw JSON. The only package that imports that client."""
