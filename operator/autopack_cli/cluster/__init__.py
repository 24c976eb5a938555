"""Commands for the runs of a cluster, with a person's own rights."""
