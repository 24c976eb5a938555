"""What runs next to the user's files in the cluster: workspace, keeper and volume service."""
