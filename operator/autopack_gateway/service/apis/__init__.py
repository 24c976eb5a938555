"""The APIs of models: what a request may cost, and what an answer says that it did: pure."""
