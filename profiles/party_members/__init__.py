"""The profile `party-members`: members of political parties, as the registrar's member database takes them."""
