"""The registrar's policy file: read it, say what is wrong and where, show what a change does, tell everyone."""
