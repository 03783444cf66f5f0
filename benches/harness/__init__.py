"""What `benches/run` is made of: build, measure in rounds, say whether the target was reached."""
