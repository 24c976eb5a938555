"""How many requests a provider gets at once, and whose turn it is."""
