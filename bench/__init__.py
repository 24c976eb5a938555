"""Measurements, side by side with what Kubernetes and git do themselves. `python -m bench --help`."""
