"""The controllers of the simulated cluster: each looks at its objects a moment after they changed."""
