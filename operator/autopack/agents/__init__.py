"""What coding agents print about their work, read into one form: a transcript, what was used, and a summary.

Start at reading.py, which is pure, as the adapters are; listener.py has the files. All of it is light: pods import it.
Nothing here believes what it reads: it comes from programs that a run may have replaced.
"""
