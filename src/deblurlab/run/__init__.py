"""What a run leaves on disk: its folder, checkpoints, weights, history, scores and pictures."""
