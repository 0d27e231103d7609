"""What a file is, how it looks, and what of it can be compared. Without Django and without the database."""
