"""The order of things: steps, promotion, rollback, recovery. Acts only through `ports`."""
