"""The files between a payment run and the bank: a table as CSV, and ISO 20022 messages."""
