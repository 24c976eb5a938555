"""What a project's owner allows autonomous runs to do."""
