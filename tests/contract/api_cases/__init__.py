"""What the contract suite of the API server runs against, and the objects it makes there."""
