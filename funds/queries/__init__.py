"""Reads of money across rows, for pages and for clients."""
