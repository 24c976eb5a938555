"""Which of several gateways is active."""
