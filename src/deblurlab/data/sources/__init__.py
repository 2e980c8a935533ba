"""What frames can be read from: published folders, photographs, shards."""
