"""The volume service: the duties that need a volume's files, one process per volume, over HTTP."""
