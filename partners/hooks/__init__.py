"""Webhooks: events posted to addresses of clients. docs/webhooks.md says what a receiver may rely on."""
