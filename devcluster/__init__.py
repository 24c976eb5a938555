"""A real local Kubernetes for development, the demo and the tests: `python3 -m devcluster help`.

Standard library only: it runs before any environment exists.
"""
