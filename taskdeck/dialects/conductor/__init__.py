"""Conductor's human tasks: claimed by people, assigned to users and groups in turn, filled in by a form."""
