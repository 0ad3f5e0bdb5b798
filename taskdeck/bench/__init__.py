"""Measuring a deck from outside: load over real connections, beside the floor of the same server without a store."""
