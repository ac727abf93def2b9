"""The commands of `pratunam`, one file a subject; each is a thin skin over a verb."""
