"""What a registry's records are: fields, checks, natural key, what goes on the wire."""
