"""The publisher: pushes checked commits to git hosts and asks for pull requests, over HTTP."""
