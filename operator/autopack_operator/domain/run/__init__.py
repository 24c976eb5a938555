"""What happens next with one AutopackRun: start it, follow it, finish it. Read decide.py first."""
