"""Stride: a kanban for people and agents whose claims want proof that a hook ran."""
