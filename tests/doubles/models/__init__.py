"""A double of the model APIs: it wants a key, plays a script, and reports what the script says was used.

It speaks Anthropic's `/v1/messages` and OpenAI's `/v1/chat/completions` and `/v1/responses`, streamed and whole, so
that real agents run against it. `python -m tests.doubles.models --help` starts it on this machine,
`scripts/models.py` in the cluster.
"""
