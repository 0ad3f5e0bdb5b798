"""What several tests need: time and ids under control, a deck, a caller, a server process, a model of the rules."""
