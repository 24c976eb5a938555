"""Commands for the runs of this machine."""
