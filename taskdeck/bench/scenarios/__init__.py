"""What happens at scale and in storms: each scenario measures a deck beside its own reference, in one run."""
