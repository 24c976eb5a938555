"""The command line: on top of everything, in two rooms. `local` needs no cluster, `cluster` is `kubectl autopack`."""
