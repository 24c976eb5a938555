"""The pages: a request, what it needs from the world, a template."""
