"""Who may look. Denied is the default, and so is every error."""
