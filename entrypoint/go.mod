module autopack.dev/entrypoint

go 1.19
