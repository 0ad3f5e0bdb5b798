"""What the deck sends by itself: events to webhooks."""
