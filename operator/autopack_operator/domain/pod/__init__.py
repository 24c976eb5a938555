"""The pod of one attempt. Everything in it is decided by the operator and the administrator's RunProfile; a run's
author chooses only the command, the arguments, the environment and (from an allowed list) the image. Read manifest.py
first.
"""
