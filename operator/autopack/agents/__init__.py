"""What coding agents print about their work, read into one form: a transcript, what was used, and a summary.

Start at reading.py. Pure, and light: the keeper in every run's pod imports it. Nothing here believes what it reads: it
comes from programs that a run may have replaced.
"""
