"""Settings, wiring, the policy file, the command line, and everything on one machine."""
