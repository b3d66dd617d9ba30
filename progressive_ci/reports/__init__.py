"""Events -> text for one CI system or a terminal. Pure; one module for each reporter, listed in `table`."""
