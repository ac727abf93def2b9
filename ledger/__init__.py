"""The durable truth: parties, accounts, policy versions, notices, audit, jobs, slices and outcomes. The only room with SQL."""
