"""Rows for a dry run and for prompts: generated, aligned to joins and filters, masked."""
