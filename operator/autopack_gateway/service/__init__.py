"""The gateway: identity, money, the governor, and the passing on of requests."""
