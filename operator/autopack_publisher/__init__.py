"""What the publisher and those who ask it share: the protocol, a client, the service itself."""
