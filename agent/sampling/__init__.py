"""Rows for a dry run: aligned, filtered, generated, masked."""
