"""Veryfront: pull-based agent workers that register, claim runs under leases, tell events and complete them."""
