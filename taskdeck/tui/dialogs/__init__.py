"""Dialogs: what will happen, what is asked, one key to do it and one to leave it."""
