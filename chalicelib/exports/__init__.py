"""Exports: lists as files, made in the background."""
