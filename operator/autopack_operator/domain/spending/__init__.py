"""What runs may use of models through the gateway, what they have used, and what follows from it."""
