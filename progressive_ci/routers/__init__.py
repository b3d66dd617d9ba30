"""Route objects -> changed route objects. Pure; one module for each router, listed in `table`."""
