"""A check -> an HTTP request; a response -> a sample. Pure; one module a provider, listed in `table`."""
