"""What the screen is made of: widgets that draw the model line by line."""
