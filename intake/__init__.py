"""A party's file becomes checked, sealed slices; results come back as files; sends nothing."""
