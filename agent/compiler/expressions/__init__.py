"""SQL expressions: two dialects, read, checked and rendered."""
