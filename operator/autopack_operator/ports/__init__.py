"""What the application needs from the world, as protocols. Adapters implement them."""
