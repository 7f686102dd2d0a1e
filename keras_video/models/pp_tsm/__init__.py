"""PP-TSM."""
