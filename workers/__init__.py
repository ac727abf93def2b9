"""Workers: the actors, the sessions that upload records, the pacer that asks the gate for permits, and the wire clients."""
