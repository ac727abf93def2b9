"""HTTP API and web pages; reads quotas, never spends them."""
