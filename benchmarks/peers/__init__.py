"""Programs of others that do the same work, each in its idiomatic way and tuned as its documentation advises: what ours is held against."""
