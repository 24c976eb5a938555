"""The embedded cluster: Kubernetes' own programs as processes of this machine, real pods, no Docker.

Read in this order: `addresses`, `components` (what runs), `rendering` (their configuration), `cluster` (up, down).
"""
