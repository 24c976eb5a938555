"""What the commands of both rooms share: options, output, errors, exit codes."""
