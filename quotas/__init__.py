"""What may be done right now, enforced by Lua in Redis; nobody gets round it."""
