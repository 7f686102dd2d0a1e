"""PP-TSN."""
