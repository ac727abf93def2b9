"""The deterministic simulator: the product's own loops, sessions and ledger verbs on a virtual clock, with faults drawn from a seed."""
