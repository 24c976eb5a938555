"""The dashboard: what runs are doing and what they left, in a browser. It reads and never writes.

`model` and the modules named after one thing (`timeline`, `patches`, `texts`, `baselines`, `leases`) are pure; `ports`
says what is needed from the world; `rows`, `volume_files`, `local_files` and `access` provide it; `pages` answer.
"""
