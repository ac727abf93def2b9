"""Names, collectors and exporter of what is measured; boards and alert rules as code."""
