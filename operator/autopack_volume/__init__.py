"""What the volume service and those who ask it share: the protocol, a client, the service itself."""
