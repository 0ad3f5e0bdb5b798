"""What the dashboard knows, without a word of how it is drawn. Nothing in here imports Textual."""
